//! Tagged JSON to values.

mod body;
mod frame;
mod scalar;

use std::collections::HashMap;

use json_event_parser::{JsonEvent, LowLevelJsonParser};

use self::body::Body;
use self::frame::{Array, Expect, Frame, Result, Tag, Yield};
use crate::wire::Value;
use crate::wire::value::{Node, NodeId};

/// Texts are at most this long, so that node ids and spans cannot run out.
const MAXIMUM_TEXT: usize = 1 << 30;

/// The value that `text` says, or why it says none.
pub fn read(text: &str) -> std::result::Result<Value, String> {
    if text.len() > MAXIMUM_TEXT {
        return Err(format!("JSON of {} bytes; {MAXIMUM_TEXT} is the most", text.len()));
    }
    let mut reader = Reader::default();
    let mut parser = LowLevelJsonParser::new().with_max_stack_size(usize::MAX);
    let mut rest = text.as_bytes();
    loop {
        let parsed = parser.parse_next(rest, true);
        rest = &rest[parsed.consumed_bytes..];
        match parsed.event {
            None => {}
            Some(Ok(JsonEvent::Eof)) => return reader.finish(),
            Some(Ok(event)) => {
                reader.event(event).map_err(|reason| format!("at {}: {reason}", reader.place()))?;
            }
            Some(Err(error)) => {
                let place = error.location().start;
                return Err(format!(
                    "no JSON at line {} column {}: {}",
                    place.line + 1,
                    place.column + 1,
                    error.message()
                ));
            }
        }
    }
}

#[derive(Default)]
struct Reader {
    value: Value,
    frames: Vec<Frame>,
    root: Option<NodeId>,
    /// The node of each `$id` read so far.
    ids: HashMap<u64, NodeId>,
}

impl Reader {
    fn event(&mut self, event: JsonEvent<'_>) -> Result<()> {
        match event {
            JsonEvent::ObjectKey(key) => self.key(&key),
            JsonEvent::StartArray => self.start_array(),
            JsonEvent::StartObject => self.start_object(),
            JsonEvent::EndArray | JsonEvent::EndObject => self.end(),
            JsonEvent::Null => self.scalar("null", |_| Ok(Node::None)),
            JsonEvent::Boolean(truth) => self.scalar("a truth value", |_| Ok(Node::Bool(truth))),
            JsonEvent::Number(digits) => self.number(&digits),
            JsonEvent::String(text) => self.string(&text),
            // The caller ends there.
            JsonEvent::Eof => Ok(()),
        }
    }

    fn finish(mut self) -> std::result::Result<Value, String> {
        let root = self.root.ok_or("there is no value")?;
        self.value.set_root(root);
        Ok(self.value)
    }

    fn expect(&self) -> Expect {
        self.frames.last().map_or(Expect::Any(None), Frame::expect)
    }

