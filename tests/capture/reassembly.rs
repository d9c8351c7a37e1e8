//! How segments become ordered bytes.

use proptest::prelude::*;
use wirespool::session::{Note, Side, Start};

use super::log::{Log, Seen};
use super::network::{ACK, CLIENT, FIN, Packet, RST, SERVER, SYN, capture, file, handshake};
use Side::{Client, Server};

fn data(sequence: u32, payload: &[u8]) -> Packet {
    Packet::new(true, sequence, 1, ACK).with(payload)
}

fn read(packets: &[Packet]) -> Log {
    Log::of(capture(packets))
}

/// What follows a handshake on which both sides begin at 0.
fn after_handshake(packets: &[Packet]) -> Log {
    read(&[&handshake(0, 0), packets].concat())
}

fn bytes(side: Side, text: &str) -> Seen {
    Seen::Data(side, text.as_bytes().to_vec())
}

fn opened(start: Start) -> Seen {
    Seen::Open(CLIENT.parse().unwrap(), SERVER.parse().unwrap(), start, None)
}

#[test]
fn reordered_segments_come_in_order() {
    let log = after_handshake(&[data(7, b"ghi"), data(4, b"def"), data(1, b"abc")]);
    let parts = [bytes(Client, "abc"), bytes(Client, "def"), bytes(Client, "ghi"), Seen::Cut];
    assert_eq!(log.traffic(), parts);
    // What was held became readable with the segment that filled the hole.
    assert!(log.0[1..4].iter().all(|entry| entry.frame == Some(6)));
}

#[test]
fn the_first_bytes_win() {
    let log = after_handshake(&[data(4, b"DEF"), data(1, b"abcdef"), data(1, b"abcdefgh")]);
    assert_eq!(
        log.seen()[1..],
        [
            bytes(Client, "abc"),
            bytes(Client, "DEF"),
            Seen::Note(Note::Overlap { side: Client, length: 3 }),
            bytes(Client, "gh"),
            // The same once more, now that they were handed out.
            Seen::Note(Note::Overlap { side: Client, length: 3 }),
            Seen::Note(Note::Retransmission { side: Client, length: 3 }),
            Seen::Cut,
        ]
    );
}

#[test]
fn a_hole_that_the_peer_filled_is_a_gap() {
    let log = after_handshake(&[
        data(1, b"abc"),
        data(8, b"hij"),
        Packet::new(false, 1, 11, ACK),
        data(11, b"k"),
    ]);
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "abc"),
            Seen::Gap(Client, Some(4)),
            bytes(Client, "hij"),
            bytes(Client, "k"),
            Seen::Cut,
        ]
    );
    // What stood behind the hole keeps its own frame.
    assert_eq!((log.0[2].frame, log.0[3].frame), (Some(5), Some(5)));
}

#[test]
fn a_hole_is_given_up_as_soon_as_the_peer_goes_past_it() {
    let answer = Packet::new(false, 1, 11, ACK).with(b"answer");
    let log = after_handshake(&[data(8, b"hij"), answer]);
    assert_eq!(
        log.traffic(),
        [Seen::Gap(Client, Some(7)), bytes(Client, "hij"), bytes(Server, "answer"), Seen::Cut]
    );
}

#[test]
fn an_acknowledgement_may_stand_before_its_data() {
    let log = after_handshake(&[Packet::new(false, 1, 4, ACK), data(1, b"abc")]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), Seen::Cut]);
}

#[test]
fn a_side_that_is_not_in_the_capture_has_gaps() {
    let log = read(&[
        Packet::new(true, 0, 0, SYN),
        Packet::new(true, 1, 1, ACK),
        data(1, b"question"),
        Packet::new(true, 9, 101, ACK),
        Packet::new(true, 9, 101, ACK).with(b"another"),
        Packet::new(true, 16, 301, ACK),
        Packet::new(true, 16, 301, FIN | ACK),
        Packet::new(true, 17, 302, ACK),
    ]);
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "question"),
            Seen::Gap(Server, Some(100)),
            bytes(Client, "another"),
            Seen::Gap(Server, Some(200)),
            Seen::Eof(Client),
            // The last number is that of a FIN.
            Seen::Cut,
        ]
    );
}

#[test]
fn a_capture_cut_in_a_hole_ends_with_it() {
    let log = after_handshake(&[data(4, b"def")]);
    assert_eq!(log.traffic(), [Seen::Gap(Client, Some(3)), bytes(Client, "def"), Seen::Cut]);
}

