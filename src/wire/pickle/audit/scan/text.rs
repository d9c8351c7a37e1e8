//! Texts that names may come from.

use std::ops::Range;
use std::rc::Rc;

use super::super::super::opcode::*;
use super::super::super::text::{quoted_string, raw_unicode_escape};

/// The longest that is decoded, in bytes.
const LONGEST: usize = 4 << 10;

/// A text that an opcode pushes.
#[derive(Clone)]
pub(super) enum Text {
    /// As it stands there.
    At(Range<usize>),
    /// Without its escapes.
    Decoded(Rc<[u8]>),
}

impl Text {
    /// What the opcode pushes whose argument this is; `None` for what is no text, and where that depends
    /// on who reads it.
    pub(super) fn pushed(opcode: u8, bytes: &[u8], argument: &Range<usize>) -> Option<Text> {
        let written = &bytes[argument.clone()];
        let plain = || written.is_ascii() && !written.contains(&b'\\');
        match opcode {
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 => Some(Text::At(argument.clone())),
            // What other characters are is for the reader's encoding to say.
            SHORT_BINSTRING | BINSTRING if written.is_ascii() => Some(Text::At(argument.clone())),
            UNICODE if plain() => Some(Text::At(argument.clone())),
            UNICODE if written.len() <= LONGEST => {
                raw_unicode_escape(written).ok().map(|text| Text::Decoded(text.into()))
            }
            STRING if written.len() <= LONGEST => {
                let text = quoted_string(written).ok().filter(|text| text.is_ascii());
                text.map(|text| Text::Decoded(text.into()))
            }
            _ => None,
        }
    }

    pub(super) fn of<'t>(&'t self, bytes: &'t [u8]) -> &'t [u8] {
        match self {
            Text::At(range) => &bytes[range.clone()],
            Text::Decoded(text) => text,
        }
    }
}
