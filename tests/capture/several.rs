//! Several captures, read as one.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wirespool::Error;
use wirespool::capture::{Reader, Writer, WriterOptions};
use wirespool::session::{ConnectionId, Event, Kind, Side, Sink, Start, Timestamp};

use super::log::{Entry, Log, Seen};
use super::network::{ACK, FIN, Packet, capture, handshake};
use Side::{Client, Server};

/// A pcap's header has so many bytes, and what stands before each packet.
const HEADER: usize = 24;
const RECORD: usize = 16;

/// The records of a capture, each into the file that `which` says.
fn split(capture: &[u8], files: usize, which: impl Fn(usize) -> usize) -> Vec<Vec<u8>> {
    let (header, mut rest) = capture.split_at(HEADER);
    let mut parts = vec![header.to_vec(); files];
    for index in 0.. {
        let Some(length) = rest.get(8..12) else { break };
        let length = u32::from_le_bytes(length.try_into().unwrap()) as usize;
        let (record, others) = rest.split_at(RECORD + length);
        parts[which(index)].extend(record);
        rest = others;
    }
    parts
}

fn of(files: &[Vec<u8>]) -> Reader {
    let one = |(place, file): (usize, &Vec<u8>)| {
        let source = std::io::Cursor::new(file.clone());
        Reader::from_stream(source, Path::new(&format!("file {place}"))).unwrap()
    };
    Reader::merged(files.iter().enumerate().map(one).collect()).unwrap()
}

fn read(files: &[Vec<u8>]) -> Log {
    let mut log = Log::default();
    of(files).read_all(&mut log).unwrap();
    log
}

/// Everything but the numbers of the frames, which each file has of its own.
fn without_frames(log: Log) -> Vec<Entry> {
    log.0.into_iter().map(|entry| Entry { frame: None, ..entry }).collect()
}

fn conversation() -> Vec<Packet> {
    let mut packets = handshake(0, 0);
    packets.extend([
        Packet::new(true, 1, 1, ACK).with(b"question"),
        Packet::new(false, 1, 9, ACK).with(b"answer"),
        Packet::new(true, 9, 7, ACK | FIN),
        Packet::new(false, 7, 10, ACK | FIN),
    ]);
    packets
}

#[test]
fn a_connection_that_a_ring_buffer_split_is_one() {
    let whole = capture(&conversation());
    let parts = split(&whole, 2, |index| usize::from(index >= 4));
    let log = read(&parts);
    assert_eq!(without_frames(log.clone()), without_frames(read(&[whole])));
    let frames: Vec<_> = log.0.iter().map(|entry| entry.frame.unwrap()).collect();
    assert_eq!(frames, [1, 4, 1, 2, 3]);
}

#[test]
fn two_directions_that_were_captured_apart_are_one_connection() {
    let packets = conversation();
    let whole = capture(&packets);
    let parts = split(&whole, 2, |index| usize::from(packets[index].from_client));
    assert_eq!(without_frames(read(&parts)), without_frames(read(&[whole])));
}

#[test]
fn the_order_in_which_files_are_given_does_not_matter() {
    let whole = capture(&conversation());
    let mut parts = split(&whole, 3, |index| index % 3);
    parts.reverse();
    assert_eq!(without_frames(read(&parts)), without_frames(read(&[whole])));
}

#[test]
fn each_file_counts_what_is_its_own() {
    let parts = split(&capture(&conversation()), 2, |index| usize::from(index >= 5));
    let mut reader = of(&parts);
    reader.read_all(&mut Log::default()).unwrap();
    let found = reader.captures().iter().map(|file| file.summary());
    let found: Vec<_> = found.map(|found| (found.packets, found.connections)).collect();
    assert_eq!((found, reader.connections()), (vec![(5, 1), (2, 0)], 1));
}

