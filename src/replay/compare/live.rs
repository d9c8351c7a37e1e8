//! A live message, however it was found.

use crate::message::Message;
use crate::wire::{Codec, Decoded, Fault, Format, Value};

/// A live message.
#[derive(Clone, Copy)]
pub(super) struct Live<'l> {
    pub(super) raw: &'l [u8],
    pub(super) format: &'l Format,
    pub(super) value: Option<&'l Value>,
    pub(super) fault: Option<&'l Fault>,
    /// The fields that the schema does not know.
    pub(super) unknown: Option<&'l Value>,
}

impl<'l> Live<'l> {
    /// A recorded message, as if it had come again.
    pub(super) fn of(message: &'l Message) -> Live<'l> {
        Live {
            raw: &message.raw,
            format: &message.format,
            value: message.body.as_ref().ok(),
            fault: message.body.as_ref().err(),
            unknown: message.unknown.as_ref(),
        }
    }

    /// Whether it has the bytes of a recorded message, and they mean the same: in another encoding they
    /// are another text.
    pub(super) fn repeats(&self, recorded: &Message) -> bool {
        recorded.raw == self.raw
            && recorded.format.codec().encoding() == self.format.codec().encoding()
    }

    /// The whole of it, for a person.
    pub(super) fn show(&self) -> String {
        match (self.value, self.fault) {
            (Some(value), _) if *self.format.codec() != Codec::Raw => self.format.write_json(value),
            (_, Some(fault)) => format!("{} ({fault})", self.show_bytes()),
            (_, None) => self.show_bytes(),
        }
    }

    /// Its bytes, for a person.
    pub(super) fn show_bytes(&self) -> String {
        self.raw.escape_ascii().to_string()
    }
}

impl<'l> From<&'l Decoded> for Live<'l> {
    fn from(decoded: &'l Decoded) -> Live<'l> {
        Live {
            raw: &decoded.raw,
            format: &decoded.format,
            value: decoded.body.as_ref().ok(),
            fault: decoded.body.as_ref().err(),
            unknown: decoded.unknown.as_ref(),
        }
    }
}
