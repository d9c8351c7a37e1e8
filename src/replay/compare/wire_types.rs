//! Protocol Buffers without a schema: how a number was written is no part of its value, but of what it is.

use super::live::Live;
use super::marks::Marks;
use crate::replay::document::Document;
use crate::wire::Codec;
use crate::wire::protobuf::wire_types;

/// The first field that two messages of equal values write otherwise, of those that are not left out.
pub(super) fn written_otherwise(
    left: &Live<'_>,
    right: &Live<'_>,
    is_left_out: impl Fn(u32) -> bool,
) -> Option<u32> {
    let by_number = |live: &Live<'_>| *live.format.codec() == Codec::Protobuf(None);
    if left.raw == right.raw || !by_number(left) || !by_number(right) {
        return None;
    }
    let types = |live: &Live<'_>| wire_types(live.format.framing().unwrap(live.raw)).ok();
    let (left, right) = (types(left)?, types(right)?);
    let otherwise = |number: &&u32| right.get(number) != left.get(number) && !is_left_out(**number);
    left.keys().find(otherwise).copied()
}

/// Whether anything of a field is left out.
pub(super) fn is_left_out(document: &Document, marks: &Marks, number: u32) -> bool {
    let field = document.json.get(number.to_string());
    marks.is_ignored(&document.json) || field.is_none_or(|field| marks.leaves_out(field))
}
