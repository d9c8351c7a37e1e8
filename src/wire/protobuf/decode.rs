//! A message's bytes to a value, by its descriptor. Nothing recurses.

use std::collections::HashMap;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::scan::{self, Field, Payload};
use super::{MAXIMUM_DEPTH, MAXIMUM_NODES, MessageType, number, schema};
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, FaultKind, Value};

/// The value of a message, and its unknown fields: a mapping by number, of fields inside other
/// messages by path (`readings[2].9`).
pub fn decode(message: &MessageType, bytes: &[u8]) -> Result<(Value, Option<Value>), Fault> {
    let mut decoder = Decoder {
        value: Value::new(),
        unknown: number::Fields::default(),
        records: Vec::new(),
        open: Vec::new(),
    };
    let record = decoder.begin(message.descriptor().clone());
    decoder.open.push(Open { bytes, at: 0, base: 0, record, parent: None });
    while decoder.step()? {}
    let unknown = (!decoder.unknown.is_empty()).then(|| decoder.unknown.into_value());
    Ok((decoder.value, unknown))
}

pub(super) struct Decoder<'a> {
    pub(super) value: Value,
    unknown: number::Fields,
    /// Messages that may still be added to.
    records: Vec<Record>,
    /// Messages that are being read, outermost first.
    open: Vec<Open<'a>>,
}

/// A message that may still be added to: a singular one is merged with its later occurrences.
///
/// Its node is there from the beginning and filled at the end, so that others can hold it.
struct Record {
    message: MessageDescriptor,
    node: NodeId,
    /// By number, ascending.
    fields: Vec<(u32, Slot)>,
}

/// What a field holds so far.
enum Slot {
    One(NodeId),
    Many(Vec<NodeId>),
    /// The record of a singular message.
    Message(usize),
    /// The key and value of each entry, where they are on the wire.
    Map(Vec<(Option<NodeId>, Option<NodeId>)>),
}

/// Bytes of a message that are being read.
struct Open<'a> {
    bytes: &'a [u8],
    /// Where in `bytes` the next field begins.
    at: usize,
    /// Where in the whole message `bytes` begin.
    base: usize,
    record: usize,
    /// The field that holds the message, and which of its elements it is.
    parent: Option<(FieldDescriptor, Option<usize>)>,
}

impl Record {
    fn slot(&mut self, number: u32, empty: impl FnOnce() -> Slot) -> &mut Slot {
        let place = self.fields.binary_search_by_key(&number, |(number, _)| *number);
        let place = place.unwrap_or_else(|place| {
            self.fields.insert(place, (number, empty()));
            place
        });
        &mut self.fields[place].1
    }

    fn set(&mut self, number: u32, slot: Slot) {
        *self.slot(number, || Slot::Many(Vec::new())) = slot;
    }
}

impl<'a> Decoder<'a> {
    fn begin(&mut self, message: MessageDescriptor) -> usize {
        let node = self.value.add(Node::None);
        self.records.push(Record { message, node, fields: Vec::new() });
        self.records.len() - 1
    }

    /// Reads one field, or ends a message; false once the outermost has ended.
    fn step(&mut self) -> Result<bool, Fault> {
        let depth = self.open.len();
        let Some(open) = self.open.last_mut() else { return Ok(false) };
        let (bytes, base, record) = (open.bytes, open.base, open.record);
        if open.at == bytes.len() {
            self.close()?;
            return Ok(true);
        }
        let field = scan::field(bytes, open.at).map_err(|fault| Fault {
            // The length of a message inside another is known, so none of its bytes are missing.
            kind: match fault.kind {
                FaultKind::Truncated if depth > 1 => FaultKind::Corrupt,
                kind => kind,
            },
            at: base + fault.at,
            ..fault
        })?;
        open.at = field.end;
        let known = schema::known(&self.records[record].message, field.tag.number, field.tag.wire);
        match known {
            Some(descriptor) => self.field(record, descriptor, &field, base)?,
            None => {
                let key = format!("{}{}", self.path(), field.tag.number);
                self.unknown.add(key, &field, base, depth - 1)?;
            }
        }
        if self.value.len() > MAXIMUM_NODES {
            return Err(too_many(base + field.start));
        }
        Ok(true)
    }

