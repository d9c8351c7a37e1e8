//! One connection's events → the segments that would have carried them. Sans-I/O.
//!
//! A reader finds nothing to complain of: a side acknowledges only what its peer has sent and what
//! [`Delivered`](crate::session::Kind::Delivered) said was handed on, and never says the same twice.

use super::frame::{Ends, MAX_PAYLOAD, Segment, WINDOW_BYTES};
use crate::session::Side;

/// The state of both TCP stacks of a connection that is being written.
pub(super) struct Synthesis {
    pub(super) ends: Ends,
    halves: [Half; 2],
    reset: [bool; 2],
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
    finished: bool,
}

impl Half {
    fn new(next: u32) -> Half {
        Half { next, delivered: next, acknowledged: next, finished: false }
    }
}

impl Synthesis {
    /// A connection whose sides begin at these sequence numbers, client first.
    pub(super) fn new(ends: Ends, initial: [u32; 2]) -> Synthesis {
        Synthesis { ends, halves: initial.map(Half::new), reset: [false; 2] }
    }

    /// SYN, SYN-ACK, ACK.
    pub(super) fn handshake(&mut self) -> [(Side, Segment); 3] {
        let isn = |side: Side| self.halves[side.index()].next;
        let (client, server) = (isn(Side::Client), isn(Side::Server));
        let syn = Segment { sequence: client, syn: true, ..Segment::default() };
        let syn_ack = Segment {
            sequence: server,
            acknowledgement: Some(client.wrapping_add(1)),
            syn: true,
            ..Segment::default()
        };
        for half in &mut self.halves {
            *half = Half::new(half.next.wrapping_add(1));
        }
        let ack = self.segment(Side::Client);
        [(Side::Client, syn), (Side::Server, syn_ack), (Side::Client, ack)]
    }

    /// What shows a connection whose beginning is unknown: the server acknowledges what it has, by
    /// which a reader who sees nothing else takes its peer for the client.
    pub(super) fn appear(&mut self) -> (Side, Segment) {
        (Side::Server, self.segment(Side::Server))
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
        let half = &mut self.halves[side.index()];
        half.next = half.next.wrapping_add(part.len() as u32);
        (segment, part, rest)
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

    /// `side` sends bytes that nobody has.
    pub(super) fn gap(&mut self, side: Side, length: u64) {
        // A hole beyond half the sequence space could not be told from going back.
        const MOST: u64 = 1 << 30;
        let half = &mut self.halves[side.index()];
        let handed_on = half.delivered == half.next;
        half.next = half.next.wrapping_add(length.min(MOST) as u32);
        if handed_on {
            half.delivered = half.next;
        }
    }

    /// `side` sends its FIN; nothing if it has.
    pub(super) fn finish(&mut self, side: Side) -> Option<(Side, Segment)> {
        if self.halves[side.index()].finished {
            return None;
        }
        let segment = Segment { fin: true, ..self.segment(side) };
        let half = &mut self.halves[side.index()];
        half.next = half.next.wrapping_add(1);
        half.finished = true;
        Some((side, segment))
    }

    /// The other side acknowledges what of `side` was handed on, if there is news; of a FIN there is
    /// once everything before it was.
    pub(super) fn acknowledge(&mut self, side: Side) -> Option<(Side, Segment)> {
        let half = &mut self.halves[side.index()];
        if half.finished && half.delivered == half.next.wrapping_sub(1) {
            half.delivered = half.next;
        }
        if half.delivered == half.acknowledged || self.reset != [false; 2] {
            return None;
        }
        Some((side.other(), self.segment(side.other())))
    }

    /// `side` aborts; nothing if it has.
    pub(super) fn reset(&mut self, side: Side) -> Option<(Side, Segment)> {
        if std::mem::replace(&mut self.reset[side.index()], true) {
            return None;
        }
        Some((side, Segment { rst: true, ..self.segment(side) }))
    }

    /// Whether `side` has neither ended nor aborted.
    pub(super) fn may_send(&self, side: Side) -> bool {
        !self.halves[side.index()].finished && !self.reset[side.index()]
    }

    /// Whether no data is left to come: both sides have ended, or one has aborted.
    pub(super) fn is_over(&self) -> bool {
        self.reset != [false; 2] || self.halves.iter().all(|half| half.finished)
    }

    /// An empty segment of `side` at its place, which acknowledges what it was handed.
    fn segment(&mut self, side: Side) -> Segment {
        let peer = &mut self.halves[side.other().index()];
        peer.acknowledged = peer.delivered;
        let acknowledgement = Some(peer.acknowledged);
        Segment { sequence: self.halves[side.index()].next, acknowledgement, ..Segment::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(client: u32, server: u32) -> Synthesis {
        let end = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let mut connection = Synthesis::new(Ends::new(end(1), end(2)), [client, server]);
        connection.handshake();
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
