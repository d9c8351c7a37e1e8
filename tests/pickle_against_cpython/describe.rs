//! A value in words that `pickles.py` uses too: one line, sharing and cycles shown.

use std::collections::HashMap;

use wirespool::wire::value::{Class, Node, NodeId, Value};

/// The value as one line. Containers that occur again are `#n`, numbered as they come; the members of
/// sets are sorted.
pub fn describe(value: &Value) -> String {
    let mut describer = Describer { value, numbers: HashMap::new() };
    describer.node(value.root())
}

struct Describer<'v> {
    value: &'v Value,
    numbers: HashMap<NodeId, usize>,
}

impl Describer<'_> {
    fn node(&mut self, id: NodeId) -> String {
        let node = self.value.node(id);
        match node {
            Node::None => return "None".into(),
            Node::Bool(true) => return "True".into(),
            Node::Bool(false) => return "False".into(),
            Node::Int(integer) => return integer.to_string(),
            // Hexadecimal, because CPython refuses to write out very long ones.
            Node::BigInt(integer) => {
                let sign = if integer.sign() == num_bigint::Sign::Minus { "-" } else { "" };
                return format!("{sign}0x{}", integer.magnitude().to_str_radix(16));
            }
            Node::Float(float) if float.is_nan() => return "float:nan".into(),
            Node::Float(float) => return format!("float:{:016x}", float.to_bits()),
            Node::Str(span) | Node::Surrogates(span) => {
                return string("str", self.value.span(*span));
            }
            Node::Bytes(span) => return string("bytes", self.value.span(*span)),
            _ => {}
        }
        // Python's empty tuple is one object everywhere: that it is shared says nothing.
        let alike = matches!(node, Node::Tuple(items) if items.is_empty());
        if !alike {
            let next = self.numbers.len();
            if let Some(number) = self.numbers.get(&id) {
                return format!("#{number}");
            }
            self.numbers.insert(id, next);
        }
        match node {
            Node::ByteArray(span) => string("bytearray", self.value.span(*span)),
            Node::List(items) => format!("list({})", self.nodes(self.value.items(*items))),
            Node::Tuple(items) => format!("tuple({})", self.nodes(self.value.items(*items))),
            Node::Set(items) => format!("set({})", self.sorted(self.value.items(*items))),
            Node::FrozenSet(items) => {
                format!("frozenset({})", self.sorted(self.value.items(*items)))
            }
            Node::Dict(entries) => format!("dict({})", self.pairs(self.value.entries(*entries))),
            Node::Object(object) => {
                let class = match &object.class {
                    Class::Global { module, name } => format!("{module}.{name}"),
                    Class::Computed(node) => format!("computed:{}", self.node(*node)),
                    Class::Persistent(node) => format!("persistent:{}", self.node(*node)),
                    Class::Extension(code) => format!("extension:{code}"),
                    Class::Buffer(index) => format!("buffer:{index}"),
                };
                let mut parts = vec![class];
                if let Some(arguments) = &object.arguments {
                    parts.push(format!("arguments({})", self.nodes(arguments)));
                }
                if !object.keywords.is_empty() {
                    parts.push(format!("keywords({})", self.pairs(&object.keywords)));
                }
                if let Some(state) = object.state {
                    parts.push(format!("state({})", self.node(state)));
                }
                if !object.items.is_empty() {
                    parts.push(format!("items({})", self.nodes(&object.items)));
                }
                if !object.entries.is_empty() {
                    parts.push(format!("entries({})", self.pairs(&object.entries)));
                }
                format!("object({})", parts.join(" "))
            }
            _ => unreachable!("no container"),
        }
    }

    fn nodes(&mut self, items: &[NodeId]) -> String {
        items.iter().map(|&item| self.node(item)).collect::<Vec<_>>().join(" ")
    }

    /// Members in an order that does not depend on how they were written, or the numbers would.
    fn sorted(&mut self, items: &[NodeId]) -> String {
        let mut members = items.to_vec();
        members.sort_by_cached_key(|&member| {
            Describer { value: self.value, numbers: HashMap::new() }.node(member)
        });
        self.nodes(&members)
    }

    fn pairs(&mut self, entries: &[(NodeId, NodeId)]) -> String {
        let pair = |&(key, value): &(NodeId, NodeId)| [self.node(key), self.node(value)].join(" ");
        entries.iter().map(pair).collect::<Vec<_>>().join(" ")
    }
}

fn string(kind: &str, bytes: &[u8]) -> String {
    format!("{kind}:{}", crate::hex(bytes))
}
