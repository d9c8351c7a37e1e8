//! What the writer writes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use wirespool::Error;
use wirespool::capture::{Origin, Reader, Summary, Writer, WriterOptions};
use wirespool::session::{ConnectionId, Event, Kind, Note, Route, Side, Sink, Start, Timestamp};

use super::log::{Log, Seen};
use super::tshark::Tshark;
use Side::{Client, Server};

const BEGIN: i64 = 1_795_000_000_123_456_789;

fn open(client: &str, server: &str) -> Kind<'static> {
    let (client, server) = (client.parse().unwrap(), server.parse().unwrap());
    Kind::Open { client, server, start: Start::Seen, route: None }
}

fn open_v4() -> Kind<'static> {
    open("127.0.0.1:50000", "127.0.0.1:12345")
}

fn data(side: Side, bytes: &[u8]) -> Kind<'_> {
    Kind::Data { side, bytes }
}

fn delivered(side: Side, length: u64) -> Kind<'static> {
    Kind::Delivered { side, length }
}

fn feed(writer: &mut Writer, connection: u64, kinds: &[Kind<'_>]) {
    for (index, kind) in kinds.iter().enumerate() {
        let at = Timestamp(BEGIN + index as i64 * 1_001);
        let connection = ConnectionId(connection);
        writer.event(&Event { at, connection, frame: None, kind: *kind }).unwrap();
    }
}

fn write(path: &Path, kinds: &[Kind<'_>]) -> Summary {
    let mut writer = Writer::create(path, WriterOptions::default()).unwrap();
    feed(&mut writer, 0, kinds);
    writer.finish().unwrap()
}

/// Both kinds of file in a directory that goes away.
fn both() -> (tempfile::TempDir, [PathBuf; 2]) {
    let directory = tempfile::tempdir().unwrap();
    let paths = ["a.pcap", "a.pcapng"].map(|name| directory.path().join(name));
    (directory, paths)
}

#[test]
fn a_conversation_is_read_back() {
    let (_directory, paths) = both();
    for path in paths {
        let summary = write(
            &path,
            &[
                open_v4(),
                data(Client, b"ping"),
                delivered(Client, 4),
                data(Server, b"pong"),
                delivered(Server, 4),
                Kind::Eof { side: Client },
                Kind::Eof { side: Server },
            ],
        );
        assert_eq!((summary.packets, summary.connections, summary.bytes), (11, 1, 8));
        let (log, counters) = Log::read(&path);
        let (client, server) = ("127.0.0.1:50000", "127.0.0.1:12345");
        assert_eq!(
            log.seen(),
            [
                Seen::Open(client.parse().unwrap(), server.parse().unwrap(), Start::Seen, None),
                Seen::Data(Client, b"ping".to_vec()),
                Seen::Data(Server, b"pong".to_vec()),
                Seen::Eof(Client),
                Seen::Eof(Server),
            ]
        );
        assert_eq!(log.0[1].at, Timestamp(BEGIN + 1_001));
        assert_eq!(log.0[1].frame, Some(4));
        assert_eq!((counters.packets, counters.segments, counters.connections), (11, 11, 1));
        assert_eq!(counters.warnings(), [""; 0]);
    }
}

#[test]
fn a_capture_says_who_recorded_it() {
    let (_directory, [pcap, pcapng]) = both();
    let options = || WriterOptions {
        force: false,
        format: Some("pickle/u32be".to_owned()),
        ..WriterOptions::default()
    };
    for path in [&pcap, &pcapng] {
        let mut writer = Writer::create(path, options()).unwrap();
        feed(&mut writer, 0, &[open_v4()]);
        writer.finish().unwrap();
    }
    let version = Some(env!("CARGO_PKG_VERSION").to_owned());
    let format = Some("pickle/u32be".to_owned());
    let origin = Reader::open(&pcapng).unwrap().origin().clone();
    assert_eq!(origin, Origin::Recorded { version, format });
    let origin = Reader::open(&pcap).unwrap().origin().clone();
    assert_eq!(origin, Origin::Recorded { version: None, format: None });
}

#[test]
fn a_pcapng_keeps_the_real_sockets() {
    let (_directory, [_, path]) = both();
    let pair = |a: &str, b: &str| Some((a.parse().unwrap(), b.parse().unwrap()));
    let route = Some(Route {
        accepted: pair("127.0.0.1:50000", "127.0.0.1:4000"),
        dialled: pair("[::1]:50001", "[::1]:12345"),
    });
    let (client, server): (SocketAddr, SocketAddr) =
        ("127.0.0.1:50000".parse().unwrap(), "[::1]:12345".parse().unwrap());
    write(&path, &[Kind::Open { client, server, start: Start::Seen, route }]);
    let (log, _) = Log::read(&path);
    assert_eq!(log.seen()[0], Seen::Open(client, server, Start::Seen, route));
}

#[test]
fn what_was_not_handed_on_stays_unacknowledged() {
    let Some(tshark) = Tshark::find() else { return };
    let (_directory, [path, _]) = both();
    write(&path, &[open_v4(), data(Client, b"0123456789"), delivered(Client, 4)]);
    let fields = ["-T", "fields", "-e", "tcp.seq", "-e", "tcp.ack", "-e", "tcp.len"];
    let last = tshark.run(&path, &fields).lines().last().unwrap().to_owned();
    assert_eq!(last, "1\t5\t0");
    assert_eq!(tshark.complaints(&path), [""; 0]);
}

#[test]
fn a_gap_of_any_length_is_read_back_and_no_complaint() {
    let tshark = Tshark::find();
    let (_directory, paths) = both();
    let lengths = [Some(1), Some(65_495), Some(70_000), Some(4_190_656), Some(4_190_657)];
    let lengths = lengths.into_iter().chain([Some(1 << 30), Some(1 << 40), None]);
    for path in paths {
        let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
        let mut expected = Vec::new();
        for (connection, length) in (0..).zip(lengths.clone()) {
            let end = Kind::Eof { side: Client };
            let gap = Kind::Gap { side: Client, length };
            let opened =
                open(["127.0.0.1:50000", "[::1]:50000"][connection as usize % 2], "[::1]:80");
            feed(
                &mut writer,
                connection,
                &[opened, data(Client, b"a"), gap, data(Client, b"b"), end],
            );
            feed(&mut writer, connection, &[Kind::Cut]);
            expected.push(Seen::Gap(Client, length));
        }
        writer.finish().unwrap();
        let (log, counters) = Log::read(&path);
        let gaps = log.traffic().into_iter().filter(|seen| matches!(seen, Seen::Gap(..)));
        assert_eq!(gaps.collect::<Vec<_>>(), expected);
        // However long it is, it takes a few segments.
        assert!(counters.packets < 500, "{}", counters.packets);
        if let Some(tshark) = tshark {
            assert_eq!(tshark.complaints(&path), [""; 0]);
        }
    }
}

#[test]
fn a_connection_whose_beginning_was_missed_keeps_its_roles() {
    let (_directory, paths) = both();
    // The ports are for the other way round.
    let (client, server) = ("127.0.0.1:80".parse().unwrap(), "127.0.0.1:60000".parse().unwrap());
    for path in paths {
        let opened = Kind::Open { client, server, start: Start::Missed, route: None };
        write(&path, &[opened, data(Server, b"news")]);
        let (log, _) = Log::read(&path);
        assert_eq!(
            log.seen(),
            [
                Seen::Open(client, server, Start::Missed, None),
                Seen::Note(Note::GuessedRole),
                Seen::Data(Server, b"news".to_vec()),
                Seen::Cut,
            ]
        );
    }
}

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let (_directory, paths) = both();
    for path in paths {
        fs::write(&path, "precious").unwrap();
        let refused = Writer::create(&path, WriterOptions::default()).err();
        assert!(matches!(refused, Some(Error::Exists { .. })), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        let options = WriterOptions { force: true, ..WriterOptions::default() };
        Writer::create(&path, options).unwrap().finish().unwrap();
        assert_eq!(Log::read(&path).0, Log::default());
    }
}

#[test]
fn the_ending_decides_the_kind() {
    let directory = tempfile::tempdir().unwrap();
    let refused = Writer::create(&directory.path().join("a.cap"), WriterOptions::default()).err();
    let message = refused.unwrap().to_string();
    assert!(message.contains("a.cap") && message.contains(".pcapng"), "{message}");
    let nowhere = directory.path().join("nowhere/a.pcap");
    let refused = Writer::create(&nowhere, WriterOptions::default()).err();
    assert!(matches!(refused, Some(Error::File { action: "create", .. })), "{refused:?}");
}

#[test]
fn a_file_reads_up_to_its_last_flush() {
    let (directory, paths) = both();
    let copy = directory.path().join("copy");
    for path in paths {
        let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
        fs::copy(&path, &copy).unwrap();
        assert_eq!(Log::read(&copy).0, Log::default());
        feed(&mut writer, 0, &[open_v4(), data(Client, b"one")]);
        writer.flush().unwrap();
        feed(&mut writer, 0, &[data(Client, b"two")]);
        // What a process that is killed now leaves behind.
        fs::copy(&path, &copy).unwrap();
        let (log, counters) = Log::read(&copy);
        assert_eq!(log.traffic(), [Seen::Data(Client, b"one".to_vec()), Seen::Cut]);
        assert_eq!(counters.truncated, None);
        // The end of a connection is a flush.
        feed(&mut writer, 0, &[Kind::Eof { side: Client }, Kind::Eof { side: Server }]);
        fs::copy(&path, &copy).unwrap();
        assert_eq!(Log::read(&copy).0.traffic().last(), Some(&Seen::Eof(Server)));
    }
}

#[cfg(unix)]
#[test]
fn a_failed_write_stays_an_error() {
    let (_directory, paths) = both();
    for path in paths {
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = path.clone();
        let reader = std::thread::spawn(move || drop(fs::File::open(reader).unwrap()));
        let options = WriterOptions { force: true, ..WriterOptions::default() };
        let writer = Writer::create(&path, options);
        reader.join().unwrap();
        // The pipe may be gone before its first bytes.
        let Ok(mut writer) = writer else { continue };
        feed(&mut writer, 0, &[open_v4()]);
        for _ in 0..2 {
            let failed = writer.flush();
            assert!(matches!(failed, Err(Error::File { action: "write", .. })), "{failed:?}");
        }
        let event = Event {
            at: Timestamp(BEGIN),
            connection: ConnectionId(0),
            frame: None,
            kind: data(Client, b"x"),
        };
        assert!(writer.event(&event).is_err());
        assert!(writer.finish().is_err());
    }
}

#[test]
fn data_of_a_connection_that_cannot_have_it_is_refused() {
    let (_directory, [path, _]) = both();
    let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
    feed(&mut writer, 0, &[open_v4(), Kind::Eof { side: Client }]);
    for connection in [0, 1] {
        let connection = ConnectionId(connection);
        let kind = data(Client, b"x");
        let event = Event { at: Timestamp(BEGIN), connection, frame: None, kind };
        assert!(matches!(writer.event(&event), Err(Error::Usage(_))));
    }
}

#[test]
fn wireshark_opens_a_recording_clean() {
    let Some(tshark) = Tshark::find() else { return };
    let (_directory, paths) = both();
    let large: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    for path in paths {
        let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
        let ends = [
            ("127.0.0.1:50000", "127.0.0.1:12345"),
            ("[::1]:50001", "[2001:db8::1]:12345"),
            ("127.0.0.1:50002", "[::1]:12345"),
        ];
        for (index, (client, server)) in ends.into_iter().enumerate() {
            let kinds = [
                open(client, server),
                data(Client, b"question"),
                delivered(Client, 8),
                data(Server, &large),
                // A large answer is handed on in parts.
                delivered(Server, 1),
                delivered(Server, 150_000),
                data(Client, b"x"),
                delivered(Client, 1),
                delivered(Server, 49_999),
                data(Server, b"never handed on"),
                Kind::Eof { side: Server },
                data(Client, b"more"),
                Kind::Eof { side: Client },
                delivered(Client, 4),
            ];
            feed(&mut writer, index as u64, &kinds);
        }
        // Both at once, and one whose bytes are handed on after its end.
        let crossed = [
            open("127.0.0.1:50003", "127.0.0.1:12345"),
            data(Client, b"late"),
            Kind::Eof { side: Client },
            delivered(Client, 4),
            Kind::Eof { side: Server },
            delivered(Client, 1),
        ];
        feed(&mut writer, 3, &crossed);
        // The same addresses again.
        feed(&mut writer, 4, &[open("127.0.0.1:50003", "127.0.0.1:12345"), data(Client, b"again")]);
        writer.finish().unwrap();
        assert_eq!(tshark.complaints(&path), [""; 0]);
        let streams = tshark.run(&path, &["-T", "fields", "-e", "tcp.stream"]);
        assert_eq!(streams.lines().last(), Some("4"));
        let seen = tshark.run(
            &path,
            &["-Y", "tcp.stream == 1 && tcp.srcport == 12345", "-T", "fields", "-e", "tcp.payload"],
        );
        let seen: String = seen.split_whitespace().collect();
        assert_eq!(seen.len(), 2 * (large.len() + b"never handed on".len()));
    }
}

#[test]
fn wireshark_complains_of_a_reset_only() {
    let Some(tshark) = Tshark::find() else { return };
    let (_directory, paths) = both();
    for path in paths {
        let reset = Kind::Reset { side: Server };
        write(&path, &[open_v4(), data(Client, b"hello"), data(Server, b"go"), reset]);
        let complaints = tshark.complaints(&path);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].contains("RST"), "{complaints:?}");
    }
}

