//! `auto`: which format explains the bytes that were seen.

use std::sync::Arc;

use super::pickle::{Limits, Progress, Splitter};
use super::{Codec, Encoding, Format, Framing, Settings};

/// The format that explains every byte of the chunks that a side began with, and why it is the one;
/// `raw` where none does.
pub fn detect(chunks: &[&[u8]]) -> (Format, String) {
    detect_with(chunks, &Arc::default())
}

/// As [`detect`], for bytes that are read so.
pub fn detect_with(chunks: &[&[u8]], settings: &Arc<Settings>) -> (Format, String) {
    let (format, reason) = explain(chunks, &settings.limits);
    (format.with_settings(settings), reason)
}

fn explain(chunks: &[&[u8]], limits: &Limits) -> (Format, String) {
    let size: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    if size == 0 {
        return (Format::raw(), "no bytes were seen".to_owned());
    }
    if let Some(reason) = pickles(chunks, limits) {
        return (Format::new(Codec::Pickle, Framing::Codec), reason);
    }
    match not_text(chunks) {
        None if chunks.iter().all(|chunk| chunk.ends_with(b"\n")) => {
            let reason =
                format!("all {size} bytes seen are UTF-8 text, each chunk ends with a line");
            (Format::new(Codec::Text(Encoding::UTF_8), Framing::Line), reason)
        }
        None => {
            let reason =
                format!("all {size} bytes seen are UTF-8 text, and chunks end within lines");
            (Format::new(Codec::Text(Encoding::UTF_8), Framing::Chunk), reason)
        }
        Some(why_not) => {
            (Format::raw(), format!("the bytes begin no pickle of protocol 2 to 5, and {why_not}"))
        }
    }
}

/// Why the bytes are pickles, one after the other, of which the last may be unfinished.
fn pickles(chunks: &[&[u8]], limits: &Limits) -> Option<String> {
    let mut beginning = chunks.iter().copied().flatten();
    let (Some(0x80), Some(protocol @ 2..=5)) = (beginning.next(), beginning.next()) else {
        return None;
    };
    let mut splitter = Splitter::new(limits);
    let mut whole = 0;
    for &chunk in chunks {
        let mut rest = chunk;
        while !rest.is_empty() {
            // Of protocols 0 and 1 nearly anything may begin a pickle.
            if splitter.position() == 0 && rest[0] != 0x80 {
                return None;
            }
            match splitter.feed(rest) {
                Progress::Complete { consumed } => {
                    whole += 1;
                    rest = &rest[consumed..];
                }
                Progress::NeedMore => break,
                Progress::Failed(_) => return None,
            }
        }
    }
    Some(match whole {
        0 => format!("the bytes begin a pickle of protocol {protocol}"),
        _ => format!("the bytes are {whole} or more pickles of protocol {protocol}"),
    })
}

/// Why the bytes are no text; a character may be cut at their end.
fn not_text(chunks: &[&[u8]]) -> Option<String> {
    let bytes = chunks.concat();
    let whole = bytes.len() - super::text::unfinished(&bytes);
    if whole == 0 {
        return Some("they are less than a UTF-8 character".to_owned());
    }
    let text = match std::str::from_utf8(&bytes[..whole]) {
        Ok(text) => text,
        Err(error) => return Some(format!("byte {} is not UTF-8", error.valid_up_to())),
    };
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.char_indices().find(|&(_, c)| is_odd(c)).map(|(at, c)| {
        format!("byte {at} is the control character U+{:04X}, which text has not", u32::from(c))
    })
}
