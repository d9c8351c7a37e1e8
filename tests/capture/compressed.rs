//! Captures that are compressed: told by their bytes, read as they come.

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use wirespool::Error;
use wirespool::capture::{Counters, Reader};

use super::log::{Log, Seen};
use super::network::{self, ACK, Packet, handshake};
use super::reading::{all_fixtures, fixture};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    deflate(bytes, Compression::best())
}

/// Its blocks hold the bytes as they are: how many came out of a part of it is known.
fn stored(bytes: &[u8]) -> Vec<u8> {
    deflate(bytes, Compression::none())
}

fn deflate(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn read(bytes: Vec<u8>) -> (Log, Counters) {
    let source = std::io::Cursor::new(bytes);
    let mut reader = Reader::from_stream(source, Path::new("compressed")).unwrap();
    let mut log = Log::default();
    reader.read_all(&mut log).unwrap();
    (log, reader.summary())
}

/// Messages of a connection that compresses well, and one packet for each.
fn long_capture(packets: u32) -> Vec<u8> {
    let mut all = handshake(0, 0);
    all.extend((0..packets).map(|index| Packet::new(true, 1 + index * 5, 1, ACK).with(b"hello")));
    network::capture(&all)
}

#[test]
fn a_compressed_capture_is_read_as_the_plain_one() {
    for path in all_fixtures() {
        let plain = fs::read(&path).unwrap();
        let (log, counters) = read(plain.clone());
        assert_eq!(counters.compression, None);
        for (name, compressed) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
            let (again, mut found) = read(compressed);
            assert_eq!(again, log, "{path:?} {name}");
            assert_eq!(found.compression, Some(name));
            found.compression = None;
            assert_eq!(found, counters, "{path:?} {name}");
        }
    }
}

#[test]
fn members_and_frames_follow_each_other() {
    let plain = long_capture(1000);
    let (log, _) = read(plain.clone());
    let (one, other) = plain.split_at(plain.len() / 3);
    let skipped = [&b"\x5d\x2a\x4d\x18"[..], &3u32.to_le_bytes(), b"any"].concat();
    for parts in [
        [gzip(one), gzip(b""), gzip(other)],
        [stored(one), gzip(other), stored(b"")],
        [zstd(one), skipped.clone(), zstd(other)],
        [skipped, zstd(one), zstd(other)],
    ] {
        let (again, counters) = read(parts.concat());
        assert_eq!((again, counters.warnings()), (log.clone(), vec![]));
    }
}

#[test]
fn compressed_data_cut_off_gives_all_that_came_out_whole() {
    // Three of zstd's blocks, and some.
    let plain = long_capture(6000);
    let (reference, _) = read(plain.clone());
    for (name, compressed) in
        [("gzip", gzip(&plain)), ("zstd", zstd(&plain)), ("gzip", stored(&plain))]
    {
        let mut most = 0;
        for length in (compressed.len() * 3 / 4..compressed.len()).step_by(1009) {
            let (log, counters) = read(compressed[..length].to_vec());
            let common = log.0.iter().filter(|entry| entry.seen != Seen::Cut).count();
            assert_eq!(log.0[..common], reference.0[..common], "{name} {length}");
            let said = counters.warnings();
            assert_eq!(said.len(), 1, "{said:?}");
            let place = format!("the {name} data is cut off at byte {length};");
            assert!(said[0].starts_with(&place) && said[0].ends_with(" is read"), "{said:?}");
            most = most.max(counters.packets);
        }
        assert!(most > 1000, "{name}: {most}");
    }
    // Behind a header of ten bytes and one of five come the bytes themselves.
    let (_, counters) = read(stored(&plain)[..15 + 24 + 76 * 100 + 30].to_vec());
    assert_eq!(counters.packets, 100);
}

#[test]
fn damage_in_compressed_data_is_said_with_its_place() {
    let plain = long_capture(2000);
    for (name, mut compressed) in [("gzip", gzip(&plain)), ("zstd", zstd(&plain))] {
        // The checksum: what came out is all there, but it is not right.
        let place = compressed.len() - if name == "gzip" { 6 } else { 2 };
        compressed[place] ^= 1;
        let (_, counters) = read(compressed);
        assert_eq!(counters.packets, 2003);
        let said = counters.warnings();
        assert!(said[0].starts_with(&format!("the {name} data is damaged (")), "{said:?}");
        assert!(said[0].contains(" at byte "), "{said:?}");
        assert!(said[0].ends_with(", and what came out just before may be wrong"), "{said:?}");
    }
    let (_, counters) = read([gzip(&plain), b"something else".to_vec()].concat());
    assert_eq!(counters.packets, 2003);
    assert!(counters.warnings()[0].contains("gzip data is damaged"), "{:?}", counters.warnings());
}

#[test]
fn a_record_cut_off_is_placed_in_the_decompressed_data() {
    let plain = long_capture(2);
    let (_, counters) = read(gzip(&plain[..plain.len() - 1]));
    let place = plain.len() - 76;
    let words = format!("in the record that begins at byte {place} of the decompressed data");
    assert!(counters.warnings()[0].ends_with(&words), "{:?}", counters.warnings());
}

#[test]
fn a_capture_that_grows_beyond_any_memory_is_read_in_a_stream() {
    // A thousand packets of 64 KiB of nothing, again and again: 64 MB of each member of 70 KB.
    let frames = (0..1000).map(|_| (vec![0; 65_536], usize::MAX));
    let file = network::file(101, frames);
    let (head, records) = file.split_at(24);
    let (head, records) = (gzip(head), gzip(records));
    assert!(records.len() < 100_000);
    let source = std::io::Cursor::new(head)
        .chain(std::io::Cursor::new(records.clone()))
        .chain(std::io::Cursor::new(records));
    let mut reader = Reader::from_stream(source, Path::new("bomb")).unwrap();
    reader.read_all(&mut Log::default()).unwrap();
    assert_eq!(reader.summary().packets, 2000);
}

#[test]
fn what_is_compressed_and_no_capture_says_both() {
    for (bytes, words) in [
        (gzip(b"temperature 21.5\n"), ["compressed by gzip", "text"]),
        (zstd(b"\x80\x02}q\0."), ["compressed by zstd", "pickle"]),
        (gzip(&gzip(b"")), ["compressed by gzip, and", "compressed by gzip; decompress"]),
        (b"\x28\xb5\x2f\xfd\x08\0\0\0\0\0".to_vec(), ["zstd", "damaged (Unsupported"]),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec(), ["gzip", "cut off at byte 10"]),
    ] {
        let source = std::io::Cursor::new(bytes);
        let error = Reader::from_stream(source, Path::new("none")).err().unwrap();
        assert!(matches!(error, Error::NotACapture { .. }), "{error:?}");
        for word in words {
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

#[test]
fn the_digest_is_that_of_the_file_itself() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("capture");
    let plain = fs::read(fixture("exchange.pcap")).unwrap();
    let garbage = [gzip(&plain), vec![7; 200_000]].concat();
    for bytes in [plain.clone(), gzip(&plain), zstd(&plain), garbage] {
        fs::write(&path, &bytes).unwrap();
        let mut reader = Reader::open_digested(&path).unwrap();
        reader.read_all(&mut Log::default()).unwrap();
        let expected: String =
            Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(reader.digests().unwrap(), [Some(expected)]);
    }
}
