//! The program that takes one `recv` for one message: what it makes of one read.

use std::sync::Arc;

use super::finding::Trouble;
use crate::wire::{Arrival, Codec, Decoded, Decoder, Format, Framing, Settings};

/// What stands in a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Contents {
    /// How many messages are whole.
    pub(super) whole: u64,
    /// How many have bytes in it.
    pub(super) touched: u64,
    pub(super) begins_inside: bool,
    pub(super) ends_inside: bool,
    /// Whether one of them cannot be decoded by anybody.
    pub(super) undecodable: bool,
    /// Whether that is the first.
    pub(super) first_undecodable: bool,
}

/// What goes wrong when a program takes `bytes` for one message; `None` if they are one.
///
/// Python's own rules decide, as our decoders keep to them, and not where the read ends: bytes out of the
/// middle of a message are a value as often as they are an error.
pub(super) fn trouble(format: &Format, bytes: &[u8], contents: Contents) -> Option<Trouble> {
    let Contents { whole, touched, begins_inside, ends_inside, .. } = contents;
    let is_one = whole == 1 && touched == 1;
    if *format.codec() == Codec::Pickle {
        // `loads` takes the first and does not look at what follows it.
        return match (!begins_inside && whole > 0, contents.first_undecodable) {
            (true, true) => Some(Trouble::Undecodable),
            (true, false) => (!is_one).then_some(Trouble::Lost),
            (false, _) if is_value(format, bytes) => Some(Trouble::Part),
            (false, _) if contents.undecodable && !begins_inside => Some(Trouble::Undecodable),
            (false, _) => Some(Trouble::Raises),
        };
    }
    if !is_value(format, bytes) {
        let own = contents.undecodable && !begins_inside && !ends_inside;
        return Some(if own { Trouble::Undecodable } else { Trouble::Raises });
    }
    match (is_one, touched, format.codec()) {
        (true, ..) => None,
        (_, 0 | 1, _) => Some(Trouble::Part),
        (_, _, Codec::Protobuf(_)) => Some(Trouble::Merged),
        _ => Some(Trouble::Clumped),
    }
}

/// Whether a program that knows of a prefix, leaves out as many bytes of its read and takes the rest for one
/// message would have a value.
fn is_value(format: &Format, bytes: &[u8]) -> bool {
    let whole = match format.codec() {
        Codec::Pickle => Framing::Codec,
        _ => Framing::Chunk,
    };
    let body = format.framing().unwrap(bytes);
    let mut format = format.with_framing(whole);
    if format.settings().resync {
        // Looking for the next message is what such a program does not do.
        let settings = Settings { resync: false, ..Settings::clone(format.settings()) };
        format = format.with_settings(&Arc::new(settings));
    }
    let mut decoder = Decoder::new(&format);
    let mut found: Option<bool> = None;
    let mut take = |decoded: Decoded| {
        let is_value = decoded.body.is_ok() && *decoded.format.codec() != Codec::Raw;
        // Of pickles the first alone is looked at.
        found = Some(match (found, whole) {
            (Some(before), Framing::Chunk) => before && is_value,
            (Some(before), _) => before,
            (None, _) => is_value,
        });
    };
    decoder.push(Arrival::default(), body, &mut take);
    decoder.end(&mut take);
    // Of no bytes at all a text is empty, a protobuf its defaults, and a pickle an EOFError.
    found.unwrap_or(whole == Framing::Chunk)
}