    /// The path to the message that is being read, with a point after each step.
    fn path(&self) -> String {
        let mut path = String::new();
        for (field, index) in self.open.iter().filter_map(|open| open.parent.as_ref()) {
            path.push_str(field.name());
            if let Some(index) = index {
                path.push_str(&format!("[{index}]"));
            }
            path.push('.');
        }
        path
    }

    fn field(
        &mut self,
        record: usize,
        descriptor: FieldDescriptor,
        field: &Field<'a>,
        base: usize,
    ) -> Result<(), Fault> {
        let number = field.tag.number;
        if let Some(oneof) = descriptor.containing_oneof() {
            // The last one on the wire is the one that is set.
            let other = |other: u32| oneof.fields().any(|field| field.number() == other);
            self.records[record].fields.retain(|(set, _)| *set == number || !other(*set));
        }
        if let Kind::Message(message) = descriptor.kind() {
            return self.message(record, descriptor, message, field, base);
        }
        let at = base + field.start;
        if !descriptor.is_list() {
            let node = self.scalar(&descriptor, field.payload, at)?;
            self.records[record].set(number, Slot::One(node));
            return Ok(());
        }
        let mut nodes = Vec::new();
        match field.payload {
            Payload::Length(packed) if schema::wire_type(&descriptor) != field.tag.wire => {
                self.packed(&descriptor, packed, at, &mut nodes)?;
            }
            payload => nodes.push(self.scalar(&descriptor, payload, at)?),
        }
        match self.records[record].slot(number, || Slot::Many(Vec::new())) {
            Slot::Many(items) => items.append(&mut nodes),
            slot => *slot = Slot::Many(nodes),
        }
        Ok(())
    }

    /// Opens a message inside the one that is being read.
    fn message(
        &mut self,
        outer: usize,
        descriptor: FieldDescriptor,
        message: MessageDescriptor,
        field: &Field<'a>,
        base: usize,
    ) -> Result<(), Fault> {
        let base = base + field.start;
        if self.open.len() > MAXIMUM_DEPTH {
            return Err(scan::too_deep(base));
        }
        let number = descriptor.number();
        let (record, index) = match self.records[outer].slot(number, || match &descriptor {
            map if map.is_map() => Slot::Map(Vec::new()),
            list if list.is_list() => Slot::Many(Vec::new()),
            _ => Slot::Message(usize::MAX),
        }) {
            Slot::Message(usize::MAX) | Slot::One(_) => {
                let record = self.begin(message);
                self.records[outer].set(number, Slot::Message(record));
                (record, None)
            }
            Slot::Message(record) => (*record, None),
            Slot::Map(entries) => {
                let index = entries.len();
                (self.begin(message), Some(index))
            }
            Slot::Many(items) => {
                let index = items.len();
                (self.begin(message), Some(index))
            }
        };
        let parent = Some((descriptor, index));
        self.open.push(Open { bytes: field.content, at: 0, base, record, parent });
        Ok(())
    }

    /// Ends the message that is being read. Nothing is added to it any more unless it is singular
    /// and stands in another one.
    fn close(&mut self) -> Result<(), Fault> {
        let Some(done) = self.open.pop() else { return Ok(()) };
        let Some((field, Some(_))) = done.parent else {
            return match self.open.is_empty() {
                true => self.fill(done.record),
                false => Ok(()),
            };
        };
        let outer = self.open.last().map_or(0, |open| open.record);
        let element = if field.is_map() {
            let part = |record: &Record, number| {
                let found = record.fields.iter().find(|(set, _)| *set == number);
                found.and_then(|(_, slot)| match slot {
                    Slot::One(node) => Some(*node),
                    Slot::Message(record) => Some(self.records[*record].node),
                    _ => None,
                })
            };
            let entry = &self.records[done.record];
            // An entry is a message of the key, 1, and the value, 2.
            (part(entry, 1), part(entry, 2))
        } else {
            (Some(self.records[done.record].node), None)
        };
        match self.records[outer].slot(field.number(), || Slot::Many(Vec::new())) {
            Slot::Map(entries) => entries.push(element),
            Slot::Many(items) => items.extend(element.0),
            _ => {}
        }
        self.fill(done.record)
    }

