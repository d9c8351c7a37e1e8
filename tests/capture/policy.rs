//! What a policy decides, and which of its bounds were reached.

use std::time::Duration;

use wirespool::capture::{Counters, Overlap, Policy};
use wirespool::session::{Note, Side};

use super::log::{Log, Seen};
use super::network::{ACK, FIN, Packet, SYN, capture, file, handshake};
use Side::{Client, Server};

fn data(sequence: u32, payload: &[u8]) -> Packet {
    Packet::new(true, sequence, 1, ACK).with(payload)
}

/// What follows a handshake on which both sides begin at 0.
fn after_handshake(policy: Policy, packets: &[Packet]) -> (Log, Counters) {
    Log::by(policy, capture(&[&handshake(0, 0), packets].concat()))
}

fn bytes(side: Side, text: &str) -> Seen {
    Seen::Data(side, text.as_bytes().to_vec())
}

fn note(note: Note) -> Seen {
    Seen::Note(note)
}

/// A packet of another client than the first, by its address.
fn from(client: u32, packet: &Packet) -> Vec<u8> {
    let mut ip = packet.ip();
    let at = if packet.from_client { 12..16 } else { 16..20 };
    ip[at].copy_from_slice(&(0x0b00_0000 + client).to_be_bytes());
    ip
}

fn clients(policy: Policy, packets: &[(u32, Packet)]) -> (Log, Counters) {
    let frames = packets.iter().map(|(client, packet)| (from(*client, packet), usize::MAX));
    Log::by(policy, file(101, frames))
}

#[test]
fn the_last_bytes_win_where_they_are_asked_for_and_wait() {
    let last = Policy { overlap: Overlap::Last, ..Policy::default() };
    let packets = [data(4, b"DEFG"), data(3, b"cde"), data(1, b"ab"), data(1, b"ABC")];
    let differing = |length| note(Note::Overlap { side: Client, length });
    let (log, _) = after_handshake(last, &packets);
    assert_eq!(
        log.seen()[1..],
        [
            differing(2),
            bytes(Client, "ab"),
            bytes(Client, "c"),
            bytes(Client, "deFG"),
            // What was handed out stays.
            differing(3),
            Seen::Cut,
        ]
    );
    let (log, _) = after_handshake(Policy::default(), &packets);
    let first = [bytes(Client, "ab"), bytes(Client, "c"), bytes(Client, "DEFG"), Seen::Cut];
    assert_eq!(log.traffic(), first);
}

#[test]
fn a_retransmission_that_differs_is_noted_up_to_16_kib_back() {
    let long = vec![b'x'; 15_000];
    let packets = [
        data(1, b"start"),
        data(6, &long),
        data(1, b"START"),
        data(15_006, &long),
        data(1, b"begin"),
        data(30_000, b"yyyxxx"),
    ];
    let (log, _) = after_handshake(Policy::default(), &packets);
    let notes: Vec<_> =
        log.seen().into_iter().filter(|seen| matches!(seen, Seen::Note(_))).collect();
    assert_eq!(
        notes,
        [
            note(Note::Overlap { side: Client, length: 5 }),
            note(Note::Retransmission { side: Client, length: 5 }),
            note(Note::Overlap { side: Client, length: 3 }),
            note(Note::Retransmission { side: Client, length: 3 }),
        ]
    );
}

#[test]
fn what_comes_for_a_gap_that_was_given_up_is_said() {
    let answer = Packet::new(false, 1, 11, ACK).with(b"answer");
    let packets = [data(8, b"hij"), answer, data(4, b"defgHIJkl")];
    let (log, _) = after_handshake(Policy::default(), &packets);
    assert_eq!(
        log.seen()[1..],
        [
            Seen::Gap(Client, Some(7)),
            bytes(Client, "hij"),
            bytes(Server, "answer"),
            bytes(Client, "kl"),
            note(Note::Overlap { side: Client, length: 3 }),
            note(Note::Discarded { side: Client, length: 4 }),
            Seen::Cut,
        ]
    );
}

#[test]
fn a_hole_is_waited_for_as_long_as_patience_lasts() {
    // The packets are a millisecond apart.
    let one_way = [data(4, b"def"), data(7, b"ghi"), data(10, b"jkl"), data(1, b"abc")];
    let patient = |milliseconds| Policy {
        patience: Some(Duration::from_millis(milliseconds)),
        ..Policy::default()
    };
    let (log, counters) = after_handshake(patient(4), &one_way);
    assert_eq!(log.traffic()[0], bytes(Client, "abc"));
    assert_eq!(counters.reached.patience, 0);
    let (log, counters) = after_handshake(patient(2), &one_way);
    assert_eq!(
        log.seen()[1..],
        [
            Seen::Gap(Client, Some(3)),
            bytes(Client, "def"),
            bytes(Client, "ghi"),
            bytes(Client, "jkl"),
            note(Note::Discarded { side: Client, length: 3 }),
            Seen::Cut,
        ]
    );
    // What was held keeps its own frame.
    assert_eq!(log.0[2].frame, Some(4));
    assert_eq!(counters.warnings(), ["1 hole given up that nothing filled for 2ms"]);
}

