//! One connection's events → the segments that would have carried them. Sans-I/O.
//!
//! A reader finds nothing to complain of: a side acknowledges only what its peer has sent and what
//! [`Delivered`](crate::session::Kind::Delivered) said was handed on, and never says the same twice.

use super::frame::{Ends, MAX_PAYLOAD, Segment, WINDOW_BYTES};
use super::mark::{self, Mark};
use crate::session::Side;

/// The most of a gap that one segment has room for.
const MAX_MISSING: usize = MAX_PAYLOAD - mark::MAX_LENGTH;

/// How many segments a gap becomes at most. A longer one says its length beside: whoever made up a
/// capture with thousands of gaps of a gigabyte shall not fill a disk.
const MAX_PARTS: u64 = 64;

/// How many bytes may wait for the next segment of the other side, which acknowledges them, where
/// nobody said what was handed on when.
const MAX_WAITING: u32 = 256 * 1024;

/// When a side acknowledges what its peer has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acknowledging {
    /// Once it was handed on, as [`Delivered`](crate::session::Kind::Delivered) says.
    WhenDelivered,
    /// With its next segment.
    WithTheNext,
}

/// The state of both TCP stacks of a connection that is being written.
pub(super) struct Synthesis {
    pub(super) ends: Ends,
    acknowledging: Acknowledging,
    opening: Opening,
    halves: [Half; 2],
    reset: [bool; 2],
}

/// How far the opening of a connection was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// Nothing of it is outstanding.
    Done,
    /// The client has dialled.
    Dialled,
    /// The server has answered, which the client has not acknowledged.
    Answered,
}

/// What one side has sent, and how far the other side knows of it.
#[derive(Clone, Copy)]
struct Half {
    /// The sequence number after everything sent, FIN included.
    next: u32,
    /// How far its bytes were handed to the other side.
    delivered: u32,
    /// How far the other side's packets acknowledged it.
    acknowledged: u32,
    /// Whether it has sent anything.
    seen: bool,
    finished: bool,
}

impl Half {
    fn new(next: u32) -> Half {
        Half { next, delivered: next, acknowledged: next, seen: false, finished: false }
    }
}

impl Synthesis {
    /// A connection whose sides begin at these sequence numbers, client first.
    pub(super) fn new(ends: Ends, initial: [u32; 2], acknowledging: Acknowledging) -> Synthesis {
        let halves = initial.map(Half::new);
        Synthesis { ends, acknowledging, opening: Opening::Done, halves, reset: [false; 2] }
    }

    /// The sequence numbers of what comes next, client first.
    pub(super) fn next(&self) -> [u32; 2] {
        self.halves.map(|half| half.next)
    }

    /// The client dials.
    pub(super) fn dial(&mut self) -> (Side, Segment) {
        let sequence = self.halves[Side::Client.index()].next;
        for half in &mut self.halves {
            *half = Half::new(half.next.wrapping_add(1));
        }
        self.opening = Opening::Dialled;
        self.halves[Side::Client.index()].seen = true;
        (Side::Client, Segment { sequence, syn: true, ..Segment::default() })
    }

    /// The server takes the connection up; nothing if it has sent anything.
    pub(super) fn answer(&mut self) -> Option<(Side, Segment)> {
        if self.opening != Opening::Dialled {
            return None;
        }
        let segment = self.segment(Side::Server);
        self.opening = Opening::Answered;
        let sequence = segment.sequence.wrapping_sub(1);
        Some((Side::Server, Segment { sequence, syn: true, ..segment }))
    }

    /// The client acknowledges that the server has answered, unless it has.
    pub(super) fn greet(&mut self) -> Option<(Side, Segment)> {
        (self.opening == Opening::Answered).then(|| (Side::Client, self.segment(Side::Client)))
    }

    /// What shows a connection whose beginning is unknown: the server acknowledges what it has, by
    /// which a reader who sees nothing else takes its peer for the client.
    pub(super) fn appear(&mut self) -> (Side, Segment) {
        let side = if self.ends.are_one() { Side::Client } else { Side::Server };
        (side, self.segment(side))
    }

