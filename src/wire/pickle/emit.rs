//! Writes plain data as CPython's C pickler does: the same opcodes, memo and frames.

use std::collections::HashMap;

use super::keys;
use super::machine::Provenance;
use super::opcode::*;
use super::output::Output;
use crate::wire::value::{Class, Node, NodeId, Value};
use crate::{Error, Result};

/// How many elements one `APPENDS`, `SETITEMS` or `ADDITEMS` adds.
const BATCH: usize = 1000;
/// Small data can ask for any amount of output by cycles through many tuples.
const OUTPUT_LIMIT: usize = 1 << 30;

/// A pickle of `value`, at a protocol from 0 to 5, for `pickle.loads`.
///
/// Keeps the order of mappings and sets, sharing and cycles. For values that share nothing but what
/// they show, the bytes are those of `pickle.dumps`.
///
/// # Errors
/// [`Error::Value`] for objects, which are not encoded; for keys that Python cannot hash; for an
/// unknown protocol; and for integers that protocols 0 and 1 cannot carry.
pub fn encode(value: &Value, protocol: u8) -> Result<Vec<u8>> {
    emit(value, protocol, None)
}

/// As [`encode`], but writes bare out-of-band buffers as what they are, at protocol 5: their bytes go
/// another way, in the order in which they are written.
///
/// # Errors
/// Those of [`encode`].
pub fn encode_with_provenance(
    value: &Value,
    protocol: u8,
    provenance: &Provenance,
) -> Result<Vec<u8>> {
    emit(value, protocol, Some(provenance))
}

fn emit(value: &Value, protocol: u8, provenance: Option<&Provenance>) -> Result<Vec<u8>> {
    if protocol > 5 {
        return Err(refuse(format!("there is no protocol {protocol}; 5 is the highest")));
    }
    if value.is_empty() {
        return Err(refuse("there is no value"));
    }
    let mut emitter = Emitter {
        value,
        provenance,
        protocol,
        output: Output::new(protocol),
        memo: vec![None; value.len()],
        constants: HashMap::new(),
        next: 0,
        frames: Vec::new(),
        mutables: 0,
        open: HashMap::new(),
    };
    emitter.run()?;
    Ok(emitter.output.finish())
}

pub(super) fn refuse(reason: impl Into<String>) -> Error {
    Error::Value { format: "pickle".into(), reason: reason.into() }
}

/// A container whose elements are being written.
struct Frame<'v> {
    node: NodeId,
    elements: Elements<'v>,
    shape: Shape,
    /// How many elements are written; of a mapping, keys and values each count.
    next: usize,
}

#[derive(Clone, Copy)]
enum Elements<'v> {
    Single(&'v [NodeId]),
    Pairs(&'v [(NodeId, NodeId)]),
}

impl Elements<'_> {
    fn len(self) -> usize {
        match self {
            Elements::Single(items) => items.len(),
            Elements::Pairs(entries) => 2 * entries.len(),
        }
    }

    fn at(self, index: usize) -> NodeId {
        match self {
            Elements::Single(items) => items[index],
            Elements::Pairs(entries) if index.is_multiple_of(2) => entries[index / 2].0,
            Elements::Pairs(entries) => entries[index / 2].1,
        }
    }
}

/// How elements get into their container.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// In batches, into what is there already; the opcodes for one element and for many.
    Filled {
        one: Option<u8>,
        many: u8,
    },
    /// As `Filled` with a list, which a call then makes a set.
    Called,
    /// All at once, from the stack.
    Tuple,
    FrozenSet,
}

pub(super) struct Emitter<'v> {
    value: &'v Value,
    provenance: Option<&'v Provenance>,
    pub(super) protocol: u8,
    pub(super) output: Output,
    memo: Vec<Option<u32>>,
    /// What is no node but stands in the memo: names of constructors and of encodings.
    pub(super) constants: HashMap<&'static str, u32>,
    next: u32,
    frames: Vec<Frame<'v>>,
    /// How many containers were begun that can be in the memo before their elements are written.
    mutables: usize,
    /// Tuples and frozen sets being written, with `mutables` when they were begun.
    open: HashMap<NodeId, usize>,
}

impl<'v> Emitter<'v> {
    fn run(&mut self) -> Result<()> {
        self.save(self.value.root())?;
        while let Some(frame) = self.frames.last_mut() {
            let (index, total) = (frame.next, frame.elements.len());
            let (elements, shape) = (frame.elements, frame.shape);
            self.between(elements, shape, index);
            if index == total {
                self.close()?;
                continue;
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.next += 1;
            }
            if self.output.len() > OUTPUT_LIMIT {
                return Err(refuse(format!("it takes more than {OUTPUT_LIMIT} bytes")));
            }
            self.save(elements.at(index))?;
        }
        self.output.write(&[STOP]);
        Ok(())
    }

