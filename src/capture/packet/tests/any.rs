//! What holds for any cuts, and any bytes.

use proptest::prelude::*;

use super::super::fragments::Fragments;
use super::super::{Content, parse, parse_common};
use super::build::*;
use super::reading::*;
use crate::session::Timestamp;

proptest! {
    #[test]
    fn any_cuts_in_any_order_make_the_packet(
        is_ipv6: bool,
        length in 1usize..600,
        cuts in proptest::collection::vec(1usize..70, 0..20),
        order in any::<u64>(),
        again in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
    ) {
        let data = payload(length);
        let segment = tcp(&data);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut * 8).filter(|&at| at < segment.len()).collect();
        ends.extend([0, segment.len()]);
        ends.sort_unstable();
        ends.dedup();
        prop_assume!(ends.len() > 2);
        let piece_at = |index: usize| {
            let (from, to) = (ends[index], ends[index + 1]);
            piece(is_ipv6, 1, 6, from, to < segment.len(), &segment[from..to])
        };
        let mut packets: Vec<_> = (0..ends.len() - 1).map(piece_at).collect();
        for index in again {
            packets.push(packets[index.index(packets.len())].clone());
        }
        let mut state = order;
        packets.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 33
        });
        let mut reading = Reading::default();
        let read: Vec<_> = packets.iter().map(|packet| reading.read(packet)).collect();
        let segments: Vec<_> = read.into_iter().filter_map(Result::ok).collect();
        prop_assert_eq!(segments, vec![(data, length as u32)]);
        prop_assert_eq!(reading.finish(), whole(1));
    }

    #[test]
    fn any_bytes_are_read_within_bounds(
        link_type in prop::sample::select(vec![0, 1, 9, 50, 51, 101, 104, 105, 109, 113, 117, 127, 166, 204, 219, 228, 229, 239, 258, 276]),
        frames in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..120), 0u32..200), 1..6),
    ) {
        let mut fragments = Fragments::default();
        for (frame, length) in frames {
            if let Ok(segment) = fragments.segment(Timestamp(0), link_type, &frame, length) {
                prop_assert!(segment.payload.len() <= segment.length as usize);
                prop_assert!(segment.length as usize <= frame.len().max(length as usize));
            }
        }
    }

    #[test]
    fn the_most_common_frames_are_read_as_all_others(
        changes in proptest::collection::vec((0usize..70, any::<u8>()), 0..4),
        payload in proptest::collection::vec(any::<u8>(), 0..20),
        padding in 0usize..8,
        kept in prop_oneof![4 => Just(usize::MAX), 1 => 0usize..80],
        missing in 0u32..40,
    ) {
        let mut frame = ethernet(0x0800, &ipv4(6, &tcp(&payload)));
        frame.resize(frame.len() + padding, 0);
        let length = frame.len() as u32 + missing;
        for (at, to) in changes {
            let at = at % frame.len();
            frame[at] = to;
        }
        let captured = &frame[..frame.len().min(kept)];
        match (parse_common(ETHERNET, captured, length), parse(ETHERNET, captured, length)) {
            (Some(segment), read) => prop_assert_eq!(read, Ok(Content::Segment(segment))),
            (None, Ok(Content::Segment(_))) => {
                prop_assert!(frame[12..14] != [8, 0] || frame[23] != 6, "it is of the most common kind");
            }
            (None, _) => {}
        }
    }
}
