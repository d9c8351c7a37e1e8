//! Values of a known message as JSON, by the proto3 mapping with the `.proto`'s field names: 64-bit
//! integers as strings, bytes as base64, enums by name, `"NaN"`, `"Infinity"` and `"-Infinity"` as
//! strings. A float carries a point or an exponent, a `float` in the fewest digits that are it.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use super::{MAXIMUM_DEPTH, MessageType};
use crate::wire::Value;
use crate::wire::json::{self, write_string};
use crate::wire::value::{Node, NodeId};

/// A value of this message as one line of JSON. What does not fit the message is written as
/// [tagged JSON](crate::wire::json).
pub fn to_string(message: &MessageType, value: &Value) -> String {
    let mut json = String::new();
    if value.is_empty() {
        json.push_str("null");
        return json;
    }
    let mut writer = Writer { value, json: &mut json, open: Vec::new() };
    writer.message(message.descriptor(), value.root());
    while writer.step() {}
    json
}

struct Writer<'a> {
    value: &'a Value,
    json: &'a mut String,
    /// Of what the beginning is written, outermost first.
    open: Vec<Open<'a>>,
}

struct Open<'a> {
    parts: Parts<'a>,
    written: usize,
}

/// What stands in a message, a map or a list.
enum Parts<'a> {
    Fields(Vec<(FieldDescriptor, NodeId)>),
    Map(FieldDescriptor, &'a [(NodeId, NodeId)]),
    List(FieldDescriptor, &'a [NodeId]),
}

impl<'a> Writer<'a> {
    /// Writes the next part of what is open innermost; false when nothing is open.
    fn step(&mut self) -> bool {
        let Some(open) = self.open.last_mut() else { return false };
        let at = open.written;
        open.written += 1;
        let comma = if at > 0 { "," } else { "" };
        match &open.parts {
            Parts::Fields(fields) => match fields.get(at).cloned() {
                Some((field, id)) => {
                    self.json.push_str(comma);
                    write_string(field.name(), self.json);
                    self.json.push(':');
                    self.field(&field, id);
                }
                None => self.close('}'),
            },
            Parts::Map(item, entries) => match entries.get(at) {
                Some(&(key, id)) => {
                    let item = item.clone();
                    self.json.push_str(comma);
                    self.key(key);
                    self.json.push(':');
                    self.element(&item, id);
                }
                None => self.close('}'),
            },
            Parts::List(field, items) => match items.get(at) {
                Some(&id) => {
                    let field = field.clone();
                    self.json.push_str(comma);
                    self.element(&field, id);
                }
                None => self.close(']'),
            },
        }
        true
    }

    fn begin(&mut self, bracket: char, parts: Parts<'a>) {
        self.json.push(bracket);
        self.open.push(Open { parts, written: 0 });
    }

    fn close(&mut self, bracket: char) {
        self.json.push(bracket);
        self.open.pop();
    }

    fn message(&mut self, message: &MessageDescriptor, id: NodeId) {
        let value = self.value;
        let fields = match value.node(id) {
            // A message takes two levels at most. Deeper ones, or cycles, no decoder has made.
            Node::Dict(entries) if self.open.len() <= 2 * MAXIMUM_DEPTH => value
                .entries(*entries)
                .iter()
                .map(|&(key, item)| Some((message.get_field_by_name(value.as_str(key)?)?, item)))
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        match fields {
            Some(fields) => self.begin('{', Parts::Fields(fields)),
            None => self.tagged(id),
        }
    }

    fn field(&mut self, field: &FieldDescriptor, id: NodeId) {
        match (self.value.node(id), field.kind()) {
            (Node::Dict(entries), Kind::Message(entry)) if field.is_map() => {
                self.begin(
                    '{',
                    Parts::Map(entry.map_entry_value_field(), self.value.entries(*entries)),
                );
            }
            (Node::List(items), _) if field.is_list() => {
                self.begin('[', Parts::List(field.clone(), self.value.items(*items)));
            }
            _ => self.element(field, id),
        }
    }

    /// A map's key: a string, whatever its type.
    fn key(&mut self, id: NodeId) {
        let text = match self.value.node(id) {
            Node::Int(integer) => integer.to_string(),
            Node::BigInt(integer) => integer.to_string(),
            Node::Bool(truth) => truth.to_string(),
            _ => self.value.as_str(id).unwrap_or_default().to_owned(),
        };
        write_string(&text, self.json);
    }

    fn element(&mut self, field: &FieldDescriptor, id: NodeId) {
        let value = self.value;
        let wide = matches!(
            field.kind(),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
        );
        match (value.node(id), field.kind()) {
            (_, Kind::Message(message)) => self.message(&message, id),
            (Node::Int(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::BigInt(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::Int(integer), _) => self.display(format_args!("{integer}")),
            (Node::Bytes(span) | Node::ByteArray(span), Kind::Bytes) => {
                self.json.push('"');
                BASE64_STANDARD.encode_string(value.span(*span), self.json);
                self.json.push('"');
            }
            (Node::Float(float), kind) => self.float(*float, kind == Kind::Float),
            _ => self.tagged(id),
        }
    }

    fn float(&mut self, float: f64, single: bool) {
        match float {
            f64::INFINITY => self.json.push_str("\"Infinity\""),
            f64::NEG_INFINITY => self.json.push_str("\"-Infinity\""),
            _ if float.is_nan() => self.json.push_str("\"NaN\""),
            // A float's double has digits beyond those that tell it from its neighbours.
            _ if single && f64::from(float as f32) == float => {
                self.display(format_args!("{:?}", float as f32));
            }
            _ => json::write_float(float, self.json),
        }
    }

    fn display(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.json.write_fmt(text);
    }

    fn tagged(&mut self, id: NodeId) {
        json::write_node(self.value, id, self.json);
    }
}
