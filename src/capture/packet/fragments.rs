//! Fragments of IP packets → whole ones. Sans-I/O: packets and their times in, segments out.
//!
//! In any order, and repeated. A packet waits for its missing fragments for a minute of the capture's
//! time, unless so many others begin, or so much is held, that the oldest must give way. It has the time
//! of the fragment that completes it.
//!
//! Where fragments overlap, the first bytes of an IPv4 packet count, and an IPv6 packet is dropped
//! (RFC 8200, section 4.5). Of fragments that were cut short the packet has what stands before the first
//! missing byte; its length is known.

mod datagram;

use std::collections::{HashMap, VecDeque};

use super::network::{Ends, Packet, Part, Place};
use super::slice::Slice;
use super::{Content, Other, Segment, content, parse};
use crate::session::Timestamp;
use datagram::Datagram;

/// How many packets may be incomplete at a time.
const DATAGRAMS: usize = 4096;

/// How much may be held of them, bookkeeping included.
const HELD: usize = 16 * 1024 * 1024;

/// How long a packet is waited for (RFC 8200, section 4.5; RFC 791 has it between 15 seconds and what the
/// packet's time to live says).
const PATIENCE: i64 = 60_000_000_000;

/// How many other packets may come before it is complete: with a clock that stands still a minute has no
/// end, and identifications are used again.
const PATIENCE_IN_PACKETS: u64 = 1 << 20;

/// How long a packet is remembered after it was complete, to know fragments that were captured twice:
/// those come at once, and identifications are used again.
const REMEMBERED: i64 = 1_000_000_000;

/// A fragment of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment<'a> {
    pub(super) part: Part<'a>,
    /// How many IP headers were read to come to it, its own among them.
    pub(super) depth: usize,
}

/// What fragments belong to the same packet by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    ends: Ends,
    identification: u32,
    /// Of IPv4; IPv6 counts its identifications for all protocols.
    protocol: Option<u8>,
}

/// What became of packets that were sent in fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fragmentation {
    /// IP packets put together from fragments.
    pub whole: u64,
    /// IP packets of which a fragment is missing.
    pub incomplete: u64,
    /// The fragments that are there of those.
    pub left_over: u64,
    /// IPv6 packets dropped for overlaps.
    pub overlapping: u64,
    /// IPv4 packets of which two fragments have different bytes for the same place.
    pub contradictory: u64,
}

impl Fragmentation {
    /// What was lost of fragments, in words.
    pub(in crate::capture) fn damage(&self) -> Vec<String> {
        let mut damage = Vec::new();
        if self.incomplete > 0 {
            let fragments = counted(self.left_over, "fragment");
            let packets = counted(self.incomplete, "IP packet");
            damage.push(format!("{fragments} of {packets} that never came in whole"));
        }
        if self.overlapping > 0 {
            let packets = counted(self.overlapping, "IPv6 packet");
            damage.push(format!("{packets} dropped for fragments that overlap"));
        }
        if self.contradictory > 0 {
            let packets = counted(self.contradictory, "IPv4 packet");
            damage.push(format!(
                "{packets} with fragments that contradict each other: the first count"
            ));
        }
        damage
    }
}

