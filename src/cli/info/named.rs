//! What a side's bytes are: as it is known, else by their looks.

use super::census::Counts;
use crate::message::FormatsByCapture;
use crate::session::Side;
use crate::wire::{Codec, Format};

/// The format of a side that sent something: as it is known, else by its looks.
pub(super) fn format_of(formats: &FormatsByCapture, counts: &Counts, side: Side) -> Option<String> {
    let one = &counts.sides[side.index()];
    let looks = || one.looks_like().map(|(format, _)| format.to_string());
    let known = known_format(formats, counts, side).map(|format| format.to_string());
    known.or_else(looks).filter(|_| one.bytes > 0)
}

/// Why it is that format, where it was found out by its looks.
pub(super) fn reason_of<'a>(
    formats: &FormatsByCapture,
    counts: &'a Counts,
    side: Side,
) -> Option<&'a str> {
    let looks = counts.sides[side.index()].looks_like();
    let is_known = known_format(formats, counts, side).is_some();
    looks.filter(|_| !is_known).map(|(_, reason)| reason)
}

/// The format that was given, recorded or configured, unless that is to find it out.
fn known_format<'a>(
    formats: &'a FormatsByCapture,
    counts: &Counts,
    side: Side,
) -> Option<&'a Format> {
    let known = formats.of(counts.capture, Some(counts.server.port())).of(side);
    Some(known).filter(|format| *format.codec() != Codec::Auto)
}
