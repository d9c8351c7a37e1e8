//! UTF-8 text: in lines, as it comes, or behind lengths.

use super::framed::Framed;
use super::json::{begins_json, is_json};
use super::{Evidence, Found, Next, Sample, Strength};
use crate::wire::text::unfinished;
use crate::wire::{Codec, Encoding, Framing};

/// A chunk of this size may have been cut by the network, not by who wrote it.
const SEGMENT: usize = 512;
/// Hardly any line is longer than this.
const LONG_LINE: usize = 8 << 10;
/// How much text behind lengths is no chance: messages, and bytes in them; of lengths of one byte, which
/// nearly anything may be, and of wider ones.
const FRAMED: [(usize, usize); 2] = [(4, 24), (3, 8)];

/// Text, in lines or as it comes.
pub(super) fn stream(sample: &Sample<'_>) -> Result<Found, String> {
    not_text(sample.bytes, !sample.is_ended()).map_or(Ok(()), Err)?;
    let size = sample.bytes.len();
    let lines = Lines::of(sample);
    let by_line = |evidence, strength, reason| {
        Ok(Found {
            codec: Codec::Text(Encoding::UTF_8),
            framing: Framing::Line,
            evidence,
            strength,
            reason,
        })
    };
    let by_chunk = |strength, reason| {
        let (codec, framing, evidence) =
            (Codec::Text(Encoding::UTF_8), Framing::Chunk, Evidence::Text);
        Ok(Found { codec, framing, evidence, strength, reason })
    };
    let Lines { count, chunks, ending, .. } = lines;
    if count == 0 {
        return match lines.begins_json && sample.ends.len() > 1 && !lines.each_chunk_is_json {
            true => by_chunk(
                Strength::Weak,
                format!(
                    "{size} bytes of UTF-8 text without a line's end, a JSON value across chunks"
                ),
            ),
            false => by_chunk(
                if size > LONG_LINE { Strength::Sure } else { Strength::Fair },
                format!("{size} bytes of UTF-8 text without a line's end"),
            ),
        };
    }
    // The last line of a side needs no end.
    let said = match count + usize::from(sample.is_ended() && !lines.are_whole) {
        1 => "a line of UTF-8 text".to_owned(),
        all => format!("{all} lines of UTF-8 text"),
    };
    if lines.are_json && (count > 1 || ending == chunks) {
        let each = if count == 1 { "" } else { "each " };
        return by_line(Evidence::Json, Strength::Sure, format!("{said}, {each}a JSON value"));
    }
    if ending == chunks && chunks > 0 {
        return by_line(Evidence::Text, Strength::Sure, format!("{said}; chunks end with a line"));
    }
    if let Some(why) = lines.are_cut() {
        return by_line(Evidence::Text, Strength::Fair, format!("{said}; {why}"));
    }
    match ending {
        0 => by_chunk(
            Strength::Fair,
            format!("{size} bytes of UTF-8 text, and no chunk ends where a line does"),
        ),
        _ => by_chunk(
            Strength::Weak,
            format!("{said}, but only {ending} of {chunks} chunks end with one"),
        ),
    }
}

/// Text behind lengths.
pub(super) fn framed(framed: &Framed<'_>) -> Option<Found> {
    let Framed { bodies, begun, .. } = framed;
    let (count, size) = FRAMED[usize::from(framed.width() > 1)];
    if framed.empty > 0 || bodies.len() < count || framed.size() < size {
        return None;
    }
    let is_text = bodies.iter().all(|body| not_text(body, false).is_none())
        && (unfinished(begun) == begun.len() || not_text(begun, true).is_none());
    let are_json = is_text && bodies.iter().all(|body| is_json(body));
    let (evidence, each) = match are_json {
        true => (Evidence::Json, "a JSON value"),
        false => (Evidence::Text, "UTF-8 text"),
    };
    is_text.then(|| Found {
        codec: Codec::Text(Encoding::UTF_8),
        framing: framed.framing,
        evidence,
        strength: Strength::Sure,
        reason: format!("{} messages, each {each} behind its length", bodies.len()),
    })
}

