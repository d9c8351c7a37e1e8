//! What came back against what was recorded. Sans-I/O: bytes come in as they arrive.
//!
//! Where the format marks the ends of messages, message is compared with message by value, however
//! the bytes were cut on their way. Else the bytes are compared, position by position, and count as
//! the recorded messages they make up: a peer that cuts them otherwise makes no difference.

use std::collections::VecDeque;

use serde::Serialize;

use crate::message::Message;
use crate::session::Side;
use crate::wire::{Arrival, Decoded, Decoder, Fault, Format, Value};

use super::same::same;
use super::script::Conversation;

/// The longest text in a [`Difference`], in characters.
const EXCERPT: usize = 200;
/// How much that does not differ is shown before what does, in characters.
const CONTEXT: usize = 40;

/// One message that came back otherwise than it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The recorded message's number in its connection; `None` of one that was not recorded.
    pub index: Option<u64>,
    /// Where in its side's bytes it begins: as recorded, or of one that was not, as it came.
    pub offset: u64,
    /// What was recorded.
    pub expected: Option<String>,
    /// What came.
    pub got: String,
}

/// Compares one side's live bytes with its recorded ones.
pub struct Comparison<'a> {
    expected: VecDeque<&'a Message>,
    format: &'a Format,
    mode: Mode,
    /// How many recorded messages came, equal or not.
    pub arrived: u64,
    /// How many of them were equal.
    pub matched: u64,
    /// How many of them were not.
    pub differing: u64,
    /// How many bytes came.
    pub bytes: u64,
    /// How many bytes came that belong to no recorded message.
    pub unexpected: u64,
    /// The first differences, at most as many as [`Comparison::KEPT`].
    pub differences: Vec<Difference>,
}

enum Mode {
    Messages(Box<Decoder>),
    /// Bytes of the message in front that came already, and whether they are as recorded.
    Bytes {
        heard: Vec<u8>,
    },
}

impl<'a> Comparison<'a> {
    /// How many differences are kept; the others are counted.
    pub const KEPT: usize = 20;

