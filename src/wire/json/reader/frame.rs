//! What is open while tagged JSON is read: what each open bracket expects, and makes of what it gets.

use std::collections::HashSet;

use super::body::Body;
use crate::wire::Value;
use crate::wire::json::write_string;
use crate::wire::value::{Entries, Node, NodeId, Object};

/// What can go wrong, in words; the place is added by the reader.
pub type Result<T> = std::result::Result<T, String>;

/// An open array or object.
///
/// A `slot` is the node that a container is to be built in, where an `$id` has promised one.
pub enum Frame {
    /// An object of which no key was read yet.
    Object { slot: Option<NodeId> },
    /// A mapping whose keys are plain text.
    Members(Members),
    /// `{"$tuple":…}` and the like.
    Tag { slot: Option<NodeId>, tag: Tag, done: Option<NodeId> },
    /// `{"$id":n,"value":…}`.
    Identified { slot: Option<NodeId>, number: Option<u64>, value: Option<NodeId> },
    /// An array of values.
    Array { slot: Option<NodeId>, kind: Array, items: Vec<NodeId> },
    /// An array of pairs.
    Pairs { entries: Vec<(NodeId, NodeId)> },
    /// One of these pairs.
    Pair { items: Vec<NodeId> },
    /// What stands in `{"$object":…}`.
    Body(Box<Body>),
}

/// What an array of values becomes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Array {
    List,
    Tuple,
    Set,
    FrozenSet,
    /// A part of an `$object`.
    Bare,
}

/// The tags that stand alone in their object, and `$id`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tag {
    Tuple,
    Set,
    FrozenSet,
    Bytes,
    ByteArray,
    Int,
    Float,
    Str,
    Dict,
    Object,
    Id,
    Ref,
}

/// What a frame can take next.
pub enum Expect {
    Any(Option<NodeId>),
    Array(Option<NodeId>, Array),
    Pairs,
    Pair,
    Body,
    Text,
    Number,
    Id,
    Ref,
    Tagged(Option<NodeId>, Tag),
    Nothing,
}

/// What a closed frame, or a scalar, hands to the frame around it.
pub enum Yield {
    Node(NodeId),
    Items(Vec<NodeId>),
    Entries(Vec<(NodeId, NodeId)>),
    Pair(NodeId, NodeId),
    Body(Box<Object>),
    Text(String),
    Number(i64),
}

/// Puts a node where an `$id` promised it, else anywhere.
pub fn place(value: &mut Value, slot: Option<NodeId>, node: Node) -> NodeId {
    match slot {
        Some(id) => {
            *value.node_mut(id) = node;
            id
        }
        None => value.add(node),
    }
}

impl Frame {
    pub fn expect(&self) -> Expect {
        match self {
            Frame::Object { .. } | Frame::Tag { done: Some(_), .. } => Expect::Nothing,
            Frame::Members(_) | Frame::Array { .. } | Frame::Pair { .. } => Expect::Any(None),
            Frame::Identified { number: None, .. } => Expect::Id,
            Frame::Identified { slot, .. } => Expect::Any(*slot),
            Frame::Pairs { .. } => Expect::Pair,
            Frame::Body(body) => body.expect(),
            Frame::Tag { slot, tag, .. } => match tag {
                Tag::Tuple => Expect::Array(*slot, Array::Tuple),
                Tag::Set => Expect::Array(*slot, Array::Set),
                Tag::FrozenSet => Expect::Array(*slot, Array::FrozenSet),
                Tag::Dict => Expect::Pairs,
                Tag::Object => Expect::Body,
                Tag::Id => Expect::Id,
                Tag::Ref => Expect::Ref,
                Tag::Bytes | Tag::ByteArray | Tag::Int | Tag::Float | Tag::Str => {
                    Expect::Tagged(*slot, *tag)
                }
            },
        }
    }

    /// Takes what the frame has said that it expects.
    pub fn take(&mut self, done: Yield, value: &mut Value) -> Result<()> {
        match (self, done) {
            (Frame::Members(members), Yield::Node(node)) => {
                members.entries.push((members.key, node));
            }
            (Frame::Tag { done, .. }, Yield::Node(node)) => *done = Some(node),
            (Frame::Tag { slot, done, .. }, Yield::Entries(entries)) => {
                let entries = Node::Dict(value.store_entries(entries));
                *done = Some(place(value, *slot, entries));
            }
            (Frame::Tag { slot, done, .. }, Yield::Body(object)) => {
                *done = Some(place(value, *slot, Node::Object(object)));
            }
            (Frame::Identified { value, .. }, Yield::Node(node)) => *value = Some(node),
            (Frame::Array { items, .. }, Yield::Node(node)) => items.push(node),
            (Frame::Pairs { entries }, Yield::Pair(key, item)) => entries.push((key, item)),
            (Frame::Pair { items }, Yield::Node(node)) => {
                if items.len() == 2 {
                    return Err(PAIR.to_owned());
                }
                items.push(node);
            }
            (Frame::Body(body), done) => body.take(done),
            (_, _) => return Err("this cannot stand here".to_owned()),
        }
        Ok(())
    }

