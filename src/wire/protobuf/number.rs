//! Fields by number alone: messages without a schema, and unknown fields.

use std::collections::{BTreeMap, HashMap};

use super::decode::too_many;
use super::scalar::unsigned;
use super::scan::{self, Field, Payload, Wire};
use super::{MAXIMUM_DEPTH, MAXIMUM_NODES};
use crate::wire::Fault;
use crate::wire::Value;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::{Node, NodeId};

/// The value of a message of which nothing is known.
pub fn decode_by_number(bytes: &[u8]) -> Result<Value, Fault> {
    let mut value = Value::new();
    let root = mapping(&mut value, bytes, 0, 0)?;
    value.set_root(root);
    Ok(value)
}

/// How one field is written: how many groups it stands in, its number, and its wire type.
type Written = (usize, u32, Wire);

/// How the fields of a message of which nothing is known are written, which its value does not tell: by
/// the number of the outermost, in the order of each number.
pub fn wire_types(bytes: &[u8]) -> Result<BTreeMap<u32, Vec<Written>>, Fault> {
    let mut types: BTreeMap<u32, Vec<Written>> = BTreeMap::new();
    let mut groups = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let tag = scan::tag(bytes, at)?.ok_or_else(|| scan::truncated(at))?;
        at = scan::payload(bytes, tag)?.ok_or_else(|| scan::truncated(at))?.1;
        if tag.wire == Wire::GroupEnd {
            groups.pop();
            continue;
        }
        let outermost = groups.first().copied().unwrap_or(tag.number);
        types.entry(outermost).or_default().push((groups.len(), tag.number, tag.wire));
        if tag.wire == Wire::GroupStart {
            groups.push(tag.number);
        }
    }
    types.values_mut().for_each(|fields| fields.sort_by_key(|&(depth, number, _)| (depth, number)));
    Ok(types)
}

/// Unknown fields, each under a key of its own.
#[derive(Default)]
pub struct Fields {
    value: Value,
    entries: Entries,
    /// How long the keys are together: paths are longer than the fields that they lead to.
    key_bytes: usize,
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.entries.order.is_empty()
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
        if self.key_bytes > MAXIMUM_LENGTH {
            return Err(too_many(at));
        }
        let node = match scalar(&mut self.value, field.payload, at)? {
            Some(node) => node,
            None => mapping(&mut self.value, field.content, at, depth + 1)?,
        };
        self.entries.add(key, node);
        Ok(())
    }

    pub fn into_value(mut self) -> Value {
        let root = self.entries.finish(&mut self.value);
        self.value.set_root(root);
        self.value
    }
}

/// Fields in the order in which each first occurred.
#[derive(Default)]
struct Entries {
    order: Vec<(String, Vec<NodeId>)>,
    places: HashMap<String, usize>,
}

impl Entries {
    fn add(&mut self, key: String, node: NodeId) {
        match self.places.get(&key) {
            Some(&place) => self.order[place].1.push(node),
            None => {
                self.places.insert(key.clone(), self.order.len());
                self.order.push((key, vec![node]));
            }
        }
    }

    /// The mapping: what occurred more than once is a list.
    fn finish(self, value: &mut Value) -> NodeId {
        let mut entries = Vec::with_capacity(self.order.len());
        for (key, items) in self.order {
            let item = match items[..] {
                [item] => item,
                _ => value.add_list(&items),
            };
            entries.push((value.add_str(&key), item));
        }
        value.add_dict(&entries)
    }
}

/// A message or group that is being read.
struct Open<'a> {
    bytes: &'a [u8],
    at: usize,
    base: usize,
    entries: Entries,
    /// Its key in the one around it.
    key: String,
}

/// The mapping of all fields of bytes that begin at `base` and are nested so deep.
fn mapping(value: &mut Value, bytes: &[u8], base: usize, depth: usize) -> Result<NodeId, Fault> {
    let begin = |bytes, base, key| Open { bytes, at: 0, base, entries: Entries::default(), key };
    let mut around: Vec<Open<'_>> = Vec::new();
    let mut open = begin(bytes, base, String::new());
    loop {
        if depth + around.len() > MAXIMUM_DEPTH {
            return Err(scan::too_deep(open.base));
        }
        if open.at == open.bytes.len() {
            let node = std::mem::take(&mut open.entries).finish(value);
            let Some(outer) = around.pop() else { return Ok(node) };
            let key = std::mem::replace(&mut open, outer).key;
            open.entries.add(key, node);
            continue;
        }
        let field = scan::field(open.bytes, open.at)
            .map_err(|fault| Fault { at: open.base + fault.at, ..fault })?;
        open.at = field.end;
        let (key, start) = (field.tag.number.to_string(), open.base + field.start);
        match scalar(value, field.payload, start)? {
            Some(node) => open.entries.add(key, node),
            None => around.push(std::mem::replace(&mut open, begin(field.content, start, key))),
        }
    }
}