#[test]
fn a_fin_counts_when_its_place_is_reached() {
    let fin = Packet::new(true, 4, 1, FIN | ACK).with(b"def");
    let log = after_handshake(&[fin, data(1, b"abc"), Packet::new(false, 1, 8, FIN | ACK)]);
    assert_eq!(
        log.traffic(),
        [bytes(Client, "abc"), bytes(Client, "def"), Seen::Eof(Client), Seen::Eof(Server)]
    );
}

#[test]
fn an_acknowledged_fin_gives_up_what_is_missing_before_it() {
    let fin = Packet::new(true, 101, 1, FIN | ACK);
    let log = after_handshake(&[fin, Packet::new(false, 1, 102, ACK)]);
    assert_eq!(log.traffic(), [Seen::Gap(Client, Some(100)), Seen::Eof(Client), Seen::Cut]);
}

#[test]
fn a_reset_gives_up_holes() {
    let reset = Packet::new(false, 1, 1, RST | ACK);
    let log = after_handshake(&[data(4, b"def"), reset]);
    assert_eq!(
        log.traffic(),
        [Seen::Gap(Client, Some(3)), bytes(Client, "def"), Seen::Reset(Server)]
    );
}

#[test]
fn stragglers_of_a_closed_connection_open_none() {
    let fin = Packet::new(true, 4, 1, FIN | ACK);
    let log = after_handshake(&[
        data(1, b"abc"),
        fin.clone(),
        Packet::new(false, 1, 5, FIN | ACK),
        Packet::new(true, 5, 2, ACK),
        fin,
        Packet::new(false, 1, 5, FIN | ACK),
        Packet::new(true, 5, 2, ACK),
        Packet::new(true, 5, 2, RST),
    ]);
    let opened = log.seen().iter().filter(|seen| matches!(seen, Seen::Open(..))).count();
    assert_eq!(opened, 1);
    assert!(!log.seen().contains(&Seen::Cut));
}

#[test]
fn a_syn_with_another_number_begins_another_connection() {
    let mut packets = handshake(0, 0);
    packets.push(data(1, b"first"));
    packets.extend(handshake(5_000, 6_000));
    packets.push(Packet::new(true, 5_001, 6_001, ACK).with(b"second"));
    let log = read(&packets);
    assert_eq!(
        log.traffic(),
        [bytes(Client, "first"), Seen::Cut, bytes(Client, "second"), Seen::Cut]
    );
    assert_eq!(log.0.iter().map(|entry| entry.connection).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 1]);
}

#[test]
fn a_repeated_handshake_begins_none() {
    let log = read(&[handshake(9, 7), handshake(9, 7)].concat());
    assert_eq!(log.seen(), [opened(Start::Seen), Seen::Cut]);
}

#[test]
fn a_late_handshake_joins_what_it_began() {
    let mut packets = vec![Packet::new(true, 101, 501, ACK).with(b"fast")];
    packets.extend(handshake(100, 500));
    let log = read(&packets);
    assert_eq!(log.seen()[0], opened(Start::Missed));
    assert_eq!(log.traffic(), [bytes(Client, "fast"), Seen::Cut]);
}

#[test]
fn an_answered_handshake_tells_the_roles() {
    let log = read(&[
        Packet::new(false, 500, 101, SYN | ACK),
        Packet::new(true, 101, 501, ACK).with(b"hello"),
    ]);
    assert_eq!(log.seen(), [opened(Start::Seen), bytes(Client, "hello"), Seen::Cut]);
}

#[test]
fn both_may_dial_at_once() {
    let log = read(&[
        Packet::new(true, 100, 0, SYN),
        Packet::new(false, 500, 0, SYN),
        Packet::new(true, 100, 501, SYN | ACK),
        Packet::new(false, 500, 101, SYN | ACK),
        Packet::new(true, 101, 501, ACK).with(b"a"),
        Packet::new(false, 501, 102, ACK).with(b"b"),
    ]);
    let seen = [opened(Start::Seen), bytes(Client, "a"), bytes(Server, "b"), Seen::Cut];
    assert_eq!(log.seen(), seen);
}

#[test]
fn a_connection_seen_late_guesses_by_its_ports() {
    let log = read(&[Packet::new(false, 500, 101, ACK).with(b"news")]);
    let guessed = Seen::Note(Note::GuessedRole);
    assert_eq!(log.seen(), [opened(Start::Missed), guessed, bytes(Server, "news"), Seen::Cut]);
}

