//! The messages of `google.protobuf` that have forms of their own in proto3 JSON, and so in values:
//! what a `Timestamp` is in JSON is a string, and that string is its value.
//!
//! A message that has no such form (a time after the year 9999, an `Any` of a type that the schema does
//! not have) is the mapping of its fields, as any other one is.

use std::ops::RangeInclusive;

use super::decode::Decoder;
use super::encode;
use super::layout::Special;
use crate::wire::Value;
use crate::wire::value::{Node, NodeId};

/// How many `Any` may stand in each other and be read as the messages that they hold: each is written
/// again to be sure that it stays what it is.
pub(super) const ANYS: usize = 8;

/// What the key of an `Any`'s type is in JSON.
pub(super) const TYPE: &str = "@type";
/// Where the form of a special message stands in an `Any`'s.
pub(super) const VALUE: &str = "value";

/// The seconds of a `Timestamp`: of the years 1 to 9999.
const TIMESTAMP: RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// The seconds of a `Duration`: 10,000 years in either direction.
const DURATION: RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;

/// Gives the node of a special message its form, if it has one; `entries` are its fields, by place.
pub(super) fn finish(
    decoder: &mut Decoder<'_>,
    number: usize,
    node: NodeId,
    entries: &[(usize, NodeId)],
) -> bool {
    let layout = decoder.layouts.at(number);
    let form = match layout.special {
        Some(Special::Any) => any(decoder, entries),
        Some(Special::Wrapper) => {
            let item = match entries.first() {
                Some(&(_, item)) => item,
                None => match layout.fields.first() {
                    Some(field) => decoder.default(&field.kind),
                    None => return false,
                },
            };
            Some(decoder.value.node(item).clone())
        }
        Some(Special::Timestamp) => {
            let text = timestamp(moment(&decoder.value, entries));
            text.map(|text| Node::Str(decoder.value.store(text.as_bytes())))
        }
        Some(Special::Duration) => {
            let text = duration(moment(&decoder.value, entries));
            text.map(|text| Node::Str(decoder.value.store(text.as_bytes())))
        }
        Some(Special::FieldMask) => {
            let text = mask(&decoder.value, entries);
            text.map(|text| Node::Str(decoder.value.store(text.as_bytes())))
        }
        Some(Special::Struct) => {
            Some(only(&decoder.value, entries).unwrap_or(Node::Dict(Default::default())))
        }
        Some(Special::ListValue) => {
            Some(only(&decoder.value, entries).unwrap_or(Node::List(Default::default())))
        }
        Some(Special::Value) => Some(only(&decoder.value, entries).unwrap_or(Node::None)),
        None => return false,
    };
    match form {
        Some(form) => {
            *decoder.value.node_mut(node) = form;
            true
        }
        None => false,
    }
}

/// The one field that is set.
fn only(value: &Value, entries: &[(usize, NodeId)]) -> Option<Node> {
    entries.first().map(|&(_, item)| value.node(item).clone())
}

/// The seconds and nanoseconds of a `Timestamp` or `Duration`.
fn moment(value: &Value, entries: &[(usize, NodeId)]) -> (i64, i64) {
    let part = |wanted| {
        let found = entries.iter().find(|(place, _)| *place == wanted);
        match found.map(|&(_, item)| value.node(item)) {
            Some(Node::Int(integer)) => *integer,
            _ => 0,
        }
    };
    (part(0), part(1))
}

/// As RFC 3339 writes it, in UTC.
fn timestamp((seconds, nanos): (i64, i64)) -> Option<String> {
    let nanos = i32::try_from(nanos).ok().filter(|nanos| (0..1_000_000_000).contains(nanos))?;
    let is_in_range = TIMESTAMP.contains(&seconds);
    is_in_range.then(|| prost_types::Timestamp { seconds, nanos }.to_string())
}

