//! How far bytes are text.

use std::borrow::Cow;

use encoding_rs as tables;
use tables::DecoderResult;

use super::encoding::{Encoding, Kind};

/// The text that bytes begin with, and what is behind it.
pub(in crate::wire) struct Scanned<'a> {
    pub(in crate::wire) text: Cow<'a, str>,
    /// How many bytes the text is.
    pub(in crate::wire) length: usize,
    pub(in crate::wire) rest: Rest,
}

/// What is behind text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::wire) enum Rest {
    Nothing,
    /// All that is left begins a character, which the next bytes may complete.
    Unfinished,
    /// So many bytes that are no character and begin none.
    Invalid(usize),
}

/// The longest character, in bytes, and the most that are no character together.
const LONGEST: usize = 4;
/// Room for decoded text is made in steps of so many bytes: behind an invalid byte all else waits.
const STEP: usize = 1 << 12;

impl Encoding {
    /// The text that `bytes` begin with, from the beginning of a character on.
    pub(in crate::wire) fn scan(self, bytes: &[u8]) -> Scanned<'_> {
        match self.0 {
            Kind::Utf8 => utf8(bytes),
            Kind::Ascii => {
                let length = tables::Encoding::ascii_valid_up_to(bytes);
                let rest = if length < bytes.len() { Rest::Invalid(1) } else { Rest::Nothing };
                Scanned { text: valid(&bytes[..length]), length, rest }
            }
            Kind::Latin1 => Scanned {
                text: tables::mem::decode_latin1(bytes),
                length: bytes.len(),
                rest: Rest::Nothing,
            },
            Kind::Utf16 | Kind::Utf16Le => by_table(tables::UTF_16LE, bytes),
            Kind::Utf16Be => by_table(tables::UTF_16BE, bytes),
            Kind::Table(table) => by_table(table, bytes),
        }
    }

    /// How many bytes, of which the first ones are no text, come before text or an unfinished character.
    pub(in crate::wire) fn invalid_run(self, bytes: &[u8]) -> usize {
        let mut length = 0;
        while length < bytes.len() {
            // As much as decides what the first of them are.
            let ahead = &bytes[length..bytes.len().min(length + 2 * LONGEST)];
            match self.scan(ahead) {
                Scanned { length: 0, rest: Rest::Invalid(more), .. } => length += more,
                _ => break,
            }
        }
        length
    }

    /// How many bytes come before an unfinished character at the end.
    pub(in crate::wire) fn finished(self, bytes: &[u8]) -> usize {
        let mut length = 0;
        while length < bytes.len() {
            let scanned = self.scan(&bytes[length..]);
            length += scanned.length;
            match scanned.rest {
                Rest::Invalid(more) => length += more,
                Rest::Nothing | Rest::Unfinished => break,
            }
        }
        length
    }
}

fn utf8(bytes: &[u8]) -> Scanned<'_> {
    // Most chunks are text up to a character that their end cuts: without it there is nothing to find.
    // Of simdutf8's two ways this one stops at the first invalid block, and is as fast where none is.
    let whole = bytes.len() - super::unfinished(bytes);
    match simdutf8::compat::from_utf8(&bytes[..whole]) {
        Ok(text) => {
            let rest = if whole < bytes.len() { Rest::Unfinished } else { Rest::Nothing };
            Scanned { text: Cow::Borrowed(text), length: whole, rest }
        }
        Err(error) => {
            let length = error.valid_up_to();
            // What ends within a character does so at the end, of which the unfinished was taken away.
            let rest = Rest::Invalid(error.error_len().unwrap_or(whole - length));
            Scanned { text: valid(&bytes[..length]), length, rest }
        }
    }
}

/// The text of bytes that were found to be UTF-8.
fn valid(bytes: &[u8]) -> Cow<'_, str> {
    // It is as it is, then; it would be shown damaged, not lost, if it were otherwise.
    simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

fn by_table<'a>(table: &'static tables::Encoding, bytes: &[u8]) -> Scanned<'a> {
    let mut decoder = table.new_decoder_without_bom_handling();
    let mut text = String::new();
    let mut read = 0;
    let (length, rest) = loop {
        let left = &bytes[read..];
        let room = decoder.max_utf8_buffer_length_without_replacement(left.len().min(STEP));
        text.reserve(room.unwrap_or(STEP));
        let (result, more) = decoder.decode_to_string_without_replacement(left, &mut text, false);
        read += more;
        match result {
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(invalid, behind) => {
                let (invalid, behind) = (usize::from(invalid), usize::from(behind));
                break (read - invalid - behind, Rest::Invalid(invalid));
            }
            DecoderResult::InputEmpty => {
                // What it keeps to itself of a character, it gives up as malformed at the end.
                text.reserve(LONGEST);
                match decoder.decode_to_string_without_replacement(&[], &mut text, true).0 {
                    DecoderResult::Malformed(begun, behind) => {
                        let begun = usize::from(begun) + usize::from(behind);
                        break (read - begun, Rest::Unfinished);
                    }
                    _ => break (read, Rest::Nothing),
                }
            }
        }
    };
    Scanned { text: Cow::Owned(text), length, rest }
}