#[test]
fn one_damaged_file_does_not_lose_the_others() {
    let mut parts = split(&capture(&conversation()), 3, |index| index.min(4) / 2);
    parts[0].extend([0xff; 40]);
    parts[1].extend([0xff; 40]);
    let mut reader = of(&parts);
    let mut log = Log::default();
    let error = reader.read_all(&mut log).unwrap_err();
    assert!(
        matches!(&error, Error::Damaged { path, .. } if path == Path::new("file 0")),
        "{error:?}"
    );
    let (question, answer) = (b"question".to_vec(), b"answer".to_vec());
    let ends = [Seen::Eof(Client), Seen::Eof(Server)];
    assert_eq!(log.traffic()[..2], [Seen::Data(Client, question), Seen::Data(Server, answer)]);
    assert_eq!(log.traffic()[2..], ends);
    let warnings: Vec<_> = reader.captures().iter().map(|file| file.warnings().len()).collect();
    // The first is the error; of the second nobody would know.
    assert_eq!(warnings, [0, 1, 0]);
}

#[test]
fn a_capture_that_is_given_twice_is_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("a.pcap"), directory.path().join("b.pcap"));
    fs::write(&path, capture(&conversation())).unwrap();
    fs::hard_link(&path, &link).unwrap();
    let mut reader = Reader::open_all(&[path.clone(), link]).unwrap();
    let mut log = Log::default();
    reader.read_all(&mut log).unwrap();
    assert_eq!(log, Log::read(&path).0);
    let repeated: Vec<_> = reader.captures().iter().map(|file| file.is_repeated()).collect();
    assert_eq!(repeated, [false, true]);
}

/// A recording of one connection between the same two addresses, which says `text`.
fn recording(path: PathBuf, text: &str, at: i64) -> PathBuf {
    let mut writer = Writer::create(&path, WriterOptions::default()).unwrap();
    let (client, server) = ("127.0.0.1:50000".parse().unwrap(), "127.0.0.1:80".parse().unwrap());
    let kinds = [
        Kind::Open { client, server, start: Start::Seen, route: None },
        Kind::Data { side: Client, bytes: text.as_bytes() },
        Kind::Eof { side: Client },
        Kind::Eof { side: Server },
    ];
    for (kind, at) in kinds.into_iter().zip(at..) {
        let at = Timestamp(1_700_000_000_000_000_000 + at * 1_000_000_000);
        writer.event(&Event { at, connection: ConnectionId(0), frame: None, kind }).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn recordings_of_the_same_addresses_stay_apart() {
    let directory = tempfile::tempdir().unwrap();
    // One began while the other went on.
    let one = recording(directory.path().join("one.pcapng"), "one", 0);
    let other = recording(directory.path().join("other.pcap"), "other", 1);
    let mut log = Log::default();
    let mut reader = Reader::open_all(&[one.clone(), other, one]).unwrap();
    reader.read_all(&mut log).unwrap();
    let said = |wanted: u64| {
        let entries = log.0.iter().filter(|entry| entry.connection == wanted);
        let data = entries.filter_map(|entry| match &entry.seen {
            Seen::Data(_, bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
            _ => None,
        });
        data.collect::<Vec<_>>()
    };
    // What was recorded twice is there twice.
    assert_eq!([said(0), said(1), said(2)], [["one"], ["one"], ["other"]]);
    assert!(log.traffic().iter().all(|seen| *seen != Seen::Cut));
}

proptest! {
    #[test]
    fn a_capture_reads_the_same_however_it_is_split(
        segments in prop::collection::vec((any::<bool>(), 0u32..60, 0usize..20), 0..40),
        files in 1usize..5,
        which in prop::collection::vec(0usize..5, 48),
    ) {
        let mut packets = handshake(0, 0);
        packets.extend(segments.iter().map(|&(from_client, at, length)| {
            let payload: Vec<u8> = (at as u8..).take(length).collect();
            Packet::new(from_client, 1 + at, 1, ACK).with(&payload)
        }));
        let whole = capture(&packets);
        let parts = split(&whole, files, |index| which[index % which.len()] % files);
        prop_assert_eq!(without_frames(read(&parts)), without_frames(read(&[whole])));
    }
}
