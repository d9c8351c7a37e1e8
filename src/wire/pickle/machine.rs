//! The non-executing machine: a pickle's opcodes, run over an arena.
//!
//! The stack holds node ids and a mark is an index into it, so that `DUP`, `GET` and `MARK` cost a few
//! bytes whatever they refer to. Requests for objects are in [`object`](super::object).

use super::Limits;
use super::depth::{self, Depths};
use super::keys::{self, Keyed};
use super::limits::{ARENA, DEEPEST};
use super::memo::Memo;
use super::opcode::*;
use super::reader::Reader;
use super::text;
use crate::wire::value::{Entries, Items, Node, NodeId, Value};
use crate::wire::{Fault, FaultKind};

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

/// As [`decode`], with what else a reader needs that is to do as `pickle.loads` does.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_with_provenance(bytes: &[u8], limits: &Limits) -> Result<(Value, Provenance), Fault> {
    let mut machine = Machine::new(bytes, limits);
    machine.run()?;
    Ok((machine.value, machine.provenance))
}

/// What a value does not say of the pickle it was written as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The nodes that were strings of Python 2, which might be text or bytes.
    pub python2_strings: Vec<NodeId>,
    /// The out-of-band buffers that are to be read-only. One may stand here more than once.
    pub read_only_buffers: Vec<NodeId>,
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
    pub(super) marks: Vec<u32>,
    pub(super) fence: usize,
    pub(super) memo: Memo,
    pub(super) depths: Depths,
    /// Mappings and sets whose keys have not been compared yet.
    pub(super) keyed: Vec<Keyed>,
    /// The keys that were last found to be different from each other.
    pub(super) different: Vec<NodeId>,
    pub(super) limits: Limits,
    /// How many more nodes there may be.
    pub(super) nodes_left: usize,
    /// How many elements containers may have in all, those that have moved away included.
    pub(super) room: usize,
    /// How many more bytes and node ids may be copied inside the value: what a few bytes of a
    /// pickle ask for again and again must not grow beyond what the pickle could hold itself.
    pub(super) bytes_left: usize,
    pub(super) copies_left: usize,
    pub(super) buffers: usize,
    pub(super) provenance: Provenance,
}

impl<'a> Machine<'a> {
    #[inline(always)]
    fn new(bytes: &'a [u8], limits: &Limits) -> Machine<'a> {
        let mut limits = limits.clone();
        limits.bytes = limits.longest();
        limits.nodes = limits.nodes.min(ARENA);
        limits.depth = limits.depth.min(DEEPEST);
        Machine {
            reader: Reader::new(bytes, &limits),
            value: Value::for_message(bytes.len().min(limits.bytes)),
            stack: Vec::with_capacity(64),
            marks: Vec::with_capacity(16),
            fence: 0,
            memo: Memo::default(),
            depths: Depths::default(),
            keyed: Vec::new(),
            different: Vec::new(),
            nodes_left: limits.nodes,
            bytes_left: limits.bytes,
            // Ordinary mappings have their keys from the memo: twice as many elements as nodes. The
            // rest is for what moves as it grows.
            room: limits.nodes.saturating_mul(3),
            copies_left: limits.nodes,
            buffers: 0,
            provenance: Provenance::default(),
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
        if !self.keyed.is_empty() {
            keys::unify(&mut self.value, std::mem::take(&mut self.keyed), &self.limits)?;
        }
        self.value.set_root(root);
        if self.depths.inexact && depth::exceeds(&self.value, self.limits.depth) {
            return Err(self.too_deep());
        }
        Ok(())
    }

    fn execute(&mut self) -> Result<NodeId, Fault> {
        loop {
            let (opcode, word) = self.reader.next()?;
            match opcode {
                NONE => self.push_leaf(Node::None)?,
                NEWTRUE => self.push_leaf(Node::Bool(true))?,
                NEWFALSE => self.push_leaf(Node::Bool(false))?,
                BININT1 => {
                    let integer = self.reader.fixed(word, 1);
                    self.push_leaf(Node::Int(integer as i64))?;
                }
                BININT2 => {
                    let integer = self.reader.fixed(word, 2);
                    self.push_leaf(Node::Int(integer as i64))?;
                }
                BININT => {
                    let integer = self.reader.fixed(word, 4) as i32;
                    self.push_leaf(Node::Int(integer.into()))?;
                }
                BINFLOAT => {
                    let bits = self.reader.fixed(word, 8).swap_bytes();
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
                SHORT_BINUNICODE => {
                    let bytes = self.reader.counted_short(word)?;
                    self.unicode(bytes)?;
                }
                BINUNICODE => {
                    let bytes = self.reader.counted(4)?;
                    self.unicode(bytes)?;
                }
                BINUNICODE8 => {
                    let bytes = self.reader.counted(8)?;
                    self.unicode(bytes)?;
                }
                UNICODE => self.unicode_line()?,
                SHORT_BINBYTES => self.bytes(1)?,
                BINBYTES => self.bytes(4)?,
                BINBYTES8 => self.bytes(8)?,
                BYTEARRAY8 => {
                    let bytes = self.reader.counted(8)?;
                    let span = self.value.store(bytes);
                    self.push_leaf(Node::ByteArray(span))?;
                }
                SHORT_BINSTRING => self.python2_string(1)?,
                BINSTRING => self.python2_string(4)?,
                STRING => self.string_line()?,
                EMPTY_LIST => self.push_container(Node::List(Items::default()), &[])?,
                EMPTY_DICT => self.push_container(Node::Dict(Entries::default()), &[])?,
                EMPTY_SET => self.push_container(Node::Set(Items::default()), &[])?,
                EMPTY_TUPLE => self.push_container(Node::Tuple(Items::default()), &[])?,
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
                    let members = self.collect(from, Node::FrozenSet)?;
                    self.compare_members(members);
                }
                DICT => {
                    let from = self.take_mark()?;
                    self.push_container(Node::Dict(Entries::default()), &[])?;
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
                BINGET => {
                    let index = self.reader.fixed(word, 1);
                    self.get(index)?;
                }
                LONG_BINGET => {
                    let index = self.reader.fixed(word, 4);
                    self.get(index)?;
                }
                GET => {
                    let index = self.index_line()?;
                    self.get(index)?;
                }
                BINPUT => {
                    let index = self.reader.fixed(word, 1);
                    self.put(index)?;
                }
                LONG_BINPUT => {
                    let index = self.reader.fixed(word, 4);
                    self.put(index)?;
                }
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
                _ => self.object_opcode(opcode, word)?,
            }
        }
    }

    // Faults, each at the opcode being read.

    #[cold]
    pub(super) fn corrupt(&self, message: impl Into<String>) -> Fault {
        Fault::new(FaultKind::Corrupt, self.reader.at, message)
    }

    #[cold]
    pub(super) fn limit(&self, found: String, name: &str) -> Fault {
        Fault::limit(self.reader.at, found, name)
    }

    #[cold]
    pub(super) fn underflow(&self) -> Fault {
        let name = describe(self.reader.opcode());
        self.corrupt(format!("{name} needs more than the stack holds"))
    }

    #[cold]
    pub(super) fn too_deep(&self) -> Fault {
        self.limit(format!("nested deeper than {}", self.limits.depth), "depth")
    }

    #[cold]
    pub(super) fn wrong_target(&self, target: NodeId) -> Fault {
        let name = describe(self.reader.opcode());
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

pub(super) fn invalid_utf8(at: usize) -> Fault {
    Fault::new(FaultKind::InvalidUtf8, at, "the text is not UTF-8")
}
