//! Which keys of a mapping, and which members of a set, are equal.

use std::collections::HashSet;

use super::Limits;
use super::key::{Comparer, SHORT};
use super::machine::kind;
use crate::wire::Fault;
use crate::wire::value::{Node, NodeId, Value};

/// A mapping or set to be looked at, and the first opcode that may have given it equal keys.
pub(super) struct Keyed {
    node: NodeId,
    at: u32,
}

impl Keyed {
    /// A pickle has at most 1 GiB.
    pub(super) fn new(node: NodeId, at: usize) -> Keyed {
        Keyed { node, at: at as u32 }
    }

    pub(super) fn is(&self, node: NodeId) -> bool {
        self.node == node
    }
}

/// So many keys are compared with each other.
const FEW: usize = 8;

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
    let mut comparer = Comparer::new(limits);
    for Keyed { node, at } in keyed {
        let at = at as usize;
        match *value.node(node) {
            Node::Dict(entries) => {
                let pairs = value.entries(entries);
                let Some(places) = comparer.places(value, pairs.len(), |n| pairs[n].0, at)? else {
                    continue;
                };
                let pairs = value.entries_mut(entries);
                let mut kept = 0;
                for (index, place) in places.into_iter().enumerate() {
                    match place as usize {
                        place if place < kept => pairs[place].1 = pairs[index].1,
                        place => {
                            pairs[place] = pairs[index];
                            kept += 1;
                        }
                    }
                }
                *value.node_mut(node) = Node::Dict(entries.first(kept));
            }
            Node::Set(items) | Node::FrozenSet(items) => {
                let members = value.items(items);
                let Some(places) = comparer.places(value, members.len(), |n| members[n], at)?
                else {
                    continue;
                };
                let members = value.items_mut(items);
                let mut kept = 0;
                for (index, place) in places.into_iter().enumerate() {
                    if place as usize == kept {
                        members[kept] = members[index];
                        kept += 1;
                    }
                }
                if let Node::Set(items) | Node::FrozenSet(items) = value.node_mut(node) {
                    *items = items.first(kept);
                }
            }
            _ => {}
        }
    }
    Ok(())
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
