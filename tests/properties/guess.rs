//! However bytes come, `guess` loses none, and says where it guesses.

use wirespool::Format;
use wirespool::session::Timestamp;
use wirespool::wire::{Arrival, Decoded, Decoder, Split, encode_with_unknown};

/// The first byte says how the rest is cut into chunks, and when they come.
pub fn holds(input: &[u8]) {
    let [seed, stream @ ..] = input else { return };
    let format: Format = "protobuf:pb.TempEvent".parse().expect("a format");
    let mut decoder = Decoder::new(&format);
    let mut said: Vec<Decoded> = Vec::new();
    let mut chunks = Vec::new();
    let (mut rest, mut at, mut state) = (stream, 0, u32::from(*seed) | 1 << 8);
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 24) as usize % (1 + (state >> 16) as usize % 40);
        let (chunk, behind) = rest.split_at(length.min(rest.len()));
        at += [0, 1_000_000, 5_000_000][(state >> 8) as usize % 3];
        let start = stream.len() - rest.len();
        chunks.push((start, chunk.len()));
        let arrival = Arrival { at: Timestamp(at), frame: None };
        decoder.push(arrival, chunk, &mut |one| said.push(one));
        rest = behind;
    }
    decoder.end(&mut |one| said.push(one));
    let mut offset = 0;
    for one in &said {
        assert_eq!(one.offset, offset as u64);
        assert!(stream[offset..].starts_with(&one.raw));
        if one.split == Split::Exact {
            assert!(chunks.contains(&(offset, one.raw.len())), "{offset}, {} bytes", one.raw.len());
        }
        offset += one.raw.len();
        if let Ok(value) = &one.body {
            // Its parts, the unknown ones too, make a message that says the same.
            let written = encode_with_unknown(&format, value, one.unknown.as_ref());
            let written = written.expect("what was read can be written");
            let mut again = Vec::new();
            let chunk: Format = "protobuf:pb.TempEvent/chunk".parse().expect("a format");
            Decoder::new(&chunk).push(Arrival::default(), &written, &mut |one| again.push(one));
            let (value, unknown) = (Some(value), &one.unknown);
            if let Some(again) = again.pop() {
                assert_eq!((again.body.as_ref().ok(), &again.unknown), (value, unknown));
            }
        }
    }
    assert_eq!(offset, stream.len());
}
