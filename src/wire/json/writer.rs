//! Values to tagged JSON.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use num_bigint::BigInt;

use super::occurrences::Occurrences;
use crate::wire::Value;
use crate::wire::value::{Class, Node, NodeId, Object};

/// The largest integer, either way, that every JSON reader keeps exactly.
const EXACT: u64 = 1 << 53;

/// Integers with more bits are written in hex: writing decimals takes quadratic time.
const DECIMAL_BITS: u64 = 14_000;

/// Appends the value as one line of tagged JSON.
pub fn write(value: &Value, json: &mut String) {
    if value.is_empty() {
        json.push_str("null");
        return;
    }
    write_node(value, value.root(), json);
}

/// Appends what begins at `root`, as [`write()`] does.
pub fn write_node(value: &Value, root: NodeId, json: &mut String) {
    let occurrences = Occurrences::of(value, [root], None);
    let (ids, open) = (HashMap::new(), Vec::new());
    let mut writer = Writer { value, json, occurrences, ids, open, stand_ins: None };
    writer.node(root);
    while writer.step() {}
}

/// Appends a JSON string, with all that could act on a terminal escaped.
pub fn write_string(text: &str, json: &mut String) {
    json.push('"');
    if text.bytes().all(stands_for_itself) {
        // The ordinary text, at once.
        json.push_str(text);
        json.push('"');
        return;
    }
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        if !needs_escape(character) {
            continue;
        }
        json.push_str(&text[plain..at]);
        plain = at + character.len_utf8();
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            _ => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a String cannot fail.
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
        }
    }
    json.push_str(&text[plain..]);
    json.push('"');
}

/// Whether a byte is a character that is written as it is.
fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

fn needs_escape(character: char) -> bool {
    match character {
        '"' | '\\' => true,
        ' '..='~' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        _ => character.is_control(),
    }
}

/// Appends a finite float in the shortest form that is read back the same, with a point or exponent.
pub fn write_float(float: f64, json: &mut String) {
    debug_assert!(float.is_finite());
    let _ = write!(json, "{float:?}");
}

/// Appends an integer in decimal digits.
pub(crate) fn write_integer(integer: impl itoa::Integer, json: &mut String) {
    json.push_str(itoa::Buffer::new().format(integer));
}

pub(super) struct Writer<'v, 'j> {
    pub(super) value: &'v Value,
    pub(super) json: &'j mut String,
    pub(super) occurrences: Occurrences,
    /// The `$id` of each node written so far that has one.
    pub(super) ids: HashMap<NodeId, usize>,
    pub(super) open: Vec<Open<'v>>,
    /// The nodes that are not written, by the number that stands for each.
    pub(super) stand_ins: Option<&'v HashMap<NodeId, usize>>,
}

/// A container of which the beginning is written.
pub(super) struct Open<'v> {
    parts: Parts<'v>,
    /// How many of the parts are written; of pairs, keys and values count apart.
    written: usize,
    close: &'static str,
    /// Whether it is the `value` of an `$id`.
    identified: bool,
}

