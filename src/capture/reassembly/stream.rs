//! One side's bytes: from sequence numbers to positions, and what shows that some do not come any
//! more. Sans-I/O.
//!
//! Positions count a side's bytes from 0 and never wrap; sequence numbers are turned into them by
//! their distance, at most 2 GiB either way, from the furthest position known. What is ahead of a hole
//! is held until the hole is filled or given up.

use super::order::{Order, note};
use super::past::Past;
use super::policy::Overlap;
use super::{Outlet, Stamp};
use crate::Result;
use crate::session::{Kind, Note};

/// No window reaches further (RFC 7323, section 2.3): at what lies further away, ahead or back, the
/// sequence has jumped.
pub(super) const REACH: i64 = 1 << 30;

/// How far an old segment of a connection that is over may lie from what is known of it.
const STRAGGLING: i64 = 16 << 20;

/// One side's bytes on their way into order.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) order: Order,
    /// The sequence number of position 0, once it is known.
    pub(super) origin: Option<u32>,
    /// How far the peer said that it has all bytes.
    pub(super) acknowledged: i64,
    /// How far this side said that it has sent.
    pub(super) sent: i64,
    /// When the peer last said that it waits for what is at `next`, or before.
    pub(super) lacked: Option<Stamp>,
    /// A byte sent into a closed window: it counts when it is acknowledged or followed.
    pub(super) probe: Option<(Option<u8>, Stamp)>,
    /// Up to where urgent data was noted.
    urgent: i64,
}

impl Stream {
    pub(super) fn new(overlap: Overlap) -> Stream {
        Stream { order: Order { overlap, ..Order::default() }, ..Stream::default() }
    }

