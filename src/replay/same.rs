//! Whether two values are the same to a Python program: sets and mappings in any order, everything else
//! as it stands.
//!
//! CPython orders a set of texts anew in each process, so an unchanged program writes the same set in
//! another order: that is no difference.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};

use crate::wire::Value;
use crate::wire::value::{Class, Node, NodeId};

/// Whether `left` and `right` are the same. Values that contain themselves are the same only in the same
/// order.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    if left == right {
        return true;
    }
    let digester = Digester::new();
    match (digester.of(left), digester.of(right)) {
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

type Digest = [u64; 2];

/// Takes digests of values: the same of those that are the same.
pub(super) struct Digester {
    /// Keyed anew each time, so that no peer can aim for a collision; two, so that none happens.
    keys: [RandomState; 2],
}

impl Digester {
    pub(super) fn new() -> Digester {
        Digester { keys: [RandomState::new(), RandomState::new()] }
    }

    /// `None` of a value that contains itself.
    pub(super) fn of(&self, value: &Value) -> Option<Digest> {
        digest(value, &self.keys)
    }
}

/// A digest of a value that does not depend on the order in sets and mappings; `None` of one that
/// contains itself. Each node is digested once, and nothing recurses.
fn digest(value: &Value, keys: &[RandomState; 2]) -> Option<Digest> {
    if value.is_empty() {
        return Some([0, 0]);
    }
    let mut known: Vec<State> = vec![State::New; value.len()];
    let mut pending = vec![value.root()];
    while let Some(&id) = pending.last() {
        match known[id.index()] {
            State::New => {
                known[id.index()] = State::Begun;
                for child in value.children(id) {
                    match known[child.index()] {
                        State::New => pending.push(child),
                        State::Begun => return None,
                        State::Known(_) => {}
                    }
                }
            }
            State::Begun => {
                let children = value.children(id).map(|child| match known[child.index()] {
                    State::Known(digest) => Some(digest),
                    State::New | State::Begun => None,
                });
                let children: Vec<Digest> = children.collect::<Option<_>>()?;
                known[id.index()] = State::Known(digest_node(value, id, children, keys));
                pending.pop();
            }
            State::Known(_) => {
                pending.pop();
            }
        }
    }
    match known[value.root().index()] {
        State::Known(digest) => Some(digest),
        State::New | State::Begun => None,
    }
}

#[derive(Clone, Copy)]
enum State {
    New,
    Begun,
    Known(Digest),
}

fn digest_node(
    value: &Value,
    id: NodeId,
    mut children: Vec<Digest>,
    keys: &[RandomState; 2],
) -> Digest {
    let node = value.node(id);
    match node {
        Node::Set(_) | Node::FrozenSet(_) => children.sort_unstable(),
        Node::Dict(_) => {
            let mut entries: Vec<[Digest; 2]> =
                children.chunks_exact(2).map(|entry| [entry[0], entry[1]]).collect();
            entries.sort_unstable();
            children = entries.into_iter().flatten().collect();
        }
        _ => {}
    }
    [0, 1].map(|place| {
        let mut hasher = keys[place].build_hasher();
        std::mem::discriminant(node).hash(&mut hasher);
        children.hash(&mut hasher);
        match node {
            Node::None | Node::List(_) | Node::Tuple(_) => {}
            Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_) => {}
            Node::Bool(truth) => truth.hash(&mut hasher),
            Node::Int(integer) => integer.hash(&mut hasher),
            Node::BigInt(integer) => integer.hash(&mut hasher),
            Node::Float(float) => float.to_bits().hash(&mut hasher),
            Node::Str(span)
            | Node::Surrogates(span)
            | Node::Bytes(span)
            | Node::ByteArray(span) => {
                value.span(*span).hash(&mut hasher);
            }
            Node::Object(object) => {
                match &object.class {
                    Class::Global { module, name } => (0, module, name).hash(&mut hasher),
                    Class::Computed(_) => 1.hash(&mut hasher),
                    Class::Persistent(_) => 2.hash(&mut hasher),
                    Class::Extension(code) => (3, code).hash(&mut hasher),
                    Class::Buffer(number) => (4, number).hash(&mut hasher),
                }
                // How the children are shared out among the parts.
                object.arguments.as_ref().map(Vec::len).hash(&mut hasher);
                (object.keywords.len(), object.state.is_some()).hash(&mut hasher);
                (object.items.len(), object.entries.len()).hash(&mut hasher);
            }
        }
        hasher.finish()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;

    fn are_same(left: &str, right: &str) -> bool {
        same(&json::parse(left).unwrap(), &json::parse(right).unwrap())
    }

    #[test]
    fn sets_and_mappings_are_the_same_in_any_order_and_lists_are_not() {
        assert!(are_same(r#"{"$set":["a","b",[1]]}"#, r#"{"$set":[[1],"b","a"]}"#));
        assert!(are_same(
            r#"{"a":{"$frozenset":[1,2]},"b":2}"#,
            r#"{"b":2,"a":{"$frozenset":[2,1]}}"#
        ));
        assert!(!are_same("[1,2]", "[2,1]"));
        assert!(!are_same(r#"{"$tuple":[1,2]}"#, "[1,2]"));
    }

    #[test]
    fn values_trade_no_places() {
        assert!(!are_same(r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#));
        assert!(!are_same(r#"{"$set":[1]}"#, r#"{"$frozenset":[1]}"#));
        assert!(!are_same(r#"{"a":1}"#, r#"{"a":1.0}"#));
        assert!(!are_same("[[1],[]]", "[[],[1]]"));
        assert!(!are_same(
            r#"{"$object":{"class":"m.Q","args":[1],"state":2}}"#,
            r#"{"$object":{"class":"m.Q","args":[1,2]}}"#
        ));
    }

    #[test]
    fn a_value_that_contains_itself_is_the_same_as_its_like() {
        let cycle = r#"{"$id":1,"value":[{"$set":[1,2]},{"$ref":1}]}"#;
        assert!(are_same(cycle, cycle));
        assert!(!are_same(cycle, r#"{"$id":1,"value":[{"$set":[1,3]},{"$ref":1}]}"#));
    }
}
