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
    } else {
        Writer { value, json: &mut json }.message(message.descriptor(), value.root(), 0);
    }
    json
}

struct Writer<'a> {
    value: &'a Value,
    json: &'a mut String,
}

impl Writer<'_> {
    /// Recursion is bounded by [`MAXIMUM_DEPTH`], also for values that no decoder made.
    fn message(&mut self, message: &MessageDescriptor, id: NodeId, depth: usize) {
        let value = self.value;
        let fields = match value.node(id) {
            Node::Dict(entries) if depth <= MAXIMUM_DEPTH => entries
                .iter()
                .map(|&(key, item)| Some((message.get_field_by_name(value.as_str(key)?)?, item)))
                .collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let Some(fields) = fields else { return self.tagged(id) };
        self.json.push('{');
        for (index, (field, item)) in fields.into_iter().enumerate() {
            if index > 0 {
                self.json.push(',');
            }
            write_string(field.name(), self.json);
            self.json.push(':');
            self.field(&field, item, depth);
        }
        self.json.push('}');
    }

    fn field(&mut self, field: &FieldDescriptor, id: NodeId, depth: usize) {
        let value = self.value;
        match (value.node(id), field.kind()) {
            (Node::Dict(entries), Kind::Message(entry)) if field.is_map() => {
                let item = entry.map_entry_value_field();
                self.json.push('{');
                for (index, &(key, id)) in entries.iter().enumerate() {
                    if index > 0 {
                        self.json.push(',');
                    }
                    self.key(key);
                    self.json.push(':');
                    self.element(&item, id, depth + 1);
                }
                self.json.push('}');
            }
            (Node::List(items), _) if field.is_list() => {
                self.json.push('[');
                for (index, &id) in items.iter().enumerate() {
                    if index > 0 {
                        self.json.push(',');
                    }
                    self.element(field, id, depth);
                }
                self.json.push(']');
            }
            _ => self.element(field, id, depth),
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

    fn element(&mut self, field: &FieldDescriptor, id: NodeId, depth: usize) {
        let value = self.value;
        let wide = matches!(
            field.kind(),
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
        );
        match (value.node(id), field.kind()) {
            (_, Kind::Message(message)) => self.message(&message, id, depth + 1),
            (Node::Int(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::BigInt(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::Int(integer), _) => self.display(format_args!("{integer}")),
            (Node::Bytes(span) | Node::ByteArray(span), _) => {
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