    /// What stands before element `index`, and after the last one, of what is filled in batches.
    fn between(&mut self, elements: Elements<'_>, shape: Shape, index: usize) {
        let (one, many) = match shape {
            Shape::Filled { one, many } => (one, many),
            Shape::Called => (Some(APPEND), APPENDS),
            Shape::Tuple | Shape::FrozenSet => return,
        };
        let width = if matches!(elements, Elements::Pairs(_)) { 2 } else { 1 };
        if !index.is_multiple_of(width) {
            return;
        }
        let (done, total) = (index / width, elements.len() / width);
        match one {
            Some(one) if self.protocol == 0 || total == 1 => {
                if done > 0 {
                    self.output.write(&[one]);
                }
            }
            _ => {
                if done > 0 && (done == total || done.is_multiple_of(BATCH)) {
                    self.output.write(&[many]);
                }
                if done < total && done.is_multiple_of(BATCH) {
                    self.output.write(&[MARK]);
                }
            }
        }
    }

    /// The elements are written: completes the container.
    fn close(&mut self) -> Result<()> {
        let Some(Frame { node, elements, shape, .. }) = self.frames.pop() else { return Ok(()) };
        let marked = self.protocol < 2 || elements.len() > 3 || shape == Shape::FrozenSet;
        match shape {
            Shape::Filled { .. } => return Ok(()),
            Shape::Called => {
                self.output.write(&[if self.protocol < 2 { TUPLE } else { TUPLE1 }]);
                self.put();
                self.output.write(&[REDUCE]);
            }
            Shape::Tuple | Shape::FrozenSet => {
                self.open.remove(&node);
                if let Some(index) = self.memo[node.index()] {
                    // An element holds this container, and has written it: that one counts.
                    if self.protocol == 0 {
                        self.output.write(&vec![POP; elements.len() + 1]);
                    } else if marked {
                        self.output.write(&[POP_MARK]);
                    } else {
                        self.output.write(&vec![POP; elements.len()]);
                    }
                    self.fetch(index);
                    return Ok(());
                }
                self.output.write(&[match elements.len() {
                    _ if shape == Shape::FrozenSet => FROZENSET,
                    1 if !marked => TUPLE1,
                    2 if !marked => TUPLE2,
                    3 if !marked => TUPLE3,
                    _ => TUPLE,
                }]);
            }
        }
        self.memoize(node);
        Ok(())
    }

    fn save(&mut self, id: NodeId) -> Result<()> {
        self.output.boundary();
        if let Some(index) = self.memo[id.index()] {
            self.fetch(index);
            return Ok(());
        }
        match self.value.node(id) {
            Node::None => self.output.write(&[NONE]),
            Node::Bool(truth) => match (self.protocol >= 2, truth) {
                (true, true) => self.output.write(&[NEWTRUE]),
                (true, false) => self.output.write(&[NEWFALSE]),
                (false, true) => self.output.write(b"I01\n"),
                (false, false) => self.output.write(b"I00\n"),
            },
            Node::Int(integer) => self.integer(*integer),
            Node::BigInt(integer) => self.big_integer(integer)?,
            Node::Float(float) if self.protocol >= 1 => {
                self.output.write_parts(&[BINFLOAT], &float.to_be_bytes());
            }
            Node::Float(float) => self.output.write(format!("F{float:?}\n").as_bytes()),
            Node::Str(span) | Node::Surrogates(span) => {
                self.text(self.value.span(*span))?;
                self.memoize(id);
            }
            Node::Bytes(span) => {
                self.bytes(self.value.span(*span))?;
                self.memoize(id);
            }
            Node::ByteArray(span) => {
                self.byte_array(self.value.span(*span))?;
                self.memoize(id);
            }
            Node::List(items) => {
                let items = self.value.items(*items);
                self.empty(EMPTY_LIST, LIST);
                self.memoize(id);
                let shape = Shape::Filled { one: Some(APPEND), many: APPENDS };
                self.begin_mutable(id, Elements::Single(items), shape);
            }
            Node::Dict(entries) => {
                let entries = self.value.entries(*entries);
                self.check_keys(entries.iter().map(|&(key, _)| key))?;
                self.empty(EMPTY_DICT, DICT);
                self.memoize(id);
                let shape = Shape::Filled { one: Some(SETITEM), many: SETITEMS };
                self.begin_mutable(id, Elements::Pairs(entries), shape);
            }
            Node::Set(items) if self.protocol >= 4 => {
                let items = self.value.items(*items);
                self.check_keys(items.iter().copied())?;
                self.output.write(&[EMPTY_SET]);
                self.memoize(id);
                let shape = Shape::Filled { one: None, many: ADDITEMS };
                self.begin_mutable(id, Elements::Single(items), shape);
            }
            Node::Set(items) => self.begin_called(id, "set", self.value.items(*items))?,
            Node::FrozenSet(items) if self.protocol >= 4 => {
                let items = self.value.items(*items);
                self.check_keys(items.iter().copied())?;
                self.output.write(&[MARK]);
                self.begin_immutable(id, items, Shape::FrozenSet)?;
            }
            Node::FrozenSet(items) => {
                self.begin_called(id, "frozenset", self.value.items(*items))?
            }
            Node::Tuple(items) if items.is_empty() => self.empty(EMPTY_TUPLE, TUPLE),
            Node::Tuple(items) => {
                if self.protocol < 2 || items.len() > 3 {
                    self.output.write(&[MARK]);
                }
                self.begin_immutable(id, self.value.items(*items), Shape::Tuple)?;
            }
            Node::Object(object)
                if let (Class::Buffer(_), None, Some(provenance), 5..) =
                    (&object.class, &object.arguments, self.provenance, self.protocol) =>
            {
                self.output.write(&[NEXT_BUFFER]);
                if provenance.read_only_buffers.contains(&id) {
                    self.output.write(&[READONLY_BUFFER]);
                }
                self.memoize(id);
            }
            Node::Object(_) => {
                return Err(refuse("objects cannot be encoded, only plain data"));
            }
        }
        Ok(())
    }

