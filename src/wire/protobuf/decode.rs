//! A message's bytes to a value, by its descriptor.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::scan::{self, Payload, Tag, Wire};
use super::{MAXIMUM_DEPTH, MAXIMUM_NODES, MessageType, number, schema};
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, FaultKind, Value};

/// The value of a message, and its unknown fields: a mapping by number, of fields inside other
/// messages by path (`readings[2].9`).
pub fn decode(message: &MessageType, bytes: &[u8]) -> Result<(Value, Option<Value>), Fault> {
    let mut decoder = Decoder { value: Value::new(), unknown: number::Fields::default() };
    let mut fields = Fields::default();
    let place = Place { bytes, base: 0, depth: 0, path: "" };
    decoder.read(message.descriptor(), place, &mut fields)?;
    let root = decoder.build(message.descriptor(), fields)?;
    let mut value = decoder.value;
    value.set_root(root);
    let unknown = (!decoder.unknown.is_empty()).then(|| decoder.unknown.into_value());
    Ok((value, unknown))
}

struct Decoder {
    value: Value,
    unknown: number::Fields,
}

/// The fields of one message read so far, by number.
type Fields = BTreeMap<u32, Slot>;

/// What a field holds so far. Messages stay open: a later occurrence is merged into them.
enum Slot {
    One(NodeId),
    Message(Fields),
    Many(Vec<NodeId>),
    Map(Vec<(NodeId, NodeId)>),
}

/// Bytes that hold a message's fields.
#[derive(Clone, Copy)]
struct Place<'a> {
    bytes: &'a [u8],
    /// Where they begin in the whole message.
    base: usize,
    depth: usize,
    /// The path to the message, with a point after it.
    path: &'a str,
}

