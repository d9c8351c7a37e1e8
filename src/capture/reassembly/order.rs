//! One side's bytes in order: what is next goes out, what is ahead waits. Sans-I/O.

use super::ahead::{Agreement, Ahead, Content, OVERHEAD};
use super::past::Past;
use super::policy::Overlap;
use super::{Outlet, Stamp};
use crate::Result;
use crate::session::{Kind, Note, Side};

/// Bytes by position, from 0.
#[derive(Debug, Default)]
pub(super) struct Order {
    pub(super) overlap: Overlap,
    /// Everything before was handed out or given up.
    pub(super) next: i64,
    pub(super) ahead: Ahead,
    pub(super) past: Past,
    /// Where the FIN is.
    pub(super) end: Option<(i64, Stamp)>,
    /// Whether the end was reached.
    pub(super) over: bool,
}

impl Order {
    /// How much memory that takes which waits behind a hole, a FIN among it.
    pub(super) fn holds(&self) -> usize {
        let fin = !self.over && self.end.is_some();
        self.ahead.cost() + if fin { OVERHEAD } else { 0 }
    }

    /// Since when what stands behind the first hole is there; `None` without a hole.
    pub(super) fn waits_since(&self) -> Option<Stamp> {
        match (self.ahead.first(), self.end) {
            (Some((_, stamp)), _) => Some(stamp),
            (None, Some((_, stamp))) if !self.over => Some(stamp),
            _ => None,
        }
    }

    /// Gives up the first hole.
    pub(super) fn give_up_first(&mut self, out: &mut Outlet<'_>) -> Result<()> {
        match (self.ahead.first(), self.end) {
            (Some((first, _)), _) => self.give_up(None, first, out),
            (None, Some((end, stamp))) => self.give_up(Some(stamp), end, out),
            (None, None) => Ok(()),
        }
    }

    /// Puts a part of a segment at its place: what is next goes out, what is ahead is held, what was
    /// there already is compared.
    pub(super) fn place(
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
        note(stamp, differing, out, |side, length| Note::Overlap { side, length })?;
        let same = again - differing;
        note(stamp, same, out, |side, length| Note::Retransmission { side, length })?;
        note(stamp, late, out, |side, length| Note::Discarded { side, length })
    }

    /// Gives up the holes before `upto`. What was held behind them goes out with its own stamp; the
    /// last hole, behind which nothing is held, with `stamp`.
    #[inline]
    pub(super) fn give_up(
        &mut self,
        stamp: Option<Stamp>,
        upto: i64,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        if self.next < upto {
            self.give_up_holes(stamp, upto, out)?;
        }
        self.settle(stamp, out)
    }

    fn give_up_holes(
        &mut self,
        stamp: Option<Stamp>,
        upto: i64,
        out: &mut Outlet<'_>,
    ) -> Result<()> {
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
        Ok(())
    }

    /// Hands out what became the next, and the end if it is reached. Without a stamp each goes with
    /// its own.
    #[inline]
    pub(super) fn settle(&mut self, stamp: Option<Stamp>, out: &mut Outlet<'_>) -> Result<()> {
        self.drain(stamp, out)?;
        match self.end {
            Some((end, own)) if end <= self.next && !self.over => {
                self.over = true;
                out.event(stamp.unwrap_or(own), Kind::Eof { side: out.side })
            }
            _ => Ok(()),
        }
    }

    #[inline]
    fn drain(&mut self, stamp: Option<Stamp>, out: &mut Outlet<'_>) -> Result<()> {
        if self.ahead.is_empty() { Ok(()) } else { self.drain_ahead(stamp, out) }
    }

    fn drain_ahead(&mut self, stamp: Option<Stamp>, out: &mut Outlet<'_>) -> Result<()> {
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
    pub(super) fn deliver(
        &mut self,
        stamp: Stamp,
        bytes: &[u8],
        out: &mut Outlet<'_>,
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.next += bytes.len() as i64;
        if self.over {
            let length = bytes.len() as i64;
            return note(stamp, length, out, |side, length| Note::Discarded { side, length });
        }
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
        // Nothing is missing behind the end.
        if self.over {
            return Ok(());
        }
        out.event(stamp, Kind::Gap { side: out.side, length: Some(length as u64) })
    }
}

/// Says something of so many bytes of a side, if there are any.
pub(super) fn note(
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
