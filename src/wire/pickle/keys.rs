//! Which keys of a mapping, and which members of a set, are equal.
//!
//! Equal as in Python: 1, 1.0 and True are one key, tuples are by their elements, frozen sets whatever
//! their order. Objects are equal to themselves only: what their `__eq__` says, nobody knows here.
//!
//! Python hashes a nested key by walking it, which a shared element makes exponential. Here each node
//! gets a number, the same for equal nodes, and a container is known by its elements' numbers: every
//! node is looked at once, whatever shares it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::Limits;
use super::hash::Seed;
use super::machine::kind;
use crate::wire::value::{Node, NodeId, Value};
use crate::wire::{Fault, FaultKind};

/// A mapping or set to be looked at, and the first opcode that may have given it equal keys.
pub(super) struct Keyed {
    pub(super) node: NodeId,
    pub(super) at: usize,
}

/// So many keys are compared with each other.
const FEW: usize = 8;
/// Longer strings are not compared or hashed again for every mapping that has them.
const SHORT: usize = 64;

/// A key that is compared at little cost. Texts and integers never equal each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Simple<'v> {
    Text(&'v [u8]),
    Int(i64),
}

fn simple(value: &Value, key: NodeId) -> Option<Simple<'_>> {
    match value.node(key) {
        Node::Str(span) if span.len() <= SHORT => Some(Simple::Text(value.span(*span))),
        Node::Int(integer) => Some(Simple::Int(*integer)),
        _ => None,
    }
}

/// Whether `keys` are few, simple and all different: the ordinary record, which needs no table.
#[inline]
pub(super) fn few_different(value: &Value, keys: impl ExactSizeIterator<Item = NodeId>) -> bool {
    if keys.len() > FEW {
        return false;
    }
    let mut known = [Simple::Int(0); FEW];
    for (place, key) in keys.enumerate() {
        let Some(key) = simple(value, key) else { return false };
        if known[..place].contains(&key) {
            return false;
        }
        known[place] = key;
    }
    true
}

/// Lets each key of these mappings stand once, with its first place and last value, and each member
/// of these sets once.
pub(super) fn unify(
    value: &mut Value,
    mut keyed: Vec<Keyed>,
    limits: &Limits,
) -> Result<(), Fault> {
    keyed.sort_unstable_by_key(|keyed| (keyed.node, keyed.at));
    keyed.dedup_by_key(|keyed| keyed.node);
    let mut changed = Vec::new();
    let mut numbers = Numbers::new(value, limits);
    for Keyed { node, at } in keyed {
        let unified = match value.node(node) {
            Node::Dict(entries) => {
                let entries = value.entries(*entries);
                let keys = entries.iter().map(|&(key, _)| key);
                let places = numbers.places(keys, at)?;
                places.map(|places| Unified::Dict(merge(entries, &places)))
            }
            Node::Set(items) => {
                let items = value.items(*items);
                let places = numbers.places(items.iter().copied(), at)?;
                places.map(|places| Unified::Set(first(items, &places)))
            }
            Node::FrozenSet(items) => {
                let items = value.items(*items);
                let places = numbers.places(items.iter().copied(), at)?;
                places.map(|places| Unified::FrozenSet(first(items, &places)))
            }
            _ => None,
        };
        changed.extend(unified.map(|unified| (node, unified)));
    }
    for (node, unified) in changed {
        let unified = match unified {
            Unified::Dict(entries) => Node::Dict(value.store_entries(entries)),
            Unified::Set(members) => Node::Set(value.store_items(&members)),
            Unified::FrozenSet(members) => Node::FrozenSet(value.store_items(&members)),
        };
        *value.node_mut(node) = unified;
    }
    Ok(())
}

/// A mapping or set with each key once.
enum Unified {
    Dict(Vec<(NodeId, NodeId)>),
    Set(Vec<NodeId>),
    FrozenSet(Vec<NodeId>),
}

fn merge(entries: &[(NodeId, NodeId)], places: &[usize]) -> Vec<(NodeId, NodeId)> {
    let mut merged: Vec<(NodeId, NodeId)> = Vec::new();
    for (&entry, &place) in entries.iter().zip(places) {
        match merged.get_mut(place) {
            Some(known) => known.1 = entry.1,
            None => merged.push(entry),
        }
    }
    merged
}