/// The seconds and nanoseconds of what RFC 3339 writes so.
pub(super) fn read_timestamp(text: &str) -> Option<(i64, i32)> {
    let prost_types::Timestamp { seconds, nanos } = text.parse().ok()?;
    TIMESTAMP.contains(&seconds).then_some((seconds, nanos))
}

/// In seconds, with an `s` behind them.
fn duration((seconds, nanos): (i64, i64)) -> Option<String> {
    let nanos = i32::try_from(nanos).ok().filter(|nanos| nanos.abs() < 1_000_000_000)?;
    let have_one_sign = seconds.signum() * i64::from(nanos.signum()) >= 0;
    let is_plain = have_one_sign && DURATION.contains(&seconds);
    is_plain.then(|| prost_types::Duration { seconds, nanos }.to_string())
}

/// The seconds and nanoseconds of so many seconds.
pub(super) fn read_duration(text: &str) -> Option<(i64, i32)> {
    let prost_types::Duration { seconds, nanos } = text.parse().ok()?;
    DURATION.contains(&seconds).then_some((seconds, nanos))
}

/// The paths in camel case, with commas between them.
fn mask(value: &Value, entries: &[(usize, NodeId)]) -> Option<String> {
    let Some(&(_, paths)) = entries.first() else { return Some(String::new()) };
    let Node::List(paths) = value.node(paths) else { return None };
    let paths: Option<Vec<_>> =
        value.items(*paths).iter().map(|&path| camel(value.as_str(path)?)).collect();
    paths.map(|paths| paths.join(","))
}

/// The paths of what [`mask`] writes.
pub(super) fn read_mask(text: &str) -> Vec<String> {
    let paths = text.split(',').filter(|path| !path.is_empty());
    paths
        .map(|path| {
            let mut snake = String::new();
            for c in path.chars() {
                if c.is_ascii_uppercase() {
                    snake.push('_');
                }
                snake.push(c.to_ascii_lowercase());
            }
            snake
        })
        .collect()
}

/// A path in camel case, if it can be read back from that.
fn camel(path: &str) -> Option<String> {
    let mut camel = String::new();
    let mut after_underscore = false;
    for c in path.chars() {
        match c {
            ',' | 'A'..='Z' => return None,
            '_' if after_underscore => return None,
            '_' => after_underscore = true,
            'a'..='z' if after_underscore => {
                camel.push(c.to_ascii_uppercase());
                after_underscore = false;
            }
            _ if after_underscore => return None,
            c => camel.push(c),
        }
    }
    (!after_underscore && !path.is_empty()).then_some(camel)
}

/// The message that an `Any` holds, with its type, if it is known and written back to the same bytes.
fn any(decoder: &mut Decoder<'_>, entries: &[(usize, NodeId)]) -> Option<Node> {
    let layouts = decoder.layouts;
    let part = |wanted| entries.iter().find(|(place, _)| *place == wanted).map(|&(_, item)| item);
    let url = part(0)?;
    let place = layouts.find(type_name(decoder.value.as_str(url)?)?)?;
    let bytes = match part(1) {
        Some(item) => decoder.value.as_bytes(item)?.to_vec(),
        None => Vec::new(),
    };
    let node = decoder.read_any(place, &bytes)?;
    if encode::written(layouts, place, &decoder.value, node).ok()? != bytes {
        return None;
    }
    let mut form = vec![(decoder.value.add_str(TYPE), url)];
    if layouts.at(place).special.is_some() {
        form.push((decoder.value.add_str(VALUE), node));
    } else {
        let Node::Dict(fields) = decoder.value.node(node) else { return None };
        form.extend_from_slice(decoder.value.entries(*fields));
    }
    Some(Node::Dict(decoder.value.store_entries(form)))
}

/// The full name of the message that an `Any` says it holds.
pub(super) fn type_name(url: &str) -> Option<&str> {
    url.rsplit_once('/').map(|(_, name)| name).filter(|name| !name.is_empty())
}
