//! The short way of segments that hold no surprise. Sans-I/O.
//!
//! It is the header prediction of TCP receivers (Van Jacobson, 1990): where nothing is the matter with a
//! connection, a segment that goes on where its side stopped, and acknowledges what is there, changes three
//! numbers. The long way, [`Connection::segment`], does the same with it in four times as many steps.

use super::connection::Connection;
use super::stream::{REACH, Stream};
use super::{Outlet, Stamp};
use crate::Result;
use crate::capture::packet::Segment;
use crate::session::Sink;

impl Connection {
    /// Whether the short way is open for `segment`.
    #[inline]
    pub(super) fn expects(&self, segment: &Segment<'_>) -> bool {
        let Some(acknowledgement) = segment.acknowledgement else { return false };
        let side = self.side(segment.source);
        let is_ordinary = !(segment.syn || segment.fin || segment.rst || segment.window_closed);
        let is_whole = segment.payload.len() == segment.length as usize;
        self.is_plain
            && is_ordinary
            && is_whole
            && segment.urgent.is_none()
            && self.streams[side.index()].expects(segment.sequence)
            && self.streams[side.other().index()].has_sent(acknowledgement)
    }

    /// Takes a segment that is [expected](Connection::expects).
    #[inline]
    pub(super) fn take_expected(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        self.last = stamp;
        let side = self.side(segment.source);
        if let Some(acknowledgement) = segment.acknowledgement {
            self.streams[side.other().index()].confirm(stamp, acknowledgement);
        }
        let mut out = Outlet { sink, connection: self.id, side };
        self.streams[side.index()].append(stamp, segment.payload, &mut out)
    }

    /// Whether nothing is the matter: the numbers of both sides are known, no byte is missing or waits, and
    /// neither has ended or takes no more.
    pub(super) fn look_whether_plain(&self) -> bool {
        let is_open = self.reset == [false; 2] && self.window_closed == [false; 2];
        is_open && self.streams.iter().all(Stream::is_plain)
    }
}

impl Stream {
    fn is_plain(&self) -> bool {
        let is_whole = self.order.ahead.is_empty() && self.acknowledged <= self.order.next;
        let has_ended = self.order.end.is_some() || self.order.over;
        self.origin.is_some() && is_whole && !has_ended && self.probe.is_none()
    }

    /// Whether what begins at `sequence` follows what there is.
    #[inline]
    fn expects(&self, sequence: u32) -> bool {
        sequence == self.next_sequence()
    }

    /// Whether all before `sequence` is there.
    #[inline]
    fn has_sent(&self, sequence: u32) -> bool {
        i64::from(self.next_sequence().wrapping_sub(sequence)) <= REACH
    }

    /// Takes what follows, which may be nothing.
    #[inline]
    fn append(&mut self, stamp: Stamp, bytes: &[u8], out: &mut Outlet<'_>) -> Result<()> {
        if bytes.is_empty() {
            self.sent = self.order.next;
        }
        self.order.deliver(stamp, bytes, out)
    }

    /// Takes the peer's word that it has everything before `sequence`, which is there.
    #[inline]
    fn confirm(&mut self, stamp: Stamp, sequence: u32) {
        let behind = self.next_sequence().wrapping_sub(sequence);
        self.lacked = Some(stamp);
        self.acknowledged = self.acknowledged.max(self.order.next - i64::from(behind));
    }