fn first(items: &[NodeId], places: &[usize]) -> Vec<NodeId> {
    let mut members = Vec::new();
    for (&item, &place) in items.iter().zip(places) {
        if place == members.len() {
            members.push(item);
        }
    }
    members
}

/// What makes nodes equal.
#[derive(PartialEq, Eq, Hash)]
enum Content<'v> {
    None,
    Int(i64),
    BigInt(Cow<'v, BigInt>),
    /// A float that is no integer, by its bits.
    Float(u64),
    Text(&'v [u8]),
    Bytes(&'v [u8]),
    Tuple(Vec<u32>),
    /// By its members' numbers in order.
    FrozenSet(Vec<u32>),
    /// Equal to itself only.
    Identity(NodeId),
}

/// A node's number, and what hashing it takes elsewhere.
#[derive(Clone, Copy)]
struct Known {
    number: u32,
    depth: usize,
    nodes: usize,
}

struct Numbers<'v> {
    value: &'v Value,
    limits: &'v Limits,
    /// How many more nodes keys may have in all, counting shared ones each time.
    nodes_left: usize,
    contents: HashMap<Content<'v>, u32, Seed>,
    /// Of containers, and what takes long to hash.
    known: HashMap<NodeId, Known, Seed>,
}

impl<'v> Numbers<'v> {
    fn new(value: &'v Value, limits: &'v Limits) -> Numbers<'v> {
        Numbers {
            value,
            limits,
            nodes_left: limits.nodes.saturating_mul(4),
            contents: HashMap::default(),
            known: HashMap::default(),
        }
    }

    /// For each key its place among the different ones; `None` if all are different.
    fn places(
        &mut self,
        keys: impl ExactSizeIterator<Item = NodeId> + Clone,
        at: usize,
    ) -> Result<Option<Vec<usize>>, Fault> {
        if self.are_different(keys.clone()) {
            return Ok(None);
        }
        let count = keys.len();
        let mut seen = HashMap::with_capacity_and_hasher(count, Seed::default());
        let mut places = Vec::with_capacity(count);
        for key in keys {
            let known = self.number(key, at)?;
            self.nodes_left = match self.nodes_left.checked_sub(known.nodes) {
                Some(left) => left,
                None => {
                    return Err(Fault::limit(at, "the keys have too many nodes in all", "nodes"));
                }
            };
            let next = seen.len();
            places.push(*seen.entry(known.number).or_insert(next));
        }
        Ok((seen.len() < count).then_some(places))
    }

    /// The common case at less cost: simple keys, no two the same.
    fn are_different(&self, keys: impl ExactSizeIterator<Item = NodeId>) -> bool {
        if keys.len() <= FEW {
            return few_different(self.value, keys);
        }
        let mut seen = HashSet::with_capacity_and_hasher(keys.len(), Seed::default());
        for key in keys {
            if !simple(self.value, key).is_some_and(|key| seen.insert(key)) {
                return false;
            }
        }
        true
    }

    /// The number of a node that can be a key.
    fn number(&mut self, id: NodeId, at: usize) -> Result<Known, Fault> {
        if !self.is_open(id)
            && let Some(known) = self.known(id, at)?
        {
            return Ok(known);
        }
        // Containers that can be keys were complete when they were made: there are no cycles.
        let mut path = vec![id];
        while let Some(&node) = path.last() {
            let before = path.len();
            let elements = self.elements(node);
            path.extend(elements.iter().copied().filter(|&element| self.is_open(element)));
            if path.len() == before {
                path.pop();
                // An element that occurs twice stands on the path twice.
                if self.is_open(node) {
                    self.number_container(node, elements, at)?;
                }
            }
        }
        match self.known(id, at)? {
            Some(known) => Ok(known),
            None => Err(unhashable(at, self.value.node(id))),
        }
    }

    /// Whether the node is a container that has no number yet.
    fn is_open(&self, id: NodeId) -> bool {
        matches!(self.value.node(id), Node::Tuple(_) | Node::FrozenSet(_))
            && !self.known.contains_key(&id)
    }

    fn elements(&self, id: NodeId) -> &'v [NodeId] {
        match self.value.node(id) {
            Node::Tuple(items) | Node::FrozenSet(items) => self.value.items(*items),
            _ => &[],
        }
    }

    fn number_container(
        &mut self,
        id: NodeId,
        elements: &[NodeId],
        at: usize,
    ) -> Result<(), Fault> {
        let mut numbers = Vec::with_capacity(elements.len());
        let (mut depth, mut nodes) = (0, 1usize);
        for &element in elements {
            if let Some(known) = self.known(element, at)? {
                numbers.push(known.number);
                depth = depth.max(known.depth);
                nodes = nodes.saturating_add(known.nodes);
            }
        }
        depth += 1;
        if depth > self.limits.key_depth {
            let message = format!("a key is nested deeper than {}", self.limits.key_depth);
            return Err(Fault::limit(at, message, "key-depth"));
        }
        if nodes > self.limits.key_nodes {
            let message = format!("a key has more than {} nodes", self.limits.key_nodes);
            return Err(Fault::limit(at, message, "key-nodes"));
        }
        let content = if matches!(self.value.node(id), Node::Tuple(_)) {
            Content::Tuple(numbers)
        } else {
            numbers.sort_unstable();
            numbers.dedup();
            Content::FrozenSet(numbers)
        };
        let number = self.intern(content);
        self.known.insert(id, Known { number, depth, nodes });
        Ok(())
    }

    /// The number of a node that is no container, or was numbered before.
    fn known(&mut self, id: NodeId, at: usize) -> Result<Option<Known>, Fault> {
        let value = self.value;
        let long = match value.node(id) {
            Node::Str(span) | Node::Bytes(span) | Node::Surrogates(span) => span.len() > SHORT,
            Node::Tuple(_) | Node::FrozenSet(_) | Node::BigInt(_) => true,
            _ => false,
        };
        if long && let Some(&known) = self.known.get(&id) {
            return Ok(Some(known));
        }
        let content = match value.node(id) {
            Node::None => Content::None,
            Node::Bool(truth) => Content::Int((*truth).into()),
            Node::Int(integer) => Content::Int(*integer),
            Node::BigInt(integer) => Content::BigInt(Cow::Borrowed(integer)),
            Node::Float(float) if float.is_nan() => Content::Identity(id),
            Node::Float(float) => float_content(*float),
            Node::Str(span) | Node::Surrogates(span) => Content::Text(value.span(*span)),
            Node::Bytes(span) => Content::Bytes(value.span(*span)),
            Node::Object(_) => Content::Identity(id),
            Node::Tuple(_) | Node::FrozenSet(_) => return Ok(None),
            node => return Err(unhashable(at, node)),
        };
        let known = Known { number: self.intern(content), depth: 0, nodes: 1 };
        if long {
            self.known.insert(id, known);
        }
        Ok(Some(known))
    }

    fn intern(&mut self, content: Content<'v>) -> u32 {
        // Not more than there are nodes, whose numbers have 32 bits.
        let next = self.contents.len() as u32;
        *self.contents.entry(content).or_insert(next)
    }
}

