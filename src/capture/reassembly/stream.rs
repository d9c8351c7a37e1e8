//! One side's bytes, put in order. Sans-I/O.
//!
//! Positions count a side's bytes from 0 and never wrap; sequence numbers are turned into them by
//! their distance, at most 2 GiB either way, from the furthest position known. What is ahead of a hole
//! is held until the hole is filled or given up.

use super::ahead::{Agreement, Ahead, Content, OVERHEAD};
use super::past::Past;
use super::policy::Overlap;
use super::{Outlet, Stamp};
use crate::Result;
use crate::session::{Kind, Note, Side};

/// No window reaches further (RFC 7323, section 2.3): at what lies further away, ahead or back, the
/// sequence has jumped.
const REACH: i64 = 1 << 30;

/// How far an old segment of a connection that is over may lie from what is known of it.
const STRAGGLING: i64 = 16 << 20;

/// One side's bytes on their way into order.
#[derive(Debug, Default)]
pub(super) struct Stream {
    overlap: Overlap,
    /// The sequence number of position 0, once it is known.
    origin: Option<u32>,
    /// Everything before was handed out or given up.
    next: i64,
    /// How far the peer said that it has all bytes.
    acknowledged: i64,
    /// How far this side said that it has sent.
    sent: i64,
    /// When the peer last said that it waits for what is at `next`, or before.
    lacked: Option<Stamp>,
    ahead: Ahead,
    past: Past,
    /// A byte sent into a closed window: it counts when it is acknowledged or followed.
    probe: Option<(Option<u8>, Stamp)>,
    /// Up to where urgent data was noted.
    urgent: i64,
    /// Where the FIN is.
    end: Option<(i64, Stamp)>,
    over: bool,
}

impl Stream {
    pub(super) fn new(overlap: Overlap) -> Stream {
        Stream { overlap, ..Stream::default() }
    }