    /// `side` sends the first part of `bytes`; returns it and the rest.
    pub(super) fn data<'a>(
        &mut self,
        side: Side,
        bytes: &'a [u8],
    ) -> (Segment, &'a [u8], &'a [u8]) {
        let half = &self.halves[side.index()];
        let in_flight = half.next.wrapping_sub(half.acknowledged);
        let mut length = bytes.len().min(MAX_PAYLOAD);
        if length > 1 && in_flight.wrapping_add(length as u32) == WINDOW_BYTES {
            // A reader calls a window full when it is filled to the byte, and only then.
            length -= 1;
        }
        let (part, rest) = bytes.split_at(length);
        let segment = Segment { psh: rest.is_empty(), ..self.segment(side) };
        self.sent(side, part.len());
        (segment, part, rest)
    }

    /// `side` has sent so many bytes.
    fn sent(&mut self, side: Side, length: usize) {
        let half = &mut self.halves[side.index()];
        half.next = half.next.wrapping_add(length as u32);
        if self.acknowledging == Acknowledging::WithTheNext {
            half.delivered = half.next;
        }
    }

    /// So many more bytes of `side` were handed on: the other side acknowledges them, unless it has.
    pub(super) fn delivered(&mut self, side: Side, length: u64) -> Option<(Side, Segment)> {
        let half = &mut self.halves[side.index()];
        if half.delivered != half.next {
            let sent = half.next.wrapping_sub(u32::from(half.finished));
            let open = sent.wrapping_sub(half.delivered);
            let length = u32::try_from(length).unwrap_or(u32::MAX).min(open);
            half.delivered = half.delivered.wrapping_add(length);
        }
        self.acknowledge(side)
    }

    /// `side` sends the next part of a gap that began as `gap` long; returns how long the part is. A gap
    /// of unknown length is one byte long: that is the least it can be.
    pub(super) fn gap(&mut self, side: Side, gap: Gap) -> (Segment, usize, Option<Gap>) {
        let length = gap.left.min(MAX_MISSING as u64);
        let rest = Some(Gap { left: gap.left - length, ..gap }).filter(|gap| gap.left > 0);
        let mark = gap.mark.filter(|_| rest.is_none());
        let segment = Segment { psh: rest.is_none(), mark, ..self.segment(side) };
        self.sent(side, length as usize);
        (segment, length as usize, rest)
    }

    /// `side` sends its FIN; nothing if it has.
    pub(super) fn finish(&mut self, side: Side) -> Option<(Side, Segment)> {
        if self.halves[side.index()].finished {
            return None;
        }
        let segment = Segment { fin: true, ..self.segment(side) };
        self.sent(side, 1);
        self.halves[side.index()].finished = true;
        Some((side, segment))
    }

    /// The other side acknowledges what of `side` was handed on, if there is news; of a FIN there is
    /// once everything before it was. One that has not sent anything does not begin with that.
    pub(super) fn acknowledge(&mut self, side: Side) -> Option<(Side, Segment)> {
        let half = &mut self.halves[side.index()];
        if half.finished && half.delivered == half.next.wrapping_sub(1) {
            half.delivered = half.next;
        }
        let is_news = half.delivered != half.acknowledged && self.reset == [false; 2];
        if !is_news || !self.halves[side.other().index()].seen {
            return None;
        }
        Some((side.other(), self.segment(side.other())))
    }

    /// The other side acknowledges what `side` has sent if much waits for that.
    pub(super) fn relieve(&mut self, side: Side) -> Option<(Side, Segment)> {
        let half = &self.halves[side.index()];
        let waiting = half.delivered.wrapping_sub(half.acknowledged);
        match self.acknowledging {
            Acknowledging::WithTheNext if waiting >= MAX_WAITING => self.acknowledge(side),
            _ => None,
        }
    }

    /// `side` aborts; nothing if it has.
    pub(super) fn reset(&mut self, side: Side) -> Option<(Side, Segment)> {
        if std::mem::replace(&mut self.reset[side.index()], true) {
            return None;
        }
        Some((side, Segment { rst: true, ..self.segment(side) }))
    }

    /// Whether `side` has neither ended nor aborted, which is no matter where others saw it send.
    pub(super) fn may_send(&self, side: Side) -> bool {
        self.acknowledging == Acknowledging::WithTheNext
            || !self.halves[side.index()].finished && !self.reset[side.index()]
    }

    /// Whether no data is left to come: both sides have ended, or one has aborted.
    pub(super) fn is_over(&self) -> bool {
        self.reset != [false; 2] || self.halves.iter().all(|half| half.finished)
    }

    /// An empty segment of `side` at its place, which acknowledges what it was handed.
    fn segment(&mut self, side: Side) -> Segment {
        self.opening = match (self.opening, side) {
            (Opening::Dialled, Side::Client) => Opening::Dialled,
            (Opening::Answered, Side::Server) => Opening::Answered,
            // Whatever else is sent shows that the rest has happened, in the capture or not.
            _ => Opening::Done,
        };
        let peer = &mut self.halves[side.other().index()];
        peer.acknowledged = peer.delivered;
        let acknowledgement = Some(peer.acknowledged);
        let half = &mut self.halves[side.index()];
        half.seen = true;
        Segment { sequence: half.next, acknowledgement, ..Segment::default() }
    }
}

