//! Values of a known message as JSON, by the proto3 mapping with the `.proto`'s field names: 64-bit
//! integers as strings, bytes as base64, enums by name, `"NaN"`, `"Infinity"` and `"-Infinity"` as
//! strings. A float carries a point or an exponent, a `float` in the fewest digits that are it.

use std::fmt::Write as _;

use super::layout::{Field, Kind, Layout, Layouts, Shape, Special};
use super::special::{TYPE, VALUE, type_name};
use super::{MAXIMUM_DEPTH, MessageType};
use crate::wire::Value;
use crate::wire::json::{self, write_string};
use crate::wire::value::{Node, NodeId};
use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Appends a value of this message as one line of JSON. What does not fit the message is written as
/// [tagged JSON](crate::wire::json).
pub fn write(message: &MessageType, value: &Value, json: &mut String) {
    if value.is_empty() {
        json.push_str("null");
        return;
    }
    let layouts = message.layouts();
    let mut writer = Writer { layouts, value, json, open: Vec::new() };
    writer.message(0, value.root());
    while writer.step() {}
}

struct Writer<'a> {
    layouts: &'a Layouts,
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
    Fields(Vec<(&'a str, Part<'a>, NodeId)>),
    Map(&'a Field, &'a [(NodeId, NodeId)]),
    List(&'a Field, &'a [NodeId]),
}

/// What stands in a message.
#[derive(Clone, Copy)]
enum Part<'a> {
    Field(&'a Field),
    /// The form of a special message, by its place, in an `Any`.
    Message(usize),
    /// The type of what an `Any` holds.
    Type,
}

impl<'a> Writer<'a> {
    /// Writes the next part of what is open innermost; false when nothing is open.
    fn step(&mut self) -> bool {
        let Some(open) = self.open.last_mut() else { return false };
        let at = open.written;
        open.written += 1;
        let comma = if at > 0 { "," } else { "" };
        match &open.parts {
            Parts::Fields(fields) => match fields.get(at).copied() {
                Some((name, part, id)) => {
                    self.json.push_str(comma);
                    write_string(name, self.json);
                    self.json.push(':');
                    match part {
                        Part::Field(field) => self.field(field, id),
                        Part::Message(place) => self.message(place, id),
                        Part::Type => self.tagged(id),
                    }
                }
                None => self.close('}'),
            },
            Parts::Map(item, entries) => match entries.get(at) {
                Some(&(key, id)) => {
                    let item = *item;
                    self.json.push_str(comma);
                    self.key(key);
                    self.json.push(':');
                    self.element(item, id);
                }
                None => self.close('}'),
            },
            Parts::List(field, items) => match items.get(at) {
                Some(&id) => {
                    let field = *field;
                    self.json.push_str(comma);
                    self.element(field, id);
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

    fn message(&mut self, place: usize, id: NodeId) {
        let value = self.value;
        let layout = self.layouts.at(place);
        match (layout.special, value.node(id)) {
            (Some(Special::Struct | Special::Value | Special::ListValue), _) => {
                return self.tagged(id);
            }
            (Some(Special::Wrapper), node) if !matches!(node, Node::Dict(_)) => {
                return self.element(&layout.fields[0], id);
            }
            _ => {}
        }
        let parts = match value.node(id) {
            // A message takes two levels at most. Deeper ones, or cycles, no decoder has made.
            Node::Dict(entries) if self.open.len() <= 2 * MAXIMUM_DEPTH => {
                self.parts(layout, value.entries(*entries))
            }
            _ => None,
        };
        match parts {
            Some(parts) => self.begin('{', Parts::Fields(parts)),
            None => self.tagged(id),
        }
    }

    /// What stands in a message; `None` if these are no fields of it.
    fn parts(
        &self,
        layout: &'a Layout,
        entries: &'a [(NodeId, NodeId)],
    ) -> Option<Vec<(&'a str, Part<'a>, NodeId)>> {
        let value = self.value;
        let held = match (layout.special, entries.first()) {
            (Some(Special::Any), Some(&(key, url))) if value.as_str(key) == Some(TYPE) => {
                Some(self.layouts.find(type_name(value.as_str(url)?)?)?)
            }
            _ => None,
        };
        let layout = held.map_or(layout, |held| self.layouts.at(held));
        let mut parts = Vec::with_capacity(entries.len());
        for (at, &(key, item)) in entries.iter().enumerate() {
            let name = value.as_str(key)?;
            let part = match held {
                Some(_) if at == 0 => Part::Type,
                Some(held) if layout.special.is_some() => {
                    if name != VALUE {
                        return None;
                    }
                    Part::Message(held)
                }
                _ => {
                    // Most often it is the one behind the last.
                    let place = match layout.fields.get(at) {
                        Some(field) if field.name == name => at,
                        _ => layout.named(name).filter(|&at| layout.fields[at].name == name)?,
                    };
                    Part::Field(&layout.fields[place])
                }
            };
            parts.push((name, part, item));
        }
        Some(parts)
    }

    fn field(&mut self, field: &'a Field, id: NodeId) {
        match (self.value.node(id), &field.kind, field.shape) {
            (Node::Dict(entries), Kind::Message(entry), Shape::Map) => {
                let entries = self.value.entries(*entries);
                match self.layouts.at(*entry).fields.get(1) {
                    Some(item) => self.begin('{', Parts::Map(item, entries)),
                    None => self.tagged(id),
                }
            }
            (Node::List(items), _, Shape::List) => {
                self.begin('[', Parts::List(field, self.value.items(*items)));
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

    fn element(&mut self, field: &'a Field, id: NodeId) {
        let value = self.value;
        let wide = matches!(
            field.kind,
            Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 | Kind::Sfixed64
        );
        match (value.node(id), &field.kind) {
            (_, Kind::Message(place)) => self.message(*place, id),
            (Node::Int(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::BigInt(integer), _) if wide => self.display(format_args!("\"{integer}\"")),
            (Node::Int(integer), _) => self.display(format_args!("{integer}")),
            (Node::Bytes(span) | Node::ByteArray(span), Kind::Bytes) => {
                self.json.push('"');
                BASE64_STANDARD.encode_string(value.span(*span), self.json);
                self.json.push('"');
            }
            (Node::Float(float), kind) => self.float(*float, matches!(kind, Kind::Float)),
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
