//! A value as Python's own objects. Iterative: no nesting is too deep.
//!
//! What a container holds is complete before the container is, as far as cycles allow: keys are hashed,
//! and callables of an allow-list called, with what is complete. Each node is one object.

use std::collections::HashMap;

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFrozenSet, PyList, PySet, PyTuple};

use super::allow::Allow;
use super::call::Call;
use super::crowd::{Crowd, MOST};
use super::failure::{WITHOUT, failed};
use super::leaf::{Leaves, Reading, is_simple};
use super::opaque::Opaque;
use super::repeats::Repeats;
use crate::wire::Value;
use crate::wire::value::{Node, NodeId, Object};

/// The objects that `value` stands for; calls in it that `allow` lists are made.
///
/// # Errors
/// DecodeError for a call that failed, with its reason as the cause.
///
/// Keys and members are hashed, which recurses in Python: the codecs bound how deep and large they are,
/// and refuse those that cannot be hashed.
pub(in crate::python) fn to_python<'py>(
    py: Python<'py>,
    value: &Value,
    allow: Option<&Allow>,
) -> PyResult<Bound<'py, PyAny>> {
    build(py, value, &Reading { allow, ..Reading::default() })
}

/// As [`to_python`], with all that a reader may ask for.
pub(super) fn build<'py>(
    py: Python<'py>,
    value: &Value,
    reading: &Reading<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    if value.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    let allow = reading.allow.filter(|allow| !allow.is_empty(py));
    let begun =
        BEGUN.get_or_try_init(py, || Ok::<_, PyErr>(PyList::empty(py).into_any().unbind()))?;
    let begun = begun.bind(py);
    let made = vec![None; value.len()];
    let leaves = Leaves { py, value, reading };
    let (frames, pending, late) = (Vec::new(), Vec::new(), HashMap::new());
    let repeats = Repeats::default();
    Builder { py, value, allow, leaves, made, begun, frames, pending, late, repeats }.build()
}

/// Stands for an object that waits for what it holds. Nobody else sees it.
static BEGUN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

struct Builder<'a, 'py> {
    py: Python<'py>,
    value: &'a Value,
    allow: Option<&'a Allow>,
    leaves: Leaves<'a, 'py>,
    /// By node, its object; `begun` while it is waiting for what it holds.
    made: Vec<Option<Bound<'py, PyAny>>>,
    begun: &'a Bound<'py, PyAny>,
    /// The containers being built, each inside the one before it.
    frames: Vec<Frame<'py>>,
    /// What the frames have of their elements already.
    pending: Vec<Bound<'py, PyAny>>,
    /// Containers that cannot be filled before a node is made that holds them itself.
    late: HashMap<NodeId, Vec<Frame<'py>>>,
    repeats: Repeats,
}

/// A container that is being built.
struct Frame<'py> {
    node: NodeId,
    /// Which element comes next.
    next: usize,
    /// Where its elements begin in `pending`.
    base: usize,
    shape: Shape<'py>,
}

