//! A message's bytes to a value, by its layout. Nothing recurses but messages in an `Any`, of which few
//! may stand in each other.

mod fill;

use std::collections::HashMap;

use super::layout::{Kind, Layouts, Shape};
use super::scan::{self, Field, Payload, Tag, Wire};
use super::{MAXIMUM_DEPTH, MAXIMUM_NODES, MessageType, number, special};
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, FaultKind, Value};

/// The value of a message, and its unknown fields: a mapping by number, of fields inside other
/// messages by path (`readings[2].9`).
pub fn decode(message: &MessageType, bytes: &[u8]) -> Result<(Value, Option<Value>), Fault> {
    let mut decoder = Decoder::new(message.layouts(), Value::for_message(bytes.len()));
    let root = decoder.read(0, bytes)?;
    decoder.value.set_root(root);
    let unknown = (!decoder.unknown.is_empty()).then(|| decoder.unknown.into_value());
    Ok((decoder.value, unknown))
}

pub(super) struct Decoder<'a> {
    pub(super) layouts: &'a Layouts,
    pub(super) value: Value,
    unknown: number::Fields,
    /// In how many messages the outermost one stands.
    pub(super) depth: usize,
    /// How many of them are `Any`.
    pub(super) anys: usize,
    /// Messages that may still be added to.
    records: Vec<Record>,
    /// Messages that are being read, outermost first.
    open: Vec<Open<'a>>,
    /// The nodes of field names that have been used, by layout and field.
    names: HashMap<(usize, usize), NodeId>,
}

/// A message that may still be added to: a singular one is merged with its later occurrences.
///
/// Its node is there from the beginning and filled at the end, so that others can hold it.
struct Record {
    layout: usize,
    node: NodeId,
    /// Of a singular message inside another one, the record of that and the place of the field.
    parent: Option<(usize, usize)>,
    /// By the place of the field, ascending.
    fields: Vec<(usize, Slot)>,
}

/// What a field holds so far.
enum Slot {
    One(NodeId),
    Many(Vec<NodeId>),
    /// The record of a singular message, and its node.
    Message(usize, NodeId),
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
    parent: Option<(usize, Option<usize>)>,
    /// The number of the group that it is.
    group: Option<u32>,
    /// Whether it is the entry of a map with a value that its enum does not know.
    is_unknown: bool,
}

impl Record {
    fn slot(&mut self, place: usize, empty: impl FnOnce() -> Slot) -> &mut Slot {
        // Canonical encoders write in ascending order.
        let found = match self.fields.last() {
            Some((last, _)) if *last >= place => {
                self.fields.binary_search_by_key(&place, |(place, _)| *place)
            }
            _ => Err(self.fields.len()),
        };
        let at = found.unwrap_or_else(|at| {
            self.fields.insert(at, (place, empty()));
            at
        });
        &mut self.fields[at].1
    }

    fn set(&mut self, place: usize, slot: Slot) {
        *self.slot(place, || Slot::Many(Vec::new())) = slot;
    }

    fn find(&self, place: usize) -> Option<&Slot> {
        let found = self.fields.binary_search_by_key(&place, |(place, _)| *place).ok()?;
        Some(&self.fields[found].1)
    }
}