impl Decoder {
    /// Reads fields into `fields`; recursion is bounded by [`MAXIMUM_DEPTH`].
    fn read(
        &mut self,
        message: &MessageDescriptor,
        place: Place<'_>,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        let shift = |mut fault: Fault| {
            fault.at += place.base;
            fault
        };
        if place.depth > MAXIMUM_DEPTH {
            return Err(scan::too_deep(place.base));
        }
        let bytes = place.bytes;
        let mut at = 0;
        while at < bytes.len() {
            let truncated = || scan::truncated(place.base + at);
            let tag = scan::tag(bytes, at).map_err(shift)?.ok_or_else(truncated)?;
            let (payload, mut end) =
                scan::payload(bytes, tag).map_err(shift)?.ok_or_else(truncated)?;
            let mut inner = match payload {
                Payload::Length(inner) => inner,
                _ => &[],
            };
            match tag.wire {
                Wire::GroupStart => {
                    let close = scan::group_end(bytes, tag.number, end).map_err(shift)?;
                    inner = &bytes[end..close.0];
                    end = close.1;
                }
                Wire::GroupEnd => {
                    let message = format!("the end of group {}, which is not open", tag.number);
                    return Err(Fault::new(FaultKind::Corrupt, place.base + at, message));
                }
                _ => {}
            }
            // A group's content ends before its end tag, any other at the field's end.
            let start = match tag.wire {
                Wire::GroupStart => tag.end,
                _ => end - inner.len(),
            };
            let content = Place { bytes: inner, base: place.base + start, ..place };
            match schema::known(message, tag.number, tag.wire) {
                Some(field) => self.field(&field, tag, payload, content, fields)?,
                None => {
                    let key = format!("{}{}", place.path, tag.number);
                    self.unknown.add(&key, tag, payload, inner, content.base, place.depth)?;
                }
            }
            if self.value.len() > MAXIMUM_NODES {
                return Err(too_many(place.base + at));
            }
            at = end;
        }
        Ok(())
    }

    fn field(
        &mut self,
        field: &FieldDescriptor,
        tag: Tag,
        payload: Payload<'_>,
        content: Place<'_>,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        if let Some(oneof) = field.containing_oneof() {
            // The last one on the wire is the one that is set.
            for other in oneof.fields().filter(|other| other.number() != tag.number) {
                fields.remove(&other.number());
            }
        }
        if field.is_map() {
            return self.map_entry(field, content, fields);
        }
        if let Kind::Message(message) = field.kind() {
            return self.message(field, &message, content, fields);
        }
        if !field.is_list() {
            let node = self.scalar(field, payload, content.base)?;
            fields.insert(tag.number, Slot::One(node));
            return Ok(());
        }
        let mut nodes = Vec::new();
        if let (Payload::Length(packed), true) = (payload, schema::wire_type(field) != tag.wire) {
            self.packed(field, packed, content.base, &mut nodes)?;
        } else {
            nodes.push(self.scalar(field, payload, content.base)?);
        }
        match fields.entry(tag.number).or_insert_with(|| Slot::Many(Vec::new())) {
            Slot::Many(items) => items.append(&mut nodes),
            slot => *slot = Slot::Many(nodes),
        }
        Ok(())
    }

    fn message(
        &mut self,
        field: &FieldDescriptor,
        message: &MessageDescriptor,
        content: Place<'_>,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        let (outer, name) = (content.path, field.name());
        if field.is_list() {
            let slot = fields.entry(field.number()).or_insert_with(|| Slot::Many(Vec::new()));
            let Slot::Many(items) = slot else { return Ok(()) };
            let path = format!("{outer}{name}[{}].", items.len());
            let place = Place { depth: content.depth + 1, path: &path, ..content };
            let mut inner = Fields::default();
            self.read(message, place, &mut inner).map_err(inside)?;
            let node = self.build(message, inner)?;
            items.push(node);
        } else {
            let slot =
                fields.entry(field.number()).or_insert_with(|| Slot::Message(Fields::default()));
            let Slot::Message(inner) = slot else { return Ok(()) };
            let path = format!("{outer}{name}.");
            let place = Place { depth: content.depth + 1, path: &path, ..content };
            self.read(message, place, inner).map_err(inside)?;
        }
        Ok(())
    }

    fn map_entry(
        &mut self,
        field: &FieldDescriptor,
        content: Place<'_>,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        let Kind::Message(entry) = field.kind() else { return Ok(()) };
        let path = format!("{}{}[].", content.path, field.name());
        let mut inner = Fields::default();
        let place = Place { depth: content.depth + 1, path: &path, ..content };
        self.read(&entry, place, &mut inner).map_err(inside)?;
        let mut part =
            |decoder: &mut Decoder, field: FieldDescriptor| match inner.remove(&field.number()) {
                Some(slot) => decoder.finish(&field, slot),
                None => decoder.default(&field),
            };
        let key = part(self, entry.map_entry_key_field())?;
        let item = part(self, entry.map_entry_value_field())?;
        match fields.entry(field.number()).or_insert_with(|| Slot::Map(Vec::new())) {
            Slot::Map(entries) => entries.push((key, item)),
            slot => *slot = Slot::Map(vec![(key, item)]),
        }
        Ok(())
    }

    fn packed(
        &mut self,
        field: &FieldDescriptor,
        bytes: &[u8],
        base: usize,
        nodes: &mut Vec<NodeId>,
    ) -> Result<(), Fault> {
        let wire = schema::wire_type(field);
        let mut at = 0;
        while at < bytes.len() {
            let element = Tag { number: field.number(), wire, end: at };
            let (payload, end) = scan::payload(bytes, element)
                .map_err(|fault| Fault { at: base + fault.at, ..fault })?
                .ok_or_else(|| {
                    let message = format!("the packed field {} ends inside a number", field.name());
                    Fault::new(FaultKind::Corrupt, base + at, message)
                })?;
            nodes.push(self.scalar(field, payload, base + at)?);
            if self.value.len() > MAXIMUM_NODES {
                return Err(too_many(base + at));
            }
            at = end;
        }
        Ok(())
    }

    /// The node of one scalar; the wire type is the field's.
    fn scalar(
        &mut self,
        field: &FieldDescriptor,
        payload: Payload<'_>,
        at: usize,
    ) -> Result<NodeId, Fault> {
        let node = match (field.kind(), payload) {
            // The lower 32 bits count, as in every implementation.
            (Kind::Int32, Payload::Varint(bits)) => Node::Int(i64::from(bits as u32 as i32)),
            (Kind::Int64, Payload::Varint(bits)) => Node::Int(bits as i64),
            (Kind::Uint32, Payload::Varint(bits)) => Node::Int(i64::from(bits as u32)),
            (Kind::Uint64, Payload::Varint(bits)) | (Kind::Fixed64, Payload::Fixed64(bits)) => {
                unsigned(bits)
            }
            (Kind::Sint32, Payload::Varint(bits)) => {
                let bits = bits as u32;
                Node::Int(i64::from((bits >> 1) as i32 ^ -((bits & 1) as i32)))
            }
            (Kind::Sint64, Payload::Varint(bits)) => {
                Node::Int((bits >> 1) as i64 ^ -((bits & 1) as i64))
            }
            (Kind::Bool, Payload::Varint(bits)) => Node::Bool(bits != 0),
            (Kind::Enum(kind), Payload::Varint(bits)) => {
                let number = bits as u32 as i32;
                match kind.get_value(number) {
                    Some(named) => Node::Str(self.value.store(named.name().as_bytes())),
                    None => Node::Int(i64::from(number)),
                }
            }
            (Kind::Sfixed64, Payload::Fixed64(bits)) => Node::Int(bits as i64),
            (Kind::Double, Payload::Fixed64(bits)) => Node::Float(f64::from_bits(bits)),
            (Kind::Fixed32, Payload::Fixed32(bits)) => Node::Int(i64::from(bits)),
            (Kind::Sfixed32, Payload::Fixed32(bits)) => Node::Int(i64::from(bits as i32)),
            (Kind::Float, Payload::Fixed32(bits)) => Node::Float(f64::from(f32::from_bits(bits))),
            (Kind::String, Payload::Length(bytes)) => match std::str::from_utf8(bytes) {
                Ok(_) => Node::Str(self.value.store(bytes)),
                Err(error) => {
                    let message = format!("the string {} is not UTF-8", field.full_name());
                    let at = at + error.valid_up_to();
                    return Err(Fault::new(FaultKind::InvalidUtf8, at, message));
                }
            },
            (Kind::Bytes, Payload::Length(bytes)) => Node::Bytes(self.value.store(bytes)),
            _ => {
                let message = format!("{} has another wire type", field.full_name());
                return Err(Fault::new(FaultKind::Schema, at, message));
            }
        };
        Ok(self.value.add(node))
    }

    /// The mapping of a message's fields, by name in the order of their numbers.
    fn build(&mut self, message: &MessageDescriptor, fields: Fields) -> Result<NodeId, Fault> {
        for field in message.fields().filter(FieldDescriptor::is_required) {
            if !fields.contains_key(&field.number()) {
                let message = format!("the required field {} is missing", field.full_name());
                return Err(Fault::new(FaultKind::Schema, 0, message));
            }
        }
        let mut entries = Vec::with_capacity(fields.len());
        for (number, slot) in fields {
            let Some(field) = message.get_field(number) else { continue };
            if !field.supports_presence() && self.is_default(&slot) {
                continue;
            }
            let item = self.finish(&field, slot)?;
            let key = self.value.add_str(field.name());
            entries.push((key, item));
        }
        Ok(self.value.add(Node::Dict(entries)))
    }

    fn finish(&mut self, field: &FieldDescriptor, slot: Slot) -> Result<NodeId, Fault> {
        match (slot, field.kind()) {
            (Slot::One(node), _) => Ok(node),
            (Slot::Message(fields), Kind::Message(message)) => self.build(&message, fields),
            (Slot::Message(_), _) => Ok(self.value.add(Node::None)),
            (Slot::Many(items), _) => Ok(self.value.add(Node::List(items))),
            (Slot::Map(entries), _) => {
                let entries = self.last_of_each(entries);
                Ok(self.value.add(Node::Dict(entries)))
            }
        }
    }

    /// The entries of a map: of those with equal keys the last, at the first one's place.
    fn last_of_each(&self, entries: Vec<(NodeId, NodeId)>) -> Vec<(NodeId, NodeId)> {
        let mut places = std::collections::HashMap::with_capacity(entries.len());
        let mut kept: Vec<(NodeId, NodeId)> = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            // Keys are integers, truth values or strings.
            let name = match self.value.node(key) {
                Node::Str(span) => self.value.span(*span).to_vec(),
                other => format!("{other:?}").into_bytes(),
            };
            let place = *places.entry(name).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(earlier) => earlier.1 = item,
                None => kept.push((key, item)),
            }
        }
        kept
    }

    /// Whether a field without presence has the value that it has when it is not set.
    fn is_default(&self, slot: &Slot) -> bool {
        match slot {
            Slot::One(node) => match self.value.node(*node) {
                Node::Int(0) | Node::Bool(false) => true,
                Node::Float(float) => float.to_bits() == 0,
                Node::Str(span) | Node::Bytes(span) => self.value.span(*span).is_empty(),
                _ => false,
            },
            Slot::Message(_) => false,
            Slot::Many(items) => items.is_empty(),
            Slot::Map(entries) => entries.is_empty(),
        }
    }

    /// The node of a map entry's part that is not on the wire.
    fn default(&mut self, field: &FieldDescriptor) -> Result<NodeId, Fault> {
        Ok(match field.kind() {
            Kind::Message(message) => return self.build(&message, Fields::default()),
            Kind::Bool => self.value.add(Node::Bool(false)),
            Kind::String => self.value.add_str(""),
            Kind::Bytes => self.value.add_bytes(b""),
            Kind::Double | Kind::Float => self.value.add(Node::Float(0.0)),
            Kind::Enum(kind) => self.value.add_str(kind.default_value().name()),
            _ => self.value.add(Node::Int(0)),
        })
    }
}

/// A fault inside a field: its length says how many bytes there are, so none of them are missing.
fn inside(fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Truncated => Fault { kind: FaultKind::Corrupt, ..fault },
        _ => fault,
    }
}

/// An unsigned integer of 64 bits.
pub(super) fn unsigned(bits: u64) -> Node {
    match i64::try_from(bits) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::BigInt(Box::new(BigInt::from(bits))),
    }
}

pub(super) fn too_many(at: usize) -> Fault {
    Fault::new(FaultKind::Limit, at, format!("more than {MAXIMUM_NODES} values in one message"))
}