#[test]
fn probes_of_a_closed_window_are_no_data() {
    let closed = Packet::new(false, 1, 4, ACK).window(0);
    let log = after_handshake(&[
        data(1, b"abc"),
        closed.clone(),
        data(4, b"d"),
        closed.clone(),
        data(4, b"d"),
        Packet::new(false, 1, 4, ACK),
        data(4, b"def"),
    ]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), bytes(Client, "def"), Seen::Cut]);
    // One that is taken is data.
    let log = after_handshake(&[data(1, b"abc"), closed, data(4, b"d"), data(5, b"ef")]);
    let parts = [bytes(Client, "abc"), bytes(Client, "d"), bytes(Client, "ef"), Seen::Cut];
    assert_eq!(log.traffic(), parts);
}

#[test]
fn a_frame_cut_short_leaves_a_gap() {
    let whole = data(1, &[b'x'; 100]);
    let log = after_handshake(&[whole.cut(54 + 10), data(101, b"next")]);
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "xxxxxxxxxx"),
            Seen::Gap(Client, Some(90)),
            bytes(Client, "next"),
            Seen::Cut
        ]
    );
}

#[test]
fn a_damaged_acknowledgement_loses_nothing() {
    let log = after_handshake(&[
        data(1, b"abc"),
        Packet::new(false, 1, 4_000, ACK),
        Packet::new(false, 1, 4, ACK).with(b"x"),
        data(4, b"def"),
    ]);
    let parts = [bytes(Client, "abc"), bytes(Server, "x"), bytes(Client, "def"), Seen::Cut];
    assert_eq!(log.traffic(), parts);
}

#[test]
fn a_sequence_that_jumps_far_is_a_gap_of_unknown_length() {
    let far = 1u32.wrapping_sub(1 << 31);
    let log = after_handshake(&[data(1, b"abc"), data(far, b"xyz"), data(far + 3, b"!")]);
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "abc"),
            Seen::Gap(Client, None),
            bytes(Client, "xyz"),
            bytes(Client, "!"),
            Seen::Cut,
        ]
    );
}

#[test]
fn what_is_held_behind_a_hole_is_bounded() {
    let piece = [7u8; 60_000];
    let mut packets = handshake(0, 0);
    // Byte 1 comes only when the 16 MiB that may be held behind it have long been full.
    packets.extend((0..400u32).map(|n| data(2 + n * 60_000, &piece)));
    packets.push(data(1, b"!"));
    let log = read(&packets);
    assert_eq!(log.0[1].seen, Seen::Gap(Client, Some(1)));
    assert_eq!(log.bytes(Client).len(), 1 + 400 * 60_000);
    // What is given up keeps its own frame.
    assert_eq!(log.0[2].frame, Some(4));
}

#[test]
fn a_flood_of_connections_forgets_the_quiet_ones() {
    // A talk that goes on all the time, and 140,000 connections of which only the SYN is seen.
    let talk = |sequence| (data(sequence, b"x").ip(), usize::MAX);
    let flood = (0..140_000u32).flat_map(|number| {
        let mut syn = Packet::new(true, 0, 0, SYN).ip();
        syn[12..16].copy_from_slice(&(0x0b00_0000 + number).to_be_bytes());
        [(syn, usize::MAX), talk(2 + number)]
    });
    let log = Log::of(file(101, std::iter::once(talk(1)).chain(flood)));
    let opened = log.0.iter().filter(|entry| matches!(entry.seen, Seen::Open(..))).count();
    let cut = log.0.iter().filter(|entry| entry.seen == Seen::Cut).count();
    assert_eq!((opened, cut), (140_001, 140_001));
    assert!(
        log.0.iter().position(|entry| entry.seen == Seen::Cut).unwrap() < log.0.len() - 140_001
    );
    let talk = log.0.iter().filter(|entry| entry.connection == 0);
    assert_eq!(talk.filter(|entry| entry.seen == bytes(Client, "x")).count(), 140_001);
}

/// Where a payload is cut into segments.
fn segments(length: usize) -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec(1usize..200, 0..40).prop_map(move |sizes| {
        let mut at = 0;
        let mut parts = Vec::new();
        for size in sizes.into_iter().chain([length.max(1)]) {
            let end = (at + size).min(length);
            if at < end {
                parts.push((at, end));
            }
            at = end;
        }
        parts
    })
}

prop_compose! {
    /// A payload, and its segments in order of sending.
    fn sending()(payload in prop::collection::vec(any::<u8>(), 0..3000))(
        parts in segments(payload.len()),
        again in segments(payload.len()),
        payload in Just(payload),
    ) -> (Vec<u8>, Vec<(usize, usize)>, Vec<(usize, usize)>) {
        (payload, parts, again)
    }
}

