//! Capture files made to take memory, byte by byte: what reading one takes has a bound, and a limit that is reached is said.
//!
//! One test, because the memory is counted for the whole process: nothing else may run beside it.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use wirespool::Result;
use wirespool::capture::{Counters, Reader};
use wirespool::session::{Event, Sink};

#[path = "hostile/memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;

/// One record of the largest size and the largest window of zstd, with something to spare.
const MEMORY: usize = 220_000_000;
const MANY: usize = 200_000;
const RAW: u32 = 101;

struct Nothing;

impl Sink for Nothing {
    fn event(&mut self, _: &Event<'_>) -> Result<()> {
        Ok(())
    }
}

/// Bytes that come again and again, and are never in memory together.
struct Repeated {
    piece: Vec<u8>,
    at: usize,
    left: usize,
}

impl Repeated {
    fn new(piece: Vec<u8>, times: usize) -> Repeated {
        Repeated { piece, at: 0, left: times }
    }
}

impl Read for Repeated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let count = (&self.piece[self.at..]).read(into)?;
        self.at += count;
        if self.at == self.piece.len() {
            (self.at, self.left) = (0, self.left - 1);
        }
        Ok(count)
    }
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn section() -> Vec<u8> {
    words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28])
}

fn interface(link_type: u32) -> Vec<u8> {
    words(&[1, 20, link_type, 0, 20])
}

fn packet(interface: u32) -> Vec<u8> {
    words(&[6, 32, interface, 0, 0, 0, 0, 32])
}

fn pcap() -> Vec<u8> {
    words(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 0, RAW])
}

fn gzip(mut source: impl Read) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::copy(&mut source, &mut encoder).expect("memory");
    encoder.finish().expect("memory")
}

/// A frame of zstd with a window of so many bits.
fn zstd(mut source: impl Read, window: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("zstd");
    encoder.window_log(window).expect("zstd");
    encoder.long_distance_matching(true).expect("zstd");
    io::copy(&mut source, &mut encoder).expect("memory");
    encoder.flush().expect("memory");
    encoder.finish().expect("memory")
}

/// So many mebibytes of nothing.
fn zeros(mebibytes: usize) -> Repeated {
    Repeated::new(vec![0; 1 << 20], mebibytes)
}

/// Reads it; what took too much memory is added to `failed`.
fn read(
    name: &str,
    source: impl Read + Send + 'static,
    failed: &mut Vec<String>,
) -> (Counters, Option<String>) {
    let before = memory::taken();
    memory::restart();
    let mut reader = match Reader::from_stream(source, Path::new(name)) {
        Ok(reader) => reader,
        Err(error) => return (Counters::default(), Some(error.to_string())),
    };
    let error = reader.read_all(&mut Nothing).err().map(|error| error.to_string());
    let most = memory::most() - before;
    println!("{name}: {:.1} MB", most as f64 / 1e6);
    if most > MEMORY {
        failed.push(format!("{name}: {most}"));
    }
    (reader.summary(), error)
}

#[test]
fn hostile_files_take_bounded_memory_and_limits_are_said() {
    let mut failed = Vec::new();

    let source = Cursor::new(section()).chain(Repeated::new(interface(RAW), MANY));
    let (counters, _) = read("interfaces", source.chain(Cursor::new(packet(99_999))), &mut failed);
    assert_eq!((counters.damaged, counters.damages.len()), (1, 4));
    assert!(counters.damages[0].reason.contains("which is the limit"));

    let piece = [section(), interface(RAW), packet(0)].concat();
    let (counters, _) = read("sections", Repeated::new(piece, MANY), &mut failed);
    assert_eq!(counters.packets, MANY as u64);

    let source = Cursor::new(section()).chain(Repeated::new(packet(7), MANY));
    let (counters, _) = read("packets of no interface", source, &mut failed);
    assert_eq!((counters.damaged, counters.damages.len()), (MANY as u64, 4));

    let kinds: Vec<u8> = (300..60_000).flat_map(interface).collect();
    let packets: Vec<u8> = (0..59_700).flat_map(packet).collect();
    let source = Cursor::new([section(), kinds, packets].concat());
    let (counters, _) = read("link types", source, &mut failed);
    assert_eq!((counters.unknown_link, counters.unknown_links.len()), (59_700, 16));

    for claimed in [u32::MAX, 1 << 31, (64 << 20) + 1] {
        let source = Cursor::new([pcap(), words(&[0, 0, claimed, claimed])].concat());
        let (_, error) = read("a pcap record that lies", source.chain(zeros(100)), &mut failed);
        assert!(error.is_some_and(|error| error.contains("damaged at byte 24")));
        let source = Cursor::new([section(), words(&[6, claimed & !3, 0])].concat());
        let (_, error) = read("a block that lies", source.chain(zeros(100)), &mut failed);
        assert!(error.is_some_and(|error| error.contains("damaged at byte 28")));
    }
    let largest = (64 << 20) - 16;
    let record = || Cursor::new([pcap(), words(&[0, 0, largest, largest])].concat());
    let (counters, _) = read("a record that is cut off", record().chain(zeros(1)), &mut failed);
    assert_eq!(counters.truncated, Some(24));
    let (counters, _) = read("the largest record", record().chain(zeros(64)), &mut failed);
    // Sixteen zeros are a record of nothing.
    assert_eq!((counters.packets, counters.truncated), (2, None));

    // Each option is a comment that becomes three times as long as text.
    let comment = [&[1, 0, 0xfc, 0xff][..], &[0xff; 0xfffc]].concat();
    let length = 28 + 900 * (1 << 16);
    let begin = words(&[0x0a0d_0d0a, length, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX]);
    let source = Cursor::new(begin).chain(Repeated::new(comment.clone(), 900));
    let source = source.chain(Cursor::new([words(&[length]), interface(RAW), packet(0)].concat()));
    let (counters, error) = read("comments on a section", source, &mut failed);
    assert_eq!((counters.packets, counters.damaged_blocks, error), (1, 0, None));
    let length = 32 + 900 * (1 << 16);
    let begin = [section(), interface(RAW), words(&[6, length, 0, 0, 0, 0, 0])].concat();
    let source = Cursor::new(begin).chain(Repeated::new(comment, 900));
    let (counters, _) =
        read("comments on a packet", source.chain(Cursor::new(words(&[length]))), &mut failed);
    assert_eq!(counters.packets, 1);

    let packed = gzip(record().chain(zeros(70)));
    assert!(packed.len() < 1_000_000);
    let (counters, _) = read("a bomb of gzip", Cursor::new(packed), &mut failed);
    assert!(counters.packets > 100_000);
    let packed = zstd(record().chain(zeros(70)), 27);
    assert!(packed.len() < 1_000_000);
    let (counters, _) = read("a bomb of zstd", Cursor::new(packed), &mut failed);
    assert!(counters.packets > 100_000);
    // A header of a frame with a window of two gibibytes.
    let source = Cursor::new(b"\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00".to_vec());
    let (_, error) = read("a window beyond any", source, &mut failed);
    assert!(error.is_some_and(|error| error.contains("zstd data is damaged")));

    assert_eq!(failed, Vec::<String>::new());
}