    /// Says where the side's bytes begin, unless that is known.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.origin.get_or_insert(sequence);
    }

    /// Says where the side's bytes begin if none was seen: another SYN took the first one's place.
    pub(super) fn begin_anew(&mut self, sequence: u32) -> bool {
        let untouched = self.order.next.max(self.acknowledged) == 0 && self.holds() == 0;
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
        self.order.over
    }

    /// How much memory that takes which waits behind a hole, a FIN among it.
    pub(super) fn holds(&self) -> usize {
        self.order.holds()
    }

    /// How much memory the bytes take that were handed out and are remembered.
    pub(super) fn remembers(&self) -> usize {
        self.order.past.cost()
    }

    /// Forgets the bytes that were handed out: what is sent again is not compared with them any more.
    pub(super) fn forget(&mut self) {
        self.order.past.forget();
    }

    /// Since when the first hole is waited for without a word from the peer that it waits for it, too;
    /// `None` without a hole.
    pub(super) fn waits_since(&self) -> Option<Stamp> {
        let since = self.order.waits_since()?;
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
        let last = self.order.end.map_or(self.furthest() + STRAGGLING, |(end, _)| end);
        !(first..=last).contains(&position)
    }

    /// Whether a RST at `sequence` is one that the peer can take: not one of before what it has
    /// acknowledged (RFC 5961, section 3.2).
    pub(super) fn takes_reset(&self, sequence: u32) -> bool {
        let position = self.position(sequence);
        let known = self.order.next.min(self.acknowledged) - 1;
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
        if length <= 1
            && (position == self.order.next - 1 || self.order.over && position == self.order.next)
        {
            // A keep-alive: an old byte, or none (RFC 9293, section 3.8.4).
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        if self.order.next - position > REACH || position - self.reference() > REACH {
            if self.order.end.is_some() {
                let behind = i64::from(length);
                return note(stamp, behind, out, |side, length| Note::Discarded { side, length });
            }
            self.jump(stamp, sequence, out)?;
            position = self.order.next;
        }
        if length == 1
            && position == self.order.next
            && window_closed
            && self.order.ahead.is_empty()
        {
            if self.probe.is_none_or(|(byte, _)| byte.is_none()) {
                self.probe = Some((bytes.first().copied(), stamp));
            }
            return Ok(());
        }
        if position > self.order.next {
            // What follows the probe shows that it was taken.
            self.take_probe(out)?;
        } else if position + i64::from(length) > self.order.next {
            let byte = bytes.get((self.order.next - position) as usize);
            self.repeat_probe(stamp, byte.copied(), out)?;
        }
        let (mut bytes, mut length) = (bytes, i64::from(length));
        if let Some((end, _)) = self.order.end
            && position + length > end
        {
            let inside = (end - position).max(0);
            let behind = length - inside;
            note(stamp, behind, out, |side, length| Note::Discarded { side, length })?;
            length = inside;
            bytes = &bytes[..bytes.len().min(inside as usize)];
        }
        if position > self.order.next {
            // The peer has what is before it, and it does not come any more.
            self.order.give_up(Some(stamp), position.min(self.acknowledged), out)?;
        }
        self.order.place(stamp, position, bytes, length, out)?;
        self.order.settle(Some(stamp), out)
    }

    /// Goes on at `sequence`, which is nowhere near: how much is missing before it cannot be told.
    pub(super) fn jump(&mut self, stamp: Stamp, sequence: u32, out: &mut Outlet<'_>) -> Result<()> {
        self.order.give_up(None, self.furthest(), out)?;
        out.event(stamp, Kind::Gap { side: out.side, length: None })?;
        self.order.past = Past::default();
        self.origin = Some(sequence.wrapping_sub(self.order.next as u32));
        (self.acknowledged, self.sent) = (self.order.next, self.order.next);
        self.order.end = None;
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
        // Before bytes that are there it is none.
        let first = self.order.ahead.end().unwrap_or(self.order.next);
        let plausible = first..=self.reference() + REACH;
        if self.order.end.is_none() && plausible.contains(&position) {
            self.order.end = Some((position, stamp));
        }
        self.order.settle(Some(stamp), out)
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
        if position <= self.order.next {
            self.lacked = Some(stamp);
        }
        if position <= self.acknowledged {
            // What it takes back it has not got: the greater number was a damaged one.
            self.acknowledged = position.max(self.order.next.min(self.acknowledged));
            return Ok(());
        }
        self.acknowledged = position;
        if position > self.order.next {
            self.take_probe(out)?;
        }
        // A hole that the peer has filled is filled no more in the capture once something stands
        // behind it. With nothing there the bytes may still come: some captures have an
        // acknowledgement before what it acknowledges.
        while let Some((first, _)) = self.order.ahead.first()
            && first <= position
        {
            self.order.give_up(None, first, out)?;
        }
        if let Some((end, _)) = self.order.end
            && position > end
        {
            self.order.give_up(Some(stamp), end, out)?;
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
        let reached = self.order.end.map_or(twice, |(end, _)| end.min(twice));
        self.order.give_up(Some(stamp), reached, out)
    }

    /// Gives up every hole: nothing comes any more. `peer_over` says whether the peer has ended.
    pub(super) fn close(
        &mut self,
        stamp: Stamp,
        peer_over: bool,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        self.take_probe(out)?;
        self.order.give_up(None, self.order.ahead.end().unwrap_or(self.order.next), out)?;
        // The last number may be that of a FIN that the capture has not got: then no byte is missing. It
        // is one if the peer acknowledges it after its own end, or nobody acknowledges it.
        let last = self.order.end.is_none() && self.furthest() == self.order.next + 1;
        let unseen_fin = last && (peer_over || self.acknowledged <= self.order.next);
        if unseen_fin { Ok(()) } else { self.order.give_up(Some(stamp), self.furthest(), out) }
    }

    /// Gives up the first hole.
    pub(super) fn give_up_first(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        self.order.give_up_first(out)
    }

    /// The byte that was sent into a closed window was taken.
    fn take_probe(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        let Some((byte, stamp)) = self.probe.take() else { return Ok(()) };
        self.order.place(stamp, self.order.next, byte.as_slice(), 1, out)
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
            Some(byte) if byte != first && self.order.overlap == Overlap::First => {
                self.take_probe(out)
            }
            Some(byte) => {
                self.probe = None;
                let differing = i64::from(byte != first);
                note(stamp, differing, out, |side, length| Note::Overlap { side, length })
            }
        }
    }

    /// The furthest position from which sequence numbers can be told.
    fn reference(&self) -> i64 {
        self.order.next.max(self.acknowledged)
    }

    /// Up to where there are, or were, bytes.
    fn furthest(&self) -> i64 {
        let held = self.order.ahead.end().unwrap_or(self.order.next);
        self.order.end.map_or(self.acknowledged.max(self.sent).max(held), |(end, _)| end)
    }

    fn position(&self, sequence: u32) -> i64 {
        let reference = self.reference();
        let origin = self.origin.unwrap_or(sequence);
        let distance = sequence.wrapping_sub(origin.wrapping_add(reference as u32));
        reference + i64::from(distance.cast_signed())
    }
}