fn counted(count: u64, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// Reads packets, and puts together what was sent in fragments.
#[derive(Debug, Default)]
pub(in crate::capture) struct Fragments {
    datagrams: HashMap<Key, Datagram>,
    /// Which began when, by the number of its first packet; among them some that are no more there.
    order: VecDeque<(u64, Key)>,
    /// What all of them hold.
    cost: usize,
    packets: u64,
    seen: Fragmentation,
    /// The one completed last, whose bytes its segment borrows.
    whole: Option<Whole>,
}

/// The payload of an IP packet put together.
#[derive(Debug)]
struct Whole {
    ends: Ends,
    protocol: u8,
    depth: usize,
    /// What stands before the first missing byte.
    bytes: Vec<u8>,
    length: usize,
}

impl Fragments {
    /// Reads a frame of `link_type`, of whose `length` bytes `captured` are there.
    pub(in crate::capture) fn segment<'a>(
        &'a mut self,
        at: Timestamp,
        link_type: u32,
        captured: &'a [u8],
        length: u32,
    ) -> Result<Segment<'a>, Other> {
        self.pass();
        match parse(link_type, captured, length)? {
            Content::Segment(segment) => Ok(segment),
            Content::Fragment(fragment) => self.put_together(at, &fragment),
        }
    }

    /// Hears of a packet that is no fragment.
    #[inline(always)]
    pub(in crate::capture) fn pass(&mut self) {
        self.packets += 1;
    }

    /// Nothing more comes: gives up what is incomplete.
    pub(in crate::capture) fn finish(&mut self) {
        self.order.clear();
        self.cost = 0;
        for (_, datagram) in self.datagrams.drain() {
            datagram.give_up(&mut self.seen);
        }
    }

    /// What became of packets so far.
    pub(in crate::capture) fn seen(&self) -> Fragmentation {
        self.seen
    }

    /// How many packets are waited for.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.datagrams.len()
    }

    /// What is held of them.
    #[cfg(test)]
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    fn put_together(
        &mut self,
        at: Timestamp,
        fragment: &Fragment<'_>,
    ) -> Result<Segment<'_>, Other> {
        let mut whole = self.add(at, fragment)?;
        // In a tunnel that was fragmented itself there may be fragments.
        while let Content::Fragment(inner) = whole.content()? {
            whole = self.add(at, &inner)?;
        }
        match self.whole.insert(whole).content()? {
            Content::Segment(segment) => Ok(segment),
            Content::Fragment(_) => Err(Other::Fragment),
        }
    }

    /// The packet that the fragment completes, or [`Other::Fragment`].
    fn add(&mut self, at: Timestamp, fragment: &Fragment<'_>) -> Result<Whole, Other> {
        fragment.check()?;
        self.make_room(at);
        let (key, now) = (fragment.key(), self.packets);
        let known = self.datagrams.get(&key);
        if known.is_some_and(|known| known.is_over(at, now) || known.is_another(fragment)) {
            self.forget(&key);
        }
        let datagram = self.datagrams.entry(key).or_insert_with(|| {
            self.order.push_back((now, key));
            Datagram::new(at, now)
        });
        let before = datagram.cost();
        let completed = datagram.add(fragment, &mut self.seen);
        self.cost = self.cost + datagram.cost() - before;
        completed?.ok_or(Other::Fragment)
    }

    /// Gives up what was waited for long enough, and the oldest if there is too much.
    fn make_room(&mut self, at: Timestamp) {
        while let Some(&(begun, key)) = self.order.front() {
            let crowded = self.order.len() > DATAGRAMS || self.cost > HELD;
            match self.datagrams.get(&key).filter(|datagram| datagram.begun() == begun) {
                Some(datagram) if crowded || datagram.is_over(at, self.packets) => {
                    self.forget(&key);
                }
                Some(_) => break,
                // Another has taken its place.
                None => {}
            }
            self.order.pop_front();
        }
    }

    fn forget(&mut self, key: &Key) {
        if let Some(datagram) = self.datagrams.remove(key) {
            self.cost -= datagram.cost();
            datagram.give_up(&mut self.seen);
        }
    }
}

impl Fragment<'_> {
    /// Whether it can be a part of a packet: not empty, not beyond the longest one (the "ping of death"),
    /// and of whole words unless it is the last.
    fn check(&self) -> Result<(), Other> {
        let (Place { offset, more, .. }, length) = (self.part.place, self.part.data.length);
        let is_whole_words = !more || length.is_multiple_of(8);
        let fits = length > 0 && offset + length <= usize::from(u16::MAX);
        if fits && is_whole_words { Ok(()) } else { Err(Other::Malformed) }
    }

    fn key(&self) -> Key {
        let Part { ends, place, protocol, .. } = self.part;
        let protocol = ends.is_ipv4.then_some(protocol);
        Key { ends, identification: place.identification, protocol }
    }
}

impl Whole {
    fn content(&self) -> Result<Content<'_>, Other> {
        let Whole { ends, protocol, depth, .. } = *self;
        let data = Slice::new(&self.bytes, self.length);
        content(Packet { ends, protocol, place: None, data }, depth)
    }
}
