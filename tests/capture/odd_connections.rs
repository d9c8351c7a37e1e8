//! Connections that do not begin, go on or end as most do.

use wirespool::session::{Note, Side, Start};

use super::log::{Log, Seen};
use super::network::{ACK, CLIENT, FIN, Packet, RST, SERVER, SYN, URG, capture, file, handshake};
use Side::{Client, Server};

fn client(sequence: u32, payload: &[u8]) -> Packet {
    Packet::new(true, sequence, 1, ACK).with(payload)
}

fn server(sequence: u32, acknowledgement: u32, payload: &[u8]) -> Packet {
    Packet::new(false, sequence, acknowledgement, ACK).with(payload)
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

fn openings(log: &Log) -> Vec<(String, String, Start)> {
    let opened = |seen: Seen| match seen {
        Seen::Open(client, server, start, _) => {
            Some((client.to_string(), server.to_string(), start))
        }
        _ => None,
    };
    log.seen().into_iter().filter_map(opened).collect()
}

#[test]
fn data_in_a_syn_is_delivered_once_whether_the_server_takes_it_or_not() {
    let syn = Packet::new(true, 0, 0, SYN).with(b"GET");
    let taken = Packet::new(false, 0, 4, SYN | ACK);
    let log = read(&[syn.clone(), taken, client(4, b" /")]);
    assert_eq!(log.traffic(), [bytes(Client, "GET"), bytes(Client, " /"), Seen::Cut]);
    let refused = Packet::new(false, 0, 1, SYN | ACK);
    let log = read(&[syn, refused, client(1, b"GET /")]);
    assert_eq!(log.traffic(), [bytes(Client, "GET"), bytes(Client, " /"), Seen::Cut]);
}

#[test]
fn data_in_a_syn_answer_is_the_servers() {
    let answer = Packet::new(false, 500, 1, SYN | ACK).with(b"220 ");
    let log = read(&[Packet::new(true, 0, 0, SYN), answer, server(505, 1, b"hello")]);
    assert_eq!(log.traffic(), [bytes(Server, "220 "), bytes(Server, "hello"), Seen::Cut]);
}

#[test]
fn a_reset_that_answers_a_syn_ends_the_connection() {
    let log = read(&[Packet::new(true, 99, 0, SYN), Packet::new(false, 0, 100, RST | ACK)]);
    assert_eq!(log.traffic(), [Seen::Reset(Server)]);
}

#[test]
fn what_a_reset_carries_is_no_data() {
    let reset = Packet::new(true, 4, 1, RST).with(b"why");
    let log = after_handshake(&[client(1, b"abc"), reset]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), Seen::Reset(Client)]);
}

#[test]
fn a_reset_from_before_what_was_acknowledged_is_none() {
    let stale = Packet::new(true, 2, 0, RST);
    let packets = [client(1, b"abcdef"), server(1, 7, b""), stale, client(7, b"ghi")];
    let log = after_handshake(&packets);
    let traffic = [bytes(Client, "abcdef"), bytes(Client, "ghi"), Seen::Cut];
    assert_eq!(log.traffic(), traffic);
    assert!(log.seen().contains(&Seen::Note(Note::StrayReset { side: Client })));
}

#[test]
fn what_is_under_way_during_a_reset_is_delivered() {
    let reset = Packet::new(true, 1, 1, RST);
    let log = after_handshake(&[reset, server(1, 1, b"late"), server(5, 1, b"r")]);
    assert_eq!(log.traffic(), [Seen::Reset(Client), bytes(Server, "late"), bytes(Server, "r")]);
}

#[test]
fn urgent_data_stays_in_its_place_and_is_noted() {
    let urgent = Packet::new(true, 4, 1, ACK | URG).urgent(2).with(b"d!e");
    let log = after_handshake(&[client(1, b"abc"), urgent.clone(), urgent]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), bytes(Client, "d!e"), Seen::Cut]);
    let noted = |seen: &&Seen| **seen == Seen::Note(Note::Urgent { side: Client, offset: 4 });
    assert_eq!(log.seen().iter().filter(noted).count(), 1);
}

#[test]
fn keep_alives_are_no_data() {
    let garbage = client(3, b"\0");
    let bare = client(3, b"");
    let packets = [client(1, b"abc"), garbage.clone(), bare, garbage, client(4, b"def")];
    let log = after_handshake(&packets);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), bytes(Client, "def"), Seen::Cut]);
}

#[test]
fn a_probe_survives_that_older_bytes_are_sent_again() {
    let closed = server(1, 4, b"").window(0);
    let packets =
        [client(1, b"abc"), closed, client(4, b"d"), client(1, b"abc"), server(1, 9, b"")];
    let log = after_handshake(&[&packets[..], &[client(9, b"i")]].concat());
    assert_eq!(
        log.traffic(),
        [
            bytes(Client, "abc"),
            bytes(Client, "d"),
            Seen::Gap(Client, Some(4)),
            bytes(Client, "i"),
            Seen::Cut,
        ]
    );
}

