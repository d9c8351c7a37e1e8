//! Fields by number alone: messages without a schema, and unknown fields.

use std::collections::HashMap;

use super::decode::{too_many, unsigned};
use super::scan::{self, Field, Payload};
use super::{MAXIMUM_DEPTH, MAXIMUM_NODES};
use crate::wire::Fault;
use crate::wire::Value;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::{Node, NodeId};

/// The value of a message of which nothing is known.
pub fn decode_by_number(bytes: &[u8]) -> Result<Value, Fault> {
    let mut fields = Fields::default();
    fields.read(bytes, 0, 0)?;
    Ok(fields.into_value())
}

/// Fields in the order in which each first occurred.
#[derive(Default)]
pub struct Fields {
    value: Value,
    order: Vec<(String, Vec<NodeId>)>,
    places: HashMap<String, usize>,
    /// How long the keys are together: paths are longer than the fields that they lead to.
    key_bytes: usize,
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Reads all fields of a message; recursion is bounded by [`MAXIMUM_DEPTH`].
    fn read(&mut self, bytes: &[u8], base: usize, depth: usize) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            let field =
                scan::field(bytes, at).map_err(|fault| Fault { at: base + fault.at, ..fault })?;
            self.add(&field.tag.number.to_string(), &field, base, depth)?;
            at = field.end;
        }
        Ok(())
    }

    /// Adds one field, of bytes that begin at `base`, under `key`.
    pub fn add(
        &mut self,
        key: &str,
        field: &Field<'_>,
        base: usize,
        depth: usize,
    ) -> Result<(), Fault> {
        let at = base + field.start;
        let node = match field.payload {
            Payload::Varint(bits) | Payload::Fixed64(bits) => self.value.add(unsigned(bits)),
            Payload::Fixed32(bits) => self.value.add(Node::Int(i64::from(bits))),
            Payload::Length(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if is_printable(text) => self.value.add_str(text),
                _ => self.value.add_bytes(bytes),
            },
            Payload::Group if depth >= MAXIMUM_DEPTH => return Err(scan::too_deep(at)),
            Payload::Group => {
                // The group's fields go in this value, in a mapping of their own.
                let value = std::mem::take(&mut self.value);
                let mut group = Fields { value, ..Fields::default() };
                let read = group.read(field.content, at, depth + 1);
                let node = group.add_mapping();
                self.value = group.value;
                read?;
                node
            }
        };
        match self.places.get(key) {
            Some(&place) => self.order[place].1.push(node),
            None => {
                self.key_bytes += key.len();
                self.places.insert(key.to_owned(), self.order.len());
                self.order.push((key.to_owned(), vec![node]));
            }
        }
        if self.value.len() > MAXIMUM_NODES || self.key_bytes > MAXIMUM_LENGTH {
            return Err(too_many(at));
        }
        Ok(())
    }

    fn add_mapping(&mut self) -> NodeId {
        let mut entries = Vec::with_capacity(self.order.len());
        for (key, items) in std::mem::take(&mut self.order) {
            let item = match items[..] {
                [item] => item,
                _ => self.value.add(Node::List(items)),
            };
            entries.push((self.value.add_str(&key), item));
        }
        self.value.add(Node::Dict(entries))
    }

    pub fn into_value(mut self) -> Value {
        let root = self.add_mapping();
        self.value.set_root(root);
        self.value
    }
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
                for &item in items {
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