    fn begin_mutable(&mut self, node: NodeId, elements: Elements<'v>, shape: Shape) {
        self.mutables += 1;
        self.frames.push(Frame { node, elements, shape, next: 0 });
    }

    /// Begins what is in the memo only when its elements are written. It may be met again before,
    /// but only inside something that is in the memo already.
    fn begin_immutable(&mut self, node: NodeId, items: &'v [NodeId], shape: Shape) -> Result<()> {
        if self.open.insert(node, self.mutables) == Some(self.mutables) {
            return Err(refuse("a tuple or frozenset cannot hold itself"));
        }
        self.frames.push(Frame { node, elements: Elements::Single(items), shape, next: 0 });
        Ok(())
    }

    /// Begins a set as protocols below 4 have it: a call of its class with a list.
    fn begin_called(
        &mut self,
        node: NodeId,
        name: &'static str,
        items: &'v [NodeId],
    ) -> Result<()> {
        self.check_keys(items.iter().copied())?;
        self.constructor(name);
        if self.protocol < 2 {
            self.output.write(&[MARK]);
        }
        self.empty(EMPTY_LIST, LIST);
        self.put();
        self.begin_immutable(node, items, Shape::Called)
    }

    fn check_keys(&self, keys: impl Iterator<Item = NodeId>) -> Result<()> {
        for key in keys {
            if let Some(kind) = keys::unhashable_in(self.value, key) {
                return Err(refuse(format!("{kind} cannot be a key, or a member of a set")));
            }
        }
        Ok(())
    }

    /// An empty container; protocol 0 has to make it from a mark.
    pub(super) fn empty(&mut self, opcode: u8, from_mark: u8) {
        if self.protocol >= 1 {
            self.output.write(&[opcode]);
        } else {
            self.output.write(&[MARK, from_mark]);
        }
    }

    fn memoize(&mut self, node: NodeId) {
        self.memo[node.index()] = Some(self.put());
    }

    /// Puts what is on top of the stack into the memo; returns where.
    pub(super) fn put(&mut self) -> u32 {
        let index = self.next;
        self.next += 1;
        match (self.protocol, u8::try_from(index)) {
            (0, _) => self.output.write(format!("p{index}\n").as_bytes()),
            (1..4, Ok(short)) => self.output.write(&[BINPUT, short]),
            (1..4, Err(_)) => self.output.write_parts(&[LONG_BINPUT], &index.to_le_bytes()),
            _ => self.output.write(&[MEMOIZE]),
        }
        index
    }

    pub(super) fn fetch(&mut self, index: u32) {
        match (self.protocol, u8::try_from(index)) {
            (0, _) => self.output.write(format!("g{index}\n").as_bytes()),
            (_, Ok(short)) => self.output.write(&[BINGET, short]),
            (_, Err(_)) => self.output.write_parts(&[LONG_BINGET], &index.to_le_bytes()),
        }
    }
}