    /// What the frame has become; itself and why not, if it is not complete.
    pub fn finish(self, value: &mut Value) -> std::result::Result<Yield, (Frame, String)> {
        match self {
            Frame::Object { slot } => {
                Ok(Yield::Node(place(value, slot, Node::Dict(Entries::default()))))
            }
            Frame::Members(members) => {
                let entries = Node::Dict(value.store_entries(members.entries));
                Ok(Yield::Node(place(value, members.slot, entries)))
            }
            Frame::Tag { done: Some(node), .. } => Ok(Yield::Node(node)),
            Frame::Identified { value: Some(node), .. } => Ok(Yield::Node(node)),
            Frame::Array { slot, kind, items } => {
                let make = match kind {
                    Array::List => Node::List,
                    Array::Tuple => Node::Tuple,
                    Array::Set => Node::Set,
                    Array::FrozenSet => Node::FrozenSet,
                    Array::Bare => return Ok(Yield::Items(items)),
                };
                let node = make(value.store_items(&items));
                Ok(Yield::Node(place(value, slot, node)))
            }
            Frame::Pairs { entries } => Ok(Yield::Entries(entries)),
            Frame::Pair { items } => match items[..] {
                [key, item] => Ok(Yield::Pair(key, item)),
                _ => Err((Frame::Pair { items }, PAIR.to_owned())),
            },
            Frame::Body(body) => match body.finish() {
                Ok(object) => Ok(Yield::Body(object)),
                Err((body, complaint)) => Err((Frame::Body(body), complaint)),
            },
            Frame::Identified { .. } => Err((self, "an $id needs a value beside it".to_owned())),
            Frame::Tag { .. } => Err((self, "a tag needs a value".to_owned())),
        }
    }

    /// Why there must be no such key.
    pub fn too_many(&self, key: &str) -> String {
        match self {
            Frame::Identified { .. } => {
                format!("{key:?} cannot stand beside $id; \"value\" follows it, and nothing else")
            }
            _ => format!("{key:?} cannot stand beside a tag, which is alone in its object"),
        }
    }

    /// Appends the frame's part of the path to what is being read.
    pub fn write_place(&self, value: &Value, place: &mut String) {
        let index = match self {
            Frame::Members(members) => {
                return write_key(value.as_str(members.key).unwrap_or_default(), place);
            }
            Frame::Body(body) => return write_key(body.key_name(), place),
            Frame::Tag { tag, .. } => return write_key(tag.name(), place),
            Frame::Object { .. } | Frame::Identified { .. } => return,
            Frame::Array { items, .. } | Frame::Pair { items } => items.len(),
            Frame::Pairs { entries } => entries.len(),
        };
        place.push_str(&format!("[{index}]"));
    }
}

const PAIR: &str = "a pair has two elements, [key, value]";

fn write_key(key: &str, place: &mut String) {
    if key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') && !key.is_empty() {
        place.push('.');
        place.push_str(key);
    } else {
        place.push('[');
        write_string(key, place);
        place.push(']');
    }
}

impl Expect {
    /// Why `found` cannot stand here.
    pub fn complain(&self, found: &str) -> String {
        let wanted = match self {
            Expect::Any(_) => "a value",
            Expect::Array(..) => "an array",
            Expect::Pairs => "an array of pairs [key, value]",
            Expect::Pair => "a pair [key, value]",
            Expect::Body => "an object",
            Expect::Text => "a string",
            Expect::Number | Expect::Id | Expect::Ref => "a whole number",
            Expect::Tagged(_, Tag::Int) => "a string of digits",
            Expect::Tagged(_, Tag::Float) => "\"nan\", \"inf\" or \"-inf\"",
            Expect::Tagged(..) => "a string in base64",
            Expect::Nothing => "nothing",
        };
        format!("{wanted} must stand here, not {found}")
    }
}

/// The members of a plain object.
pub struct Members {
    slot: Option<NodeId>,
    key: NodeId,
    entries: Vec<(NodeId, NodeId)>,
    /// The keys, once there are too many to compare one by one.
    names: HashSet<String>,
}

impl Members {
    pub fn new(slot: Option<NodeId>, key: &str, value: &mut Value) -> Members {
        let key = value.add_str(key);
        Members { slot, key, entries: Vec::new(), names: HashSet::new() }
    }

    /// Begins another member.
    pub fn key(&mut self, key: &str, value: &mut Value) -> Result<()> {
        if key.starts_with('$') {
            return Err(format!(
                "{key:?} stands beside plain keys; write the mapping as {{\"$dict\":[[key,value],…]}}"
            ));
        }
        let earlier = || self.entries.iter().filter_map(|&(earlier, _)| value.as_str(earlier));
        let twice = if self.entries.len() <= 8 {
            earlier().any(|earlier| earlier == key)
        } else {
            if self.names.is_empty() {
                self.names = earlier().map(str::to_owned).collect();
            }
            !self.names.insert(key.to_owned())
        };
        if twice {
            return Err(format!("the key {key:?} stands twice"));
        }
        self.key = value.add_str(key);
        Ok(())
    }
}

impl Tag {
    const ALL: [Tag; 12] = [
        Tag::Tuple,
        Tag::Set,
        Tag::FrozenSet,
        Tag::Bytes,
        Tag::ByteArray,
        Tag::Int,
        Tag::Float,
        Tag::Str,
        Tag::Dict,
        Tag::Object,
        Tag::Id,
        Tag::Ref,
    ];

    /// The tag of this name.
    pub fn named(name: &str) -> Result<Tag> {
        Tag::ALL.into_iter().find(|tag| tag.name() == name).ok_or_else(|| {
            let known: Vec<_> = Tag::ALL.iter().map(|tag| tag.name()).collect();
            format!(
                "there is no tag {name:?}, only {}; a mapping with such a key is written as \
                 {{\"$dict\":[[key,value],…]}}",
                known.join(" ")
            )
        })
    }

    fn name(self) -> &'static str {
        match self {
            Tag::Tuple => "$tuple",
            Tag::Set => "$set",
            Tag::FrozenSet => "$frozenset",
            Tag::Bytes => "$bytes",
            Tag::ByteArray => "$bytearray",
            Tag::Int => "$int",
            Tag::Float => "$float",
            Tag::Str => "$str",
            Tag::Dict => "$dict",
            Tag::Object => "$object",
            Tag::Id => "$id",
            Tag::Ref => "$ref",
        }
    }
}