pub(super) enum Parts<'v> {
    Items(&'v [NodeId]),
    /// `"key":value`.
    Members(&'v [(NodeId, NodeId)]),
    /// `[key,value]`.
    Pairs(&'v [(NodeId, NodeId)]),
    /// What follows the class of an `$object`, each with its beginning.
    Object(Vec<(&'static str, Part<'v>)>),
}

pub(super) enum Part<'v> {
    Node(NodeId),
    Items(&'v [NodeId]),
    Pairs(&'v [(NodeId, NodeId)]),
}

impl<'v> Writer<'v, '_> {
    /// Writes the next part of the innermost open container; false when none is open.
    pub(super) fn step(&mut self) -> bool {
        let Some(open) = self.open.last_mut() else { return false };
        let at = open.written;
        open.written += 1;
        match &open.parts {
            Parts::Items(items) => match items.get(at) {
                Some(&item) => {
                    if at > 0 {
                        self.json.push(',');
                    }
                    self.node(item);
                }
                None => self.close(),
            },
            Parts::Members(members) => match members.get(at) {
                Some(&(key, value)) => {
                    if at > 0 {
                        self.json.push(',');
                    }
                    write_string(self.value.as_str(key).unwrap_or_default(), self.json);
                    self.json.push(':');
                    self.node(value);
                }
                None => self.close(),
            },
            Parts::Pairs(pairs) => match pairs.get(at / 2) {
                Some(&(key, _)) if at % 2 == 0 => {
                    self.json.push_str(if at == 0 { "[" } else { "],[" });
                    self.node(key);
                }
                Some(&(_, value)) => {
                    self.json.push(',');
                    self.node(value);
                }
                None => {
                    if at > 0 {
                        self.json.push(']');
                    }
                    self.close();
                }
            },
            Parts::Object(parts) => match parts.get(at) {
                Some(&(beginning, ref part)) => {
                    self.json.push_str(beginning);
                    match *part {
                        Part::Node(node) => self.node(node),
                        Part::Items(items) => self.begin("[", Parts::Items(items), "]", false),
                        Part::Pairs(pairs) => self.begin("[", Parts::Pairs(pairs), "]", false),
                    }
                }
                None => self.close(),
            },
        }
        true
    }

    /// Writes a node, of a container its beginning.
    pub(super) fn node(&mut self, id: NodeId) {
        if let Some(number) = self.stand_ins.and_then(|stand_ins| stand_ins.get(&id)) {
            let _ = write!(self.json, "{{\"$request\":{number}}}");
            return;
        }
        let identified = self.occurrences.is_identified(self.value, id);
        if identified {
            let next = self.ids.len() + 1;
            let number = *self.ids.entry(id).or_insert(next);
            if number != next {
                let _ = write!(self.json, "{{\"$ref\":{number}}}");
                return;
            }
            let _ = write!(self.json, "{{\"$id\":{number},\"value\":");
        }
        let opened = self.open.len();
        self.content(id, identified);
        if identified && self.open.len() == opened {
            self.json.push('}');
        }
    }

    /// Writes what a node is, without its `$id`.
    fn content(&mut self, id: NodeId, identified: bool) {
        let value = self.value;
        match value.node(id) {
            Node::None => self.json.push_str("null"),
            Node::Bool(true) => self.json.push_str("true"),
            Node::Bool(false) => self.json.push_str("false"),
            Node::Int(integer) => {
                if integer.unsigned_abs() <= EXACT {
                    write_integer(*integer, self.json);
                } else {
                    let _ = write!(self.json, "{{\"$int\":\"{integer}\"}}");
                }
            }
            Node::BigInt(integer) => self.big(integer),
            Node::Float(float) if float.is_finite() => write_float(*float, self.json),
            Node::Float(float) => self.json.push_str(match *float {
                f64::INFINITY => r#"{"$float":"inf"}"#,
                f64::NEG_INFINITY => r#"{"$float":"-inf"}"#,
                _ => r#"{"$float":"nan"}"#,
            }),
            Node::Str(_) => write_string(value.as_str(id).unwrap_or_default(), self.json),
            Node::Surrogates(span) => self.base64("$str", value.span(*span)),
            Node::Bytes(span) => self.base64("$bytes", value.span(*span)),
            Node::ByteArray(span) => self.base64("$bytearray", value.span(*span)),
            Node::List(items) => {
                self.begin("[", Parts::Items(value.items(*items)), "]", identified)
            }
            Node::Tuple(items) => {
                self.begin("{\"$tuple\":[", Parts::Items(value.items(*items)), "]}", identified);
            }
            Node::Set(items) => {
                self.begin("{\"$set\":[", Parts::Items(value.items(*items)), "]}", identified)
            }
            Node::FrozenSet(items) => {
                self.begin(
                    "{\"$frozenset\":[",
                    Parts::Items(value.items(*items)),
                    "]}",
                    identified,
                );
            }
            Node::Dict(entries) if self.is_plain(value.entries(*entries)) => {
                let entries = value.entries(*entries);
                self.begin("{", Parts::Members(entries), "}", identified);
            }
            Node::Dict(entries) => {
                let entries = value.entries(*entries);
                self.begin("{\"$dict\":[", Parts::Pairs(entries), "]}", identified);
            }
            Node::Object(object) => self.object(object, identified),
        }
    }

    pub(super) fn begin(
        &mut self,
        opening: &str,
        parts: Parts<'v>,
        close: &'static str,
        identified: bool,
    ) {
        self.json.push_str(opening);
        self.open.push(Open { parts, written: 0, close, identified });
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.json.push_str(open.close);
            if open.identified {
                self.json.push('}');
            }
        }
    }

    fn object(&mut self, object: &'v Object, identified: bool) {
        self.json.push_str("{\"$object\":{");
        let mut parts = Vec::new();
        match &object.class {
            Class::Global { module, name } => {
                self.json.push_str("\"class\":");
                write_string(&format!("{module}.{name}"), self.json);
                if name.contains('.') {
                    self.json.push_str(",\"module\":");
                    write_string(module, self.json);
                }
            }
            Class::Computed(node) => parts.push(("\"computed\":", Part::Node(*node))),
            Class::Persistent(node) => parts.push(("\"persistent\":", Part::Node(*node))),
            Class::Extension(code) => {
                let _ = write!(self.json, "\"extension\":{code}");
            }
            Class::Buffer(order) => {
                let _ = write!(self.json, "\"buffer\":{order}");
            }
        }
        if let Some(arguments) = &object.arguments {
            parts.push((",\"args\":", Part::Items(arguments)));
        }
        if !object.keywords.is_empty() {
            parts.push((",\"kwargs\":", Part::Pairs(&object.keywords)));
        }
        if let Some(state) = object.state {
            parts.push((",\"state\":", Part::Node(state)));
        }
        if !object.items.is_empty() {
            parts.push((",\"items\":", Part::Items(&object.items)));
        }
        if !object.entries.is_empty() {
            parts.push((",\"entries\":", Part::Pairs(&object.entries)));
        }
        self.begin("", Parts::Object(parts), "}}", identified);
    }

    fn big(&mut self, integer: &BigInt) {
        let _ = if integer.bits() > DECIMAL_BITS {
            write!(self.json, "{{\"$int\":\"{integer:#x}\"}}")
        } else {
            write!(self.json, "{{\"$int\":\"{integer}\"}}")
        };
    }

    fn base64(&mut self, tag: &str, bytes: &[u8]) {
        let _ = write!(self.json, "{{\"{tag}\":\"");
        BASE64_STANDARD.encode_string(bytes, self.json);
        self.json.push_str("\"}");
    }

    /// Whether a mapping can be a JSON object: its keys are text, none begins with `$`, none stands
    /// twice, none is written elsewhere and referred to.
    fn is_plain(&self, entries: &[(NodeId, NodeId)]) -> bool {
        let text = |key: NodeId| match self.value.node(key) {
            Node::Str(span) => Some(self.value.span(*span)),
            _ => None,
        };
        let keys = || entries.iter().map(|&(key, _)| text(key));
        if !keys().all(|key| key.is_some_and(|key| key.first() != Some(&b'$'))) {
            return false;
        }
        if self.occurrences.share_leaves
            && entries.iter().any(|&(key, _)| self.occurrences.is_identified(self.value, key))
        {
            return false;
        }
        if entries.len() <= 8 {
            return !keys()
                .enumerate()
                .any(|(at, key)| keys().take(at).any(|earlier| earlier == key));
        }
        let mut seen = HashSet::with_capacity(entries.len());
        keys().all(|key| seen.insert(key))
    }
}
