//! The messages that have forms of their own, see [`special`](super::super::special).

use prost::encoding::{WireType, encode_key, encode_varint};

use super::super::layout::{Layout, Special};
use super::super::special::{TYPE, VALUE, read_duration, read_mask, read_timestamp, type_name};
use super::path::Path;
use super::scalar::length_delimited;
use super::{Encoder, Level, Result, with_length};
use crate::wire::value::{Node, NodeId};

impl Encoder<'_> {
    /// Writes a special message in its form; false if it is given by its fields.
    pub(super) fn special(
        &self,
        special: Special,
        layout: &Layout,
        id: NodeId,
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<bool> {
        let node = self.value.node(id);
        match (special, node) {
            (Special::Any, Node::Dict(entries)) => {
                return self.any(self.value.entries(*entries), level, bytes);
            }
            (Special::Struct, Node::Dict(_))
            | (Special::ListValue, Node::List(_) | Node::Tuple(_)) => {
                self.field(&layout.fields[0], id, level, bytes)?;
            }
            (Special::Value, _) => {
                // In the order of their numbers: null, number, string, bool, struct, list.
                let place = match node {
                    Node::None => 0,
                    Node::Int(_) | Node::BigInt(_) | Node::Float(_) => 1,
                    Node::Str(_) => 2,
                    Node::Bool(_) => 3,
                    Node::Dict(_) => 4,
                    Node::List(_) | Node::Tuple(_) => 5,
                    _ => return Err(self.complain(level.path, "JSON must stand here", id)),
                };
                self.element(&layout.fields[place], None, id, level, bytes)?;
            }
            // By their fields, or nothing that they can be.
            (_, Node::Dict(_)) => return Ok(false),
            (Special::Wrapper, _) => self.singular(&layout.fields[0], id, level, bytes)?,
            (Special::Timestamp, Node::Str(_)) => {
                let text = self.value.as_str(id).unwrap_or_default();
                let moment = read_timestamp(text).ok_or_else(|| {
                    let what = "a time such as 1972-01-01T10:00:20.021Z must stand here";
                    self.complain(level.path, what, id)
                })?;
                write_moment(moment, bytes);
            }
            (Special::Duration, Node::Str(_)) => {
                let text = self.value.as_str(id).unwrap_or_default();
                let moment = read_duration(text).ok_or_else(|| {
                    self.complain(level.path, "a duration such as 1.5s must stand here", id)
                })?;
                write_moment(moment, bytes);
            }
            (Special::FieldMask, Node::Str(_)) => {
                for path in read_mask(self.value.as_str(id).unwrap_or_default()) {
                    encode_key(1, WireType::LengthDelimited, bytes);
                    length_delimited(path.as_bytes(), bytes);
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Writes an `Any` with the message that it holds; false if it is given by its fields.
    fn any(
        &self,
        entries: &[(NodeId, NodeId)],
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<bool> {
        let is_type = |(key, _): &&(NodeId, NodeId)| self.value.as_str(*key) == Some(TYPE);
        let Some(&(_, url)) = entries.iter().find(is_type) else { return Ok(false) };
        let place = self.value.as_str(url).and_then(type_name);
        let Some(place) = place.and_then(|name| self.layouts.find(name)) else {
            let what = "@type names a message of the schema as type.googleapis.com/NAME";
            return Err(self.complain(level.path, what, url));
        };
        let layout = self.layouts.at(place);
        encode_key(1, WireType::LengthDelimited, bytes);
        length_delimited(self.value.as_str(url).unwrap_or_default().as_bytes(), bytes);
        let start = bytes.len();
        encode_key(2, WireType::LengthDelimited, bytes);
        let content = bytes.len();
        let inner = Level { inside: None, depth: level.depth + 1, ..level };
        with_length(bytes, |bytes| {
            if layout.special.is_none() {
                let fields: Vec<_> = entries.iter().filter(|one| !is_type(one)).copied().collect();
                return match inner.depth > super::MAXIMUM_DEPTH {
                    true => Err(format!("{} is nested too deep", level.path)),
                    false => self.fields(layout, &fields, inner, bytes),
                };
            }
            let is_value = |(key, _): &&(NodeId, NodeId)| self.value.as_str(*key) == Some(VALUE);
            match entries.iter().find(is_value) {
                Some(&(_, item)) => {
                    let path = Path::Field(level.path, VALUE);
                    self.message(place, item, inner.at(&path), bytes)
                }
                None => Err(format!("{}{VALUE:?} is missing", level.path.prefix())),
            }
        })?;
        if bytes[content..] == [0] {
            bytes.truncate(start);
        }
        Ok(true)
    }
}

/// Writes seconds and nanoseconds, where they are not 0.
fn write_moment((seconds, nanos): (i64, i32), bytes: &mut Vec<u8>) {
    for (number, part) in [(1, seconds), (2, i64::from(nanos))] {
        if part != 0 {
            encode_key(number, WireType::Varint, bytes);
            encode_varint(part as u64, bytes);
        }
    }
}
