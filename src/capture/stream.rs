//! One side's bytes, put in order. Sans-I/O.
//!
//! Positions count a side's bytes from 0 and never wrap; sequence numbers are turned into them by
//! their distance, at most 2 GiB either way, from the furthest position known. The first bytes at a
//! position win. What is ahead of a hole is held, up to a bound, until the hole is filled or given up.

use std::collections::BTreeMap;

use super::reassembly::{Outlet, Stamp};
use crate::Result;
use crate::session::{Kind, Note};

/// How much one side of a connection may hold behind a hole, its bookkeeping included, before the
/// hole is given up.
pub(super) const HELD_PER_SIDE: usize = 16 * 1024 * 1024;

/// What a held segment costs beside its bytes.
const OVERHEAD: usize = 128;

/// No window reaches further (RFC 7323, section 2.3): at what lies further away, ahead or back, the
/// sequence has jumped.
const REACH: i64 = 1 << 30;

/// One side's bytes on their way into order.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The sequence number of position 0, once it is known.
    origin: Option<u32>,
    /// Everything before was handed out or given up.
    next: i64,
    /// How far the peer said that it has all bytes.
    acknowledged: i64,
    /// What lies ahead of `next`, by position, without overlaps.
    held: BTreeMap<i64, Held>,
    /// What `held` costs.
    cost: usize,
    /// A byte sent into a closed window: it counts when it is acknowledged or followed.
    probe: Option<Held>,
    /// Where the FIN is.
    end: Option<(i64, Stamp)>,
    over: bool,
}

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// How many more bytes the segment had that were not captured.
    missing: i64,
    stamp: Stamp,
}

impl Held {
    fn length(&self) -> i64 {
        self.bytes.len() as i64 + self.missing
    }
}

/// A part of a segment: where it belongs, what of it is there, how long it was.
#[derive(Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    length: i64,
}

impl<'a> Part<'a> {
    fn from(&self, at: i64) -> Part<'a> {
        let bytes = self.bytes.get(at as usize..).unwrap_or(&[]);
        Part { bytes, length: self.length - at }
    }

    fn upto(&self, at: i64) -> Part<'a> {
        let bytes = &self.bytes[..self.bytes.len().min(at as usize)];
        Part { bytes, length: self.length.min(at) }
    }
}