#[test]
fn a_fin_that_is_sent_again_ends_once_and_bytes_behind_it_are_said() {
    let fin = Packet::new(true, 4, 1, FIN | ACK);
    let log = after_handshake(&[client(1, b"abc"), fin.clone(), fin, client(4, b"more")]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), Seen::Eof(Client), Seen::Cut]);
    assert!(log.seen().contains(&Seen::Note(Note::Discarded { side: Client, length: 4 })));
}

#[test]
fn a_hole_across_the_wrap_is_as_long_as_any() {
    let isn = u32::MAX - 4;
    let mut packets = handshake(isn, 0);
    packets.extend([client(u32::MAX - 3, b"ab"), client(1, b"gh")]);
    packets.push(server(1, 3, b"answer"));
    let log = read(&packets);
    assert_eq!(
        log.bytes(Client),
        [Some(b'a'), Some(b'b'), None, None, None, Some(b'g'), Some(b'h')]
    );
    assert_eq!(log.traffic()[..2], [bytes(Client, "ab"), Seen::Gap(Client, Some(3))]);
}

#[test]
fn a_side_says_by_its_numbers_what_it_sent_last() {
    // Only the client's packets are in the capture.
    let log = after_handshake(&[client(1, b"abc"), client(104, b"")]);
    let traffic = [bytes(Client, "abc"), Seen::Gap(Client, Some(100)), Seen::Cut];
    assert_eq!(log.traffic(), traffic);
    // One more may be a FIN.
    let log = after_handshake(&[client(1, b"abc"), client(5, b"")]);
    assert_eq!(log.traffic(), [bytes(Client, "abc"), Seen::Cut]);
}

#[test]
fn acknowledgements_alone_tell_how_much_is_missing() {
    let acknowledge = |number| Packet::new(false, 1, number, ACK);
    let log = after_handshake(&[acknowledge(1_001), acknowledge(5_001)]);
    assert_eq!(log.traffic(), [Seen::Gap(Client, Some(5_000)), Seen::Cut]);
}

#[test]
fn another_answer_to_the_same_syn_counts_if_nothing_came_of_the_first() {
    let log = read(&[
        Packet::new(true, 0, 0, SYN),
        Packet::new(false, 500, 1, SYN | ACK),
        Packet::new(false, 90_000, 1, SYN | ACK),
        Packet::new(true, 1, 90_001, ACK),
        server(90_001, 1, b"hello"),
    ]);
    assert_eq!(log.traffic(), [bytes(Server, "hello"), Seen::Cut]);
}

#[test]
fn ports_that_are_used_again_without_a_syn_are_another_connection() {
    let mut packets = handshake(0, 0);
    packets.extend([
        client(1, b"abc"),
        Packet::new(true, 4, 1, FIN | ACK),
        Packet::new(false, 1, 5, FIN | ACK),
        client(70_000_000, b"next"),
    ]);
    let log = read(&packets);
    let [first, second] = &openings(&log)[..] else { panic!("two connections") };
    assert_eq!((&first.0, first.2), (&second.0, Start::Seen));
    assert_eq!(second.2, Start::Missed);
    assert_eq!(log.traffic()[3..], [bytes(Client, "next"), Seen::Cut]);
}

#[test]
fn the_one_who_was_dialled_before_is_the_server() {
    // 10.0.0.2:80 dials 10.0.0.1:50000, and is later seen to talk with it again.
    let dials = Packet::new(false, 0, 0, SYN);
    let mut other = server(700, 1, b"x").ip();
    other[12..16].copy_from_slice(&[10, 0, 0, 9]);
    let log = Log::of(file(101, [(dials.ip(), usize::MAX), (other, usize::MAX)]));
    let opened = openings(&log);
    assert_eq!((opened[0].0.as_str(), opened[0].1.as_str()), (SERVER, CLIENT));
    assert_eq!((opened[1].0.as_str(), opened[1].1.as_str()), ("10.0.0.9:80", CLIENT));
    assert!(log.seen().contains(&Seen::Note(Note::GuessedRole)));
}

#[test]
fn the_one_who_has_several_connections_is_the_server() {
    // Both ports are ephemeral; 10.0.0.1:50000 answers two of them.
    let from = |port: u16| {
        let mut ip = server(700, 1, b"").ip();
        ip[20..22].copy_from_slice(&port.to_be_bytes());
        (ip, usize::MAX)
    };
    let log = Log::of(file(101, [from(40_001), from(40_002)]));
    // Of the first, which says nothing, who is heard first is taken for the server.
    assert_eq!(openings(&log)[1].1, CLIENT);
    assert_eq!(openings(&log)[1].0, "10.0.0.2:40002");
}
