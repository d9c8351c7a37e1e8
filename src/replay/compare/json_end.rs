//! Where text ends that is JSON: however it is cut, and whatever follows at once.

use json_event_parser::{JsonEvent, LowLevelJsonParser};

use crate::message::Message;
use crate::replay::document::is_json;
use crate::wire::framing::MAXIMUM_LENGTH;

/// Looks for the end of an object or array in text that comes bit by bit.
pub(super) struct JsonEnd {
    parser: LowLevelJsonParser,
    /// How much was looked at.
    at: usize,
    depth: usize,
    /// Where the value ends, once it has.
    end: Option<usize>,
    /// What follows the value in the recorded message, such as a line's end.
    trailer: Vec<u8>,
}

/// Where a message ends.
pub(super) enum End {
    /// More is to come of it.
    Unknown,
    /// After so many bytes.
    At(usize),
}

impl JsonEnd {
    /// For a message in place of `recorded`, if that is JSON.
    pub(super) fn like(recorded: &Message) -> Option<JsonEnd> {
        let value = recorded.body.as_ref().ok()?;
        let text = value.as_str(value.root())?;
        if !is_json(text) {
            return None;
        }
        let trailer = text.as_bytes()[text.trim_ascii_end().len()..].to_vec();
        Some(JsonEnd { parser: LowLevelJsonParser::new(), at: 0, depth: 0, end: None, trailer })
    }

    /// Looks at `text`, which has grown since the last time. What is no JSON ends with what is there.
    pub(super) fn find(&mut self, text: &[u8]) -> End {
        let Some(end) = self.end.or_else(|| self.find_value(text)) else { return End::Unknown };
        self.end = Some(end);
        let follows = &text[end.min(text.len())..];
        let common = follows.len().min(self.trailer.len());
        if follows[..common] != self.trailer[..common] {
            return End::At(end);
        }
        match common == self.trailer.len() {
            true => End::At(end + common),
            false => End::Unknown,
        }
    }

    fn find_value(&mut self, text: &[u8]) -> Option<usize> {
        if text.len() > MAXIMUM_LENGTH {
            return Some(text.len());
        }
        loop {
            let parsed = self.parser.parse_next(&text[self.at..], false);
            self.at += parsed.consumed_bytes;
            match parsed.event? {
                Err(_) | Ok(JsonEvent::Eof) => return Some(text.len()),
                Ok(JsonEvent::StartArray | JsonEvent::StartObject) => self.depth += 1,
                Ok(JsonEvent::EndArray | JsonEvent::EndObject) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.at);
                    }
                }
                // A value that is no container ends with what is there.
                Ok(_) if self.depth == 0 => return Some(text.len()),
                Ok(_) => {}
            }
        }
    }
}