impl Stream {
    /// Says where the side's bytes begin, unless that is known.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.origin.get_or_insert(sequence);
    }

    /// The sequence number of the first byte, once it is known.
    pub(super) fn origin(&self) -> Option<u32> {
        self.origin
    }

    /// Whether the end was reached.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// What the bytes that are held cost.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether a segment at `sequence` with `length` bytes lies wholly behind the FIN, or nowhere near.
    pub(super) fn is_beyond_end(&self, sequence: u32, length: u32) -> bool {
        let position = self.position(sequence);
        let Some((end, _)) = self.end else { return false };
        length > 0 && (position > end || end - position > REACH)
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
        if length <= 1 && position == self.next - 1 {
            // A keep-alive: an old byte, or none (RFC 9293, section 3.8.4).
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        if self.next - position > REACH || position - self.reference() > REACH {
            self.give_up(None, self.furthest(), out)?;
            out.event(stamp, Kind::Gap { side: out.side, length: None })?;
            self.origin = Some(sequence.wrapping_sub(self.next as u32));
            self.acknowledged = self.next;
            self.end = None;
            position = self.next;
        }
        if length == 1 && position == self.next && window_closed && self.held.is_empty() {
            self.probe =
                Some(Held { bytes: bytes.to_vec(), missing: 1 - bytes.len() as i64, stamp });
            return Ok(());
        }
        match self.probe.take() {
            // The segment repeats what the probe sent.
            Some(probe) if position > self.next => {
                self.place(probe.stamp, self.next, Part { bytes: &probe.bytes, length: 1 }, out)?;
            }
            _ => {}
        }
        let mut part = Part { bytes, length: i64::from(length) };
        if let Some((end, _)) = self.end {
            part = part.upto((end - position).max(0));
        }
        if position > self.next {
            // The peer has what is before it, and it does not come any more.
            self.give_up(Some(stamp), position.min(self.acknowledged), out)?;
        }
        self.place(stamp, position, part, out)?;
        self.settle(Some(stamp), out)?;
        while self.cost > HELD_PER_SIDE {
            self.give_up_first(out)?;
        }
        Ok(())
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
        if position <= self.acknowledged {
            // What it takes back it has not got: the greater number was a damaged one.
            self.acknowledged = position.max(self.next.min(self.acknowledged));
            return Ok(());
        }
        self.acknowledged = position;
        if position > self.next
            && let Some(probe) = self.probe.take()
        {
            self.place(probe.stamp, self.next, Part { bytes: &probe.bytes, length: 1 }, out)?;
        }
        // A hole that the peer has filled is filled no more in the capture once something stands
        // behind it. With nothing there the bytes may still come: some captures have an
        // acknowledgement before what it acknowledges.
        while let Some((&first, _)) = self.held.first_key_value()
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
        if let Some(probe) = self.probe.take() {
            self.place(probe.stamp, self.next, Part { bytes: &probe.bytes, length: 1 }, out)?;
        }
        self.give_up(None, self.held_to(), out)?;
        let furthest = self.furthest();
        // The last number that a peer acknowledges after its own end is that of a FIN, if the capture
        // has not got it: no byte is missing.
        let unseen_fin = self.end.is_none() && peer_over && furthest == self.next + 1;
        if unseen_fin { Ok(()) } else { self.give_up(Some(stamp), furthest, out) }
    }

    /// Gives up the first hole, to hold less.
    pub(super) fn give_up_first(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        match self.held.first_key_value() {
            Some((&first, _)) => self.give_up(None, first, out),
            None => Ok(()),
        }
    }

    /// Puts a part at its place: what is next goes out, what is ahead is held, what was there already
    /// is compared.
    fn place(
        &mut self,
        stamp: Stamp,
        position: i64,
        part: Part<'_>,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let end = position + part.length;
        let mut again = (self.next.min(end) - position).max(0);
        let mut differing = 0;
        let mut at = position.max(self.next);
        while at < end {
            let here = part.from(at - position);
            let before = self.held.range(..=at).next_back();
            if let Some((&start, held)) = before
                && start + held.length() > at
            {
                let there = held.bytes.get((at - start) as usize..).unwrap_or(&[]);
                let both = here.bytes.iter().zip(there);
                differing += both.filter(|(new, old)| new != old).count() as i64;
                let stop = (start + held.length()).min(end);
                again += stop - at;
                at = stop;
                continue;
            }
            let after = self.held.range(at..).next().map_or(end, |(&start, _)| start.min(end));
            let piece = here.upto(after - at);
            if at == self.next {
                self.deliver(stamp, piece.bytes, piece.length, out)?;
            } else {
                self.cost += piece.bytes.len() + OVERHEAD;
                let missing = piece.length - piece.bytes.len() as i64;
                self.held.insert(at, Held { bytes: piece.bytes.to_vec(), missing, stamp });
            }
            at = after;
        }
        self.drain(Some(stamp), out)?;
        let side = out.side;
        if differing > 0 {
            let length = differing as u64;
            out.event(stamp, Kind::Note(Note::Overlap { side, length }))?;
        }
        match again - differing {
            0 => Ok(()),
            length => {
                let length = length as u64;
                out.event(stamp, Kind::Note(Note::Retransmission { side, length }))
            }
        }
    }

    /// Gives up the holes before `upto`. What was held behind them goes out with its own stamp; the
    /// last hole, behind which nothing is held, with `stamp`.
    fn give_up(&mut self, stamp: Option<Stamp>, upto: i64, out: &mut Outlet<'_>) -> Result<()> {
        while self.next < upto {
            let (to, of) = match self.held.first_key_value() {
                Some((&first, held)) if first <= upto => (first, held.stamp),
                _ => match stamp {
                    Some(stamp) => (upto, stamp),
                    None => break,
                },
            };
            let length = Some((to - self.next) as u64);
            self.next = to;
            out.event(of, Kind::Gap { side: out.side, length })?;
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
        while let Some(entry) = self.held.first_entry()
            && *entry.key() <= self.next
        {
            let held = entry.remove();
            self.cost -= held.bytes.len() + OVERHEAD;
            self.deliver(stamp.unwrap_or(held.stamp), &held.bytes, held.length(), out)?;
        }
        Ok(())
    }

    /// Hands out the next bytes, and the rest of their segment as missing if it was not captured.
    fn deliver(
        &mut self,
        stamp: Stamp,
        bytes: &[u8],
        length: i64,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        let side = out.side;
        self.next += length;
        if !bytes.is_empty() {
            out.event(stamp, Kind::Data { side, bytes })?;
        }
        match length - bytes.len() as i64 {
            0 => Ok(()),
            missing => out.event(stamp, Kind::Gap { side, length: Some(missing as u64) }),
        }
    }

    /// The furthest position from which sequence numbers can be told.
    fn reference(&self) -> i64 {
        self.next.max(self.acknowledged)
    }

    /// Up to where there are, or were, bytes.
    fn furthest(&self) -> i64 {
        let acknowledged = self.acknowledged.max(self.held_to());
        self.end.map_or(acknowledged, |(end, _)| end)
    }

    /// Where what is held ends.
    fn held_to(&self) -> i64 {
        self.held.last_key_value().map_or(self.next, |(&start, held)| start + held.length())
    }

    fn position(&self, sequence: u32) -> i64 {
        let reference = self.reference();
        let origin = self.origin.unwrap_or(sequence);
        let distance = sequence.wrapping_sub(origin.wrapping_add(reference as u32));
        reference + i64::from(distance.cast_signed())
    }
}
