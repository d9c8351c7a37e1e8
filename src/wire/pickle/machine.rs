//! The non-executing machine: a pickle's opcodes, run over an arena.
//!
//! The stack holds node ids and a mark is an index into it, so that `DUP`, `GET` and `MARK` cost a few
//! bytes whatever they refer to. Requests for objects are in [`object`](super::object).

use super::Limits;
use super::depth::{self, Depths};
use super::keys::{self, Keyed};
use super::memo::Memo;
use super::opcode::*;
use super::reader::{Reader, little_endian};
use super::text;
use crate::wire::value::{Node, NodeId, Value};
use crate::wire::{Fault, FaultKind};
use num_bigint::BigInt;

/// The value of exactly one pickle that fills `bytes`. Nothing is imported or called.
///
/// # Errors
/// The first fault in the bytes: `Corrupt`, `Truncated`, `InvalidUtf8` or `Limit`, with the offset of
/// the opcode at fault. Bytes after STOP are `Corrupt`.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Value, Fault> {
    let mut machine = Machine::new(bytes, limits);
    machine.run()?;
    Ok(machine.value)
}

/// As [`decode`], but keeps what was built before a fault, with no meaningful root: an audit must list
/// what a pickle asks for even if it goes wrong later.
pub fn salvage(bytes: &[u8], limits: &Limits) -> (Value, Option<Fault>) {
    let mut machine = Machine::new(bytes, limits);
    let fault = machine.run().err();
    (machine.value, fault)
}

