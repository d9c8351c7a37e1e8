//! However bytes come, none is lost; where message ends stand in them, they are the same messages.

use std::sync::Arc;

use wirespool::Format;
use wirespool::wire::{Arrival, Decoded, Decoder, Limit, Settings};

const FORMATS: [&str; 16] = [
    "raw/line",
    "raw/u8",
    "raw/u16be",
    "raw/u16le",
    "raw/u32be",
    "raw/u32le",
    "raw/u64be",
    "raw/u64le",
    "raw/varint",
    "text/line",
    "text/u8",
    "pickle",
    "pickle/u16be",
    "protobuf/varint",
    "protobuf:pb.TempEvent/u8",
    "raw/idle=5",
];

/// The longest message that is taken, in bytes: few enough that inputs go beyond it.
const LONGEST: usize = 48;

/// The first byte says which format the rest is in, the second how it is cut into chunks.
pub fn holds(input: &[u8]) {
    let [chosen, seed, stream @ ..] = input else { return };
    let mut settings = Settings::default();
    settings.limit(Limit { name: "bytes".to_owned(), value: LONGEST }).expect("a limit there is");
    let spelling = FORMATS[usize::from(*chosen) % FORMATS.len()];
    let format = Format::parse(spelling).expect("a format").with_settings(&Arc::new(settings));
    let whole = decode(&format, stream, &mut [usize::MAX].into_iter().cycle());
    for lengths in
        [&mut lengths(*seed) as &mut dyn Iterator<Item = usize>, &mut [1].into_iter().cycle()]
    {
        let cut = decode(&format, stream, lengths);
        if format.is_delimited() {
            assert_eq!(messages(&cut), messages(&whole), "{format}");
        }
    }
}

/// All messages, of which no byte may be missing, and none be longer than is allowed and yet a value.
fn decode(
    format: &Format,
    stream: &[u8],
    lengths: &mut dyn Iterator<Item = usize>,
) -> Vec<Decoded> {
    let mut decoder = Decoder::new(format);
    let mut said: Vec<Decoded> = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(lengths.next().unwrap_or(1).min(rest.len()));
        decoder.push(Arrival::default(), chunk, &mut |one| said.push(one));
        rest = behind;
    }
    decoder.end(&mut |one| said.push(one));
    let mut offset = 0;
    for one in &said {
        assert_eq!(one.offset, offset as u64, "{format}");
        assert!(stream[offset..].starts_with(&one.raw), "{format}: other bytes at {offset}");
        if let Err(fault) = &one.body {
            assert!(fault.at <= one.raw.len(), "{format}: {fault}, of {} bytes", one.raw.len());
        } else if one.format == *format {
            assert!(one.raw.len() <= LONGEST + 10, "{format}: {} bytes", one.raw.len());
        }
        offset += one.raw.len();
    }
    assert_eq!(offset, stream.len(), "{format}: bytes are missing at the end");
    said
}

/// What does not depend on chunks: the messages that are some, and where it is that there are no more.
fn messages(said: &[Decoded]) -> Vec<(u64, Option<&[u8]>)> {
    let mut messages: Vec<(u64, Option<&[u8]>)> = Vec::new();
    for one in said {
        let whole = one.body.is_ok() && one.format.spelling() != "raw";
        match messages.last() {
            // What is none comes in as many pieces as it came in.
            Some((_, None)) if !whole => {}
            _ => messages.push((one.offset, whole.then_some(&one.raw))),
        }
    }
    messages
}

/// Lengths of chunks, short and long ones, the same for the same seed.
fn lengths(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed) | 1 << 8;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 24) as usize % (1 + (state >> 16) as usize % 40)
    })
}
