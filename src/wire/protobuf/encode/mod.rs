//! A value to a message's bytes, by its layout: fields in the order of their numbers, each once, and
//! behind them those that the schema does not know.

mod path;
mod scalar;
mod special;

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::layout::{Field, Kind, Layout, Layouts, Shape, Special};
use super::scan::Wire;
use super::unknown::{Place, Unknown};
use super::{MAXIMUM_DEPTH, MessageType, number};
use crate::wire::Value;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::{Node, NodeId};
use path::Path;

type Result<T> = std::result::Result<T, String>;

/// The bytes of a message, or why the value is none, with the place in it. Fields that the schema does
/// not know are given as [`decode`](super::decode()) gives them.
///
/// Accepted is what proto3 JSON accepts: fields by their `.proto` or JSON name, 64-bit integers and
/// floats as strings too, bytes also as base64, enums by name or number, `null` for an unset field.
pub fn encode(message: &MessageType, value: &Value, unknown: Option<&Value>) -> Result<Vec<u8>> {
    let unknown = unknown.map(Unknown::of).transpose()?;
    let encoder = Encoder { layouts: message.layouts(), value, unknown: unknown.as_ref() };
    let mut bytes = Vec::new();
    let inside = unknown.as_ref().map(Unknown::outermost);
    encoder.message(0, value.root(), Level { path: &Path::Root, inside, depth: 0 }, &mut bytes)?;
    unknown.map_or(Ok(()), |unknown| unknown.are_all_written())?;
    Ok(bytes)
}

/// The bytes of a message that is a part of a value.
pub(super) fn written(
    layouts: &Layouts,
    place: usize,
    value: &Value,
    id: NodeId,
) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let level = Level { path: &Path::Root, inside: None, depth: 0 };
    Encoder { layouts, value, unknown: None }.message(place, id, level, &mut bytes)?;
    Ok(bytes)
}

struct Encoder<'v> {
    layouts: &'v Layouts,
    value: &'v Value,
    unknown: Option<&'v Unknown<'v>>,
}

/// Where something is written.
#[derive(Clone, Copy)]
struct Level<'p> {
    path: &'p Path<'p>,
    /// The unknown fields of the message.
    inside: Option<Place>,
    /// How many messages it stands in.
    depth: usize,
}

impl<'p> Level<'p> {
    fn at(self, path: &'p Path<'p>) -> Level<'p> {
        Level { path, ..self }
    }
}