/// What there is of lines in text.
struct Lines {
    /// How many have an end.
    count: usize,
    /// How many chunks there are, of a side that has ended without the last one: the last line needs no end.
    chunks: usize,
    /// How many of them end where a line does.
    ending: usize,
    /// Whether each line that has anything in it is a JSON object or array, as far as it was seen.
    are_json: bool,
    begins_json: bool,
    each_chunk_is_json: bool,
    /// Whether the last line has its end.
    are_whole: bool,
    next: Next,
    /// Whether the chunks that end within a line are large and of one size: full segments, or full reads.
    are_segments: bool,
    /// How many chunks hold a line's end, and of how many of those it is the last byte.
    with_end: usize,
}

impl Lines {
    fn of(sample: &Sample<'_>) -> Lines {
        let bytes = sample.bytes;
        let (whole, begun) = bytes.split_at(memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1));
        let mut filled = whole
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty());
        let is_begun_json = match sample.is_ended() {
            _ if begun.trim_ascii().is_empty() => true,
            true => is_json(begun),
            false => begins_json(begun),
        };
        let last = sample.ends.len().saturating_sub(1);
        let taken = |index: &usize| !(sample.is_ended() && *index == last && last > 0);
        let chunks = || {
            sample.chunks().enumerate().filter(|(index, _)| taken(index)).map(|(_, chunk)| chunk)
        };
        let ends = |chunk: &&[u8]| chunk.ends_with(b"\n");
        Lines {
            count: memchr::memchr_iter(b'\n', bytes).count(),
            chunks: chunks().count(),
            ending: chunks().filter(ends).count(),
            are_json: is_begun_json && filled.all(is_json),
            begins_json: begins_json(bytes),
            each_chunk_is_json: sample.chunks().all(is_json),
            are_whole: begun.is_empty(),
            next: sample.next,
            are_segments: are_segments(chunks().filter(|chunk| !ends(chunk)).map(<[u8]>::len)),
            with_end: chunks().filter(|chunk| memchr::memchr(b'\n', chunk).is_some()).count(),
        }
    }

    /// Why they are lines though chunks end within them.
    fn are_cut(&self) -> Option<&'static str> {
        if self.are_whole && self.next != Next::Unknown {
            Some("what was said ends with one")
        } else if self.are_segments && self.next != Next::End {
            Some("only full segments end within one")
        } else if self.ending * 2 >= self.chunks && self.chunks > 0 {
            Some("most chunks end with one")
        } else if self.ending == self.with_end && self.ending > 2 {
            Some("where chunks hold a line's end, they end with it")
        } else {
            None
        }
    }
}

/// Whether several chunks of these lengths are as large as chunks can be, all of them.
fn are_segments(mut lengths: impl Iterator<Item = usize>) -> bool {
    let first = lengths.next().filter(|first| *first >= SEGMENT);
    let mut others = 0;
    lengths.all(|length| {
        others += 1;
        Some(length) == first
    }) && first.is_some()
        && others > 0
}

/// Why the bytes are no text; where more may follow a character may be cut at their end.
fn not_text(bytes: &[u8], may_go_on: bool) -> Option<String> {
    let cut = if may_go_on { unfinished(bytes) } else { 0 };
    let whole = bytes.len() - cut;
    if whole == 0 {
        return Some("the bytes are less than a UTF-8 character".to_owned());
    }
    if bytes[..whole].chunks(64).all(is_plain) {
        return None;
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

/// Whether there is nothing but ASCII that text has; of all bytes at once, as processors compare them so.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.iter().fold(true, |plain, byte| {
        plain & (matches!(byte, b' '..=b'~') | matches!(byte, b'\n' | b'\r' | b'\t'))
    })
}
