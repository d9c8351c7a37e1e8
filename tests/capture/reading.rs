//! What the reader reads: files of others, files that are none, files that are damaged.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wirespool::Error;
use wirespool::capture::{Counters, Origin, Reader};
use wirespool::session::{Note, Side, Start, Timestamp};

use super::blocks::Little;
use super::log::{Log, Seen};
use super::network::{self, ACK, Packet, handshake};
use Side::{Client, Server};

const QUESTION: &[u8] = b"temperature?\n";
const ANSWER: &[u8] = "21.5 °C\n".as_bytes();

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/capture").join(name)
}

pub fn all_fixtures() -> Vec<PathBuf> {
    let files = fs::read_dir(fixture("")).unwrap().map(|entry| entry.unwrap().path());
    let is_capture = |path: &PathBuf| path.to_string_lossy().contains(".pcap");
    let mut files: Vec<_> = files.filter(is_capture).collect();
    files.sort();
    files
}

fn exchange() -> Vec<Seen> {
    vec![
        Seen::Data(Client, QUESTION.to_vec()),
        Seen::Data(Server, ANSWER.to_vec()),
        Seen::Data(Client, QUESTION.to_vec()),
        Seen::Data(Server, ANSWER.to_vec()),
        Seen::Eof(Client),
        Seen::Eof(Server),
    ]
}

#[test]
fn every_link_type_shows_the_same_exchange() {
    for name in [
        "exchange.pcap",
        "exchange.pcapng",
        "exchange-big-endian.pcap",
        "exchange-ipv6.pcap",
        "exchange-loop.pcap",
        "exchange-null.pcap",
        "exchange-raw.pcap",
        "exchange-sll.pcap",
        "exchange-sll2.pcap",
    ] {
        let (log, counters) = Log::read(&fixture(name));
        let opened = &log.0[0].seen;
        assert!(matches!(opened, Seen::Open(_, _, Start::Seen, None)), "{name}: {opened:?}");
        assert_eq!(log.traffic(), exchange(), "{name}");
        assert_eq!(log.0.len(), 7, "{name}");
        assert_eq!(counters.warnings(), [""; 0], "{name}");
        assert_eq!((counters.packets, counters.segments), (12, 12), "{name}");
        assert_eq!(Reader::open(&fixture(name)).unwrap().origin(), &Origin::default());
    }
}

#[test]
fn times_keep_their_resolution() {
    let times = |name: &str| -> Vec<Timestamp> {
        Log::read(&fixture(name)).0.0.iter().map(|entry| entry.at).collect()
    };
    let exact = times("exchange.pcap");
    assert!(exact.iter().any(|at| at.nanoseconds() % 1000 != 0));
    assert_eq!(times("exchange.pcapng"), exact);
    let rounded: Vec<_> =
        exact.iter().map(|at| Timestamp(at.nanoseconds() / 1000 * 1000)).collect();
    assert_eq!(times("exchange-big-endian.pcap"), rounded);
}

#[test]
fn packets_cut_short_are_holes_of_known_length() {
    let (log, counters) = Log::read(&fixture("cut-to-48.pcap"));
    let gap = |side, bytes: &[u8]| Seen::Gap(side, Some(bytes.len() as u64));
    assert_eq!(
        log.traffic(),
        [
            gap(Client, QUESTION),
            gap(Server, ANSWER),
            gap(Client, QUESTION),
            gap(Server, ANSWER),
            Seen::Eof(Client),
            Seen::Eof(Server),
        ]
    );
    assert_eq!(counters.segments, 12);
}

#[test]
fn a_capture_begun_late_guesses_who_dialled() {
    let (log, _) = Log::read(&fixture("begun-late.pcap"));
    assert!(matches!(log.0[0].seen, Seen::Open(_, _, Start::Missed, None)));
    assert_eq!(log.0[1].seen, Seen::Note(Note::GuessedRole));
    assert_eq!(log.traffic(), exchange());
}

#[test]
fn a_reset_is_the_end() {
    let (log, _) = Log::read(&fixture("reset.pcap"));
    assert_eq!(log.traffic(), [Seen::Data(Client, QUESTION.to_vec()), Seen::Reset(Server)]);
}