    fn key(&mut self, key: &str) -> Result<()> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let frame = match frame {
            Frame::Object { slot } if key.starts_with('$') => {
                Frame::Tag { slot, tag: Tag::named(key)?, done: None }
            }
            Frame::Object { slot } => {
                Frame::Members(frame::Members::new(slot, key, &mut self.value))
            }
            Frame::Members(mut members) => {
                let added = members.key(key, &mut self.value);
                self.frames.push(Frame::Members(members));
                return added;
            }
            Frame::Identified { slot, value: None, number: Some(number) } if key == "value" => {
                Frame::Identified { slot, value: None, number: Some(number) }
            }
            Frame::Body(mut body) => {
                let begun = body.key(key);
                self.frames.push(Frame::Body(body));
                return begun;
            }
            frame => {
                let complaint = frame.too_many(key);
                self.frames.push(frame);
                return Err(complaint);
            }
        };
        self.frames.push(match frame {
            Frame::Tag { slot, tag: Tag::Id, .. } => {
                Frame::Identified { slot, value: None, number: None }
            }
            frame => frame,
        });
        Ok(())
    }

    fn start_array(&mut self) -> Result<()> {
        let frame = match self.expect() {
            Expect::Any(slot) => Frame::Array { slot, kind: Array::List, items: Vec::new() },
            Expect::Array(slot, kind) => Frame::Array { slot, kind, items: Vec::new() },
            Expect::Pairs => Frame::Pairs { entries: Vec::new() },
            Expect::Pair => Frame::Pair { items: Vec::new() },
            expected => return Err(expected.complain("an array")),
        };
        self.frames.push(frame);
        Ok(())
    }

    fn start_object(&mut self) -> Result<()> {
        let frame = match self.expect() {
            Expect::Any(slot) => Frame::Object { slot },
            Expect::Body => Frame::Body(Box::<Body>::default()),
            expected => return Err(expected.complain("an object")),
        };
        self.frames.push(frame);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        match frame.finish(&mut self.value) {
            Ok(done) => self.take(done),
            Err((frame, complaint)) => {
                // Back for the place that is named with the complaint.
                self.frames.push(frame);
                Err(complaint)
            }
        }
    }

    fn scalar(&mut self, what: &str, node: impl FnOnce(&mut Value) -> Result<Node>) -> Result<()> {
        match self.expect() {
            Expect::Any(slot) => {
                let node = node(&mut self.value)?;
                let id = frame::place(&mut self.value, slot, node);
                self.take(Yield::Node(id))
            }
            expected => Err(expected.complain(what)),
        }
    }

    fn number(&mut self, digits: &str) -> Result<()> {
        match self.expect() {
            Expect::Number => match digits.parse() {
                Ok(number) => self.take(Yield::Number(number)),
                Err(_) => Err(format!("{digits} is no whole number that can stand here")),
            },
            Expect::Id => self.identify(digits),
            Expect::Ref => self.refer(digits),
            _ => self.scalar("a number", |_| scalar::number(digits)),
        }
    }

    fn string(&mut self, text: &str) -> Result<()> {
        match self.expect() {
            Expect::Text => self.take(Yield::Text(text.to_owned())),
            Expect::Tagged(slot, tag) => {
                let node = scalar::tagged(tag, text, &mut self.value)?;
                let id = frame::place(&mut self.value, slot, node);
                self.take(Yield::Node(id))
            }
            _ => self.scalar("a string", |value| Ok(Node::Str(value.store(text.as_bytes())))),
        }
    }

    /// `{"$id":n` was read: what follows under `value` is built in a node that can be referred to now.
    fn identify(&mut self, digits: &str) -> Result<()> {
        let number = reference(digits)?;
        if self.ids.contains_key(&number) {
            return Err(format!("$id {number} is given twice"));
        }
        if let Some(Frame::Identified { slot, number: given, .. }) = self.frames.last_mut() {
            let node = slot.unwrap_or_else(|| self.value.add(Node::None));
            *slot = Some(node);
            *given = Some(number);
            self.ids.insert(number, node);
        }
        Ok(())
    }

    fn refer(&mut self, digits: &str) -> Result<()> {
        let number = reference(digits)?;
        if let Some(Frame::Tag { slot: Some(_), .. }) = self.frames.last() {
            return Err("the value of an $id cannot be a $ref".to_owned());
        }
        let node = *self.ids.get(&number).ok_or_else(|| {
            format!("$ref {number} refers to an $id that does not stand before it")
        })?;
        self.take(Yield::Node(node))
    }

    /// Hands what was read to the innermost open frame.
    fn take(&mut self, done: Yield) -> Result<()> {
        match (self.frames.last_mut(), done) {
            (Some(frame), done) => frame.take(done, &mut self.value),
            (None, Yield::Node(node)) => {
                self.root = Some(node);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// Where reading is, as a path: `$.readings[3]`.
    fn place(&self) -> String {
        let mut place = "$".to_owned();
        for frame in self.frames.iter().take(32) {
            frame.write_place(&self.value, &mut place);
        }
        if self.frames.len() > 32 {
            place.push('…');
        }
        place
    }
}

fn reference(digits: &str) -> Result<u64> {
    digits.parse().map_err(|_| format!("{digits} is no number for $id and $ref: 0, 1, 2, …"))
}
