//! Whether one live message is what was recorded, by the rules.

#![allow(dead_code)] // until rules are applied

use std::collections::VecDeque;

use super::difference::excerpts;
use crate::message::Message;
use crate::replay::carry::Carried;
use crate::replay::rules::{Compare, Rules};
use crate::replay::same::same;
use crate::session::Side;
use crate::wire::{Codec, Decoded, Fault, Format, Framing, Value};

/// Judges the messages of one side of one connection.
pub(super) struct Judge<'a> {
    format: &'a Format,
    /// How what differs is decoded, where message ends do not stand in the bytes.
    apart: Format,
    rules: &'a Rules,
    carried: Carried,
}

/// A live message.
pub(super) struct Live<'l> {
    pub(super) raw: &'l [u8],
    pub(super) format: &'l Format,
    pub(super) value: Option<&'l Value>,
    pub(super) fault: Option<&'l Fault>,
    pub(super) unknown: Option<&'l Value>,
}

/// What came of comparing two messages.
pub(super) enum Verdict {
    Equal,
    Differing(Vec<Place>),
    /// The rules left nothing to compare.
    Ignored,
    /// Nothing is to be compared.
    Uncompared,
}

/// A place at which two messages differ.
pub(super) struct Place {
    pub(super) path: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) got: Option<String>,
    pub(super) note: Option<String>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(_side: Side, format: &'a Format, rules: &'a Rules) -> Judge<'a> {
        let framing = match (format.codec(), format.framing()) {
            (Codec::Pickle, Framing::Chunk | Framing::Idle(_)) => Framing::Codec,
            (Codec::Protobuf(Some(_)), Framing::Chunk) => Framing::Guess,
            (_, framing) => framing,
        };
        let apart = format.with_framing(framing);
        Judge { format, apart, rules, carried: Carried::default() }
    }

    pub(super) fn format(&self) -> &'a Format {
        self.format
    }

    pub(super) fn apart(&self) -> &Format {
        &self.apart
    }

    pub(super) fn carried(&self) -> &Carried {
        &self.carried
    }

    /// Whether anything is compared.
    pub(super) fn compares(&self) -> bool {
        self.rules.compare != Compare::None
    }

    /// Whether the format cuts nothing and decodes nothing.
    pub(super) fn is_raw(&self) -> bool {
        *self.format.codec() == Codec::Raw
    }

    /// Whether messages that differ in bytes may be equal in value.
    pub(super) fn has_values(&self) -> bool {
        self.rules.compare == Compare::Values
            && !matches!(self.format.codec(), Codec::Raw | Codec::Text | Codec::Auto)
    }

    /// The rules that found nothing to do; `waiting` are the messages that have not come.
    pub(super) fn unused(&self, _waiting: &VecDeque<&Message>) -> Vec<String> {
        Vec::new()
    }

    /// Whether two messages are the same.
    pub(super) fn is_as(&self, expected: &Message, got: &Live<'_>) -> bool {
        expected.raw == got.raw
            || self.rules.compare == Compare::Values
                && matches!((&expected.body, got.value), (Ok(left), Some(right)) if same(left, right))
    }

    pub(super) fn judge(&mut self, expected: &Message, got: &Live<'_>) -> Verdict {
        if self.rules.compare == Compare::None {
            return Verdict::Uncompared;
        }
        if self.is_as(expected, got) {
            return Verdict::Equal;
        }
        let (left, right) = excerpts(&Live::of(expected).show(), &got.show());
        Verdict::Differing(vec![Place {
            path: None,
            expected: Some(left),
            got: Some(right),
            note: None,
        }])
    }
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

    /// The whole of it, for a person.
    pub(super) fn show(&self) -> String {
        match (self.value, self.fault) {
            (Some(value), _) if *self.format.codec() != Codec::Raw => self.format.write_json(value),
            (_, Some(fault)) => format!("{} ({fault})", self.raw.escape_ascii()),
            (_, None) => self.raw.escape_ascii().to_string(),
        }
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
