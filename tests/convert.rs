//! What is made of captures is clean, and says what they said.

// What these tests share unwraps as the tests do.
#![allow(clippy::unwrap_used)]

#[path = "capture/log.rs"]
#[allow(dead_code)]
mod log;
#[path = "capture/network.rs"]
#[allow(dead_code)]
mod network;
#[path = "capture/tshark.rs"]
mod tshark;

use std::fs;
use std::path::{Path, PathBuf};

use log::{Entry, Log, Seen};
use network::{ACK, FIN, Flags, Packet, RST, SYN, capture, handshake};
use proptest::prelude::*;
use tshark::Tshark;
use wirespool::capture::{MadeFrom, Origin, Reader, Summary, Writer, WriterOptions};
use wirespool::convert::{common_format, original};
use wirespool::session::{Note, Selecting, Selection, Side, Timestamp};

/// Converts a capture to files of both kinds in a folder that goes away.
struct Converted {
    _folder: tempfile::TempDir,
    original: PathBuf,
    files: [PathBuf; 2],
    written: Summary,
    left_out: u64,
}

impl Converted {
    fn of(packets: &[Packet]) -> Converted {
        Converted::choosing(packets, &Selection::default())
    }

    fn choosing(packets: &[Packet], selection: &Selection) -> Converted {
        let folder = tempfile::tempdir().unwrap();
        let original = folder.path().join("original.pcap");
        fs::write(&original, capture(packets)).unwrap();
        let files = ["clean.pcap", "clean.pcapng"].map(|name| folder.path().join(name));
        let [_, (written, left_out)] =
            files.each_ref().map(|file| convert(&original, file, selection));
        Converted { _folder: folder, original, files, written, left_out }
    }
}

/// What was written, and how many connections were not.
fn convert(from: &Path, to: &Path, selection: &Selection) -> (Summary, u64) {
    let mut reader = Reader::open(from).unwrap();
    let made_from = MadeFrom::Captures(vec![original("original.pcap", reader.origin())]);
    let format = common_format([reader.origin()]);
    let options = WriterOptions { force: false, format, made_from };
    let writer = Writer::create(to, options).unwrap();
    let mut selecting = Selecting::opened_then(selection, writer);
    reader.read_all(&mut selecting).unwrap();
    let left_out = selecting.left_out();
    (selecting.into_sink().finish().unwrap(), left_out)
}

/// What a capture says: all but where in the file it stands, and what the network did to it. A capture
/// that is cut says when with its last packet, which need not be one that carries anything.
fn told(path: &Path) -> Vec<(u64, Option<Timestamp>, Seen)> {
    let is_of_the_network =
        |entry: &Entry| matches!(&entry.seen, Seen::Note(note) if *note != Note::GuessedRole);
    let entries = Log::read(path).0.0.into_iter().filter(|entry| !is_of_the_network(entry));
    let at = |entry: &Entry| (entry.seen != Seen::Cut).then_some(entry.at);
    entries.map(|entry| (entry.connection, at(&entry), entry.seen)).collect()
}

/// One packet somewhere near where the connection is.
fn packet() -> impl Strategy<Value = Packet> {
    let flags = prop_oneof![
        12 => Just(ACK),
        2 => Just(FIN | ACK),
        2 => Just(SYN),
        1 => Just(SYN | ACK),
        1 => Just(RST),
        1 => Just(Flags::default()),
    ];
    let sequence = prop_oneof![20 => 0u32..60, 1 => any::<u32>(), 1 => Just(1 << 30)];
    let payload = prop_oneof![
        2 => Just(Vec::new()),
        6 => prop::collection::vec(any::<u8>(), 1..12),
    ];
    let cut = prop_oneof![8 => Just(None), 1 => (34usize..70).prop_map(Some)];
    let window = prop_oneof![8 => Just(1000u16), 1 => Just(0)];
    (any::<bool>(), sequence, 0u32..60, flags, payload, cut, window).prop_map(
        |(from_client, sequence, acknowledgement, flags, payload, cut, window)| {
            let packet = Packet::new(from_client, sequence, acknowledgement, flags);
            Packet { cut, ..packet.with(&payload).window(window) }
        },
    )
}