/// A float that is an integer equals that integer.
fn float_content(float: f64) -> Content<'static> {
    if float.fract() != 0.0 || float.is_infinite() {
        return Content::Float(float.to_bits());
    }
    match BigInt::from_f64(float) {
        Some(integer) => match i64::try_from(&integer) {
            Ok(small) => Content::Int(small),
            Err(_) => Content::BigInt(Cow::Owned(integer)),
        },
        None => Content::Float(float.to_bits()),
    }
}

fn unhashable(at: usize, node: &Node) -> Fault {
    Fault::new(FaultKind::Corrupt, at, format!("{} cannot be a key", kind(node)))
}

/// What keeps `id` from being a key: a node in it that Python cannot hash, in words.
pub(super) fn unhashable_in(value: &Value, id: NodeId) -> Option<&'static str> {
    let mut seen = HashSet::new();
    let mut left = Vec::new();
    let mut next = Some(id);
    while let Some(node) = next {
        match value.node(node) {
            Node::Tuple(elements) | Node::FrozenSet(elements) if seen.insert(node) => {
                left.extend_from_slice(value.items(*elements));
            }
            node @ (Node::List(_) | Node::Dict(_) | Node::Set(_) | Node::ByteArray(_)) => {
                return Some(kind(node));
            }
            _ => {}
        }
        next = left.pop();
    }
    None
}
