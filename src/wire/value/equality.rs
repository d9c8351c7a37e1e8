//! Which values are equal.

use std::collections::HashSet;

use super::{Class, Node, NodeId, Value};

/// Equal as Python data: same types, same values, mappings and sets in the same order, the same
/// unrolled structure. Floats are equal when their bits are, so NaN equals itself and 0.0 is not
/// -0.0. Sharing does not matter: `[a, a]` equals two equal lists, a cycle equals its unrolling.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        if self.is_empty() || other.is_empty() {
            return self.is_empty() && other.is_empty();
        }
        let mut seen = HashSet::new();
        let mut pairs = vec![(self.root, other.root)];
        while let Some((left, right)) = pairs.pop() {
            if !self.shallow_equal(left, other, right) {
                return false;
            }
            let nested = self.children(left).next().is_some();
            // A pair met before is equal or has already failed: this closes cycles.
            if nested && seen.insert((left, right)) {
                pairs.extend(self.children(left).zip(other.children(right)));
            }
        }
        true
    }
}

impl Value {
    /// Whether two nodes are equal apart from what they refer to.
    pub fn shallow_equal(&self, left: NodeId, other: &Value, right: NodeId) -> bool {
        match (self.node(left), other.node(right)) {
            (Node::Str(a), Node::Str(b))
            | (Node::Surrogates(a), Node::Surrogates(b))
            | (Node::Bytes(a), Node::Bytes(b))
            | (Node::ByteArray(a), Node::ByteArray(b)) => self.span(*a) == other.span(*b),
            (Node::Float(a), Node::Float(b)) => a.to_bits() == b.to_bits(),
            (Node::List(a), Node::List(b))
            | (Node::Tuple(a), Node::Tuple(b))
            | (Node::Set(a), Node::Set(b))
            | (Node::FrozenSet(a), Node::FrozenSet(b)) => a.len() == b.len(),
            (Node::Dict(a), Node::Dict(b)) => a.len() == b.len(),
            (Node::Object(a), Node::Object(b)) => {
                let same_class = match (&a.class, &b.class) {
                    (Class::Computed(_), Class::Computed(_))
                    | (Class::Persistent(_), Class::Persistent(_)) => true,
                    (a, b) => a == b,
                };
                same_class
                    && a.arguments.as_ref().map(Vec::len) == b.arguments.as_ref().map(Vec::len)
                    && a.keywords.len() == b.keywords.len()
                    && a.state.is_some() == b.state.is_some()
                    && a.items.len() == b.items.len()
                    && a.entries.len() == b.entries.len()
            }
            (a, b) => a == b,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_nested_a_million_deep_is_compared_and_dropped_without_recursion() {
        let build = || {
            let mut value = Value::new();
            let mut inner = value.add(Node::None);
            for _ in 0..1_000_000 {
                inner = value.add_list(&[inner]);
            }
            value.set_root(inner);
            value
        };
        assert!(build() == build());
    }

    #[test]
    fn cycles_compare_equal_to_themselves_and_sharing_does_not_matter() {
        let mut cycle = Value::new();
        let list = cycle.add_list(&[]);
        *cycle.node_mut(list) = Node::List(cycle.store_items(&[list]));
        assert!(cycle == cycle.clone());

        let mut shared = Value::new();
        let inner = shared.add_list(&[]);
        let outer = shared.add_list(&[inner, inner]);
        shared.set_root(outer);
        let mut apart = Value::new();
        let (a, b) = (apart.add_list(&[]), apart.add_list(&[]));
        let outer = apart.add_list(&[a, b]);
        apart.set_root(outer);
        assert!(shared == apart);
        assert!(shared != cycle);
    }

    #[test]
    fn an_int_is_no_float_and_minus_zero_is_no_zero() {
        let of = |node| {
            let mut value = Value::new();
            value.add(node);
            value
        };
        assert!(of(Node::Int(1)) != of(Node::Float(1.0)));
        assert!(of(Node::Float(0.0)) != of(Node::Float(-0.0)));
        assert!(of(Node::Float(f64::NAN)) == of(Node::Float(f64::NAN)));
    }
}