    /// Expects what `side` sent in `conversation`.
    pub fn new(conversation: &'a Conversation, side: Side, format: &'a Format) -> Comparison<'a> {
        let mode = if format.is_delimited() {
            Mode::Messages(Box::new(Decoder::new(format)))
        } else {
            Mode::Bytes { heard: Vec::new() }
        };
        Comparison {
            expected: conversation.steps.iter().filter_map(|step| step.message_of(side)).collect(),
            format,
            mode,
            arrived: 0,
            matched: 0,
            differing: 0,
            bytes: 0,
            unexpected: 0,
            differences: Vec::new(),
        }
    }

    /// How many recorded messages have not come.
    pub fn missed(&self) -> u64 {
        self.expected.len() as u64
    }

    /// Takes bytes that arrived.
    pub fn take(&mut self, arrival: Arrival, bytes: &[u8]) {
        self.step(|decoder, out| decoder.push(arrival, bytes, out), bytes);
    }

    /// The side has ended: what it had begun is all that comes.
    pub fn end(&mut self) {
        self.step(|decoder, out| decoder.end(out), &[]);
        if let Mode::Bytes { heard } = &mut self.mode
            && !heard.is_empty()
        {
            let heard = std::mem::take(heard);
            self.compare_bytes(&heard);
        }
    }

    fn step(
        &mut self,
        decode: impl FnOnce(&mut Decoder, &mut dyn FnMut(Decoded)),
        mut bytes: &[u8],
    ) {
        match &mut self.mode {
            Mode::Messages(decoder) => {
                self.bytes += bytes.len() as u64;
                let mut decoded = Vec::new();
                decode(decoder, &mut |one| decoded.push(one));
                for one in &decoded {
                    self.compare_message(one);
                }
            }
            Mode::Bytes { .. } => {
                while !bytes.is_empty() {
                    bytes = self.fill(bytes);
                }
            }
        }
    }

    /// Adds to the message in front what belongs to it, compares it once whole, and returns the rest.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let Mode::Bytes { heard } = &mut self.mode else { return &[] };
        let Some(front) = self.expected.front() else {
            self.bytes += bytes.len() as u64;
            let offset = self.bytes - bytes.len() as u64;
            self.surplus(offset, bytes.len(), || bytes.escape_ascii().to_string());
            return &[];
        };
        let (taken, rest) = bytes.split_at(bytes.len().min(front.raw.len() - heard.len()));
        heard.extend_from_slice(taken);
        self.bytes += taken.len() as u64;
        if heard.len() == front.raw.len() {
            let whole = std::mem::take(heard);
            self.compare_bytes(&whole);
        }
        rest
    }

    fn compare_bytes(&mut self, heard: &[u8]) {
        let Some(expected) = self.expected.pop_front() else { return };
        let equal = expected.raw == heard;
        self.count(expected, equal, || {
            (expected.raw.escape_ascii().to_string(), heard.escape_ascii().to_string())
        });
    }

    fn compare_message(&mut self, got: &Decoded) {
        let Some(expected) = self.expected.pop_front() else {
            let format = self.format;
            let shown = || shown(format, &got.body, &got.raw);
            return self.surplus(got.offset, got.raw.len(), shown);
        };
        let equal = expected.raw == got.raw
            || matches!((&expected.body, &got.body), (Ok(left), Ok(right)) if same(left, right));
        let format = self.format;
        self.count(expected, equal, || {
            (shown(format, &expected.body, &expected.raw), shown(format, &got.body, &got.raw))
        });
    }

    /// Counts one comparison; `texts` shows what was expected and what came.
    fn count(&mut self, expected: &Message, equal: bool, texts: impl FnOnce() -> (String, String)) {
        self.arrived += 1;
        if equal {
            self.matched += 1;
            return;
        }
        self.differing += 1;
        if self.differences.len() < Comparison::KEPT {
            let (whole_expected, whole_got) = texts();
            let (shown, got) = excerpts(&whole_expected, &whole_got);
            let (index, offset) = (Some(expected.index), expected.offset);
            self.differences.push(Difference { index, offset, expected: Some(shown), got });
        }
    }

    fn surplus(&mut self, offset: u64, length: usize, got: impl FnOnce() -> String) {
        self.unexpected += length as u64;
        if self.differences.len() < Comparison::KEPT {
            let got = excerpt(&got(), 0);
            self.differences.push(Difference { index: None, offset, expected: None, got });
        }
    }
}

fn shown(format: &Format, body: &Result<Value, Fault>, raw: &[u8]) -> String {
    match body {
        Ok(value) => format.write_json(value),
        Err(fault) => format!("{} ({fault})", raw.escape_ascii()),
    }
}

/// Pieces of two texts that show where they begin to differ.
fn excerpts(expected: &str, got: &str) -> (String, String) {
    let pairs = expected.char_indices().zip(got.chars());
    let begin = pairs.take_while(|((_, left), right)| left == right).map(|((at, _), _)| at);
    let common: Vec<usize> = begin.collect();
    // What is common is the same bytes in both, so that a place in one is a place in the other.
    let start = common.len().checked_sub(CONTEXT).map_or(0, |skipped| common[skipped]);
    let whole = expected.len().max(got.len()) <= EXCERPT;
    let start = if whole { 0 } else { start };
    (excerpt(expected, start), excerpt(got, start))
}

fn excerpt(text: &str, start: usize) -> String {
    let before = if start > 0 { "…" } else { "" };
    let rest = &text[start..];
    match rest.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{before}{}…", &rest[..end]),
        None => format!("{before}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_difference_in_long_texts_is_shown() {
        let common = "я".repeat(500);
        let (expected, got) =
            excerpts(&format!("{common}1{common}"), &format!("{common}2{common}"));
        assert_ne!(expected, got);
        assert!(expected.contains("я1я") && got.contains("я2я"), "{expected} {got}");
        assert!(expected.chars().count() <= EXCERPT + 2);
        assert_eq!(excerpts("a", "b"), ("a".to_owned(), "b".to_owned()));
        assert_eq!(
            excerpts(&common, &format!("{common}x")).1,
            format!("…{}x", "я".repeat(CONTEXT))
        );
    }
}