    /// The sequence number of what follows.
    #[inline]
    fn next_sequence(&self) -> u32 {
        self.origin.unwrap_or_default().wrapping_add(self.order.next as u32)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::capture::packet::End;
    use crate::capture::reassembly::Policy;
    use crate::session::{ConnectionId, Event, Frame, Timestamp};

    /// What happened, in words.
    #[derive(Default)]
    struct Log(Vec<String>);

    impl Sink for Log {
        fn event(&mut self, event: &Event<'_>) -> Result<()> {
            self.0.push(format!("{event:?}"));
            Ok(())
        }
    }

    /// A segment that goes on where its side is but for small differences, most of them none.
    #[derive(Clone, Copy, Debug)]
    struct Drawn {
        from_client: bool,
        length: u32,
        captured: u32,
        /// By how much its numbers differ from those that are expected.
        ahead: i32,
        acknowledges: i32,
        flags: u8,
    }

    fn drawn() -> impl Strategy<Value = Drawn> {
        let mostly =
            |odd: std::ops::Range<i32>| prop_oneof![12 => Just(0), 3 => Just(-1), 2 => odd];
        let flags = prop_oneof![20 => Just(0u8), 4 => Just(16), 1 => 1u8..64];
        let captured = prop_oneof![12 => Just(9u32), 1 => 0u32..4];
        (any::<bool>(), 0u32..5, captured, mostly(-9..9), mostly(-40..9), flags).prop_map(
            |(from_client, length, captured, ahead, acknowledges, flags)| Drawn {
                from_client,
                length,
                captured,
                ahead,
                acknowledges,
                flags,
            },
        )
    }

    const BYTES: [u8; 5] = *b"bytes";

    /// Segments of two sides that count from `initial`.
    fn segments(initial: u32, drawn: &[Drawn]) -> Vec<Segment<'static>> {
        let ends = [End { address: 1, port: 40_000 }, End { address: 2, port: 80 }];
        let mut next = [initial.wrapping_add(1); 2];
        let first = Segment {
            source: ends[0],
            destination: ends[1],
            is_ipv4: false,
            sequence: initial,
            acknowledgement: None,
            syn: true,
            fin: false,
            rst: false,
            window_closed: false,
            urgent: None,
            payload: &[],
            length: 0,
        };
        let acknowledgement = Some(next[0]);
        let answer = Segment { source: ends[1], destination: ends[0], acknowledgement, ..first };
        let mut segments = vec![first, answer];
        for one in drawn {
            let (own, peer) = if one.from_client { (0, 1) } else { (1, 0) };
            let flag = |bit: u8| one.flags & bit != 0;
            let length = one.length.min(BYTES.len() as u32);
            segments.push(Segment {
                source: ends[own],
                destination: ends[peer],
                sequence: next[own].wrapping_add_signed(one.ahead),
                acknowledgement: (!flag(1))
                    .then(|| next[peer].wrapping_add_signed(one.acknowledges)),
                syn: false,
                fin: flag(2),
                rst: flag(4) && flag(8),
                window_closed: flag(16),
                urgent: flag(32).then_some(1),
                payload: &BYTES[..one.captured.min(length) as usize],
                length,
                ..first
            });
            if one.ahead == 0 {
                next[own] = next[own].wrapping_add(length);
            }
        }
        segments
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn the_short_way_leads_where_the_long_way_does(
            initial in prop_oneof![any::<u32>(), Just(u32::MAX - 20)],
            drawn in proptest::collection::vec(drawn(), 0..60),
        ) {
            let segments = segments(initial, &drawn);
            let open = |stamp| {
                Connection::open(ConnectionId(0), stamp, &segments[0], true, &Policy::default())
            };
            let (mut short, mut long) = (open(Stamp::default()), open(Stamp::default()));
            let (mut of_short, mut of_long) = (Log::default(), Log::default());
            for (segment, number) in segments.iter().zip(1..) {
                let stamp = Stamp { at: Timestamp(number as i64), frame: Frame::alone(number) };
                if short.expects(segment) {
                    short.take_expected(stamp, segment, &mut of_short).unwrap();
                } else {
                    short.segment(stamp, segment, &mut of_short).unwrap();
                }
                long.segment(stamp, segment, &mut of_long).unwrap();
                prop_assert_eq!(&of_short.0, &of_long.0);
                prop_assert_eq!(format!("{short:?}"), format!("{long:?}"));
            }
        }
    }
}