enum Shape<'py> {
    /// A list, a tuple or a frozen set: made when its elements are there.
    Collected,
    Dict(Bound<'py, PyDict>, Option<Crowd>),
    Set(Bound<'py, PySet>, Option<Crowd>),
    Opaque(Bound<'py, Opaque>, Vec<NodeId>),
    Call(Box<Call<'py>>),
}

/// How far an element is.
enum Element<'py> {
    Made(Bound<'py, PyAny>),
    /// It has not been begun.
    Fresh,
    /// It waits for what it holds, and that for it.
    Waiting,
}

/// How far a container came.
enum Step {
    Done,
    /// The object is there; what it is filled with comes next.
    Called,
    /// This element is built first.
    Enter(NodeId),
    /// This element is made only after the container.
    Blocked(NodeId),
}

/// The next element of a container, or where that ends for now.
macro_rules! element {
    ($builder:expr, $node:expr) => {
        match $builder.element($node)? {
            Element::Made(object) => object,
            Element::Fresh => return Ok(Step::Enter($node)),
            Element::Waiting => return Ok(Step::Blocked($node)),
        }
    };
}

impl<'py> Builder<'_, 'py> {
    fn build(mut self) -> PyResult<Bound<'py, PyAny>> {
        let root = self.value.root();
        if let Element::Made(leaf) = self.element(root)? {
            return Ok(leaf);
        }
        self.enter(root)?;
        while let Some(mut frame) = self.frames.pop() {
            match self.advance(&mut frame)? {
                Step::Done => self.release(frame.node),
                Step::Called => {
                    let node = frame.node;
                    self.frames.push(frame);
                    self.release(node);
                }
                Step::Enter(child) => {
                    self.frames.push(frame);
                    self.enter(child)?;
                }
                Step::Blocked(on) => self.postpone(frame, on)?,
            }
        }
        match self.element(root)? {
            Element::Made(object) => Ok(object),
            // Each frame ends with its object made.
            Element::Fresh | Element::Waiting => Err(impossible()),
        }
    }

    #[inline]
    fn element(&mut self, id: NodeId) -> PyResult<Element<'py>> {
        let node = self.value.node(id);
        if let Some(scalar) = self.leaves.scalar(node)? {
            return Ok(Element::Made(scalar));
        }
        if let Some(made) = &self.made[id.index()] {
            if !made.is(self.begun) {
                return Ok(Element::Made(made.clone()));
            }
            if !matches!(node, Node::List(_)) {
                return Ok(Element::Waiting);
            }
            // A list that holds itself: it has to be there before its elements.
            let empty = PyList::empty(self.py).into_any();
            self.made[id.index()] = Some(empty.clone());
            return Ok(Element::Made(empty));
        }
        let made = match self.leaves.leaf(node, id)? {
            Some(leaf) => leaf,
            None => match self.flat(node)? {
                Some(flat) => flat,
                None => return Ok(Element::Fresh),
            },
        };
        self.made[id.index()] = Some(made.clone());
        Ok(Element::Made(made))
    }

    /// The object of a container whose elements hold nothing themselves: most containers are such, and
    /// they are made at once.
    fn flat(&mut self, node: &Node) -> PyResult<Option<Bound<'py, PyAny>>> {
        let value = self.value;
        let is_leaf = |&id: &NodeId| is_simple(value.node(id));
        match node {
            Node::Dict(entries) => {
                let entries = value.entries(*entries);
                let is_flat = entries.iter().all(|(key, item)| is_leaf(key) && is_leaf(item));
                if !is_flat || entries.len() > MOST {
                    return Ok(None);
                }
                let dict = PyDict::new(self.py);
                for &(key, item) in entries {
                    let item = self.simple(item)?;
                    match &self.made[key.index()] {
                        Some(key) => dict.set_item(key, item)?,
                        None => dict.set_item(self.simple(key)?, item)?,
                    }
                }
                Ok(Some(dict.into_any()))
            }
            Node::List(items) | Node::Tuple(items) => {
                let items = value.items(*items);
                if !items.iter().all(is_leaf) {
                    return Ok(None);
                }
                let base = self.pending.len();
                for &item in items {
                    let item = self.simple(item)?;
                    self.pending.push(item);
                }
                let elements = self.pending.drain(base..);
                Ok(Some(match node {
                    Node::List(_) => PyList::new(self.py, elements)?.into_any(),
                    _ => PyTuple::new(self.py, elements)?.into_any(),
                }))
            }
            _ => Ok(None),
        }
    }

    /// The object of a node that is no container.
    #[inline]
    fn simple(&mut self, id: NodeId) -> PyResult<Bound<'py, PyAny>> {
        let node = self.value.node(id);
        if let Some(scalar) = self.leaves.scalar(node)? {
            return Ok(scalar);
        }
        if let Some(made) = &self.made[id.index()] {
            return Ok(made.clone());
        }
        let leaf = self.leaves.leaf(node, id)?.ok_or_else(impossible)?;
        self.made[id.index()] = Some(leaf.clone());
        Ok(leaf)
    }

    /// Begins a container.
    fn enter(&mut self, node: NodeId) -> PyResult<()> {
        let (object, shape) = match self.value.node(node) {
            Node::Dict(entries) => {
                let dict = PyDict::new(self.py);
                let crowd = Crowd::of(self.value.entries(*entries).len());
                (dict.clone().into_any(), Shape::Dict(dict, crowd))
            }
            Node::Set(members) => {
                let set = PySet::empty(self.py)?;
                let crowd = Crowd::of(self.value.items(*members).len());
                (set.clone().into_any(), Shape::Set(set, crowd))
            }
            Node::Object(object) => match self.call(object)? {
                Some(call) => (self.begun.clone(), Shape::Call(Box::new(call))),
                None => {
                    let opaque = Bound::new(self.py, Opaque::of(&object.class))?;
                    let children = self.value.children(node).collect();
                    (opaque.clone().into_any(), Shape::Opaque(opaque, children))
                }
            },
            _ => (self.begun.clone(), Shape::Collected),
        };
        self.made[node.index()] = Some(object);
        self.frames.push(Frame { node, next: 0, base: self.pending.len(), shape });
        Ok(())
    }

    fn call(&self, object: &Object) -> PyResult<Option<Call<'py>>> {
        match self.allow {
            Some(allow) => Call::of(self.py, self.value, object, allow),
            None => Ok(None),
        }
    }

    fn advance(&mut self, frame: &mut Frame<'py>) -> PyResult<Step> {
        let value = self.value;
        match (&mut frame.shape, value.node(frame.node)) {
            (Shape::Dict(dict, crowd), Node::Dict(entries)) => {
                let entries = value.entries(*entries);
                while let Some(&(key, item)) = entries.get(frame.next) {
                    let key_object = element!(self, key);
                    let item = element!(self, item);
                    self.count(crowd, key, &key_object)?;
                    dict.set_item(key_object, item).map_err(|error| self.no_key(key, error))?;
                    frame.next += 1;
                }
            }
            (Shape::Set(set, crowd), Node::Set(members)) => {
                let members = value.items(*members);
                while let Some(&member) = members.get(frame.next) {
                    let object = element!(self, member);
                    self.count(crowd, member, &object)?;
                    set.add(object).map_err(|error| self.no_key(member, error))?;
                    frame.next += 1;
                }
            }
            (Shape::Opaque(opaque, children), Node::Object(request)) => {
                while let Some(&child) = children.get(frame.next) {
                    let child = element!(self, child);
                    self.pending.push(child);
                    frame.next += 1;
                }
                let parts = self.pending.drain(frame.base..);
                Opaque::fill(opaque, request, parts)?;
            }
            (Shape::Call(call), Node::Object(request)) => {
                while let Some(child) = call.child(frame.next) {
                    let child = element!(self, child);
                    self.pending.push(child);
                    frame.next += 1;
                }
                let parts: Vec<_> = self.pending.drain(frame.base..).collect();
                if call.is_made() {
                    call.fill(value, request, parts)?;
                } else {
                    let made = call.make(value, request, &parts, &mut self.repeats)?;
                    self.made[frame.node.index()] = Some(made);
                    frame.next = 0;
                    return Ok(Step::Called);
                }
            }
            (_, node @ (Node::List(items) | Node::Tuple(items) | Node::FrozenSet(items))) => {
                let items = value.items(*items);
                while let Some(&item) = items.get(frame.next) {
                    let item = element!(self, item);
                    self.pending.push(item);
                    frame.next += 1;
                }
                if let (Node::FrozenSet(_), mut crowd @ Some(_)) = (node, Crowd::of(items.len())) {
                    for member in &self.pending[frame.base..] {
                        self.count(&mut crowd, frame.node, member)?;
                    }
                }
                let elements = self.pending.drain(frame.base..);
                let made = match node {
                    Node::Tuple(_) => PyTuple::new(self.py, elements)?.into_any(),
                    Node::FrozenSet(_) => match PyFrozenSet::new(self.py, elements) {
                        Ok(set) => set.into_any(),
                        Err(error) => return Err(self.no_key(frame.node, error)),
                    },
                    _ => match &self.made[frame.node.index()] {
                        Some(list) if !list.is(self.begun) => {
                            let list = list.cast::<PyList>()?;
                            elements.into_iter().try_for_each(|item| list.append(item))?;
                            return Ok(Step::Done);
                        }
                        _ => PyList::new(self.py, elements)?.into_any(),
                    },
                };
                self.made[frame.node.index()] = Some(made);
            }
            // A frame has the shape of its node.
            _ => return Err(impossible()),
        }
        Ok(Step::Done)
    }

    /// Fills a container when `on` is made, which holds it and is held by it.
    fn postpone(&mut self, mut frame: Frame<'py>, on: NodeId) -> PyResult<()> {
        match (&frame.shape, self.value.node(frame.node)) {
            (Shape::Dict(..) | Shape::Set(..), _) => {}
            (Shape::Opaque(..), _) => frame.next = 0,
            (Shape::Call(call), _) if call.is_made() => frame.next = 0,
            (Shape::Call(call), Node::Object(request)) => {
                return Err(call.failure(
                    self.py,
                    self.value,
                    request,
                    "its arguments hold it itself",
                ));
            }
            (_, Node::List(_)) => {
                // From now on it is there for others, empty.
                self.element(frame.node)?;
                frame.next = 0;
            }
            _ => return Err(impossible()),
        }
        self.pending.truncate(frame.base);
        self.late.entry(on).or_default().push(frame);
        Ok(())
    }

    /// Goes on with what waited for a node, now that it is made.
    #[inline]
    fn release(&mut self, node: NodeId) {
        if self.late.is_empty() {
            return;
        }
        for mut frame in self.late.remove(&node).unwrap_or_default() {
            frame.base = self.pending.len();
            self.frames.push(frame);
        }
    }

    /// Counts a key of what may have too many that collide.
    #[inline]
    fn count(
        &self,
        crowd: &mut Option<Crowd>,
        key: NodeId,
        object: &Bound<'py, PyAny>,
    ) -> PyResult<()> {
        match crowd {
            Some(crowd) => crowd.add(object).map_err(|error| self.no_key(key, error)),
            None => Ok(()),
        }
    }

    /// What an object of an allow-list that cannot be hashed is an error of.
    #[cold]
    fn no_key(&self, key: NodeId, error: PyErr) -> PyErr {
        let at = match self.value.node(key) {
            Node::Object(object) => object.offset,
            _ => 0,
        };
        failed(self.py, at, "a key or a member of a set", error, WITHOUT)
    }
}

/// No pickle can say this; Python could not make it either.
fn impossible() -> PyErr {
    PyRecursionError::new_err("a tuple that holds itself by tuples alone")
}