impl<'a> Decoder<'a> {
    /// Of messages with these layouts, which adds to `value`.
    pub(super) fn new(layouts: &'a Layouts, value: Value) -> Decoder<'a> {
        Decoder {
            layouts,
            value,
            unknown: number::Fields::default(),
            depth: 0,
            anys: 0,
            records: Vec::new(),
            open: Vec::new(),
            names: HashMap::new(),
        }
    }

    /// Reads a whole message.
    fn read(&mut self, layout: usize, bytes: &'a [u8]) -> Result<NodeId, Fault> {
        let record = self.begin(layout);
        let node = self.records[record].node;
        self.open(Open {
            bytes,
            at: 0,
            base: 0,
            record,
            parent: None,
            group: None,
            is_unknown: false,
        })?;
        while self.step()? {}
        Ok(node)
    }

    /// The node of a message that an `Any` holds, with all of it known.
    pub(super) fn read_any(&mut self, layout: usize, bytes: &[u8]) -> Option<NodeId> {
        if self.anys == special::ANYS {
            return None;
        }
        let mut inner = Decoder::new(self.layouts, std::mem::take(&mut self.value));
        (inner.depth, inner.anys) = (self.depth + self.open.len() + 1, self.anys + 1);
        let node = inner.read(layout, bytes).ok().filter(|_| inner.unknown.is_empty());
        self.value = inner.value;
        node
    }

    fn begin(&mut self, layout: usize) -> usize {
        let node = self.value.add(Node::None);
        let expected = self.layouts.at(layout).fields.len().min(8);
        let fields = Vec::with_capacity(expected);
        self.records.push(Record { layout, node, parent: None, fields });
        self.records.len() - 1
    }

    fn open(&mut self, open: Open<'a>) -> Result<(), Fault> {
        if self.depth + self.open.len() > MAXIMUM_DEPTH {
            return Err(scan::too_deep(open.base + open.at));
        }
        self.open.push(open);
        Ok(())
    }

    /// Reads one field, or ends a message; false once the outermost has ended.
    fn step(&mut self) -> Result<bool, Fault> {
        let Some(open) = self.open.last_mut() else { return Ok(false) };
        let Open { bytes, at, base, record, group, .. } = *open;
        if at == bytes.len() && group.is_none() {
            self.close()?;
            return Ok(true);
        }
        let (tag, payload, end) = match next(bytes, at) {
            Ok(next) => next,
            Err(fault) => return Err(self.located(fault, base)),
        };
        let layout = self.layouts.at(self.records[record].layout);
        let place = match (tag.wire, group) {
            (Wire::GroupEnd, Some(number)) if number == tag.number => {
                let group = self.close()?;
                // The bytes are those of the message around it.
                if let (Some(outer), Some(group)) = (self.open.last_mut(), group) {
                    outer.at = group.base + end - outer.base;
                }
                return Ok(true);
            }
            (Wire::GroupEnd, _) => return Err(scan::not_open(tag, base + at)),
            _ => layout.known(tag.number, tag.wire),
        };
        match place {
            Some(place) => {
                open.at = end;
                let start = match payload {
                    Payload::Length(content) => end - content.len(),
                    _ => tag.end,
                };
                self.field(place, payload, base + start)?;
            }
            None => {
                let field = scan::field(bytes, at).map_err(|fault| self.located(fault, base))?;
                if let Some(open) = self.open.last_mut() {
                    open.at = field.end;
                }
                self.unknown(&field, base)?;
            }
        }
        if self.value.len() > MAXIMUM_NODES {
            return Err(too_many(base + at));
        }
        Ok(true)
    }

    /// A fault of the bytes that are being read, which begin at `base`.
    #[cold]
    fn located(&self, fault: Fault, base: usize) -> Fault {
        // The length of a message inside another is known, so none of its bytes are missing.
        let has_length = self.open.iter().skip(1).any(|open| open.group.is_none());
        let kind = match fault.kind {
            FaultKind::Truncated if has_length => FaultKind::Corrupt,
            kind => kind,
        };
        Fault { kind, at: base + fault.at, ..fault }
    }

    /// Keeps a field of the innermost message that is not known.
    fn unknown(&mut self, field: &Field<'_>, base: usize) -> Result<(), Fault> {
        let key = format!("{}{}", self.path(), field.tag.number);
        self.unknown.add(key, field, base, self.depth + self.open.len() - 1)
    }

    /// The path to the message that is being read, with a point after each step.
    fn path(&self) -> String {
        let mut path = String::new();
        for pair in self.open.windows(2) {
            let [outer, open] = pair else { continue };
            let Some((place, index)) = open.parent else { continue };
            let layout = self.layouts.at(self.records[outer.record].layout);
            path.push_str(&layout.fields[place].name);
            if let Some(index) = index {
                path.push_str(&format!("[{index}]"));
            }
            path.push('.');
        }
        path
    }

    /// Takes a known field of the innermost message; what follows its tag, or its length, is at `at`.
    fn field(&mut self, place: usize, payload: Payload<'a>, at: usize) -> Result<(), Fault> {
        let Some(open) = self.open.last() else { return Ok(()) };
        let record = open.record;
        let layout = self.layouts.at(self.records[record].layout);
        let field = &layout.fields[place];
        if field.oneof.is_some() {
            // The last one on the wire is the one that is set.
            self.records[record]
                .fields
                .retain(|(set, _)| *set == place || layout.fields[*set].oneof != field.oneof);
        }
        if let Kind::Message(message) = field.kind {
            return self.message(record, place, message, payload, at);
        }
        if field.shape == Shape::Singular {
            match self.scalar(field, payload, at)? {
                Some(node) => self.records[record].set(place, Slot::One(node)),
                None => self.unknown_value(field.number, payload, at)?,
            }
            return Ok(());
        }
        let mut nodes = Vec::new();
        match payload {
            Payload::Length(packed) if field.wire != Wire::Length => {
                self.packed(field, packed, at, &mut nodes)?;
            }
            payload => match self.scalar(field, payload, at)? {
                Some(node) => nodes.push(node),
                None => return self.unknown_value(field.number, payload, at),
            },
        }
        match self.records[record].slot(place, || Slot::Many(Vec::new())) {
            Slot::Many(items) => items.append(&mut nodes),
            slot => *slot = Slot::Many(nodes),
        }
        Ok(())
    }

    /// Keeps a value that its enum does not know, and that is taken for no value of it.
    pub(super) fn unknown_value(
        &mut self,
        number: u32,
        payload: Payload<'_>,
        at: usize,
    ) -> Result<(), Fault> {
        if let Some(open) = self.open.last_mut()
            && self.layouts.at(self.records[open.record].layout).is_entry
        {
            // The whole entry is unknown.
            open.is_unknown = true;
            return Ok(());
        }
        let tag = Tag { number, wire: Wire::Varint, end: at };
        let field = Field { tag, payload, content: &[], start: at, end: at };
        self.unknown(&field, 0)
    }

    /// Opens a message inside the one that is being read.
    fn message(
        &mut self,
        outer: usize,
        place: usize,
        layout: usize,
        payload: Payload<'a>,
        at: usize,
    ) -> Result<(), Fault> {
        let field = &self.layouts.at(self.records[outer].layout).fields[place];
        let (record, index) = match (field.shape, self.records[outer].find(place)) {
            (Shape::Singular, Some(Slot::Message(record, _))) => (*record, None),
            (Shape::Singular, _) => {
                let record = self.begin(layout);
                self.records[record].parent = Some((outer, place));
                let node = self.records[record].node;
                self.records[outer].set(place, Slot::Message(record, node));
                (record, None)
            }
            (_, Some(Slot::Map(entries))) => {
                let index = entries.len();
                (self.begin(layout), Some(index))
            }
            (_, Some(Slot::Many(items))) => {
                let index = items.len();
                (self.begin(layout), Some(index))
            }
            _ => (self.begin(layout), Some(0)),
        };
        let parent = Some((place, index));
        let open = match (payload, self.open.last()) {
            (Payload::Length(bytes), _) => {
                Open { bytes, at: 0, base: at, record, parent, group: None, is_unknown: false }
            }
            (_, Some(around)) => Open {
                bytes: around.bytes,
                at: around.at,
                base: around.base,
                record,
                parent,
                group: Some(field.number),
                is_unknown: false,
            },
            (_, None) => return Ok(()),
        };
        self.open(open)
    }

    /// Ends the message that is being read, and gives it back. Nothing is added to it any more unless it
    /// is singular and stands in another one.
    fn close(&mut self) -> Result<Option<Open<'a>>, Fault> {
        let Some(done) = self.open.pop() else { return Ok(None) };
        let Some((place, Some(index))) = done.parent else {
            if self.open.is_empty() {
                self.fill(done.record, None)?;
            }
            return Ok(Some(done));
        };
        let outer = self.open.last().map_or(0, |open| open.record);
        let field = &self.layouts.at(self.records[outer].layout).fields[place];
        if done.is_unknown {
            let tag = Tag { number: field.number, wire: Wire::Length, end: 0 };
            let (payload, content) = (Payload::Length(done.bytes), done.bytes);
            let field = Field { tag, payload, content, start: 0, end: 0 };
            self.unknown(&field, done.base)?;
            self.records.truncate(done.record);
            return Ok(Some(done));
        }
        let element = if field.shape == Shape::Map {
            let part = |place| match self.records[done.record].find(place)? {
                Slot::One(node) | Slot::Message(_, node) => Some(*node),
                _ => None,
            };
            // An entry is a message of the key, 1, and the value, 2.
            (part(0), part(1))
        } else {
            (Some(self.records[done.record].node), None)
        };
        let slot = self.records[outer].slot(place, || match field.shape {
            Shape::Map => Slot::Map(Vec::new()),
            _ => Slot::Many(Vec::new()),
        });
        match slot {
            Slot::Map(entries) => entries.push(element),
            Slot::Many(items) => items.extend(element.0),
            _ => {}
        }
        self.fill(done.record, Some((field, index)))?;
        Ok(Some(done))
    }
}

/// The field at `at` without what a group holds: its tag, what follows it, and where that ends.
#[inline]
fn next(bytes: &[u8], at: usize) -> Result<(Tag, Payload<'_>, usize), Fault> {
    let tag = scan::tag(bytes, at)?.ok_or_else(|| scan::truncated(at))?;
    let (payload, end) = scan::payload(bytes, tag)?.ok_or_else(|| scan::truncated(at))?;
    Ok((tag, payload, end))
}

pub(super) fn too_many(at: usize) -> Fault {
    Fault::new(FaultKind::Limit, at, format!("more than {MAXIMUM_NODES} values in one message"))
}
