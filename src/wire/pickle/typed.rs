//! Rust types to and from pickles, by serde-pickle.
//!
//! serde-pickle writes, and turns values into types. It never reads a peer's bytes: it recurses over
//! them and takes memory on their word, so they go through our machine first.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_pickle::{HashableValue, SerOptions, Value as Plain};

use super::{Limits, decode};
use crate::wire::value::{Class, Node, NodeId, Value};
use crate::wire::{Fault, FaultKind};
use crate::{Error, Result};

type Outcome<T> = std::result::Result<T, Fault>;

/// How deep a value may be nested: building a Rust type from it recurses.
const DEPTH: usize = 128;

/// A pickle of a Rust value, at protocol 3: structs are dicts by field name, `Option` is the value or
/// `None`, an enum's variant its name or `{name: content}`.
///
/// # Errors
/// [`Error::Value`] where Python has no such value, as a map with a list for a key.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let refuse = |reason| Error::Value { format: "pickle".into(), reason };
    let bytes = serde_pickle::to_vec(&value, SerOptions::new())
        .map_err(|error| refuse(error.to_string()))?;
    // serde-pickle writes any key; what Python cannot load must not leave here.
    decode(&bytes, &Limits::none()).map_err(|fault| refuse(fault.message))?;
    Ok(bytes)
}

/// A Rust value from exactly one pickle of plain data, at any protocol.
///
/// # Errors
/// [`Error::Decode`]: the fault in the bytes, `Limit` when they are nested deeper than 128 or share so
/// much that they are large when written out, `Schema` when they ask for objects or are no `T`.
/// An integer beyond `i64` is never a `T`: serde-pickle has no way to hand it over.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let limits = Limits { depth: DEPTH, ..Limits::default() };
    let value = decode(bytes, &limits)?;
    let plain = plain(&value, &limits)?;
    serde_pickle::from_value(plain)
        .map_err(|error| Fault::new(FaultKind::Schema, 0, error.to_string()).into())
}

/// A container whose elements are being made, and what was made before them.
struct Frame {
    node: NodeId,
    next: usize,
    start: usize,
}

/// The value as serde-pickle's tree, which owns what it holds: what is shared stands once for each
/// place it is in.
fn plain(value: &Value, limits: &Limits) -> Outcome<Plain> {
    let mut budget = Budget { nodes: limits.nodes, bytes: limits.bytes };
    let mut frames: Vec<Frame> = Vec::new();
    let mut made: Vec<Plain> = Vec::new();
    let mut next = Some(value.root());
    loop {
        if let Some(node) = next.take() {
            budget.node()?;
            match leaf(value, node, &mut budget)? {
                Some(leaf) => made.push(leaf),
                None if frames.len() >= DEPTH => {
                    return Err(too_large("the value is nested too deep, or holds itself"));
                }
                None => frames.push(Frame { node, next: 0, start: made.len() }),
            }
        }
        let Some(frame) = frames.last_mut() else { break };
        let index = frame.next;
        frame.next += 1;
        next = element(value, frame.node, index);
        if next.is_none() {
            let elements = made.split_off(frame.start);
            made.push(container(value.node(frame.node), elements)?);
            frames.pop();
        }
    }
    made.pop().ok_or_else(|| Fault::new(FaultKind::Corrupt, 0, "there is no value"))
}

fn element(value: &Value, node: NodeId, index: usize) -> Option<NodeId> {
    match value.node(node) {
        Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::FrozenSet(items) => {
            value.items(*items).get(index).copied()
        }
        Node::Dict(entries) => {
            let &(key, item) = value.entries(*entries).get(index / 2)?;
            Some(if index.is_multiple_of(2) { key } else { item })
        }
        _ => None,
    }
}

/// A node that holds no others; `None` for a container.
fn leaf(value: &Value, node: NodeId, budget: &mut Budget) -> Outcome<Option<Plain>> {
    Ok(Some(match value.node(node) {
        Node::None => Plain::None,
        Node::Bool(truth) => Plain::Bool(*truth),
        Node::Int(integer) => Plain::I64(*integer),
        Node::BigInt(integer) => {
            budget.bytes(integer.bits() as usize / 8)?;
            Plain::Int((**integer).clone())
        }
        Node::Float(float) => Plain::F64(*float),
        Node::Str(span) => {
            budget.bytes(span.len())?;
            match value.as_str(node) {
                Some(text) => Plain::String(text.to_owned()),
                None => return Err(no_text()),
            }
        }
        Node::Surrogates(_) => return Err(no_text()),
        Node::Bytes(span) | Node::ByteArray(span) => {
            budget.bytes(span.len())?;
            Plain::Bytes(value.span(*span).to_vec())
        }
        Node::Object(object) => {
            let what = match &object.class {
                Class::Global { module, name } => format!("{module}.{name}"),
                _ => "an object".to_owned(),
            };
            let message = format!("the pickle asks for {what}, which is no plain data");
            return Err(Fault::new(FaultKind::Schema, object.offset, message));
        }
        _ => return Ok(None),
    }))
}

fn container(node: &Node, elements: Vec<Plain>) -> Outcome<Plain> {
    Ok(match node {
        Node::Tuple(_) => Plain::Tuple(elements),
        Node::Set(_) => Plain::Set(elements.into_iter().map(key).collect::<Outcome<_>>()?),
        Node::FrozenSet(_) => {
            Plain::FrozenSet(elements.into_iter().map(key).collect::<Outcome<_>>()?)
        }
        Node::Dict(_) => {
            let mut entries = std::collections::BTreeMap::new();
            let mut elements = elements.into_iter();
            while let (Some(name), Some(item)) = (elements.next(), elements.next()) {
                entries.insert(key(name)?, item);
            }
            Plain::Dict(entries)
        }
        _ => Plain::List(elements),
    })
}

fn key(plain: Plain) -> Outcome<HashableValue> {
    plain.into_hashable().map_err(|error| Fault::new(FaultKind::Corrupt, 0, error.to_string()))
}

/// What the tree may still take, written out.
struct Budget {
    nodes: usize,
    bytes: usize,
}

impl Budget {
    fn node(&mut self) -> Outcome<()> {
        self.nodes = self.nodes.checked_sub(1).ok_or_else(|| too_large("too many nodes"))?;
        Ok(())
    }

    fn bytes(&mut self, count: usize) -> Outcome<()> {
        self.bytes = self.bytes.checked_sub(count).ok_or_else(|| too_large("too many bytes"))?;
        Ok(())
    }
}

fn too_large(what: &str) -> Fault {
    Fault::new(FaultKind::Limit, 0, format!("{what}, written out without sharing"))
}

fn no_text() -> Fault {
    Fault::new(FaultKind::InvalidUtf8, 0, "a text has lone surrogates")
}
