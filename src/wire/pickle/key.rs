//! When two keys are equal as in Python: 1, 1.0 and True are one key, tuples are by their elements,
//! frozen sets whatever their order. Objects are equal to themselves only: what their `__eq__` says,
//! nobody knows here.
//!
//! Python hashes a nested key by walking it, which a shared element makes exponential: here the walk
//! is bounded, for one key and for all of a pickle together.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, Hasher};

use num_bigint::BigInt;
use num_traits::FromPrimitive;

use super::Limits;
use super::hash::Seed;
use super::machine::kind;
use crate::wire::value::{Node, NodeId, Value};
use crate::wire::{Fault, FaultKind};

/// Longer strings are not compared or hashed again for every mapping that has them.
pub(super) const SHORT: usize = 64;
/// The same for integers, in bits: no float is so large.
const SHORT_BITS: u64 = 1024;

/// What makes nodes equal that hold no others.
#[derive(PartialEq, Eq, Hash)]
enum Atom<'v> {
    None,
    Int(i64),
    BigInt(Cow<'v, BigInt>),
    /// A float that is no integer, by its bits.
    Float(u64),
    Text(&'v [u8]),
    Bytes(&'v [u8]),
    /// What is long, by the first node that was equal.
    Long(NodeId),
    /// Equal to itself only.
    Identity(NodeId),
}

/// A tuple or frozen set that is being walked.
struct Open {
    node: NodeId,
    /// How many elements were taken.
    next: usize,
    /// Where those hashes begin that are of its elements.
    start: usize,
}

/// Compares the keys of many mappings and sets.
pub(super) struct Comparer<'l> {
    limits: &'l Limits,
    /// How many more nodes keys may have in all, counting shared ones each time.
    nodes_left: usize,
    /// Of long nodes, the first one that was equal.
    originals: HashMap<NodeId, NodeId, Seed>,
    by_hash: HashMap<u64, NodeId, Seed>,
    seeds: [Seed; 2],
    /// By hash, for each key half of that, and above it one more than its index; else 0.
    table: Vec<u64>,
    open: Vec<Open>,
    hashes: Vec<u64>,
    pairs: Vec<(NodeId, NodeId)>,
}

impl<'l> Comparer<'l> {
    pub(super) fn new(limits: &'l Limits) -> Comparer<'l> {
        let seed = Seed::default();
        Comparer {
            limits,
            nodes_left: limits.nodes.saturating_mul(4),
            originals: HashMap::default(),
            by_hash: HashMap::default(),
            seeds: [seed, seed.other()],
            table: Vec::new(),
            open: Vec::new(),
            hashes: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// For each key its place among the different ones; `None` if all are different.
    pub(super) fn places(
        &mut self,
        value: &Value,
        count: usize,
        key: impl Fn(usize) -> NodeId,
        at: usize,
    ) -> Result<Option<Vec<u32>>, Fault> {
        let slots = count + count / 3 + 1;
        self.table.clear();
        self.table.resize(slots, 0);
        let mut places: Option<Vec<u32>> = None;
        let mut different = 0;
        for index in 0..count {
            let hash = self.hash(value, key(index), self.seeds[0], at)?;
            // The upper half says where, the lower one is kept to compare.
            let mut slot = (((hash >> 32) * slots as u64) >> 32) as usize;
            let found = loop {
                match self.table[slot] {
                    0 => break None,
                    known if known as u32 == hash as u32 => {
                        let known = (known >> 32) as usize - 1;
                        if self.equal(value, key(known), key(index), at)? {
                            break Some(known);
                        }
                    }
                    _ => {}
                }
                slot = if slot + 1 == slots { 0 } else { slot + 1 };
            };
            // A value has fewer than 2^32 elements.
            match (found, &mut places) {
                (Some(known), Some(places)) => places.push(places[known]),
                (Some(known), None) => {
                    let mut begun: Vec<u32> = (0..index as u32).collect();
                    begun.push(known as u32);
                    places = Some(begun);
                }
                (None, _) => {
                    self.table[slot] = (index as u64 + 1) << 32 | u64::from(hash as u32);
                    if let Some(places) = &mut places {
                        places.push(different);
                    }
                    different += 1;
                }
            }
        }
        Ok(places)
    }

    /// A hash of a node that can be a key.
    fn hash(&mut self, value: &Value, id: NodeId, seed: Seed, at: usize) -> Result<u64, Fault> {
        if let Some(atom) = self.atom(value, id, at)? {
            self.spend(1, at)?;
            return Ok(seed.hash_one(atom));
        }
        // Containers that can be keys were complete when they were made: there are no cycles.
        let mut nodes = 1;
        let mut result = 0;
        self.hashes.clear();
        self.open.clear();
        self.open.push(Open { node: id, next: 0, start: 0 });
        while let Some(open) = self.open.last_mut() {
            let (node, start) = (open.node, open.start);
            let elements = elements(value, node);
            if let Some(&element) = elements.get(open.next) {
                open.next += 1;
                nodes += 1;
                if nodes > self.limits.key_nodes {
                    let message = format!("a key has more than {} nodes", self.limits.key_nodes);
                    return Err(Fault::limit(at, message, "key-nodes"));
                }
                match self.atom(value, element, at)? {
                    Some(atom) => self.hashes.push(seed.hash_one(atom)),
                    None => {
                        self.open.push(Open { node: element, next: 0, start: self.hashes.len() });
                    }
                }
                continue;
            }
            if self.open.len() > self.limits.key_depth {
                let message = format!("a key is nested deeper than {}", self.limits.key_depth);
                return Err(Fault::limit(at, message, "key-depth"));
            }
            self.open.pop();
            let mut hasher = seed.build_hasher();
            if let Node::FrozenSet(_) = value.node(node) {
                hasher.write_u8(1);
                let mut members = self.hashes.split_off(start);
                members.sort_unstable();
                members.dedup();
                members.iter().for_each(|&hash| hasher.write_u64(hash));
            } else {
                hasher.write_u8(0);
                self.hashes.drain(start..).for_each(|hash| hasher.write_u64(hash));
            }
            result = hasher.finish();
            self.hashes.push(result);
        }
        self.spend(nodes, at)?;
        Ok(result)
    }

    /// Whether two nodes are equal that have been hashed: so neither is too large.
    fn equal(
        &mut self,
        value: &Value,
        left: NodeId,
        right: NodeId,
        at: usize,
    ) -> Result<bool, Fault> {
        let mut pairs = std::mem::take(&mut self.pairs);
        pairs.clear();
        let mut next = Some((left, right));
        let mut equal = true;
        while let (true, Some((left, right))) = (equal, next) {
            equal = left == right
                || match (value.node(left), value.node(right)) {
                    (Node::Tuple(left), Node::Tuple(right)) => {
                        let (left, right) = (value.items(*left), value.items(*right));
                        pairs.extend(left.iter().copied().zip(right.iter().copied()).rev());
                        left.len() == right.len()
                    }
                    // By two hashes with secret seeds: no peer can make both collide.
                    (Node::FrozenSet(_), Node::FrozenSet(_)) => {
                        let [first, second] = self.seeds;
                        self.hash(value, left, first, at)? == self.hash(value, right, first, at)?
                            && self.hash(value, left, second, at)?
                                == self.hash(value, right, second, at)?
                    }
                    _ => match (self.atom(value, left, at)?, self.atom(value, right, at)?) {
                        (Some(left), Some(right)) => left == right,
                        _ => false,
                    },
                };
            next = pairs.pop();
        }
        self.pairs = pairs;
        Ok(equal)
    }

    fn spend(&mut self, nodes: usize, at: usize) -> Result<(), Fault> {
        match self.nodes_left.checked_sub(nodes) {
            Some(left) => self.nodes_left = left,
            None => {
                return Err(Fault::limit(at, "the keys have too many nodes in all", "nodes"));
            }
        }
        Ok(())
    }

    /// What a node is that holds no others; `None` of a tuple or frozen set.
    #[inline]
    fn atom<'v>(
        &mut self,
        value: &'v Value,
        id: NodeId,
        at: usize,
    ) -> Result<Option<Atom<'v>>, Fault> {
        Ok(Some(match value.node(id) {
            Node::None => Atom::None,
            Node::Bool(truth) => Atom::Int((*truth).into()),
            Node::Int(integer) => Atom::Int(*integer),
            Node::BigInt(integer) if integer.bits() > SHORT_BITS => self.long(value, id),
            Node::BigInt(integer) => Atom::BigInt(Cow::Borrowed(integer)),
            Node::Float(float) if float.is_nan() => Atom::Identity(id),
            Node::Float(float) => float_atom(*float),
            Node::Str(span) | Node::Surrogates(span) | Node::Bytes(span) if span.len() > SHORT => {
                self.long(value, id)
            }
            Node::Str(span) | Node::Surrogates(span) => Atom::Text(value.span(*span)),
            Node::Bytes(span) => Atom::Bytes(value.span(*span)),
            Node::Object(_) => Atom::Identity(id),
            Node::Tuple(_) | Node::FrozenSet(_) => return Ok(None),
            node => return Err(unhashable(at, node)),
        }))
    }

    /// A long node, which is compared with one other node, once.
    fn long<'v>(&mut self, value: &'v Value, id: NodeId) -> Atom<'v> {
        if let Some(&original) = self.originals.get(&id) {
            return Atom::Long(original);
        }
        let hash = match value.node(id) {
            Node::BigInt(integer) => self.seeds[0].hash_one(integer),
            Node::Bytes(span) => self.seeds[0].hash_one((0, value.span(*span))),
            Node::Str(span) | Node::Surrogates(span) => {
                self.seeds[0].hash_one((1, value.span(*span)))
            }
            _ => 0,
        };
        let first = *self.by_hash.entry(hash).or_insert(id);
        let original = if value.shallow_equal(first, value, id) { first } else { id };
        self.originals.insert(id, original);
        Atom::Long(original)
    }
}

fn elements(value: &Value, id: NodeId) -> &[NodeId] {
    match value.node(id) {
        Node::Tuple(items) | Node::FrozenSet(items) => value.items(*items),
        _ => &[],
    }
}

/// A float that is an integer equals that integer.
fn float_atom(float: f64) -> Atom<'static> {
    if float.fract() != 0.0 || float.is_infinite() {
        return Atom::Float(float.to_bits());
    }
    match BigInt::from_f64(float) {
        Some(integer) => match i64::try_from(&integer) {
            Ok(small) => Atom::Int(small),
            Err(_) => Atom::BigInt(Cow::Owned(integer)),
        },
        None => Atom::Float(float.to_bits()),
    }
}

fn unhashable(at: usize, node: &Node) -> Fault {
    Fault::new(FaultKind::Corrupt, at, format!("{} cannot be a key", kind(node)))
}
