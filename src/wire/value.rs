//! The value tree all codecs decode to and encode from.
//!
//! A value is an arena: nodes refer to each other by [`NodeId`], so sharing and cycles are ordinary,
//! and neither building, walking nor dropping a value recurses, however deep a peer nests it.

mod arena;
mod equality;
mod object;

use std::fmt;
use std::num::NonZeroU32;

use num_bigint::BigInt;

use arena::Arena;
pub use arena::{Entries, Items};
pub use object::{Class, Object};

/// A decoded value: nodes, the bytes of their strings, and the node to begin at.
///
/// Invariant: every [`NodeId`], [`Span`], [`Items`] and [`Entries`] held by a node lies inside this
/// value.
#[derive(Clone, Debug, Default)]
pub struct Value {
    nodes: Vec<Node>,
    items: Arena<NodeId>,
    entries: Arena<(NodeId, NodeId)>,
    data: Vec<u8>,
    root: NodeId,
}

/// One node of a [`Value`]; containers say where the ids of their elements are.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Python's `None`, JSON's `null`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// Any other integer.
    BigInt(Box<BigInt>),
    /// An IEEE 754 double.
    Float(f64),
    /// Text: valid UTF-8.
    Str(Span),
    /// Text with lone surrogates, each encoded in three bytes as Python's `surrogatepass` does;
    /// never valid UTF-8.
    Surrogates(Span),
    /// Immutable bytes.
    Bytes(Span),
    /// Python's `bytearray`.
    ByteArray(Span),
    /// A list.
    List(Items),
    /// A tuple.
    Tuple(Items),
    /// A set, in the order it was written.
    Set(Items),
    /// A frozen set, in the order it was written.
    FrozenSet(Items),
    /// A mapping in insertion order; a key that was written twice stands once, with its first place
    /// and last value, wherever the codec compares keys.
    Dict(Entries),
    /// Something that only running code could build; nothing was run.
    Object(Box<Object>),
}

impl Node {
    /// Whether it may refer to other nodes: a container, or an object.
    pub fn is_container(&self) -> bool {
        matches!(
            self,
            Node::List(_)
                | Node::Tuple(_)
                | Node::Set(_)
                | Node::FrozenSet(_)
                | Node::Dict(_)
                | Node::Object(_)
        )
    }

    /// The kind of node in words, for messages: `a list`.
    pub fn describe(&self) -> &'static str {
        match self {
            Node::None => "nothing (null)",
            Node::Bool(_) => "a truth value",
            Node::Int(_) | Node::BigInt(_) => "an integer",
            Node::Float(_) => "a float",
            Node::Str(_) => "a string",
            Node::Surrogates(_) => "a string with lone surrogates",
            Node::Bytes(_) => "bytes",
            Node::ByteArray(_) => "a bytearray",
            Node::List(_) => "a list",
            Node::Tuple(_) => "a tuple",
            Node::Set(_) => "a set",
            Node::FrozenSet(_) => "a frozen set",
            Node::Dict(_) => "a mapping",
            Node::Object(_) => "an object",
        }
    }
}

/// The number of a node in its value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(NonZeroU32); // one more than the number, so that an Option of it is no larger

impl NodeId {
    /// Its place in the order in which nodes were added, from 0.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }

    const FIRST: NodeId = NodeId(NonZeroU32::MIN);

    #[inline(always)]
    fn of(index: usize) -> Option<NodeId> {
        let number = u32::try_from(index).ok()?.checked_add(1)?;
        Some(NodeId(NonZeroU32::new(number)?))
    }
}

impl Default for NodeId {
    fn default() -> NodeId {
        NodeId::FIRST
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({})", self.index())
    }
}

/// A piece of a value's string bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    start: u32,
    length: u32,
}

impl Span {
    /// How many bytes it has.
    pub fn len(self) -> usize {
        self.length as usize
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.length == 0
    }
}

/// Of messages from this size on, in bytes, room for all parts is made at once: each step of what grows
/// by steps is memory that was not touched before, which took longer than the reading itself.
const LARGE: usize = 1 << 16;

impl Value {
    /// An empty arena; the first node added is the root until [`set_root`](Value::set_root).
    pub fn new() -> Value {
        Value::default()
    }

    /// A value that is one text.
    pub fn text(text: &str) -> Value {
        let mut value = Value::new();
        value.add_str(text);
        value
    }

    /// A value that is bytes.
    pub fn bytes(bytes: &[u8]) -> Value {
        let mut value = Value::new();
        value.add_bytes(bytes);
        value
    }

    /// An empty arena with room for what `bytes` of an ordinary message become.
    pub(in crate::wire) fn for_message(bytes: usize) -> Value {
        // Few encodings have more than one node in four bytes; what is not used is never touched.
        let nodes = Vec::with_capacity((bytes / 4 + 4).min(1 << 20));
        let mut value =
            Value { nodes, data: Vec::with_capacity(bytes.min(1 << 12)), ..Value::default() };
        if bytes >= LARGE {
            value.entries.reserve((bytes / 8).min(1 << 18));
            value.data.reserve((bytes / 4).min(1 << 20));
        }
        value
    }

