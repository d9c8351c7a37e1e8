//! Text in any encoding: nothing is lost, and what is read does not depend on how the bytes come.

use wirespool::Format;
use wirespool::wire::{Arrival, Decoded, Decoder, Encoding, FaultKind, Value, encode};

/// So many pieces of a chunk that are no text are a message each, however short the chunk.
const PIECES: usize = 16;

/// The first byte says how the rest is cut into chunks, the second the encoding; the rest is one side.
pub fn holds(input: &[u8]) {
    let [seed, number, stream @ ..] = input else { return };
    let encodings: Vec<_> = Encoding::all().collect();
    let encoding = encodings[usize::from(*number) % encodings.len()];
    characters_hold(encoding, stream, *seed);
    lines_hold(encoding, stream, *seed);
}

/// What text, and what is none, come out as one stream of.
#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Bytes(Vec<u8>),
}

pub fn characters_hold(encoding: Encoding, stream: &[u8], seed: u8) {
    let format = text_format(encoding, "");
    let whole = decode(&format, stream, &mut [usize::MAX].into_iter().cycle());
    let cut = decode(&format, stream, &mut lengths(seed));
    let bytewise = decode(&format, stream, &mut [1].into_iter().cycle());
    for said in [&whole, &cut, &bytewise] {
        assert_eq!(raw(said), stream, "{encoding}");
    }
    let pieces = pieces(&whole);
    let faults = pieces.iter().filter(|piece| matches!(piece, Piece::Bytes(_))).count();
    if faults <= PIECES {
        assert_eq!(self::pieces(&cut), pieces, "{encoding}: {stream:?}");
        assert_eq!(self::pieces(&bytewise), pieces, "{encoding}: {stream:?}");
        if encoding == Encoding::UTF_8 {
            assert_eq!(by_std(stream), pieces, "{stream:?}");
        }
    }
    if let [Piece::Text(text)] = &pieces[..] {
        // What is read is what can be written, but for characters that a table has twice.
        if let Ok(bytes) = encode(&format, &Value::text(text)) {
            let again = encoding.decode(&bytes).expect("what was written");
            assert_eq!(again.as_str(again.root()), Some(&text[..]), "{encoding}");
        }
    }
}

pub fn lines_hold(encoding: Encoding, stream: &[u8], seed: u8) {
    let format = text_format(encoding, "/line");
    let whole = decode(&format, stream, &mut [usize::MAX].into_iter().cycle());
    assert_eq!(raw(&whole), stream, "{encoding}");
    assert_eq!(decode(&format, stream, &mut lengths(seed)), whole, "{encoding}: {stream:?}");
    assert_eq!(decode(&format, stream, &mut [1].into_iter().cycle()), whole, "{encoding}");
}

/// Text that is written is read as it was, whatever cuts it.
#[allow(dead_code, reason = "the fuzz target begins with bytes")]
pub fn survives(encoding: Encoding, text: &str, seed: u8) {
    let format = text_format(encoding, "");
    let Ok(bytes) = encode(&format, &Value::text(text)) else { return };
    let said = decode(&format, &bytes, &mut lengths(seed));
    let expected = match text.is_empty() {
        true => Vec::new(),
        false => vec![Piece::Text(text.to_owned())],
    };
    assert_eq!(pieces(&said), expected, "{encoding}");
    let line = text_format(encoding, "/line");
    let text = text.replace(['\r', '\n'], "");
    // A line that begins with one is refused, as a byte order mark that nobody would read.
    let text = text.trim_start_matches('\u{feff}');
    let value = Value::text(text);
    let bytes = encode(&line, &value).expect("part of what could be written").repeat(3);
    let said = decode(&line, &bytes, &mut lengths(seed));
    let values: Vec<_> = said.into_iter().map(|one| one.body.expect("a line")).collect();
    assert_eq!(values, [value.clone(), value.clone(), value], "{encoding}");
}

fn text_format(encoding: Encoding, framing: &str) -> Format {
    format!("text:{encoding}{framing}").parse().expect("a format")
}

fn decode(
    format: &Format,
    stream: &[u8],
    lengths: &mut dyn Iterator<Item = usize>,
) -> Vec<Decoded> {
    let mut decoder = Decoder::new(format);
    let mut said: Vec<Decoded> = Vec::new();
    let mut rest = stream;
    while !rest.is_empty() {
        let length = lengths.next().unwrap_or(1).min(rest.len());
        decoder.push(Arrival::default(), &rest[..length], &mut |one| said.push(one));
        rest = &rest[length..];
    }
    decoder.end(&mut |one| said.push(one));
    let mut offset = 0;
    for one in &said {
        assert_eq!(one.offset, offset);
        offset += one.raw.len() as u64;
        if let Err(fault) = &one.body {
            assert!(matches!(fault.kind, FaultKind::InvalidUtf8 | FaultKind::Truncated), "{fault}");
            assert!(fault.at <= one.raw.len(), "{fault}");
        }
    }
    said
}

fn raw(said: &[Decoded]) -> Vec<u8> {
    said.iter().flat_map(|one| one.raw.clone()).collect()
}

fn pieces(said: &[Decoded]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for one in said {
        match &one.body {
            Ok(value) => add(&mut pieces, value.as_str(value.root()).expect("text"), &[]),
            Err(_) => add(&mut pieces, "", &one.raw),
        }
    }
    pieces
}

fn by_std(stream: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for chunk in stream.utf8_chunks() {
        add(&mut pieces, chunk.valid(), &[]);
        add(&mut pieces, "", chunk.invalid());
    }
    pieces
}

fn add(pieces: &mut Vec<Piece>, text: &str, bytes: &[u8]) {
    match pieces.last_mut() {
        Some(Piece::Text(before)) if !text.is_empty() => before.push_str(text),
        _ if !text.is_empty() => pieces.push(Piece::Text(text.to_owned())),
        Some(Piece::Bytes(before)) if !bytes.is_empty() => before.extend_from_slice(bytes),
        _ if !bytes.is_empty() => pieces.push(Piece::Bytes(bytes.to_vec())),
        _ => {}
    }
}

/// Lengths of chunks, short and long ones, the same for the same seed.
fn lengths(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed) | 1 << 8;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 24) as usize % 9
    })
}