/// Invariant: `fence` is the last mark, or 0; no opcode but those that take the mark away reaches
/// below it. `depths` has an entry for each node of `value`.
pub(super) struct Machine<'a> {
    pub(super) reader: Reader<'a>,
    pub(super) value: Value,
    pub(super) stack: Vec<NodeId>,
    marks: Vec<u32>,
    fence: usize,
    memo: Memo,
    pub(super) depths: Depths,
    /// Mappings and sets whose keys have not been compared yet.
    keyed: Vec<Keyed>,
    pub(super) limits: Limits,
    /// How many more nodes there may be.
    nodes_left: usize,
    /// How many more bytes and node ids may be copied inside the value: what a few bytes of a
    /// pickle ask for again and again must not grow beyond what the pickle could hold itself.
    bytes_left: usize,
    copies_left: usize,
    pub(super) buffers: usize,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8], limits: &Limits) -> Machine<'a> {
        let mut limits = limits.clone();
        // The arena's numbers have 32 bits, and the depths 15.
        limits.bytes = limits.bytes.min(1 << 30);
        limits.nodes = limits.nodes.min(1 << 30);
        limits.depth = limits.depth.min(30_000);
        Machine {
            reader: Reader::new(bytes, &limits),
            value: Value::over(&bytes[..bytes.len().min(limits.bytes)]),
            stack: Vec::with_capacity(64),
            marks: Vec::with_capacity(16),
            fence: 0,
            memo: Memo::default(),
            depths: Depths::default(),
            keyed: Vec::new(),
            nodes_left: limits.nodes,
            bytes_left: 2 * limits.bytes,
            copies_left: limits.nodes,
            buffers: 0,
            limits,
        }
    }

    fn run(&mut self) -> Result<(), Fault> {
        let root = self.execute()?;
        let rest = self.reader.rest();
        if rest > 0 {
            let message = format!("{rest} more bytes after the pickle's end");
            return Err(Fault::new(FaultKind::Corrupt, self.reader.position(), message));
        }
        keys::unify(&mut self.value, std::mem::take(&mut self.keyed), &self.limits)?;
        self.value.set_root(root);
        if self.depths.inexact && depth::exceeds(&self.value, self.limits.depth) {
            return Err(self.too_deep());
        }
        Ok(())
    }

    fn execute(&mut self) -> Result<NodeId, Fault> {
        loop {
            let (opcode, argument) = self.reader.next()?;
            match opcode {
                NONE => self.push_leaf(Node::None)?,
                NEWTRUE => self.push_leaf(Node::Bool(true))?,
                NEWFALSE => self.push_leaf(Node::Bool(false))?,
                BININT1 | BININT2 => {
                    self.push_leaf(Node::Int(little_endian(argument) as i64))?;
                }
                BININT => {
                    let integer = little_endian(argument) as u32 as i32;
                    self.push_leaf(Node::Int(integer.into()))?;
                }
                BINFLOAT => {
                    let bits = little_endian(argument).swap_bytes();
                    self.push_leaf(Node::Float(f64::from_bits(bits)))?;
                }
                LONG1 => self.long(1)?,
                LONG4 => self.long(4)?,
                INT => self.int_line()?,
                LONG => self.long_line()?,
                FLOAT => {
                    let line = self.reader.line()?;
                    let float = text::float(line).map_err(|reason| self.corrupt(reason))?;
                    self.push_leaf(Node::Float(float))?;
                }
                SHORT_BINUNICODE => self.unicode(1)?,
                BINUNICODE => self.unicode(4)?,
                BINUNICODE8 => self.unicode(8)?,
                UNICODE => self.unicode_line()?,
                SHORT_BINBYTES => self.bytes(1)?,
                BINBYTES => self.bytes(4)?,
                BINBYTES8 => self.bytes(8)?,
                BYTEARRAY8 => {
                    let bytes = self.reader.counted(8)?;
                    let span = self.value.slice(self.reader.position() - bytes.len(), bytes.len());
                    self.push_leaf(Node::ByteArray(span))?;
                }
                SHORT_BINSTRING => self.python2_string(1)?,
                BINSTRING => self.python2_string(4)?,
                STRING => self.string_line()?,
                EMPTY_LIST => self.push_container(Node::List(Vec::new()), &[])?,
                EMPTY_DICT => self.push_container(Node::Dict(Vec::new()), &[])?,
                EMPTY_SET => self.push_container(Node::Set(Vec::new()), &[])?,
                EMPTY_TUPLE => self.push_container(Node::Tuple(Vec::new()), &[])?,
                TUPLE1 => self.collect_top(1)?,
                TUPLE2 => self.collect_top(2)?,
                TUPLE3 => self.collect_top(3)?,
                TUPLE => {
                    let from = self.take_mark()?;
                    self.collect(from, Node::Tuple)?;
                }
                LIST => {
                    let from = self.take_mark()?;
                    self.collect(from, Node::List)?;
                }
                FROZENSET => {
                    let from = self.take_mark()?;
                    let set = self.collect(from, Node::FrozenSet)?;
                    self.compare_keys(set);
                }
                DICT => {
                    let from = self.take_mark()?;
                    self.push_container(Node::Dict(Vec::new()), &[])?;
                    let dict = self.stack.pop();
                    self.stack.extend(dict.iter().copied());
                    // The entries stand below the dict: bring it there.
                    self.stack[from..].rotate_right(1);
                    self.set_items(from + 1)?;
                }
                APPEND => {
                    self.need(2)?;
                    self.append_items(self.stack.len() - 1)?;
                }
                APPENDS => {
                    let from = self.take_mark()?;
                    self.append_items(from)?;
                }
                ADDITEMS => {
                    let from = self.take_mark()?;
                    self.add_items(from)?;
                }
                SETITEM => {
                    self.need(3)?;
                    self.set_items(self.stack.len() - 2)?;
                }
                SETITEMS => {
                    let from = self.take_mark()?;
                    self.set_items(from)?;
                }
                MARK => self.mark()?,
                POP => {
                    // As in CPython, a mark on top is what is popped.
                    if self.stack.len() == self.fence && !self.marks.is_empty() {
                        self.take_mark()?;
                    } else {
                        self.pop()?;
                    }
                }
                POP_MARK => {
                    let from = self.take_mark()?;
                    self.stack.truncate(from);
                }
                DUP => {
                    let top = self.top()?;
                    self.push_again(top)?;
                }
                BINGET | LONG_BINGET => self.get(little_endian(argument))?,
                GET => {
                    let index = self.index_line()?;
                    self.get(index)?;
                }
                BINPUT | LONG_BINPUT => self.put(little_endian(argument))?,
                PUT => {
                    let index = self.index_line()?;
                    self.put(index)?;
                }
                MEMOIZE => self.put(self.memo.len() as u64)?,
                PROTO => self.reader.protocol()?,
                FRAME => self.reader.frame()?,
                STOP => {
                    self.reader.stop()?;
                    return self.pop();
                }
                _ => self.object_opcode(opcode, argument)?,
            }
        }
    }

    // The stack.

    /// The opcode needs so many things above the last mark.
    #[inline]
    pub(super) fn need(&self, count: usize) -> Result<(), Fault> {
        if self.stack.len() - self.fence >= count { Ok(()) } else { Err(self.underflow()) }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Result<NodeId, Fault> {
        if self.stack.len() > self.fence
            && let Some(top) = self.stack.pop()
        {
            return Ok(top);
        }
        Err(self.underflow())
    }

    #[inline]
    pub(super) fn top(&self) -> Result<NodeId, Fault> {
        match self.stack[self.fence..].last() {
            Some(&top) => Ok(top),
            None => Err(self.underflow()),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, node: Node) -> Result<NodeId, Fault> {
        self.spend_nodes(1)?;
        Ok(self.value.add(node))
    }

    #[inline]
    pub(super) fn spend_nodes(&mut self, count: usize) -> Result<(), Fault> {
        match self.nodes_left.checked_sub(count) {
            Some(left) => self.nodes_left = left,
            None => return Err(self.limit(format!("more than {} nodes", self.limits.nodes))),
        }
        Ok(())
    }

    /// Copying so many bytes and node ids is still allowed.
    pub(super) fn spend_copies(&mut self, bytes: usize, ids: usize) -> Result<(), Fault> {
        match (self.bytes_left.checked_sub(bytes), self.copies_left.checked_sub(ids)) {
            (Some(bytes), Some(ids)) => {
                self.bytes_left = bytes;
                self.copies_left = ids;
                Ok(())
            }
            _ => Err(self.limit("the same data is copied again and again".to_owned())),
        }
    }

    #[inline]
    pub(super) fn push_leaf(&mut self, node: Node) -> Result<(), Fault> {
        let id = self.add(node)?;
        self.depths.leaf();
        self.stack.push(id);
        Ok(())
    }

    /// Pushes a container of `elements`.
    #[inline]
    pub(super) fn push_container(&mut self, node: Node, elements: &[NodeId]) -> Result<(), Fault> {
        let id = self.add(node)?;
        let depth = self.depths.container(elements);
        self.check_depth(depth)?;
        self.stack.push(id);
        Ok(())
    }

    /// Pushes what has a node already.
    fn push_again(&mut self, node: NodeId) -> Result<(), Fault> {
        if self.stack.len() >= self.limits.nodes {
            return Err(self.limit(format!("more than {} things on the stack", self.limits.nodes)));
        }
        self.stack.push(node);
        Ok(())
    }

    #[inline]
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Fault> {
        if depth <= self.limits.depth { Ok(()) } else { Err(self.too_deep()) }
    }

    #[inline]
    fn mark(&mut self) -> Result<(), Fault> {
        // Whatever marks are for closes a container; nested deeper, that would be too deep.
        if self.marks.len() > 4 * self.limits.depth {
            return Err(self.limit(format!("more than {} marks", 4 * self.limits.depth)));
        }
        // The fence before; the stack is bounded far below 2^32.
        self.marks.push(self.fence as u32);
        self.fence = self.stack.len();
        Ok(())
    }

    /// Takes the last mark away; returns where on the stack it was.
    #[inline]
    pub(super) fn take_mark(&mut self) -> Result<usize, Fault> {
        let Some(before) = self.marks.pop() else {
            return Err(self.corrupt(format!("{} without a MARK", describe(self.reader.opcode))));
        };
        Ok(std::mem::replace(&mut self.fence, before as usize))
    }

    // Containers.

    /// Replaces the stack from `from` on by a container of what was there.
    #[inline]
    fn collect(&mut self, from: usize, node: fn(Vec<NodeId>) -> Node) -> Result<NodeId, Fault> {
        self.spend_nodes(1)?;
        let elements = &self.stack[from..];
        let depth = self.depths.container(elements);
        let id = self.value.add(node(elements.to_vec()));
        self.check_depth(depth)?;
        self.stack.truncate(from);
        self.stack.push(id);
        Ok(id)
    }

    #[inline]
    fn collect_top(&mut self, count: usize) -> Result<(), Fault> {
        self.need(count)?;
        self.collect(self.stack.len() - count, Node::Tuple)?;
        Ok(())
    }

    /// What the stack has from `from` on goes into what is below it.
    fn target(&self, from: usize) -> Result<NodeId, Fault> {
        if from > self.fence { Ok(self.stack[from - 1]) } else { Err(self.underflow()) }
    }

    fn append_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        match self.value.node_mut(target) {
            Node::List(list) => list.extend_from_slice(items),
            Node::Object(object) => object.items.extend_from_slice(items),
            _ => return Err(self.wrong_target(target)),
        }
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        self.check_depth(depth)
    }

    fn add_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        let is_set = match self.value.node_mut(target) {
            Node::Set(set) => {
                set.extend_from_slice(items);
                true
            }
            Node::Object(object) => {
                object.items.extend_from_slice(items);
                false
            }
            _ => return Err(self.wrong_target(target)),
        };
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        if is_set {
            self.compare_keys(target);
        }
        self.check_depth(depth)
    }

    fn set_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(self.corrupt("a key without a value"));
        };
        let pairs = pairs.iter().map(|&[key, value]| (key, value));
        let compare = match self.value.node_mut(target) {
            Node::Dict(entries) => {
                let fresh = entries.is_empty();
                entries.extend(pairs);
                !(fresh && keys::few_different_names(&self.value, items))
            }
            Node::Object(object) => {
                object.entries.extend(pairs);
                false
            }
            _ => return Err(self.wrong_target(target)),
        };
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        if compare {
            self.compare_keys(target);
        }
        self.check_depth(depth)
    }

    /// Has the keys of a mapping or set compared at the end.
    pub(super) fn compare_keys(&mut self, node: NodeId) {
        if self.keyed.last().is_none_or(|last| last.node != node) {
            self.keyed.push(Keyed { node, at: self.reader.at });
        }
    }

    // The memo.

    fn get(&mut self, index: u64) -> Result<(), Fault> {
        match self.memo.get(index) {
            Some(node) => self.push_again(node),
            None => Err(self.corrupt(format!("nothing was put into the memo at {index}"))),
        }
    }

    #[inline]
    fn put(&mut self, index: u64) -> Result<(), Fault> {
        let top = self.top()?;
        if self.memo.len() >= self.limits.memo && self.memo.get(index).is_none() {
            return Err(self.limit(format!("more than {} memo entries", self.limits.memo)));
        }
        self.memo.put(index, top);
        Ok(())
    }

    fn index_line(&mut self) -> Result<u64, Fault> {
        let line = self.reader.line()?;
        let text = std::str::from_utf8(line).ok();
        text.and_then(|text| text.trim_ascii().parse().ok())
            .ok_or_else(|| self.corrupt("the text is no index of the memo"))
    }

    // Numbers and strings.

    fn long(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let node = match bytes.last() {
            None => Node::Int(0),
            Some(&last) if bytes.len() <= 8 => {
                // Two's complement: the sign goes on upwards.
                let fill = if last & 0x80 == 0 { 0 } else { -1i64 };
                Node::Int(
                    bytes.iter().rev().fold(fill, |value, &byte| value << 8 | i64::from(byte)),
                )
            }
            Some(_) => integer_node(BigInt::from_signed_bytes_le(bytes)),
        };
        self.push_leaf(node)
    }

    fn int_line(&mut self) -> Result<(), Fault> {
        match self.reader.line()? {
            b"00" => self.push_leaf(Node::Bool(false)),
            b"01" => self.push_leaf(Node::Bool(true)),
            line => self.integer(line),
        }
    }

    fn long_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        self.integer(line.strip_suffix(b"L").unwrap_or(line))
    }

    fn integer(&mut self, line: &[u8]) -> Result<(), Fault> {
        let integer = text::integer(line, self.limits.digits).map_err(|reason| match reason {
            Some(reason) => self.corrupt(reason),
            None => self.limit(format!("an integer of more than {} digits", self.limits.digits)),
        })?;
        self.push_leaf(integer_node(integer))
    }

    #[inline]
    fn unicode(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let start = self.reader.position() - bytes.len();
        let span = self.value.slice(start, bytes.len());
        if std::str::from_utf8(bytes).is_ok() {
            return self.push_leaf(Node::Str(span));
        }
        match text::check_surrogates(bytes) {
            Ok(()) => self.push_leaf(Node::Surrogates(span)),
            Err(at) => Err(invalid_utf8(start + at)),
        }
    }

    fn unicode_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        if line.is_ascii() && !line.contains(&b'\\') {
            let span = self.value.slice(self.reader.position() - 1 - line.len(), line.len());
            return self.push_leaf(Node::Str(span));
        }
        let text = text::raw_unicode_escape(line).map_err(|reason| self.corrupt(reason))?;
        self.spend_copies(text.len(), 0)?;
        let span = self.value.store(&text);
        let valid = std::str::from_utf8(&text).is_ok();
        self.push_leaf(if valid { Node::Str(span) } else { Node::Surrogates(span) })
    }

    fn bytes(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let span = self.value.slice(self.reader.position() - bytes.len(), bytes.len());
        self.push_leaf(Node::Bytes(span))
    }

    /// A Python 2 `str`: text if it is ASCII, which most were, and bytes otherwise.
    fn python2_string(&mut self, width: usize) -> Result<(), Fault> {
        let bytes = self.reader.counted(width)?;
        let span = self.value.slice(self.reader.position() - bytes.len(), bytes.len());
        self.push_leaf(if bytes.is_ascii() { Node::Str(span) } else { Node::Bytes(span) })
    }

    fn string_line(&mut self) -> Result<(), Fault> {
        let line = self.reader.line()?;
        let bytes = text::quoted_string(line).map_err(|reason| self.corrupt(reason))?;
        self.spend_copies(bytes.len(), 0)?;
        let span = self.value.store(&bytes);
        self.push_leaf(if bytes.is_ascii() { Node::Str(span) } else { Node::Bytes(span) })
    }

    // Faults, each at the opcode being read.

    #[cold]
    pub(super) fn corrupt(&self, message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Corrupt, self.reader.at, message)
    }

    #[cold]
    pub(super) fn limit(&self, message: String) -> Fault {
        Fault::new(FaultKind::Limit, self.reader.at, message)
    }

    #[cold]
    fn underflow(&self) -> Fault {
        let name = describe(self.reader.opcode);
        self.corrupt(format!("{name} needs more than the stack holds"))
    }

    #[cold]
    fn too_deep(&self) -> Fault {
        self.limit(format!("nested deeper than {}", self.limits.depth))
    }

    #[cold]
    fn wrong_target(&self, target: NodeId) -> Fault {
        let name = describe(self.reader.opcode);
        self.corrupt(format!("{name} into {}", kind(self.value.node(target))))
    }
}

/// A node as a word for messages.
pub(super) fn kind(node: &Node) -> &'static str {
    match node {
        Node::None => "None",
        Node::Bool(_) => "a bool",
        Node::Int(_) | Node::BigInt(_) => "an int",
        Node::Float(_) => "a float",
        Node::Str(_) | Node::Surrogates(_) => "a str",
        Node::Bytes(_) => "bytes",
        Node::ByteArray(_) => "a bytearray",
        Node::List(_) => "a list",
        Node::Tuple(_) => "a tuple",
        Node::Set(_) => "a set",
        Node::FrozenSet(_) => "a frozenset",
        Node::Dict(_) => "a dict",
        Node::Object(_) => "an object",
    }
}

fn integer_node(integer: BigInt) -> Node {
    match i64::try_from(&integer) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::BigInt(Box::new(integer)),
    }
}

pub(super) fn invalid_utf8(at: usize) -> Fault {
    Fault::new(FaultKind::InvalidUtf8, at, "the text is not UTF-8")
}