    /// The numbers of all nodes, reachable or not, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len()).filter_map(NodeId::of)
    }

    /// The node to begin at.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// Begins at `node` from now on.
    pub fn set_root(&mut self, node: NodeId) {
        debug_assert!(node.index() < self.nodes.len());
        self.root = node;
    }

    /// How many nodes there are, reachable or not.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing was added yet.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The node with this number, to change. What it is given must lie inside this value.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// Adds a node whose references lie inside this value.
    ///
    /// # Panics
    /// Beyond 2^32 nodes: decoders bound the number far below.
    #[inline]
    pub fn add(&mut self, node: Node) -> NodeId {
        let id = NodeId::of(self.nodes.len()).expect("decoders bound the nodes");
        self.nodes.push(node);
        id
    }

    /// Adds a text.
    pub fn add_str(&mut self, text: &str) -> NodeId {
        let span = self.store(text.as_bytes());
        self.add(Node::Str(span))
    }

    /// Adds bytes.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> NodeId {
        let span = self.store(bytes);
        self.add(Node::Bytes(span))
    }

    /// Adds an integer of any size, as [`Node::Int`] if it fits.
    pub fn add_integer(&mut self, integer: BigInt) -> NodeId {
        let node = match i64::try_from(&integer) {
            Ok(small) => Node::Int(small),
            Err(_) => Node::BigInt(Box::new(integer)),
        };
        self.add(node)
    }

    /// Keeps the bytes of a string for a node to be added.
    ///
    /// # Panics
    /// Beyond 4 GiB of strings: decoders bound a message far below.
    pub fn store(&mut self, bytes: &[u8]) -> Span {
        let start = u32::try_from(self.data.len()).expect("decoders bound the bytes");
        self.data.extend_from_slice(bytes);
        u32::try_from(self.data.len()).expect("decoders bound the bytes");
        Span { start, length: bytes.len() as u32 }
    }

    /// The bytes of a string.
    pub fn span(&self, span: Span) -> &[u8] {
        &self.data[span.start as usize..][..span.length as usize]
    }

    /// The text of a node that is one; `None` of any other node, text with lone surrogates included.
    pub fn as_str(&self, id: NodeId) -> Option<&str> {
        match self.node(id) {
            Node::Str(span) => std::str::from_utf8(self.span(*span)).ok(),
            _ => None,
        }
    }

    /// The bytes of a node that is `bytes` or a `bytearray`; `None` of any other node.
    pub fn as_bytes(&self, id: NodeId) -> Option<&[u8]> {
        match self.node(id) {
            Node::Bytes(span) | Node::ByteArray(span) => Some(self.span(*span)),
            _ => None,
        }
    }

    /// The elements of a list, tuple or set.
    #[inline]
    pub fn items(&self, items: Items) -> &[NodeId] {
        self.items.slice(items)
    }

    /// The keys and values of a mapping.
    #[inline]
    pub fn entries(&self, entries: Entries) -> &[(NodeId, NodeId)] {
        self.entries.slice(entries)
    }

    /// The elements of a list, tuple or set, to change.
    pub(in crate::wire) fn items_mut(&mut self, items: Items) -> &mut [NodeId] {
        self.items.slice_mut(items)
    }

    /// The keys and values of a mapping, to change.
    pub(in crate::wire) fn entries_mut(&mut self, entries: Entries) -> &mut [(NodeId, NodeId)] {
        self.entries.slice_mut(entries)
    }

    /// Keeps the elements of a list, tuple or set for a node to be added.
    ///
    /// # Panics
    /// Beyond 2^32 elements in all: decoders bound the number far below.
    pub fn store_items(&mut self, items: &[NodeId]) -> Items {
        self.items.store(items.iter().copied())
    }

    /// Keeps the keys and values of a mapping for a node to be added.
    ///
    /// # Panics
    /// As [`store_items`](Value::store_items).
    pub fn store_entries(
        &mut self,
        entries: impl IntoIterator<IntoIter: ExactSizeIterator<Item = (NodeId, NodeId)>>,
    ) -> Entries {
        self.entries.store(entries.into_iter())
    }

    /// Adds elements: what is returned takes the place of `items`, which names nothing any more.
    ///
    /// # Panics
    /// As [`store_items`](Value::store_items).
    #[inline]
    pub fn append_items(&mut self, items: Items, more: &[NodeId]) -> Items {
        self.items.append(items, more.iter().copied())
    }

    /// Adds keys and values: what is returned takes the place of `entries`, which names nothing any
    /// more.
    ///
    /// # Panics
    /// As [`store_items`](Value::store_items).
    #[inline]
    pub fn append_entries(
        &mut self,
        entries: Entries,
        more: impl IntoIterator<IntoIter: ExactSizeIterator<Item = (NodeId, NodeId)>>,
    ) -> Entries {
        self.entries.append(entries, more.into_iter())
    }

    /// Adds a list.
    pub fn add_list(&mut self, items: &[NodeId]) -> NodeId {
        let items = self.store_items(items);
        self.add(Node::List(items))
    }

    /// Adds a mapping.
    pub fn add_dict(&mut self, entries: &[(NodeId, NodeId)]) -> NodeId {
        let entries = self.store_entries(entries.iter().copied());
        self.add(Node::Dict(entries))
    }

    /// How much room containers take, counted in node ids: what they hold, and what has moved.
    #[inline]
    pub(in crate::wire) fn room_of_containers(&self) -> usize {
        self.items.len() + 2 * self.entries.len()
    }

    /// The ids of the nodes that `id` refers to, in order: of a mapping key, value, key, value.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let (items, entries, object) = match self.node(id) {
            Node::List(items) | Node::Tuple(items) | Node::Set(items) | Node::FrozenSet(items) => {
                (self.items(*items), &[][..], None)
            }
            Node::Dict(entries) => (&[][..], self.entries(*entries), None),
            Node::Object(object) => (&[][..], &[][..], Some(object)),
            _ => (&[][..], &[][..], None),
        };
        items
            .iter()
            .copied()
            .chain(entries.iter().flat_map(|&(key, value)| [key, value]))
            .chain(object.into_iter().flat_map(|object| object.children()))
    }
}