fn packets() -> impl Strategy<Value = Vec<Packet>> {
    let opened =
        prop_oneof![Just(handshake(0, 0)), Just(handshake(0, 0)[..1].to_vec()), Just(vec![])];
    let rest = prop::collection::vec(packet(), 0..40);
    (opened, rest).prop_map(|(opened, rest)| [opened, rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, max_shrink_iters: 64, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn a_converted_capture_says_what_the_original_says(packets in packets()) {
        let converted = Converted::of(&packets);
        let expected = told(&converted.original);
        for file in &converted.files {
            prop_assert_eq!(told(file), expected.clone());
            // It takes a quarter of a second.
            if packets.len() % 16 == 0 && let Some(tshark) = Tshark::find() {
                let complaints = tshark.complaints(file);
                let others: Vec<_> = complaints.iter().filter(|line| !line.contains("RST")).collect();
                prop_assert!(others.is_empty(), "{:?}", others);
            }
            // What was converted is converted to itself.
            let again = file.with_file_name(format!("again-{}", file.file_name().unwrap().display()));
            convert(file, &again, &Selection::default());
            prop_assert_eq!(told(&again), expected.clone());
        }
    }
}

#[test]
fn what_the_network_did_is_gone() {
    let data = |sequence, payload: &[u8]| Packet::new(true, sequence, 1, ACK).with(payload);
    let packets = [data(4, b"def"), data(1, b"abc"), data(1, b"abc"), data(4, b"def")];
    let converted = Converted::of(&[&handshake(0, 0)[..], &packets].concat());
    assert_eq!(converted.written.bytes, 6);
    for file in &converted.files {
        let notes = Log::read(file).0.seen();
        assert!(!notes.iter().any(|seen| matches!(seen, Seen::Note(_))), "{notes:?}");
    }
    // SYN, SYN-ACK, the client's two segments.
    assert_eq!(converted.written.packets, 4);
}

#[test]
fn nothing_is_made_up_of_a_connection_that_nobody_took_up() {
    let Some(tshark) = Tshark::find() else { return };
    for (packets, flags) in [
        (handshake(0, 0)[..1].to_vec(), "0x0002"),
        (handshake(0, 0)[..2].to_vec(), "0x0002 0x0012"),
        (vec![handshake(0, 0)[0].clone(), Packet::new(false, 0, 1, RST | ACK)], "0x0002 0x0014"),
        // The server's side alone.
        (vec![Packet::new(false, 7, 9, ACK).with(b"x")], "0x0010 0x0018"),
    ] {
        let converted = Converted::of(&packets);
        for file in &converted.files {
            let seen = tshark.run(file, &["-T", "fields", "-e", "tcp.flags"]);
            assert_eq!(seen.split_whitespace().collect::<Vec<_>>().join(" "), flags);
        }
    }
}

#[test]
fn a_converted_capture_names_its_original() {
    let converted = Converted::of(&handshake(0, 0));
    let origins =
        converted.files.each_ref().map(|file| Reader::open(file).unwrap().origin().clone());
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(origins[0].to_string(), "converted by wirespool (headers synthesised)");
    assert_eq!(
        origins[1].to_string(),
        format!(
            "converted by wirespool {version} (headers synthesised) from original.pcap, captured"
        )
    );
    assert!(origins.iter().all(Origin::is_synthesised));
}

#[test]
fn what_is_not_chosen_is_left_out() {
    let both =
        [handshake(0, 0), handshake(5, 9), vec![Packet::new(true, 6, 10, ACK).with(b"second")]];
    let second = Selection { connections: vec![1], ..Selection::default() };
    let converted = Converted::choosing(&both.concat(), &second);
    assert_eq!(converted.left_out, 1);
    for file in &converted.files {
        let (log, _) = Log::read(file);
        assert_eq!(log.traffic(), [Seen::Data(Side::Client, b"second".to_vec()), Seen::Cut]);
        assert_eq!(log.0[0].connection, 0);
    }
}

#[test]
fn captures_of_one_format_keep_it() {
    let recorded = |format: Option<&str>| Origin::Recorded {
        version: None,
        format: format.map(str::to_owned),
    };
    let [text, other, none] = [Some("text"), Some("pickle"), None].map(recorded);
    assert_eq!(common_format([&text, &text]), Some("text".to_owned()));
    for origins in [[&text, &other], [&text, &none], [&none, &text]] {
        assert_eq!(common_format(origins), None);
    }
}