#[test]
fn a_hole_that_the_peer_waits_for_is_waited_for_longer_than_patience() {
    let policy = Policy { patience: Some(Duration::from_millis(2)), ..Policy::default() };
    let lacking = Packet::new(false, 1, 1, ACK);
    let waited = [data(4, b"def"), data(7, b"g"), lacking, data(8, b"h"), data(1, b"abc")];
    let (log, _) = after_handshake(policy, &waited);
    assert_eq!(log.traffic()[0], bytes(Client, "abc"));
}

#[test]
fn patience_ends_also_for_a_connection_that_is_quiet() {
    let policy = Policy { patience: Some(Duration::from_millis(2)), ..Policy::default() };
    let fin = Packet::new(true, 4, 1, FIN | ACK);
    let packets = [
        (1, Packet::new(true, 0, 0, SYN)),
        (1, data(3, b"c")),
        (1, fin),
        (2, data(1, b"x")),
        (2, data(2, b"y")),
        (2, data(3, b"z")),
    ];
    let (log, _) = clients(policy, &packets);
    let quiet = log.0.iter().filter(|entry| entry.connection == 0).map(|entry| entry.seen.clone());
    assert_eq!(
        quiet.collect::<Vec<_>>()[1..],
        [Seen::Gap(Client, Some(2)), bytes(Client, "c"), Seen::Eof(Client), Seen::Cut]
    );
    let ended = log.0.iter().position(|entry| entry.seen == Seen::Eof(Client)).unwrap();
    assert!(ended < log.0.iter().position(|entry| entry.seen == bytes(Client, "z")).unwrap());
}

#[test]
fn what_all_hold_is_bounded_and_the_oldest_hole_goes_first() {
    let policy = Policy { held_in_all: 3_000, ..Policy::default() };
    let begin = |client| (client, Packet::new(true, 0, 0, SYN));
    let piece = [b'x'; 1_000];
    let packets = [
        begin(1),
        begin(2),
        begin(3),
        (1, data(11, &piece)),
        (2, data(12, &piece)),
        (3, data(13, &piece)),
        (2, data(1, b"before pie")),
    ];
    let (log, counters) = clients(policy, &packets);
    let gaps = log.0.iter().filter(|entry| matches!(entry.seen, Seen::Gap(..)));
    let gaps: Vec<_> = gaps.map(|entry| (entry.connection, entry.seen.clone())).collect();
    assert_eq!(
        gaps,
        [
            (0, Seen::Gap(Client, Some(10))),
            (1, Seen::Gap(Client, Some(1))),
            (2, Seen::Gap(Client, Some(12)))
        ]
    );
    assert_eq!(
        counters.warnings(),
        ["1 hole given up with 3000 bytes held behind holes in all, bookkeeping included"]
    );
}

#[test]
fn a_side_that_holds_too_much_gives_up_and_it_is_said() {
    let policy = Policy { held_per_side: 2 << 10, ..Policy::default() };
    let piece = [b'x'; 1_000];
    let (log, counters) = after_handshake(policy, &[data(11, &piece), data(1_011, &piece)]);
    assert_eq!(log.traffic()[0], Seen::Gap(Client, Some(10)));
    assert_eq!(
        counters.warnings(),
        ["1 hole given up with 2KiB held behind it on one side, bookkeeping included"]
    );
}

#[test]
fn connections_beyond_those_that_may_be_known_are_forgotten_and_it_is_said() {
    let policy = Policy { connections: 2, ..Policy::default() };
    let begin = |client| (client, Packet::new(true, 0, 0, SYN));
    let (log, counters) = clients(policy, &[begin(1), begin(2), (1, data(1, b"x")), begin(3)]);
    let cut: Vec<_> = log.0.iter().filter(|entry| entry.seen == Seen::Cut).collect();
    assert_eq!((cut[0].connection, cut[0].frame), (1, Some(4)));
    let said =
        "more than 2 connections at a time: the longest quiet were forgotten, 1 of them open";
    assert_eq!(counters.warnings(), [said]);
}

#[test]
fn a_policy_may_allow_nothing() {
    let policy = Policy {
        held_per_side: 0,
        held_in_all: 0,
        connections: 0,
        patience: Some(Duration::ZERO),
        ..Policy::default()
    };
    let (log, _) = after_handshake(policy, &[data(4, b"def"), data(1, b"abc")]);
    let traffic = [Seen::Gap(Client, Some(3)), bytes(Client, "def"), Seen::Cut];
    assert_eq!(log.traffic(), traffic);
}

#[test]
fn bytes_that_one_segment_lacks_are_taken_from_another() {
    // Both wait behind a hole; the first is cut after two bytes.
    let cut = data(4, b"defghi").cut(54 + 2);
    let (log, _) = after_handshake(Policy::default(), &[cut, data(6, b"fg"), data(1, b"abc")]);
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "abc"),
            bytes(Client, "de"),
            bytes(Client, "fg"),
            Seen::Gap(Client, Some(2)),
            Seen::Cut,
        ]
    );
}
