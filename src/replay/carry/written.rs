//! How the text of a recorded message was written.

use crate::message::Message;
use crate::wire::{self, Encoding, Format, Framing, Value};

/// The format that a message's own bytes are in, and the byte order mark that they begin with. Of `utf-16`
/// a mark that stood long before may have said the byte order.
pub(super) struct Written<'a> {
    message: &'a Message,
    pub(super) format: Format,
    mark: &'a [u8],
}

impl<'a> Written<'a> {
    pub(super) fn of(message: &'a Message, value: &Value) -> Written<'a> {
        let format = &message.format;
        let unmarked =
            |encoding| Written { message, format: format.in_encoding(encoding), mark: &[] };
        let body = format.framing().unwrap(&message.raw);
        let encoding = format.codec().encoding();
        if encoding != Encoding::UTF_16 {
            return unmarked(encoding);
        }
        let begins = message.offset == 0 || format.framing() != Framing::Chunk;
        if let Some(mark @ (b"\xff\xfe" | b"\xfe\xff")) = body.get(..2).filter(|_| begins) {
            return Written { message, format: format.clone(), mark };
        }
        let text = value.as_str(value.root()).unwrap_or_default();
        match Encoding::UTF_16_BE.encode(text) {
            Ok(bytes) if body.starts_with(&bytes) => unmarked(Encoding::UTF_16_BE),
            _ => unmarked(Encoding::UTF_16_LE),
        }
    }

    /// The message's bytes with this text in place of its own.
    pub(super) fn bytes(&self, text: &str) -> Result<Vec<u8>, String> {
        let encoding = match self.mark {
            b"\xfe\xff" => Encoding::UTF_16_BE,
            b"\xff\xfe" => Encoding::UTF_16_LE,
            _ => self.format.codec().encoding(),
        };
        let raw = &self.message.raw;
        let body = [self.mark, &encoding.encode(text)?].concat();
        match self.format.framing() {
            // The terminator stays as it is.
            Framing::Line => {
                let terminator = &raw[raw.len() - encoding.line_end(raw)..];
                Ok([&body, terminator].concat())
            }
            _ => wire::wrap(&self.format, body).map_err(|error| error.to_string()),
        }
    }
}
