//! One IP packet in fragments.

use std::collections::BTreeMap;

use super::super::network::{Part, Place, UDP};
use super::super::slice::Slice;
use super::super::{Other, tunnel};
use super::{Fragment, Fragmentation, PATIENCE, PATIENCE_IN_PACKETS, REMEMBERED, Whole};
use crate::session::Timestamp;

/// What a packet costs beside its pieces, and each piece beside its bytes.
const OVERHEAD: usize = 128;

/// An IP packet as far as its fragments have come.
#[derive(Debug)]
pub(super) struct Datagram {
    at: Timestamp,
    /// The number of the packet that brought its first fragment.
    begun: u64,
    state: State,
    /// What there is, by offset, without overlaps.
    pieces: BTreeMap<usize, Piece>,
    /// Where the last fragment ends, once it has come.
    end: Option<usize>,
    /// How long all pieces are together.
    present: usize,
    fragments: u64,
    cost: usize,
    /// What its payload begins with: of the first fragment once that has come, until then of any.
    protocol: u8,
    contradictory: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Incomplete,
    /// It was handed out.
    Whole,
    /// Its fragments overlap: they are dropped, those that still come among them.
    Overlapping,
    /// Its first fragment shows that it has no TCP.
    NotTcp,
}

#[derive(Debug)]
struct Piece {
    bytes: Box<[u8]>,
    /// How long it was on the wire.
    length: usize,
}

impl Datagram {
    pub(super) fn new(at: Timestamp, begun: u64) -> Datagram {
        Datagram {
            at,
            begun,
            state: State::Incomplete,
            pieces: BTreeMap::new(),
            end: None,
            present: 0,
            fragments: 0,
            cost: 0,
            protocol: 0,
            contradictory: false,
        }
    }

    pub(super) fn begun(&self) -> u64 {
        self.begun
    }

    /// What it holds.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether it was waited for, or remembered, long enough.
    pub(super) fn is_over(&self, at: Timestamp, packets: u64) -> bool {
        let patience = if self.state == State::Whole { REMEMBERED } else { PATIENCE };
        let age = at.nanoseconds().saturating_sub(self.at.nanoseconds());
        age > patience || packets - self.begun > PATIENCE_IN_PACKETS
    }

    /// Whether it is complete, and `fragment` is of another packet of the same identification.
    pub(super) fn is_another(&self, fragment: &Fragment<'_>) -> bool {
        let Overlap { covered, differs } = self.overlap(fragment);
        self.state == State::Whole && (differs || covered < fragment.part.data.length)
    }

    /// Takes a fragment; the packet, if it is complete by it.
    pub(super) fn add(
        &mut self,
        fragment: &Fragment<'_>,
        seen: &mut Fragmentation,
    ) -> Result<Option<Whole>, Other> {
        match self.state {
            State::Incomplete => {}
            State::Whole | State::Overlapping => return Ok(None),
            State::NotTcp => return Err(Other::NotTcp),
        }
        let Part { ends, place: Place { offset, more, .. }, protocol, data } = fragment.part;
        if offset == 0 && protocol == UDP && is_no_tunnel(data) {
            self.drop_pieces(State::NotTcp);
            return Err(Other::NotTcp);
        }
        let end = offset + data.length;
        let reached = self.pieces.last_key_value().map_or(0, |(&at, piece)| at + piece.length);
        let contradicts = match self.end {
            Some(known) => end > known || !more && end < known,
            None => !more && end < reached,
        };
        if contradicts {
            return Err(Other::Malformed);
        }
        let Overlap { covered, differs } = self.overlap(fragment);
        let repeats = self.pieces.get(&offset).is_some_and(|piece| piece.length == data.length);
        if !ends.is_ipv4 && covered > 0 && (differs || !repeats) {
            seen.overlapping += 1;
            self.drop_pieces(State::Overlapping);
            return Ok(None);
        }
        if differs && !self.contradictory {
            seen.contradictory += 1;
            self.contradictory = true;
        }
        self.fragments += 1;
        if offset == 0 || self.fragments == 1 {
            self.protocol = protocol;
        }
        if !more {
            self.end = Some(end);
        }
        self.fill(offset, data);
        if self.end != Some(self.present) {
            return Ok(None);
        }
        self.state = State::Whole;
        seen.whole += 1;
        Ok(Some(self.whole(fragment)))
    }

    /// Nothing more of it comes.
    pub(super) fn give_up(&self, seen: &mut Fragmentation) {
        // Of UDP only a tunnel matters, and only the first fragment shows one.
        let matters = self.protocol != UDP || self.pieces.contains_key(&0);
        if self.state == State::Incomplete && matters {
            seen.incomplete += 1;
            seen.left_over += self.fragments;
        }
    }

    /// Puts `data` where there is nothing yet.
    fn fill(&mut self, offset: usize, data: Slice<'_>) {
        let end = offset + data.length;
        let mut at = offset;
        let there: Vec<_> =
            self.over(offset, end).map(|(start, piece)| (start, start + piece.length)).collect();
        for (start, stop) in there.into_iter().chain([(end, end)]) {
            if at < start {
                let from = data.bytes.get(at - offset..).unwrap_or(&[]);
                let bytes = from[..from.len().min(start - at)].into();
                let piece = Piece { bytes, length: start - at };
                self.cost += OVERHEAD + piece.bytes.len();
                self.present += piece.length;
                self.pieces.insert(at, piece);
            }
            at = stop.max(at);
        }
    }

    /// How much of a fragment is there already.
    fn overlap(&self, fragment: &Fragment<'_>) -> Overlap {
        let (data, offset) = (fragment.part.data, fragment.part.place.offset);
        let end = offset + data.length;
        let mut overlap = Overlap { covered: 0, differs: false };
        for (start, piece) in self.over(offset, end) {
            let from = start.max(offset);
            overlap.covered += (start + piece.length).min(end) - from;
            let new = data.bytes.get(from - offset..).unwrap_or(&[]);
            let old = piece.bytes.get(from - start..).unwrap_or(&[]);
            overlap.differs |= new.iter().zip(old).any(|(new, old)| new != old);
        }
        overlap
    }

    /// The pieces that have something between two offsets.
    fn over(&self, offset: usize, end: usize) -> impl Iterator<Item = (usize, &Piece)> {
        let first = self.pieces.range(..=offset).next_back().map_or(offset, |(&start, _)| start);
        let pieces = self.pieces.range(first..end).map(|(&start, piece)| (start, piece));
        pieces.filter(move |(start, piece)| start + piece.length > offset)
    }

    fn whole(&self, last: &Fragment<'_>) -> Whole {
        let mut bytes = Vec::with_capacity(self.present);
        for piece in self.pieces.values() {
            bytes.extend(&piece.bytes);
            if piece.bytes.len() < piece.length {
                break;
            }
        }
        Whole {
            ends: last.part.ends,
            protocol: self.protocol,
            depth: last.depth,
            bytes,
            length: self.present,
        }
    }

    fn drop_pieces(&mut self, state: State) {
        self.state = state;
        self.pieces.clear();
        self.cost = 0;
    }
}

struct Overlap {
    /// How many bytes of it there are.
    covered: usize,
    /// Whether those are others.
    differs: bool,
}

/// Whether a UDP packet that begins like this, however long it is, is no tunnel.
fn is_no_tunnel(first: Slice<'_>) -> bool {
    let begin = Slice::new(first.bytes, usize::from(u16::MAX));
    matches!(tunnel::udp(begin), Err(Other::NotTcp))
}