#[test]
fn keep_alives_are_no_data() {
    let (log, _) = Log::read(&fixture("keep-alive.pcap"));
    assert_eq!(
        log.traffic(),
        [
            Seen::Data(Client, QUESTION.to_vec()),
            Seen::Data(Client, QUESTION.to_vec()),
            Seen::Eof(Client),
            Seen::Eof(Server),
        ]
    );
    assert_eq!(log.0.len(), 5);
}

#[test]
fn a_file_cut_off_gives_everything_whole() {
    for name in ["exchange.pcap", "exchange.pcapng"] {
        let whole = fs::read(fixture(name)).unwrap();
        let reference = Log::of(whole.clone());
        for length in (0..whole.len()).rev() {
            let source = std::io::Cursor::new(whole[..length].to_vec());
            let mut reader = match Reader::from_stream(source, Path::new("cut")) {
                Ok(reader) => reader,
                Err(Error::NotACapture { reason, .. }) => {
                    // Within the header, or an empty file.
                    assert!(length < 200, "{name} {length}: {reason}");
                    continue;
                }
                Err(other) => panic!("{name} {length}: {other}"),
            };
            let mut log = Log::default();
            reader.read_all(&mut log).unwrap();
            let common = log.0.iter().filter(|entry| entry.seen != Seen::Cut).count();
            assert_eq!(log.0[..common], reference.0[..common], "{name} {length}");
            if let Some(offset) = reader.summary().truncated {
                assert!((offset as usize) < length);
                assert_eq!(reader.summary().warnings().len(), 1);
            }
        }
    }
}

