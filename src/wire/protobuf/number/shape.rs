//! What bytes look like from outside: whether they are a message, and which of its fields belong together.

use std::collections::HashMap;

use prost::encoding::encoded_len_varint;

use super::super::scan::{self, Payload, Wire};
use crate::wire::value::NodeId;

/// Brings the occurrences of each field together, at the place of the first.
pub(super) fn gather(fields: &mut [(u32, NodeId)]) {
    let mut first: HashMap<u32, usize> = HashMap::with_capacity(fields.len());
    for (place, (number, _)) in fields.iter().enumerate() {
        first.entry(*number).or_insert(place);
    }
    fields.sort_by_key(|(number, _)| first[number]);
}

/// Whether bytes are the fields of a message with at most so many groups in each other, and are written
/// back as they are: varints no longer than they need be, occurrences of a field next to each other.
/// What stands in length-delimited fields is passed over.
pub(super) fn is_message(bytes: &[u8], levels: usize) -> bool {
    /// Whether all of these are different.
    fn are_distinct(numbers: &mut [u32]) -> bool {
        if numbers.is_sorted_by(|one, other| one < other) {
            return true;
        }
        numbers.sort_unstable();
        numbers.windows(2).all(|pair| pair[0] != pair[1])
    }
    let is_shortest = |at: usize| match scan::varint(bytes, at) {
        Ok(Some((bits, end))) => encoded_len_varint(bits) == end - at,
        _ => false,
    };
    // Of each message or group that is open: its number, and where its fields begin in `numbers`.
    let mut open: Vec<(u32, usize)> = vec![(0, 0)];
    let mut numbers: Vec<u32> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let Ok(Some(tag)) = scan::tag(bytes, at) else { return false };
        let Ok(Some((payload, end))) = scan::payload(bytes, tag) else { return false };
        let has_varint = matches!(payload, Payload::Varint(_) | Payload::Length(_));
        if !is_shortest(at) || has_varint && !is_shortest(tag.end) {
            return false;
        }
        at = end;
        if tag.wire == Wire::GroupEnd {
            let Some((number, first)) = open.pop() else { return false };
            if number != tag.number || !are_distinct(&mut numbers[first..]) {
                return false;
            }
            numbers.truncate(first);
            continue;
        }
        let first = open.last().map_or(0, |(_, first)| *first);
        if numbers[first..].last() != Some(&tag.number) {
            numbers.push(tag.number);
        }
        if tag.wire == Wire::GroupStart {
            if open.len() > levels {
                return false;
            }
            open.push((tag.number, numbers.len()));
        }
    }
    open.len() == 1 && are_distinct(&mut numbers)
}
