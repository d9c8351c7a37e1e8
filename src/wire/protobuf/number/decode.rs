//! Bytes to fields by number. Nothing recurses, and nothing is looked at again for each level of what
//! is nested: a message's own fields say whether it is one, whatever stands inside them.

use std::collections::HashMap;

use prost::encoding::encoded_len_varint;

use super::super::decode::too_many;
use super::super::scalar::unsigned;
use super::super::scan::{self, Field, Payload, Tag, Wire};
use super::super::{MAXIMUM_DEPTH, MAXIMUM_NODES};
use super::text::Text;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, Value};

/// The value of a message of which nothing is known.
pub fn decode_by_number(bytes: &[u8]) -> Result<Value, Fault> {
    let mut value = Value::for_message(bytes.len());
    let root = Reader::new(&mut value, &mut Names::default(), bytes, 0, 0).read()?;
    value.set_root(root);
    Ok(value)
}

/// Fields that a schema does not know, each under a key of its own.
#[derive(Default)]
pub struct Fields {
    value: Value,
    names: Names,
    /// In the order in which each first occurred.
    order: Vec<(String, Vec<NodeId>)>,
    places: HashMap<String, usize>,
    /// How long the keys are together: paths are longer than the fields that they lead to.
    key_bytes: usize,
}

impl Fields {
    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds a field under `key`, of a message that begins at `base` and is nested so deep.
    pub fn add(
        &mut self,
        key: String,
        field: &Field<'_>,
        base: usize,
        depth: usize,
    ) -> Result<(), Fault> {
        self.key_bytes += key.len();
        let at = base + field.start;
        if self.key_bytes > MAXIMUM_LENGTH || self.value.len() > MAXIMUM_NODES {
            return Err(too_many(at));
        }
        let (value, names) = (&mut self.value, &mut self.names);
        let node = match field.payload {
            Payload::Group => {
                let group = Reader::new(value, names, field.content, at, depth + 1).read()?;
                names.wrap(value, "group", group)
            }
            Payload::Length(content) => {
                Reader::new(value, names, content, at, depth + 1).length_delimited()?
            }
            payload => names.number(value, payload),
        };
        self.insert(key, node);
        Ok(())
    }

    fn insert(&mut self, key: String, node: NodeId) {
        match self.places.get(&key) {
            Some(&place) => self.order[place].1.push(node),
            None => {
                self.places.insert(key.clone(), self.order.len());
                self.order.push((key, vec![node]));
            }
        }
    }

    /// Moves those inside the entries of a map, whose keys begin with `prefix` and a number: each entry to
    /// where `moved` has it, or away with the entry, where a later one has its key.
    pub fn renumber(&mut self, prefix: &str, moved: &[Option<usize>]) {
        let order = std::mem::take(&mut self.order);
        self.places.clear();
        for (key, items) in order {
            let inside = key.strip_prefix(prefix).and_then(|rest| rest.split_once(']'));
            let inside =
                inside.and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest)));
            let key = match inside {
                None => key,
                Some((index, rest)) => match moved.get(index).copied().flatten() {
                    Some(place) => format!("{prefix}{place}]{rest}"),
                    None => continue,
                },
            };
            self.places.insert(key.clone(), self.order.len());
            self.order.push((key, items));
        }
    }

    /// The mapping of all of them.
    pub fn into_value(mut self) -> Value {
        let mut entries = Vec::with_capacity(self.order.len());
        for (key, items) in self.order {
            let item = match items[..] {
                [item] => item,
                _ => self.value.add_list(&items),
            };
            entries.push((self.value.add_str(&key), item));
        }
        let root = self.value.add_dict(&entries);
        self.value.set_root(root);
        self.value
    }
}

/// The nodes of keys: each stands once, however often it is used.
#[derive(Default)]
struct Names {
    numbers: HashMap<u32, NodeId>,
    words: Vec<(&'static str, NodeId)>,
}

impl Names {
    fn of_number(&mut self, value: &mut Value, number: u32) -> NodeId {
        *self.numbers.entry(number).or_insert_with(|| value.add_str(&number.to_string()))
    }

    fn word(&mut self, value: &mut Value, word: &'static str) -> NodeId {
        match self.words.iter().find(|(known, _)| *known == word) {
            Some(&(_, node)) => node,
            None => {
                let node = value.add_str(word);
                self.words.push((word, node));
                node
            }
        }
    }

    /// `{word: node}`.
    fn wrap(&mut self, value: &mut Value, word: &'static str, node: NodeId) -> NodeId {
        let entry = (self.word(value, word), node);
        value.add_dict(&[entry])
    }

    /// The node of a field that is a number; nothing else comes here.
    fn number(&mut self, value: &mut Value, payload: Payload<'_>) -> NodeId {
        let (words, bits, float) = match payload {
            Payload::Fixed32(bits) => {
                let float = f32::from_bits(bits);
                let is_plain = float == 0.0 || float.is_normal();
                (["fixed32", "float"], u64::from(bits), is_plain.then_some(f64::from(float)))
            }
            Payload::Fixed64(bits) => {
                let float = f64::from_bits(bits);
                let is_plain = float == 0.0 || float.is_normal();
                (["fixed64", "double"], bits, is_plain.then_some(float))
            }
            Payload::Varint(bits) => return value.add(unsigned(bits)),
            Payload::Length(_) | Payload::Group => return value.add(Node::None),
        };
        let bits = (self.word(value, words[0]), value.add(unsigned(bits)));
        match float {
            None => value.add_dict(&[bits]),
            Some(float) => {
                let float = (self.word(value, words[1]), value.add(Node::Float(float)));
                value.add_dict(&[bits, float])
            }
        }
    }
}

/// Reads a message, and all that stands in it.
struct Reader<'a, 'v> {
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
    fn new(
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
    fn read(mut self) -> Result<NodeId, Fault> {
        self.open(Opened::Message, 0, self.bytes.len())?;
        self.finish()
    }

    /// The node of bytes that are the content of a field.
    fn length_delimited(mut self) -> Result<NodeId, Fault> {
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

/// Brings the occurrences of each field together, at the place of the first.
fn gather(fields: &mut [(u32, NodeId)]) {
    let mut first: HashMap<u32, usize> = HashMap::with_capacity(fields.len());
    for (place, (number, _)) in fields.iter().enumerate() {
        first.entry(*number).or_insert(place);
    }
    fields.sort_by_key(|(number, _)| first[number]);
}

/// Whether bytes are the fields of a message with at most so many groups in each other, and are written
/// back as they are: varints no longer than they need be, occurrences of a field next to each other.
/// What stands in length-delimited fields is passed over.
fn is_message(bytes: &[u8], levels: usize) -> bool {
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