    /// Says where the side's bytes begin, unless that is known.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.origin.get_or_insert(sequence);
    }

    /// Says where the side's bytes begin if none was seen: another SYN took the first one's place.
    pub(super) fn begin_anew(&mut self, sequence: u32) -> bool {
        let untouched = self.next.max(self.acknowledged) == 0 && self.holds() == 0;
        if untouched {
            self.origin = Some(sequence);
        }
        untouched
    }

    /// The sequence number of the first byte, once it is known.
    pub(super) fn origin(&self) -> Option<u32> {
        self.origin
    }

    /// Whether the end was reached.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// How much memory that takes which waits behind a hole, a FIN among it.
    pub(super) fn holds(&self) -> usize {
        self.ahead.cost() + if self.awaits_end() { OVERHEAD } else { 0 }
    }

    /// How much memory the bytes take that were handed out and are remembered.
    pub(super) fn remembers(&self) -> usize {
        self.past.cost()
    }

    /// Forgets the bytes that were handed out: what is sent again is not compared with them any more.
    pub(super) fn forget(&mut self) {
        self.past.forget();
    }

    /// Since when the first hole is waited for without a word from the peer that it waits for it, too;
    /// `None` without a hole.
    pub(super) fn waits_since(&self) -> Option<Stamp> {
        let since = match (self.ahead.first(), self.end) {
            (Some((_, stamp)), _) => stamp,
            (None, Some((_, stamp))) if !self.over => stamp,
            _ => return None,
        };
        Some(self.lacked.filter(|lacked| lacked.at > since.at).unwrap_or(since))
    }

    /// Whether data at `sequence` cannot be of this side, which has ended or was reset: it lies behind
    /// the FIN, or far from all that is known.
    pub(super) fn is_foreign(&self, sequence: u32, seen_from_start: bool) -> bool {
        if self.origin.is_none() {
            return false;
        }
        let position = self.position(sequence);
        let first = if seen_from_start { -1 } else { -STRAGGLING };
        let last = self.end.map_or(self.furthest() + STRAGGLING, |(end, _)| end);
        !(first..=last).contains(&position)
    }

    /// Whether a RST at `sequence` is one that the peer can take: not one of before what it has
    /// acknowledged (RFC 5961, section 3.2).
    pub(super) fn takes_reset(&self, sequence: u32) -> bool {
        let position = self.position(sequence);
        let known = self.next.min(self.acknowledged) - 1;
        self.origin.is_none() || (known..=self.reference() + REACH).contains(&position)
    }

    /// Takes a segment's payload: `bytes` of it are there, `length` there were.
    pub(super) fn data(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        bytes: &[u8],
        length: u32,
        window_closed: bool,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        self.begin(sequence);
        let mut position = self.position(sequence);
        if length <= 1 && (position == self.next - 1 || self.over && position == self.next) {
            // A keep-alive: an old byte, or none (RFC 9293, section 3.8.4).
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        if self.next - position > REACH || position - self.reference() > REACH {
            self.jump(stamp, sequence, out)?;
            position = self.next;
        }
        if length == 1 && position == self.next && window_closed && self.ahead.is_empty() {
            if self.probe.is_none_or(|(byte, _)| byte.is_none()) {
                self.probe = Some((bytes.first().copied(), stamp));
            }
            return Ok(());
        }
        if position > self.next {
            // What follows the probe shows that it was taken.
            self.take_probe(out)?;
        } else if position + i64::from(length) > self.next {
            let byte = bytes.get((self.next - position) as usize);
            self.repeat_probe(stamp, byte.copied(), out)?;
        }
        let (mut bytes, mut length) = (bytes, i64::from(length));
        if let Some((end, _)) = self.end
            && position + length > end
        {
            let inside = (end - position).max(0);
            let behind = length - inside;
            self.note(stamp, behind, out, |side, length| Note::Discarded { side, length })?;
            length = inside;
            bytes = &bytes[..bytes.len().min(inside as usize)];
        }
        if position > self.next {
            // The peer has what is before it, and it does not come any more.
            self.give_up(Some(stamp), position.min(self.acknowledged), out)?;
        }
        self.place(stamp, position, bytes, length, out)?;
        self.settle(Some(stamp), out)
    }

    /// Goes on at `sequence`, which is nowhere near: how much is missing before it cannot be told.
    pub(super) fn jump(&mut self, stamp: Stamp, sequence: u32, out: &mut Outlet<'_>) -> Result<()> {
        self.give_up(None, self.furthest(), out)?;
        out.event(stamp, Kind::Gap { side: out.side, length: None })?;
        self.past = Past::default();
        self.origin = Some(sequence.wrapping_sub(self.next as u32));
        (self.acknowledged, self.sent) = (self.next, self.next);
        self.end = None;
        Ok(())
    }

    /// Takes the side's word that it has sent everything before `sequence`: a segment without data has
    /// the number of what is sent next.
    pub(super) fn sent(&mut self, sequence: u32) {
        let position = self.position(sequence);
        if self.origin.is_some() && position - self.reference() <= REACH {
            self.sent = position;
        }
    }

    /// Takes the position of a FIN; the first one counts.
    pub(super) fn finish(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        self.begin(sequence);
        let position = self.position(sequence);
        let plausible = self.next..=self.reference() + REACH;
        if self.end.is_none() && plausible.contains(&position) {
            self.end = Some((position, stamp));
        }
        self.settle(Some(stamp), out)
    }

    /// Takes the word that urgent data ends before `sequence` (RFC 6093, section 2.2). Its bytes stay
    /// where they are.
    pub(super) fn urgent(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let position = self.position(sequence);
        if position <= self.urgent || position - self.reference() > REACH {
            return Ok(());
        }
        self.urgent = position;
        let offset = (position - 1) as u64;
        out.event(stamp, Kind::Note(Note::Urgent { side: out.side, offset }))
    }

    /// Takes the peer's word that it has everything before `sequence`.
    pub(super) fn acknowledge(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let position = self.position(sequence);
        if position - self.reference() > REACH {
            return Ok(());
        }
        if position <= self.next {
            self.lacked = Some(stamp);
        }
        if position <= self.acknowledged {
            // What it takes back it has not got: the greater number was a damaged one.
            self.acknowledged = position.max(self.next.min(self.acknowledged));
            return Ok(());
        }
        self.acknowledged = position;
        if position > self.next {
            self.take_probe(out)?;
        }
        // A hole that the peer has filled is filled no more in the capture once something stands
        // behind it. With nothing there the bytes may still come: some captures have an
        // acknowledgement before what it acknowledges.
        while let Some((first, _)) = self.ahead.first()
            && first <= position
        {
            self.give_up(None, first, out)?;
        }
        if let Some((end, _)) = self.end
            && position > end
        {
            self.give_up(Some(stamp), end, out)?;
        }
        Ok(())
    }

    /// The peer sends on, and still says that it has everything before `sequence`: what it has said
    /// before to have is not going to come.
    pub(super) fn passed(
        &mut self,
        stamp: Stamp,
        sequence: u32,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let twice = self.acknowledged.min(self.position(sequence));
        let reached = self.end.map_or(twice, |(end, _)| end.min(twice));
        self.give_up(Some(stamp), reached, out)
    }

    /// Gives up every hole: nothing comes any more. `peer_over` says whether the peer has ended.
    pub(super) fn close(
        &mut self,
        stamp: Stamp,
        peer_over: bool,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        self.take_probe(out)?;
        self.give_up(None, self.ahead.end().unwrap_or(self.next), out)?;
        // The last number may be that of a FIN that the capture has not got: then no byte is missing. It
        // is one if the peer acknowledges it after its own end, or nobody acknowledges it.
        let last = self.end.is_none() && self.furthest() == self.next + 1;
        let unseen_fin = last && (peer_over || self.acknowledged <= self.next);
        if unseen_fin { Ok(()) } else { self.give_up(Some(stamp), self.furthest(), out) }
    }

    /// Gives up the first hole.
    pub(super) fn give_up_first(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        match (self.ahead.first(), self.end) {
            (Some((first, _)), _) => self.give_up(None, first, out),
            (None, Some((end, stamp))) => self.give_up(Some(stamp), end, out),
            (None, None) => Ok(()),
        }
    }

    /// The byte that was sent into a closed window was taken.
    fn take_probe(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        let Some((byte, stamp)) = self.probe.take() else { return Ok(()) };
        self.place(stamp, self.next, byte.as_slice(), 1, out)
    }

    /// A segment has the byte again that was sent into a closed window; `byte` is what it says. It takes
    /// the place of the probe, unless the probe says more, or something else that counts.
    fn repeat_probe(&mut self, stamp: Stamp, byte: Option<u8>, out: &mut Outlet<'_>) -> Result<()> {
        let Some((Some(first), _)) = self.probe else {
            self.probe = None;
            return Ok(());
        };
        match byte {
            None => self.take_probe(out),
            Some(byte) if byte != first && self.overlap == Overlap::First => self.take_probe(out),
            Some(byte) => {
                self.probe = None;
                let differing = i64::from(byte != first);
                self.note(stamp, differing, out, |side, length| Note::Overlap { side, length })
            }
        }
    }

    /// Puts a part of a segment at its place: what is next goes out, what is ahead is held, what was
    /// there already is compared.
    fn place(
        &mut self,
        stamp: Stamp,
        position: i64,
        bytes: &[u8],
        length: i64,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let mut agreement = Agreement::default();
        let old = (self.next - position).clamp(0, length);
        let (before, bytes) = bytes.split_at(bytes.len().min(old as usize));
        if old > 0 {
            self.past.compare(self.next, position, before, old, &mut agreement);
        }
        let (position, length) = (position + old, length - old);
        let here = bytes.len() as i64;
        let alone = self.ahead.first().is_none_or(|(first, _)| first >= position + length);
        if length > 0 && position == self.next && alone {
            self.deliver(stamp, bytes, out)?;
            self.miss(stamp, length - here, out)?;
        } else {
            self.ahead.insert(stamp, position, bytes, self.overlap, &mut agreement);
            self.ahead.insert_cut(stamp, position + here, length - here, &mut agreement);
        }
        self.drain(Some(stamp), out)?;
        let Agreement { again, differing, late } = agreement;
        self.note(stamp, differing, out, |side, length| Note::Overlap { side, length })?;
        let same = again - differing;
        self.note(stamp, same, out, |side, length| Note::Retransmission { side, length })?;
        self.note(stamp, late, out, |side, length| Note::Discarded { side, length })
    }

    /// Says something of so many bytes, if there are any.
    fn note(
        &self,
        stamp: Stamp,
        length: i64,
        out: &mut Outlet<'_>,
        note: fn(Side, u64) -> Note,
    ) -> Result<()> {
        match length {
            0 => Ok(()),
            _ => out.event(stamp, Kind::Note(note(out.side, length as u64))),
        }
    }

    /// Gives up the holes before `upto`. What was held behind them goes out with its own stamp; the
    /// last hole, behind which nothing is held, with `stamp`.
    fn give_up(&mut self, stamp: Option<Stamp>, upto: i64, out: &mut Outlet<'_>) -> Result<()> {
        while self.next < upto {
            let (to, of) = match self.ahead.first() {
                Some((first, held)) if first <= upto => (first, held),
                _ => match stamp {
                    Some(stamp) => (upto, stamp),
                    None => break,
                },
            };
            self.miss(of, to - self.next, out)?;
            self.settle(None, out)?;
        }
        self.settle(stamp, out)
    }

    /// Hands out what became the next, and the end if it is reached. Without a stamp each goes with
    /// its own.
    fn settle(&mut self, stamp: Option<Stamp>, out: &mut Outlet<'_>) -> Result<()> {
        self.drain(stamp, out)?;
        match self.end {
            Some((end, own)) if end <= self.next && !self.over => {
                self.over = true;
                out.event(stamp.unwrap_or(own), Kind::Eof { side: out.side })
            }
            _ => Ok(()),
        }
    }

    fn drain(&mut self, stamp: Option<Stamp>, out: &mut Outlet<'_>) -> Result<()> {
        while let Some(piece) = self.ahead.take(self.next) {
            let stamp = stamp.unwrap_or(piece.stamp);
            match piece.content {
                Content::Bytes(bytes) => self.deliver(stamp, &bytes, out)?,
                Content::Cut(length) => self.miss(stamp, length, out)?,
            }
        }
        Ok(())
    }

    /// Hands out the next bytes.
    fn deliver(&mut self, stamp: Stamp, bytes: &[u8], out: &mut Outlet<'_>) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.next += bytes.len() as i64;
        self.past.push(bytes);
        out.event(stamp, Kind::Data { side: out.side, bytes })
    }

    /// Says that the next bytes are not in the capture.
    fn miss(&mut self, stamp: Stamp, length: i64, out: &mut Outlet<'_>) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        self.past.gap(self.next, self.next + length);
        self.next += length;
        out.event(stamp, Kind::Gap { side: out.side, length: Some(length as u64) })
    }

    fn awaits_end(&self) -> bool {
        !self.over && self.end.is_some()
    }

    /// The furthest position from which sequence numbers can be told.
    fn reference(&self) -> i64 {
        self.next.max(self.acknowledged)
    }

    /// Up to where there are, or were, bytes.
    fn furthest(&self) -> i64 {
        let held = self.ahead.end().unwrap_or(self.next);
        self.end.map_or(self.acknowledged.max(self.sent).max(held), |(end, _)| end)
    }

    fn position(&self, sequence: u32) -> i64 {
        let reference = self.reference();
        let origin = self.origin.unwrap_or(sequence);
        let distance = sequence.wrapping_sub(origin.wrapping_add(reference as u32));
        reference + i64::from(distance.cast_signed())
    }
}