impl Encoder<'_> {
    /// Writes the fields of a message; recursion is bounded by [`MAXIMUM_DEPTH`].
    fn message(
        &self,
        place: usize,
        id: NodeId,
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        if level.depth > MAXIMUM_DEPTH {
            return Err(format!("{} is nested deeper than {MAXIMUM_DEPTH}", level.path));
        }
        if bytes.len() > MAXIMUM_LENGTH {
            return Err(format!("it takes more than {MAXIMUM_LENGTH} bytes"));
        }
        let layout = self.layouts.at(place);
        let is_done = match layout.special {
            Some(special) => self.special(special, layout, id, level, bytes)?,
            None => false,
        };
        if !is_done {
            let Node::Dict(entries) = self.value.node(id) else {
                let what = format!("{} is a mapping by field names", layout.name);
                return Err(self.complain(level.path, &what, id));
            };
            self.fields(layout, self.value.entries(*entries), level, bytes)?;
        }
        self.unknown(level, bytes)
    }

    /// Writes the unknown fields of a message.
    fn unknown(&self, level: Level<'_>, bytes: &mut Vec<u8>) -> Result<()> {
        let (Some(unknown), Some(inside)) = (self.unknown, level.inside) else { return Ok(()) };
        unknown.take(inside).iter().try_for_each(|&(number, item)| {
            number::occurrences(unknown.value, number, item, level.depth, bytes)
                .map_err(|reason| format!("{}unknown: {reason}", level.path.prefix()))
        })
    }

    /// Writes the fields that are set, in the order of their numbers.
    fn fields(
        &self,
        layout: &Layout,
        entries: &[(NodeId, NodeId)],
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        for (place, item) in self.set(layout, entries, level.path)? {
            let field = &layout.fields[place];
            let path = level.path.field(&field.name);
            self.field(field, item, level.at(&path), bytes)?;
        }
        Ok(())
    }

    /// The places of the fields that are set, in the order of their numbers.
    fn set(
        &self,
        layout: &Layout,
        entries: &[(NodeId, NodeId)],
        path: &Path<'_>,
    ) -> Result<Vec<(usize, NodeId)>> {
        let mut fields: Vec<(usize, NodeId)> = Vec::with_capacity(entries.len());
        for &(key, item) in entries {
            let Some(name) = self.value.as_str(key) else {
                return Err(self.complain(path, "field names are strings", key));
            };
            // Most often it is the one behind the last.
            let next = fields.last().map_or(0, |(place, _)| place + 1);
            let place = match layout.fields.get(next) {
                Some(field) if field.name == name => next,
                _ => layout.named(name).ok_or_else(|| no_field(layout, name, path))?,
            };
            let is_unset =
                *self.value.node(item) == Node::None && !self.takes_null(&layout.fields[place]);
            if !is_unset {
                fields.push((place, item));
            }
        }
        fields.sort_by_key(|(place, _)| *place);
        let prefix = path.prefix();
        for (at, (place, _)) in fields.iter().enumerate() {
            let field = &layout.fields[*place];
            if at > 0 && fields[at - 1].0 == *place {
                return Err(format!("{prefix}the field {:?} is given twice", field.name));
            }
            let is_other =
                |(other, _): &&(usize, NodeId)| layout.fields[*other].oneof == field.oneof;
            if field.oneof.is_some()
                && let Some((other, _)) = fields[..at].iter().find(is_other)
            {
                let other = &layout.fields[*other].name;
                return Err(format!("{prefix}{other:?} and {:?} exclude each other", field.name));
            }
        }
        if layout.has_required {
            let is_missing = |(place, field): &(usize, &Field)| {
                field.is_required && !fields.iter().any(|(given, _)| given == place)
            };
            if let Some((_, field)) = layout.fields.iter().enumerate().find(is_missing) {
                return Err(format!("{prefix}the required field {:?} is missing", field.name));
            }
        }
        Ok(fields)
    }

    /// Whether `null` is a value of the field, and not that it is unset.
    fn takes_null(&self, field: &Field) -> bool {
        let is_null = match field.kind {
            Kind::Null => true,
            Kind::Message(place) => self.layouts.at(place).special == Some(Special::Value),
            _ => false,
        };
        is_null && field.shape == Shape::Singular
    }

    fn field(
        &self,
        field: &Field,
        id: NodeId,
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        match field.shape {
            Shape::Map => return self.map(field, id, level, bytes),
            Shape::Singular => return self.singular(field, id, level, bytes),
            Shape::List => {}
        }
        let (Node::List(items) | Node::Tuple(items)) = self.value.node(id) else {
            return Err(self.complain(level.path, "a repeated field is a list", id));
        };
        let items = self.value.items(*items);
        let is_packed = field.is_packed && !items.is_empty();
        let write = |bytes: &mut Vec<u8>| {
            items.iter().enumerate().try_for_each(|(index, &item)| {
                let path = level.path.index(index);
                match is_packed {
                    true => self.scalar(&field.kind, item, &path, bytes),
                    false => self.element(field, Some(index), item, level.at(&path), bytes),
                }
            })
        };
        if !is_packed {
            return write(bytes);
        }
        encode_key(field.number, WireType::LengthDelimited, bytes);
        with_length(bytes, write)
    }

    /// Writes a field once, if it has to be written.
    fn singular(
        &self,
        field: &Field,
        id: NodeId,
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let start = bytes.len();
        self.element(field, None, id, level, bytes)?;
        if !field.has_presence {
            // A zero of any width, an empty string; a float that is -0.0 is not all zeros.
            let written = &bytes[start + encoded_len_varint(u64::from(field.number) << 3)..];
            let is_default = match field.wire {
                Wire::Fixed32 | Wire::Fixed64 => written.iter().all(|byte| *byte == 0),
                _ => written == [0],
            };
            if is_default {
                bytes.truncate(start);
            }
        }
        Ok(())
    }

    fn map(&self, field: &Field, id: NodeId, level: Level<'_>, bytes: &mut Vec<u8>) -> Result<()> {
        let Node::Dict(entries) = self.value.node(id) else {
            return Err(self.complain(level.path, "a map is a mapping", id));
        };
        let Kind::Message(entry) = field.kind else { return Ok(()) };
        let [key_field, item_field] = &self.layouts.at(entry).fields[..] else { return Ok(()) };
        for (index, &(key, item)) in self.value.entries(*entries).iter().enumerate() {
            let path = match self.value.as_str(key) {
                Some(key) => level.path.key(key),
                None => level.path.index(index),
            };
            let inside = self.inside(level, &field.name, Some(index));
            let entry = Level { path: &path, inside, depth: level.depth + 1 };
            encode_key(field.number, WireType::LengthDelimited, bytes);
            with_length(bytes, |bytes| {
                self.element(key_field, None, key, entry, bytes)?;
                self.element(item_field, None, item, entry, bytes)?;
                self.unknown(entry, bytes)
            })?;
        }
        Ok(())
    }

    /// The unknown fields of a message in a field of the one that is written.
    fn inside(&self, level: Level<'_>, name: &str, index: Option<usize>) -> Option<Place> {
        self.unknown?.inside(level.inside?, name, index)
    }

    /// Writes one element with its tag: the one of this `index` in a list.
    fn element(
        &self,
        field: &Field,
        index: Option<usize>,
        id: NodeId,
        level: Level<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let wire = match field.wire {
            Wire::Fixed64 => WireType::SixtyFourBit,
            Wire::Fixed32 => WireType::ThirtyTwoBit,
            Wire::Length => WireType::LengthDelimited,
            Wire::GroupStart | Wire::GroupEnd => WireType::StartGroup,
            Wire::Varint => WireType::Varint,
        };
        encode_key(field.number, wire, bytes);
        let Kind::Message(message) = field.kind else {
            return self.scalar(&field.kind, id, level.path, bytes);
        };
        let inside = self.inside(level, &field.name, index);
        let level = Level { inside, depth: level.depth + 1, ..level };
        if wire == WireType::StartGroup {
            self.message(message, id, level, bytes)?;
            encode_key(field.number, WireType::EndGroup, bytes);
            return Ok(());
        }
        with_length(bytes, |bytes| self.message(message, id, level, bytes))
    }

    fn complain(&self, path: &Path<'_>, wanted: &str, id: NodeId) -> String {
        let found = match self.value.node(id) {
            Node::Float(float) => format!("{float:?}"),
            Node::Str(_) => format!("{:?}", self.value.as_str(id).unwrap_or_default()),
            node => node.describe().to_owned(),
        };
        format!("{}{wanted}, not {found}", path.prefix())
    }
}

fn no_field(layout: &Layout, name: &str, path: &Path<'_>) -> String {
    let known: Vec<_> = layout.fields.iter().map(|field| field.name.as_str()).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("{}{} has no field {name:?}, only {known}", path.prefix(), layout.name)
}

/// Writes something with its length before it.
fn with_length(bytes: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let start = bytes.len();
    // Most are short: their length takes a byte.
    bytes.push(0);
    write(bytes)?;
    let length = bytes.len() - start - 1;
    if let Ok(short @ 0..0x80) = u8::try_from(length) {
        bytes[start] = short;
        return Ok(());
    }
    let mut prefix = Vec::with_capacity(10);
    encode_varint(length as u64, &mut prefix);
    bytes.splice(start..=start, prefix);
    Ok(())
}
