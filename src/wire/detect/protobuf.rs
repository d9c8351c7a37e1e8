//! Protocol Buffers messages, each behind its length, of whatever schema.
//!
//! Nearly any few bytes are fields. What tells is that the same fields come again in one message after
//! the other, in ascending order, and end where the message does. It is counted in bits: how often
//! bytes chosen by chance would not have gone on like that.

use std::collections::HashMap;

use super::framed::Framed;
use super::{Evidence, Found, Strength};
use crate::wire::protobuf::scan::{self, Payload, Wire};
use crate::wire::{Codec, Framing};

/// The highest field number that counts as one somebody chose.
const HIGHEST: u32 = 4095;
/// How many messages are seen at least.
const SEVERAL: usize = 3;
/// A tag that was seen before, in its place: one of a few among 256 bytes.
const SEEN_BEFORE: usize = 6;
/// The last field ends where the message does.
const ENDS_THERE: usize = 2;
/// How many fields of a message count.
const COUNTED: usize = 16;
/// How many bits are no chance.
const ENOUGH: usize = 40;

/// Messages behind their lengths.
pub(super) fn framed(framed: &Framed<'_>) -> Option<Found> {
    let mut types = HashMap::new();
    let mut bits = 0;
    for body in &framed.bodies {
        bits +=
            of_length(framed.framing) + ENDS_THERE + SEEN_BEFORE * fields(body, &mut types, true)?;
    }
    fields(framed.begun, &mut types, false)?;
    let count = framed.bodies.len() + framed.empty;
    (framed.bodies.len() >= SEVERAL && bits >= ENOUGH).then(|| Found {
        codec: Codec::Protobuf(None),
        framing: framed.framing,
        evidence: Evidence::Fields,
        strength: Strength::Sure,
        reason: format!("{count} messages, each whole fields behind its length, {}", named(&types)),
    })
}

/// Chunks that are messages without a length each.
pub(super) fn unframed<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut types = HashMap::new();
    let (mut count, mut bits) = (0, 0);
    for chunk in chunks {
        let Some(seen) = fields(chunk, &mut types, true) else { return false };
        count += 1;
        bits += ENDS_THERE + SEEN_BEFORE * seen;
    }
    count >= SEVERAL && bits >= ENOUGH
}

/// How many bits a plausible length is worth: the upper bytes of a wide one are zero.
fn of_length(framing: Framing) -> usize {
    match framing {
        Framing::Prefix(prefix) => match prefix.width() {
            1 => 0,
            2 => 6,
            4 => 16,
            _ => 32,
        },
        _ => 0,
    }
}

/// How many fields of a message were seen before it, each with the wire type it had; `None` if it is none
/// that an encoder writes which keeps to the fields' order, or one whose fields have other types.
fn fields(body: &[u8], types: &mut HashMap<u32, Wire>, is_whole: bool) -> Option<usize> {
    let (mut at, mut last, mut seen) = (0, 0, 0);
    while at < body.len() {
        let Some(tag) = scan::tag(body, at).ok()? else { return (!is_whole).then_some(0) };
        let is_group = matches!(tag.wire, Wire::GroupStart | Wire::GroupEnd);
        if is_group || tag.number < last || tag.number > HIGHEST || is_padded(&body[at..tag.end]) {
            return None;
        }
        match types.insert(tag.number, tag.wire) {
            Some(wire) if wire != tag.wire => return None,
            Some(_) => seen += 1,
            None => {}
        }
        let Some((payload, end)) = scan::payload(body, tag).ok()? else {
            return (!is_whole).then_some(0);
        };
        let varint = match payload {
            Payload::Varint(_) => &body[tag.end..end],
            Payload::Length(content) => &body[tag.end..end - content.len()],
            _ => &[],
        };
        if is_padded(varint) {
            return None;
        }
        (at, last) = (end, tag.number);
    }
    Some(seen.min(COUNTED))
}

/// Whether a varint is longer than it has to be.
fn is_padded(varint: &[u8]) -> bool {
    varint.len() > 1 && varint.last() == Some(&0)
}

/// The fields' numbers, in words.
fn named(types: &HashMap<u32, Wire>) -> String {
    let mut numbers: Vec<u32> = types.keys().copied().collect();
    numbers.sort_unstable();
    let more = if numbers.len() > 8 { " and more" } else { "" };
    numbers.truncate(8);
    let numbers: Vec<String> = numbers.iter().map(u32::to_string).collect();
    format!("numbered {}{more}", numbers.join(", "))
}