/// An initial sequence number, often one that is about to wrap.
fn initial() -> impl Strategy<Value = u32> {
    prop_oneof![any::<u32>(), (u32::MAX - 3000..=u32::MAX)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Segments in any order, some twice and cut otherwise, some never: what is in the capture comes
    /// out at its place, what is not is a gap of the right length.
    #[test]
    fn any_order_is_put_right(
        (payload, parts, again) in sending(),
        isn in initial(),
        places in prop::collection::vec(any::<u16>(), 100),
        lost in prop::collection::vec(0u8..8, 100),
    ) {
        let mut shuffled: Vec<_> = parts
            .iter()
            .chain(&again)
            .enumerate()
            .filter(|(index, _)| lost[index % 100] != 0)
            .map(|(index, part)| (places[index % 100], *part))
            .collect();
        shuffled.sort_by_key(|(place, _)| *place);
        let begin = isn.wrapping_add(1);
        let mut packets = handshake(isn, 77);
        let mut there = vec![false; payload.len()];
        for (_, (from, to)) in shuffled {
            there[from..to].fill(true);
            let sequence = begin.wrapping_add(from as u32);
            packets.push(Packet::new(true, sequence, 78, ACK).with(&payload[from..to]));
        }
        let end = begin.wrapping_add(payload.len() as u32);
        packets.push(Packet::new(true, end, 78, FIN | ACK));
        let log = read(&packets);
        let expected: Vec<_> =
            payload.iter().zip(&there).map(|(byte, there)| there.then_some(*byte)).collect();
        prop_assert_eq!(log.bytes(Client), expected);
        let traffic = log.traffic();
        prop_assert_eq!(&traffic[traffic.len() - 2..], [Seen::Eof(Client), Seen::Cut]);
        let differing = |seen: &Seen| matches!(seen, Seen::Note(Note::Overlap { .. }));
        prop_assert!(!log.seen().iter().any(differing));
    }

    /// Both sides at once with honest acknowledgements, and a capture that has not got every packet.
    #[test]
    fn a_capture_that_lost_packets_has_exactly_those_gaps(
        (first, parts, _) in sending(),
        (second, others, _) in sending(),
        isns in (initial(), initial()),
        turns in prop::collection::vec(any::<bool>(), 100),
        lost in prop::collection::vec(0u8..5, 200),
    ) {
        let begin = [isns.0.wrapping_add(1), isns.1.wrapping_add(1)];
        let payloads = [&first, &second];
        let mut queues = [parts.iter(), others.iter()];
        let mut reached = [0usize; 2];
        let mut there = [vec![false; first.len()], vec![false; second.len()]];
        let mut packets = handshake(isns.0, isns.1);
        let mut lost = lost.iter().cycle().map(|number| *number == 0);
        let mut turns = turns.iter().cycle();
        let number = |side: usize, reached: usize| begin[side].wrapping_add(reached as u32);
        while queues.iter().any(|queue| queue.len() > 0) {
            let side = if *turns.next().unwrap() { 0 } else { 1 };
            let Some(&(from, to)) = queues[side].next() else { continue };
            let acknowledged = number(1 - side, reached[1 - side]);
            let packet = Packet::new(side == 0, number(side, from), acknowledged, ACK);
            reached[side] = to;
            if !lost.next().unwrap() {
                there[side][from..to].fill(true);
                packets.push(packet.with(&payloads[side][from..to]));
            }
            // The answer may be missing too.
            if !lost.next().unwrap() {
                let (sequence, acknowledged) = (number(1 - side, reached[1 - side]), number(side, to));
                packets.push(Packet::new(side == 1, sequence, acknowledged, ACK));
            }
        }
        for side in [0, 1] {
            let acknowledged = number(1 - side, reached[1 - side]).wrapping_add(side as u32);
            packets.push(Packet::new(side == 0, number(side, reached[side]), acknowledged, FIN | ACK));
        }
        let log = read(&packets);
        for side in Side::BOTH {
            let index = side.index();
            let expected: Vec<_> = payloads[index]
                .iter()
                .zip(&there[index])
                .map(|(byte, there)| there.then_some(*byte))
                .collect();
            prop_assert_eq!(log.bytes(side), expected);
        }
        let eofs = log.seen().iter().filter(|seen| matches!(seen, Seen::Eof(_))).count();
        prop_assert_eq!(eofs, 2);
        prop_assert!(!log.seen().contains(&Seen::Cut));
    }
}
