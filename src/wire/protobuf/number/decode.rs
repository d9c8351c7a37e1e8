//! Bytes to fields by number. Nothing recurses, and nothing is looked at again for each level of what
//! is nested: a message's own fields say whether it is one, whatever stands inside them.

use super::super::decode::too_many;
use super::super::scan::{self, Payload, Tag, Wire};
use super::super::{MAXIMUM_DEPTH, MAXIMUM_NODES};
use super::names::Names;
use super::shape::{gather, is_message};
use super::text::Text;
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, Value};

/// The value of a message of which nothing is known.
pub fn decode_by_number(bytes: &[u8]) -> Result<Value, Fault> {
    let mut value = Value::for_message(bytes.len());
    let root = Reader::new(&mut value, &mut Names::default(), bytes, 0, 0).read()?;
    value.set_root(root);
    Ok(value)
}

/// Reads a message, and all that stands in it.
pub(super) struct Reader<'a, 'v> {
    value: &'v mut Value,
    names: &'v mut Names,
    bytes: &'a [u8],
    /// Where in what was received `bytes` begin.
    base: usize,
    /// How many messages and groups they stand in.
    depth: usize,
    text: Text,
    at: usize,
    /// What is being read, outermost first.
    open: Vec<Open>,
    /// The fields of what is open, in the order of the bytes.
    fields: Vec<(u32, NodeId)>,
}

struct Open {
    kind: Opened,
    /// Its number in the one around it.
    number: u32,
    /// Where its own fields begin.
    first: usize,
    /// Where the message ends that it is, or that the group stands in.
    end: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Opened {
    Message,
    Group,
}

impl<'a, 'v> Reader<'a, 'v> {
    pub(super) fn new(
        value: &'v mut Value,
        names: &'v mut Names,
        bytes: &'a [u8],
        base: usize,
        depth: usize,
    ) -> Reader<'a, 'v> {
        let (open, fields) = (Vec::new(), Vec::new());
        Reader { value, names, bytes, base, depth, text: Text::default(), at: 0, open, fields }
    }

    /// The mapping of the whole message.
    pub(super) fn read(mut self) -> Result<NodeId, Fault> {
        self.open(Opened::Message, 0, self.bytes.len())?;
        self.finish()
    }

    /// The node of bytes that are the content of a field.
    pub(super) fn length_delimited(mut self) -> Result<NodeId, Fault> {
        match self.content(0, self.bytes.len())? {
            Some(node) => Ok(node),
            None => {
                let message = self.finish()?;
                Ok(self.names.wrap(self.value, "guess", message))
            }
        }
    }

    /// Reads on until the outermost message has ended.
    fn finish(&mut self) -> Result<NodeId, Fault> {
        let located = |base: usize| move |fault: Fault| Fault { at: base + fault.at, ..fault };
        loop {
            let Some(&Open { kind, number, end, .. }) = self.open.last() else {
                // The last one to be closed is returned below.
                return Ok(self.value.add(Node::None));
            };
            let start = self.at;
            let tag = match kind {
                Opened::Message if start == end => {
                    let node = self.close();
                    if self.open.is_empty() {
                        return Ok(node);
                    }
                    let guess = self.names.wrap(self.value, "guess", node);
                    self.fields.push((number, guess));
                    continue;
                }
                _ => self.tag(end).map_err(located(self.base))?,
            };
            let (payload, after) = scan::payload(&self.bytes[..end], tag)
                .and_then(|payload| payload.ok_or_else(|| scan::truncated(start)))
                .map_err(located(self.base))?;
            self.at = after;
            if self.value.len() > MAXIMUM_NODES {
                return Err(too_many(self.base + start));
            }
            let node = match (payload, tag.wire) {
                (Payload::Length(content), _) => {
                    self.at = after - content.len();
                    match self.content(tag.number, after)? {
                        Some(node) => node,
                        None => continue,
                    }
                }
                (_, Wire::GroupStart) => {
                    self.open(Opened::Group, tag.number, end)?;
                    continue;
                }
                (_, Wire::GroupEnd) if kind == Opened::Group && number == tag.number => {
                    let node = self.close();
                    self.names.wrap(self.value, "group", node)
                }
                (_, Wire::GroupEnd) => {
                    return Err(scan::not_open(tag, self.base + start));
                }
                _ => self.names.number(self.value, payload),
            };
            self.fields.push((tag.number, node));
        }
    }

    fn tag(&self, end: usize) -> Result<Tag, Fault> {
        scan::tag(&self.bytes[..end], self.at)?.ok_or_else(|| scan::truncated(self.at))
    }

    /// The node of a field's content, which ends at `end`; `None` if it is a message and opened now.
    fn content(&mut self, number: u32, end: usize) -> Result<Option<NodeId>, Fault> {
        let start = self.at;
        if let Some(text) = self.text.of(self.bytes, start, end) {
            self.at = end;
            let text = self.value.add_str(text);
            return Ok(Some(self.names.wrap(self.value, "guess", text)));
        }
        let content = &self.bytes[start..end];
        // In so many messages and groups it would stand.
        let depth = self.depth + self.open.len();
        if depth <= MAXIMUM_DEPTH && is_message(content, MAXIMUM_DEPTH - depth) {
            self.open(Opened::Message, number, end)?;
            return Ok(None);
        }
        self.at = end;
        Ok(Some(self.value.add_bytes(content)))
    }

    fn open(&mut self, kind: Opened, number: u32, end: usize) -> Result<(), Fault> {
        if self.depth + self.open.len() > MAXIMUM_DEPTH {
            return Err(scan::too_deep(self.base + self.at));
        }
        self.open.push(Open { kind, number, first: self.fields.len(), end });
        Ok(())
    }

    /// Ends what is open innermost: its mapping.
    fn close(&mut self) -> NodeId {
        let first = self.open.pop().map_or(0, |open| open.first);
        let mut entries = Vec::new();
        let fields = &mut self.fields[first..];
        // Occurrences of the same field together, each field at the place of its first one.
        if !fields.is_sorted_by(|one, other| one.0 < other.0) {
            gather(fields);
        }
        for occurrences in self.fields[first..].chunk_by(|one, other| one.0 == other.0) {
            let item = match occurrences {
                [(_, item)] => *item,
                _ => {
                    let items: Vec<NodeId> = occurrences.iter().map(|(_, item)| *item).collect();
                    self.value.add_list(&items)
                }
            };
            entries.push((self.names.of_number(self.value, occurrences[0].0), item));
        }
        self.fields.truncate(first);
        self.value.add_dict(&entries)
    }
}