    /// Makes the record, and those of the messages inside it, mappings.
    fn fill(&mut self, first: usize) -> Result<(), Fault> {
        let nodes: Vec<_> = self.records.iter().map(|record| record.node).skip(first).collect();
        for record in self.records.split_off(first) {
            if record.message.is_map_entry() {
                continue;
            }
            if let Some(field) = record.message.fields().find(|field| {
                field.is_required()
                    && record.fields.binary_search_by_key(&field.number(), |(n, _)| *n).is_err()
            }) {
                let message = format!("the required field {} is missing", field.full_name());
                return Err(Fault::new(FaultKind::Schema, 0, message));
            }
            let mut entries = Vec::with_capacity(record.fields.len());
            for (number, slot) in record.fields {
                let Some(field) = record.message.get_field(number) else { continue };
                if !field.supports_presence() && self.is_default(&field, &slot) {
                    continue;
                }
                let item = match slot {
                    Slot::One(node) => node,
                    Slot::Message(record) => nodes[record - first],
                    Slot::Many(items) => self.value.add_list(&items),
                    Slot::Map(entries) => self.map(&field, entries),
                };
                entries.push((self.value.add_str(field.name()), item));
            }
            *self.value.node_mut(record.node) = Node::Dict(self.value.store_entries(entries));
        }
        Ok(())
    }

    /// The mapping of a map's entries: of those with equal keys the last, at the first one's place.
    fn map(
        &mut self,
        field: &FieldDescriptor,
        entries: Vec<(Option<NodeId>, Option<NodeId>)>,
    ) -> NodeId {
        let mut places = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(NodeId, NodeId)> = Vec::with_capacity(entries.len());
        let Kind::Message(entry) = field.kind() else { return self.value.add(Node::None) };
        for (key, item) in entries {
            let key = key.unwrap_or_else(|| self.default(&entry.map_entry_key_field()));
            let item = item.unwrap_or_else(|| self.default(&entry.map_entry_value_field()));
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
        self.value.add_dict(&kept)
    }

    /// The node of a map entry's part that is not on the wire.
    fn default(&mut self, field: &FieldDescriptor) -> NodeId {
        match field.kind() {
            Kind::Message(_) => self.value.add_dict(&[]),
            Kind::Bool => self.value.add(Node::Bool(false)),
            Kind::String => self.value.add_str(""),
            Kind::Bytes => self.value.add_bytes(b""),
            Kind::Double | Kind::Float => self.value.add(Node::Float(0.0)),
            Kind::Enum(kind) => self.value.add_str(kind.default_value().name()),
            _ => self.value.add(Node::Int(0)),
        }
    }

    /// Whether a field without presence has the value that it has when it is not set.
    fn is_default(&self, field: &FieldDescriptor, slot: &Slot) -> bool {
        match slot {
            Slot::One(node) => match (self.value.node(*node), field.kind()) {
                (Node::Int(0) | Node::Bool(false), _) => true,
                (Node::Float(float), _) => float.to_bits() == 0,
                (Node::Str(name), Kind::Enum(kind)) => kind
                    .get_value(0)
                    .is_some_and(|zero| zero.name().as_bytes() == self.value.span(*name)),
                (Node::Str(span) | Node::Bytes(span), _) => self.value.span(*span).is_empty(),
                _ => false,
            },
            Slot::Message(_) => false,
            Slot::Many(items) => items.is_empty(),
            Slot::Map(entries) => entries.is_empty(),
        }
    }
}

pub(super) fn too_many(at: usize) -> Fault {
    Fault::new(FaultKind::Limit, at, format!("more than {MAXIMUM_NODES} values in one message"))
}
