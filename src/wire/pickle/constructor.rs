//! Plain data that CPython's own pickler writes as a call: sets, frozen sets, bytes and bytearrays at
//! the protocols that have no opcode for them.

use super::machine::Machine;
use crate::wire::Fault;
use crate::wire::value::{Class, Node, NodeId, Span};

/// Whether the class is one that pickles of plain data name: at protocols below 4 a `set`, for one, is
/// written as a call of `set`. Such a call is read as the data, so the reference beside it is nothing
/// a pickle needs to be suspected for.
pub fn is_plain_constructor(class: &Class) -> bool {
    constructor(class).is_some()
}

#[derive(Clone, Copy)]
enum Constructor {
    Encode,
    Bytes,
    ByteArray,
    Set,
    FrozenSet,
}

fn constructor(class: &Class) -> Option<Constructor> {
    let Class::Global { module, name } = class else { return None };
    match (&**module, &**name) {
        ("_codecs", "encode") => Some(Constructor::Encode),
        ("builtins" | "__builtin__", "bytes") => Some(Constructor::Bytes),
        ("builtins" | "__builtin__", "bytearray") => Some(Constructor::ByteArray),
        ("builtins" | "__builtin__", "set") => Some(Constructor::Set),
        ("builtins" | "__builtin__", "frozenset") => Some(Constructor::FrozenSet),
        _ => None,
    }
}

impl Machine<'_> {
    /// The data that calling `callee` makes, if this is exactly how CPython's pickler writes it.
    pub(super) fn plain_data(
        &mut self,
        callee: NodeId,
        arguments: NodeId,
    ) -> Result<Option<Node>, Fault> {
        let Node::Object(object) = self.value.node(callee) else { return Ok(None) };
        let bare = object.arguments.is_none() && object.state.is_none();
        let (true, Some(constructor)) = (bare, constructor(&object.class)) else { return Ok(None) };
        let Node::Tuple(arguments) = self.value.node(arguments) else { return Ok(None) };
        let arguments = self.value.items(*arguments);
        let nodes = (
            arguments.first().map(|&id| self.value.node(id)),
            arguments.get(1).and_then(|&id| self.value.as_str(id)),
            arguments.len(),
        );
        let node = match (constructor, nodes) {
            (Constructor::Bytes, (None, None, 0)) => Node::Bytes(Span::default()),
            (Constructor::ByteArray, (None, None, 0)) => Node::ByteArray(Span::default()),
            (Constructor::ByteArray, (Some(Node::Bytes(span)), None, 1)) => {
                let span = *span;
                // The same bytes stand for both, but not for any number of nodes.
                self.spend_copies(span.len(), 0)?;
                Node::ByteArray(span)
            }
            // As `_codecs.encode`; bytearray so is Python 2's and early Python 3's way.
            (Constructor::Encode, (Some(Node::Str(_)), Some("latin1"), 2))
            | (Constructor::ByteArray, (Some(Node::Str(_)), Some("latin-1"), 2)) => {
                let text = arguments[0];
                return self.latin1(constructor, text);
            }
            (Constructor::Set | Constructor::FrozenSet, (Some(Node::List(items)), None, 1)) => {
                let items = self.value.items(*items).to_vec();
                self.spend_copies(0, items.len())?;
                let items = self.value.store_items(&items);
                match constructor {
                    Constructor::Set => Node::Set(items),
                    _ => Node::FrozenSet(items),
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(node))
    }

    fn latin1(&mut self, constructor: Constructor, text: NodeId) -> Result<Option<Node>, Fault> {
        let (Node::Str(span), Some(characters)) = (self.value.node(text), self.value.as_str(text))
        else {
            return Ok(None);
        };
        let mut span = *span;
        if !characters.is_ascii() {
            let bytes: Result<Vec<u8>, _> = characters.chars().map(u8::try_from).collect();
            let Ok(bytes) = bytes else { return Ok(None) };
            self.spend_copies(bytes.len(), 0)?;
            span = self.value.store(&bytes);
        } else {
            self.spend_copies(span.len(), 0)?;
        }
        Ok(Some(match constructor {
            Constructor::ByteArray => Node::ByteArray(span),
            _ => Node::Bytes(span),
        }))
    }

    pub(super) fn push_data(&mut self, node: Node) -> Result<(), Fault> {
        let elements = match &node {
            Node::Set(items) | Node::FrozenSet(items) => self.value.items(*items).to_vec(),
            _ => return self.push_leaf(node),
        };
        self.push_container(node, &elements)?;
        let set = self.top()?;
        self.compare_members(set);
        Ok(())
    }
}
