//! A capture file's packets, one after the other.

use std::time::Duration;

use super::CaptureFile;
use crate::capture::counters::Counters;
use crate::capture::growing::WAIT;
use crate::capture::joined::Parts;
use crate::capture::label;
use crate::capture::mark::{Frame, Mark};
use crate::capture::origin::Origin;
use crate::capture::packet::{self, Segment};
use crate::capture::reassembly::Said;
use crate::capture::record::{Item, Record};
use crate::session::Timestamp;
use crate::{Error, Result};

/// The scope of connections that were captured from a network.
const NETWORK: usize = 0;

/// How soon what was captured is in a file that is being written: recorders keep it for a second. What only
/// silence completes is not complete before.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// What stood next in a file.
pub(in crate::capture) enum Next<T> {
    /// A packet with a TCP segment, and what taking it gave.
    Packet(T),
    /// Something else, which is counted.
    Other,
    /// The file that is followed has no more yet, and nothing came until this time, if there was a packet.
    Waiting(Option<Timestamp>),
    /// Nothing.
    End,
}

/// A packet with a TCP segment.
pub(in crate::capture) struct Packet<'a> {
    pub(in crate::capture) at: Timestamp,
    /// The number of its frame, as Wireshark numbers them.
    pub(in crate::capture) number: u64,
    pub(in crate::capture) segment: &'a Segment<'a>,
    /// What the capture says of it.
    pub(in crate::capture) said: &'a Said,
    /// What the writer said with it, if it made it.
    pub(in crate::capture) made: Option<Frame>,
    /// Where parts of one read or gap wait for each other.
    pub(in crate::capture) parts: &'a mut Parts,
}

impl CaptureFile {
    /// Reads up to the first packet, which shows where the capture comes from.
    pub(super) fn find_origin(&mut self) -> Result<()> {
        let first = self.peek(|record| made(record.link_type, record.captured))?;
        self.origin.conclude(first.flatten());
        Ok(())
    }

    /// When its first packet was; reads up to it. `None` if there is none, or damage comes first.
    pub(in crate::capture) fn began(&mut self) -> Option<Timestamp> {
        match self.first {
            None => self.look_ahead(),
            first => first,
        }
    }

    /// The time of its next packet, which is not taken; `None` if there is none, or damage comes first.
    pub(in crate::capture) fn look_ahead(&mut self) -> Option<Timestamp> {
        let found = self.peek(|record| record.at).unwrap_or_else(|error| {
            self.ahead = Some(error);
            None
        });
        self.first = self.first.or(found);
        found
    }

    /// Reads on to the next packet, and looks at it without taking it.
    fn peek<T>(&mut self, look: impl FnOnce(&Record<'_>) -> T) -> Result<Option<T>> {
        loop {
            let (offset, item) = match self.records.next() {
                Ok(Some(next)) => next,
                // Damage comes again when its turn is.
                Ok(None) | Err(Error::Damaged { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            match item {
                Item::Packet(record) => {
                    let seen = look(&record);
                    self.records.take_back();
                    return Ok(Some(seen));
                }
                Item::Waiting => return Ok(None),
                other => pass_over(&other, offset, &mut self.frame, &mut self.counters),
            }
        }
    }

    /// Takes what stands next, and hands it to `take` if it is a packet with a TCP segment: that is so large
    /// that to return it takes as long as to read it.
    ///
    /// # Errors
    /// [`Error::File`], and [`Error::Damaged`] where nothing more can be read.
    #[inline(always)]
    pub(in crate::capture) fn next<T>(
        &mut self,
        take: impl FnOnce(Packet<'_>) -> T,
    ) -> Result<Next<T>> {
        // Looked at first, as taking it takes longer.
        if self.ahead.is_some()
            && let Some(error) = self.ahead.take()
        {
            return Err(error);
        }
        let Some((offset, item)) = self.records.next()? else { return Ok(Next::End) };
        let record = match item {
            Item::Packet(record) => record,
            Item::Waiting => {
                self.waits = self.waits.saturating_add(1);
                // The stamps of what came are certain at once.
                let silence = (WAIT * self.waits).saturating_sub(WRITTEN_WITHIN);
                let last = self.counters.span.map(|(_, last)| last);
                return Ok(Next::Waiting(last.map(|last| last + silence)));
            }
            other => {
                pass_over(&other, offset, &mut self.frame, &mut self.counters);
                return Ok(Next::Other);
            }
        };
        self.waits = 0;
        self.first.get_or_insert(record.at);
        self.frame += 1;
        self.counters.packets += 1;
        let made = made(record.link_type, record.captured);
        if self.counters.packets == 1 {
            self.origin.conclude(made);
        }
        let (first, last) = self.counters.span.unwrap_or((record.at, record.at));
        self.counters.span = Some((first.min(record.at), last.max(record.at)));
        let Record { at, link_type, captured, length, beside, .. } = record;
        let mut route = None;
        if let Some(beside) = beside {
            route = beside.comment.and_then(label::route).map(Box::new);
            self.dropped = self.dropped.saturating_add(beside.dropped);
            if let Some(fault) = beside.fault {
                self.counters.damaged_at(offset, false, fault);
            }
        }
        let mut segment = match packet::parse_common(link_type, captured, length) {
            Some(segment) => {
                self.fragments.pass();
                segment
            }
            None => match self.fragments.segment(at, link_type, captured, length) {
                Ok(segment) => segment,
                Err(other) => {
                    self.counters.passed_over(other, link_type);
                    return Ok(Next::Other);
                }
            },
        };
        self.counters.segments += 1;
        let made = made.filter(|_| self.origin.is_synthesised());
        if made.is_some() {
            // The writer maps an IPv4 end whose peer has IPv6.
            segment.is_ipv4 = true;
        }
        // Only a converted capture says of each connection where it begins.
        let says = matches!(self.origin, Origin::Converted { .. });
        let said = Said {
            scope: made.map_or(NETWORK, |_| self.number + 1),
            route: route.filter(|_| segment.syn),
            sender: made.map(|made| made.side),
            begins: made.filter(|_| says).map(|made| made.mark == Some(Mark::Begins)),
            jumps: made.is_some_and(|made| made.mark == Some(Mark::Gap(None))),
        };
        let parts = &mut self.parts;
        let packet = Packet { at, number: self.frame, segment: &segment, said: &said, made, parts };
        Ok(Next::Packet(take(packet)))
    }
}

/// Counts what is no packet that can be read.
fn pass_over(item: &Item<'_>, offset: u64, frame: &mut u64, counters: &mut Counters) {
    match *item {
        Item::Damaged { is_packet, fault } => {
            *frame += u64::from(is_packet);
            counters.packets += u64::from(is_packet);
            counters.damaged_at(offset, is_packet, fault);
        }
        Item::Frame => *frame += 1,
        Item::Packet(_) | Item::Other | Item::Waiting => {}
    }
}

/// What the writer said with a frame, if it made it.
#[inline]
fn made(link_type: u32, captured: &[u8]) -> Option<Frame> {
    (link_type == packet::ETHERNET).then(|| Frame::read(captured)).flatten()
}