#[test]
fn wireshark_sees_the_label() {
    let Some(tshark) = Tshark::find() else { return };
    let (_directory, [_, path]) = both();
    write(&path, &[open_v4()]);
    let Ok(output) = Command::new("capinfos").arg(&path).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = "headers synthesised; payload, read times, order and ends are real; \
                 RTT, windows, segmentation are not";
    // The section says it, and the interface.
    assert_eq!(text.matches(words).count(), 2, "{text}");
    assert!(text.contains("nanoseconds"), "{text}");
    assert!(tshark.run(&path, &["-c", "1"]).contains("SYN"));
}

/// What happens next on one of a few connections.
#[derive(Clone, Debug)]
enum Act {
    Data(Side, Vec<u8>),
    Delivered(Side, u64),
    Eof(Side),
    Reset(Side),
}

fn acts() -> impl Strategy<Value = Vec<(usize, u32, Act)>> {
    let side = prop_oneof![Just(Client), Just(Server)];
    let bytes = prop_oneof![
        20 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (65_490usize..140_000).prop_map(|length| vec![7; length]),
    ];
    let act = prop_oneof![
        10 => (side.clone(), bytes).prop_map(|(side, bytes)| Act::Data(side, bytes)),
        8 => (side.clone(), 0u64..60).prop_map(|(side, length)| Act::Delivered(side, length)),
        2 => side.clone().prop_map(Act::Eof),
        1 => side.prop_map(Act::Reset),
    ];
    prop::collection::vec((0usize..4, any::<u32>(), act), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_recording_is_read_back(acts in acts()) {
        let tshark = Tshark::find();
        let (_directory, paths) = both();
        let ends = [
            ("127.0.0.1:50000", "127.0.0.1:12345"),
            ("[fe80::1]:50001", "[fe80::2]:12345"),
            ("127.0.0.1:50002", "[::1]:12345"),
            ("10.0.0.1:50000", "127.0.0.1:12345"),
        ];
        for path in paths {
            let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
            let mut at = BEGIN;
            let mut expected: Vec<(u64, Timestamp, Seen)> = Vec::new();
            let mut send = |connection: u64, at: i64, kind: Kind<'_>| {
                let connection = ConnectionId(connection);
                writer.event(&Event { at: Timestamp(at), connection, frame: None, kind }).unwrap();
            };
            for (index, (client, server)) in ends.iter().enumerate() {
                send(index as u64, at, open(client, server));
                let (client, server) = (client.parse().unwrap(), server.parse().unwrap());
                let opened = Seen::Open(client, server, Start::Seen, None);
                expected.push((index as u64, Timestamp(at), opened));
            }
            let mut ended = [[false; 2]; 4];
            let mut reset = [false; 4];
            for (index, pause, act) in &acts {
                let (index, connection) = (*index, *index as u64);
                at += i64::from(*pause);
                if reset[index] {
                    continue;
                }
                match act {
                    Act::Data(side, bytes) if !ended[index][side.index()] => {
                        send(connection, at, data(*side, bytes));
                        if !bytes.is_empty() {
                            let seen = Seen::Data(*side, bytes.clone());
                            expected.push((connection, Timestamp(at), seen));
                        }
                    }
                    Act::Eof(side) if !ended[index][side.index()] => {
                        ended[index][side.index()] = true;
                        send(connection, at, Kind::Eof { side: *side });
                        expected.push((connection, Timestamp(at), Seen::Eof(*side)));
                    }
                    Act::Reset(side) => {
                        reset[index] = true;
                        send(connection, at, Kind::Reset { side: *side });
                        expected.push((connection, Timestamp(at), Seen::Reset(*side)));
                    }
                    Act::Delivered(side, length) => send(connection, at, delivered(*side, *length)),
                    _ => {}
                }
            }
            writer.finish().unwrap();
            let (log, counters) = Log::read(&path);
            let open = |index: &usize| !reset[*index] && ended[*index] != [true; 2];
            for index in (0..4).filter(open) {
                let last = counters.span.unwrap().1;
                expected.push((index as u64, last, Seen::Cut));
            }
            let seen: Vec<_> =
                log.0.iter().map(|entry| (entry.connection, entry.at, entry.seen.clone())).collect();
            prop_assert_eq!(seen, expected);
            // It takes a quarter of a second.
            if let Some(tshark) = tshark
                && acts.len() % 8 == 0
            {
                let complaints = tshark.complaints(&path);
                let others: Vec<_> = complaints.iter().filter(|line| !line.contains("RST")).collect();
                prop_assert!(others.is_empty(), "{:?}", others);
            }
        }
    }
}