/// A gap that is being written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gap {
    /// How many bytes of it segments are still to take.
    left: u64,
    /// What the last one says, if its length is not that of its segments.
    mark: Option<Mark>,
}

impl Gap {
    /// One of this length, if it is known; nothing if there is none.
    pub(super) fn new(length: Option<u64>) -> Option<Gap> {
        const MOST: u64 = MAX_PARTS * MAX_MISSING as u64;
        let mark = Some(Mark::Gap(length));
        match length {
            Some(0) => None,
            Some(left) if left <= MOST => Some(Gap { left, mark: None }),
            Some(_) => Some(Gap { left: MOST, mark }),
            None => Some(Gap { left: 1, mark }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(client: u32, server: u32) -> Synthesis {
        let end = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut connection = Synthesis::new(
            Ends::new(end(1), end(2)),
            [client, server],
            Acknowledging::WhenDelivered,
        );
        connection.dial();
        connection.answer();
        connection.greet();
        connection
    }

    #[test]
    fn sequence_numbers_wrap() {
        let mut connection = connection(u32::MAX - 2, u32::MAX);
        let (segment, part, rest) = connection.data(Side::Client, b"0123456789");
        assert_eq!((segment.sequence, part.len(), rest.len()), (u32::MAX - 1, 10, 0));
        let (side, ack) = connection.delivered(Side::Client, 10).unwrap();
        assert_eq!((side, ack.sequence, ack.acknowledgement), (Side::Server, 0, Some(8)));
        let (_, fin) = connection.finish(Side::Client).unwrap();
        assert_eq!((fin.sequence, fin.acknowledgement), (8, Some(0)));
        let (_, ack) = connection.acknowledge(Side::Client).unwrap();
        assert_eq!(ack.acknowledgement, Some(9));
    }

    #[test]
    fn nothing_is_acknowledged_twice_or_before_it_was_sent() {
        let mut connection = connection(0, 0);
        assert!(connection.delivered(Side::Client, 5).is_none());
        connection.data(Side::Client, b"abc");
        assert_eq!(connection.delivered(Side::Client, 9).unwrap().1.acknowledgement, Some(4));
        assert!(connection.delivered(Side::Client, 9).is_none());
        assert!(connection.finish(Side::Client).is_some());
        assert!(connection.acknowledge(Side::Client).is_some());
        assert!(connection.acknowledge(Side::Client).is_none());
        assert!(connection.delivered(Side::Client, 9).is_none());
        assert!(connection.finish(Side::Client).is_none());
    }

    #[test]
    fn a_fin_waits_for_what_was_not_handed_on() {
        let mut connection = connection(0, 0);
        connection.data(Side::Server, b"abc");
        connection.finish(Side::Server);
        assert!(connection.acknowledge(Side::Server).is_none());
        assert_eq!(connection.delivered(Side::Server, 2).unwrap().1.acknowledgement, Some(3));
        assert_eq!(connection.delivered(Side::Server, 1).unwrap().1.acknowledgement, Some(5));
    }

    #[test]
    fn a_window_is_never_filled_to_the_byte() {
        let mut connection = connection(0, 0);
        let piece = vec![0; MAX_PAYLOAD];
        let mut in_flight = 0;
        while in_flight < WINDOW_BYTES {
            let left = (WINDOW_BYTES - in_flight) as usize;
            let (_, part, _) = connection.data(Side::Client, &piece[..left.clamp(2, MAX_PAYLOAD)]);
            in_flight += part.len() as u32;
            assert_ne!(in_flight, WINDOW_BYTES);
        }
    }
}