/// The node of a field at `at`; `None` of a group.
fn scalar(value: &mut Value, payload: Payload<'_>, at: usize) -> Result<Option<NodeId>, Fault> {
    if value.len() > MAXIMUM_NODES {
        return Err(too_many(at));
    }
    Ok(match payload {
        Payload::Varint(bits) | Payload::Fixed64(bits) => Some(value.add(unsigned(bits))),
        Payload::Fixed32(bits) => Some(value.add(Node::Int(i64::from(bits)))),
        Payload::Length(bytes) => Some(match std::str::from_utf8(bytes) {
            Ok(text) if is_printable(text) => value.add_str(text),
            _ => value.add_bytes(bytes),
        }),
        Payload::Group => None,
    })
}

/// Whether bytes that are UTF-8 look like text.
fn is_printable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
}

/// The bytes of a value as [`decode_by_number`] gives it: a mapping from field numbers to integers
/// and truth values (varints), strings, bytes, mappings (nested messages) and lists of these.
pub fn encode_by_number(value: &Value) -> Result<Vec<u8>, String> {
    message(value, value.root(), 0)
}

/// Recursion is bounded by [`MAXIMUM_DEPTH`].
fn message(value: &Value, id: NodeId, depth: usize) -> Result<Vec<u8>, String> {
    if depth > MAXIMUM_DEPTH {
        return Err(format!("it is nested deeper than {MAXIMUM_DEPTH}"));
    }
    let Node::Dict(entries) = value.node(id) else {
        let found = value.node(id).describe();
        return Err(format!("a message is a mapping from field numbers to values, not {found}"));
    };
    let entries = value.entries(*entries);
    let mut fields = Vec::with_capacity(entries.len());
    for &(key, item) in entries {
        let number = match value.node(key) {
            Node::Int(number) => u32::try_from(*number).ok(),
            _ => value.as_str(key).and_then(|key| key.parse().ok()),
        };
        match number {
            Some(number) if (1..1 << 29).contains(&number) => fields.push((number, item)),
            _ => {
                let key = match value.as_str(key) {
                    Some(key) => format!("{key:?}"),
                    None => value.node(key).describe().to_owned(),
                };
                return Err(format!(
                    "{key} is no field number; without a schema fields are given by number, with \
                     one as protobuf:MESSAGE by name"
                ));
            }
        }
    }
    fields.sort_by_key(|&(number, _)| number);
    let mut bytes = Vec::new();
    for (number, item) in fields {
        match value.node(item) {
            Node::List(items) => {
                for &item in value.items(*items) {
                    field(value, number, item, depth, &mut bytes)?;
                }
            }
            _ => field(value, number, item, depth, &mut bytes)?,
        }
    }
    Ok(bytes)
}

fn field(
    value: &Value,
    number: u32,
    id: NodeId,
    depth: usize,
    bytes: &mut Vec<u8>,
) -> Result<(), String> {
    use prost::encoding::{WireType, encode_key, encode_varint};
    let varint = |number, bits, bytes: &mut Vec<u8>| {
        encode_key(number, WireType::Varint, bytes);
        encode_varint(bits, bytes);
    };
    let content = match value.node(id) {
        Node::Bool(truth) => {
            varint(number, u64::from(*truth), bytes);
            return Ok(());
        }
        // A negative varint is its two's complement, as int32 and int64 are written.
        Node::Int(integer) => {
            varint(number, *integer as u64, bytes);
            return Ok(());
        }
        Node::BigInt(integer) => {
            let bits = u64::try_from(&**integer)
                .map_err(|_| format!("field {number}: {integer} does not fit 64 bits"))?;
            varint(number, bits, bytes);
            return Ok(());
        }
        Node::Str(span) | Node::Bytes(span) | Node::ByteArray(span) => value.span(*span).to_vec(),
        Node::Dict(_) => message(value, id, depth + 1)?,
        other => {
            return Err(format!(
                "field {number}: without a schema {} cannot be written",
                other.describe()
            ));
        }
    };
    encode_key(number, WireType::LengthDelimited, bytes);
    encode_varint(content.len() as u64, bytes);
    bytes.extend_from_slice(&content);
    Ok(())
}