#[test]
fn a_file_that_is_none_says_what_it_looks_like() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for (content, word) in [
        (&b""[..], "empty"),
        (b"temperature 21.5\n", "text"),
        ("температура\n".as_bytes(), "text"),
        (b"\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94K\x01K\x02s.", "pickle"),
        (b"\x80\x02}q\0.", "pickle"),
        (b"\xfd7zXZ\0", "unxz"),
        (b"BZh91AY", "bunzip2"),
        (b"\x04\x22\x4d\x18", "unlz4"),
        (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", "header"),
        (b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0", "header"),
        (b"\x00\x01\x02\x03\x04", "00 01 02 03"),
    ] {
        fs::write(&path, content).unwrap();
        let error = Reader::open(&path).err().unwrap();
        assert!(matches!(error, Error::NotACapture { .. }), "{error:?}");
        assert!(error.to_string().contains(word), "{error}");
    }
    let missing = Reader::open(&directory.path().join("missing")).err();
    assert!(matches!(missing, Some(Error::File { action: "open", .. })), "{missing:?}");
}

#[test]
fn damage_ends_the_file_but_not_what_was_before() {
    let mut packets = handshake(0, 0);
    packets.push(Packet::new(true, 1, 1, ACK).with(b"before"));
    let mut file = network::capture(&packets);
    let place = file.len() as u64;
    file.extend([0xff; 400]);
    let source = std::io::Cursor::new(file);
    let mut reader = Reader::from_stream(source, Path::new("damaged")).unwrap();
    let mut log = Log::default();
    let error = reader.read_all(&mut log).err().unwrap();
    assert!(matches!(error, Error::Damaged { offset, .. } if offset == place), "{error:?}");
    assert_eq!(log.traffic(), [Seen::Data(Client, b"before".to_vec()), Seen::Cut]);
    assert!(!reader.step(&mut log).unwrap());
}

#[test]
fn what_is_no_tcp_is_counted() {
    let mut file = network::capture(&[]);
    let mut record = |frame: &[u8]| {
        for word in [0u32, 0, frame.len() as u32, frame.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    };
    let ip = |protocol: u8, fragment: u8| {
        let mut frame = vec![0; 12];
        frame.extend([8, 0, 0x45, 0, 0, 28, 0, 0, fragment, 0, 64, protocol]);
        frame.resize(50, 1);
        frame
    };
    record(&[&[0; 12][..], &[8, 6], &[0; 40]].concat());
    record(&ip(17, 0));
    record(&ip(6, 0x20));
    record(&ip(6, 0));
    record(&ip(6, 0)[..20]);
    let mut reader = Reader::from_stream(std::io::Cursor::new(file), Path::new("mixed")).unwrap();
    let mut log = Log::default();
    reader.read_all(&mut log).unwrap();
    let Counters { packets, segments, not_ip, not_tcp, fragments, malformed, .. } =
        reader.summary();
    assert_eq!((packets, segments, not_ip, not_tcp, fragments, malformed), (5, 0, 1, 1, 1, 2));
    assert_eq!(log, Log::default());
}

#[test]
fn tags_labels_and_extension_headers_are_passed_over() {
    let ip = Packet::new(true, 1, 1, ACK).with(b"hello").ip();
    let tcp = &ip[20..];
    let addresses = &[&[0xfe, 0x80][..], &[0; 13], &[1], &[0xfe, 0x80], &[0; 13], &[2]].concat();
    let v6 = |payload: u16, next: u8| {
        let [high, low] = payload.to_be_bytes();
        [&[0x60, 0, 0, 0, high, low, next, 64][..], addresses].concat()
    };
    let ethernet = |kind: &[u8]| [&[0xee; 12][..], kind].concat();
    let offloaded = [&ip[..2], &[0, 0], &ip[4..]].concat();
    for (link_type, header, packet) in [
        (1, ethernet(&[0x81, 0, 0, 5, 8, 0]), &ip[..]),
        (1, ethernet(&[0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0]), &ip),
        (1, ethernet(&[0x88, 0x47, 0, 0, 0, 64, 0, 0, 0x11, 64]), &ip),
        (1, ethernet(&[0x88, 0x64, 0x11, 0, 0, 1, 0, 47, 0, 0x21]), &ip),
        (1, ethernet(&[0x86, 0xdd]).into_iter().chain(v6(25, 6)).collect(), tcp),
        // Hop-by-hop, destination options, a fragment that is all of it.
        (
            229,
            [
                v6(49, 0),
                vec![60, 0, 1, 4, 0, 0, 0, 0],
                vec![44, 0, 1, 4, 0, 0, 0, 0],
                vec![6, 0, 0, 0, 0, 0, 0, 9],
            ]
            .concat(),
            tcp,
        ),
        (229, v6(0, 6), tcp),
        (228, vec![], &ip),
        (12, vec![], &ip),
        (101, vec![], &offloaded),
        // macOS's AF_INET6, on a host of the other byte order.
        (0, [vec![0, 0, 0, 30], v6(25, 6)].concat(), tcp),
    ] {
        let frame = [&header[..], packet].concat();
        let log = Log::of(network::file(link_type, [(frame.clone(), usize::MAX)]));
        assert_eq!(log.traffic(), [Seen::Data(Client, b"hello".to_vec()), Seen::Cut], "{frame:x?}");
        // Cut behind the first fourteen bytes of TCP, it still says what is missing.
        let kept = header.len() + packet.len() - tcp.len() + 14;
        let log = Log::of(network::file(link_type, [(frame.clone(), kept)]));
        assert_eq!(log.traffic(), [Seen::Gap(Client, Some(5)), Seen::Cut], "{frame:x?}");
    }
}

#[test]
fn a_frame_larger_than_an_ip_packet_is_read() {
    let payload = vec![7; 200_000];
    let header = [&[0x60, 0, 0, 0, 0, 0, 6, 64][..], &[1; 32]].concat();
    let tcp = Packet::new(true, 1, 1, ACK).ip().split_off(20);
    let frame = [header, tcp, payload.clone()].concat();
    let log = Log::of(network::file(229, [(frame, usize::MAX)]));
    assert_eq!(log.traffic(), [Seen::Data(Client, payload), Seen::Cut]);
}

#[test]
fn pcapng_times_are_exact_in_every_resolution() {
    let section = [&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let frame = &network::capture(&handshake(0, 0))[40..100];
    for (options, ticks, expected) in [
        (&[][..], 1_500_000_000_123_456u64, 1_500_000_000_123_456_000i64),
        (&[9, 0, 1, 0, 9, 0, 0, 0], 1_500_000_000_123_456_789, 1_500_000_000_123_456_789),
        (&[9, 0, 1, 0, 3, 0, 0, 0], 1_500_000_000_123, 1_500_000_000_123_000_000),
        (&[9, 0, 1, 0, 0, 0, 0, 0], 1_500_000_000, 1_500_000_000_000_000_000),
        (&[9, 0, 1, 0, 12, 0, 0, 0], 1_500_000_000_123_456, 1_500_000_000_123),
        // 2^-30 of a second is less than a nanosecond: nothing is lost.
        (&[9, 0, 1, 0, 0x9e, 0, 0, 0], (1 << 30) * 1_500_000_000 + 1, 1_500_000_000_000_000_000),
        (&[9, 0, 1, 0, 0x8a, 0, 0, 0], 1024 * 1_500_000_000 + 1, 1_500_000_000_000_976_562),
        (&[14, 0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0], 1_000_000, 11_000_000_000),
        (&[14, 0, 8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 1_000_000, 0),
        (&[9, 0, 1, 0, 0x7f, 0, 0, 0], u64::MAX, 0),
        (&[9, 0, 1, 0, 0xff, 0, 0, 0], u64::MAX, 0),
        (&[9, 0, 1, 0, 0, 0, 0, 0], u64::MAX, i64::MAX),
    ] {
        let interface = [&[1, 0, 0, 0, 0, 0, 4, 0][..], options].concat();
        let mut packet = Vec::new();
        for word in [0, (ticks >> 32) as u32, ticks as u32, 60, 60] {
            packet.extend(word.to_le_bytes());
        }
        packet.extend(frame);
        let file = [
            Little.block(0x0a0d_0d0a, &section),
            Little.block(1, &interface),
            Little.block(6, &packet),
        ]
        .concat();
        assert_eq!(Log::of(file).0[0].at, Timestamp(expected), "{options:?} {ticks}");
    }
}

#[test]
fn simple_packets_and_odd_blocks_are_read() {
    let section = [&0x1a2b_3c4du32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    let frame = &network::capture(&handshake(0, 0))[40..100];
    // A comment that is no UTF-8, and no end of options.
    let section_with_comment = [&section[..], &[1, 0, 2, 0, 0xff, 0xfe, 0, 0]].concat();
    let simple = [&60u32.to_le_bytes()[..], frame].concat();
    let of_no_interface = [&[9, 0, 0, 0][..], &[0; 24]].concat();
    let file = [
        Little.block(0x0a0d_0d0a, &section_with_comment),
        Little.block(1, &[1, 0, 0, 0, 0, 0, 0, 0]),
        Little.block(0x0bad, &[0; 8]),
        Little.block(6, &of_no_interface),
        Little.block(0x1234_5678, b"??"),
        Little.block(3, &simple),
    ]
    .concat();
    let mut reader = Reader::from_stream(std::io::Cursor::new(file), Path::new("odd")).unwrap();
    let mut log = Log::default();
    reader.read_all(&mut log).unwrap();
    let Counters { packets, segments, damaged, .. } = reader.summary();
    assert_eq!((packets, segments, damaged), (2, 1, 1));
    // Wireshark numbers the custom block too.
    assert_eq!(log.0[0].frame, Some(3));
}

fn read_whatever(bytes: Vec<u8>) {
    let source = std::io::Cursor::new(bytes);
    if let Ok(mut reader) = Reader::from_stream(source, Path::new("whatever")) {
        let mut log = Log::default();
        let _ = reader.read_all(&mut log);
        let _ = reader.summary().warnings();
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_reader(
        magic in prop::sample::select(vec![
            &b""[..], b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x34\xcd\xb2\xa1",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        read_whatever([magic, &bytes].concat());
    }

    #[test]
    fn no_damage_to_a_capture_breaks_the_reader(
        file in prop::sample::select(all_fixtures()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = fs::read(file).unwrap();
        for (index, value) in changes {
            let index = index.index(bytes.len());
            bytes[index] = value;
        }
        read_whatever(bytes);
    }
}
