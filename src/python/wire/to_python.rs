//! A value as Python's own objects. Iterative: no nesting is too deep.
//!
//! Lists, mappings, sets and opaque objects are made empty and filled later, so that cycles close;
//! tuples and frozen sets, which cannot be, once their elements are there. Each node is one object.

use pyo3::exceptions::PyRecursionError;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyList, PyMappingProxy, PySet, PyString,
    PyTuple,
};

use super::opaque::{Contents, Opaque};
use crate::wire::Value;
use crate::wire::value::{Class, Node, NodeId, Object};

/// The objects that `value` stands for.
///
/// Keys and members are hashed, which recurses in Python: the codecs bound how deep and large they are,
/// and refuse those that cannot be hashed.
pub(in crate::python) fn to_python<'py>(
    py: Python<'py>,
    value: &Value,
) -> PyResult<Bound<'py, PyAny>> {
    if value.is_empty() {
        return Ok(py.None().into_bound(py));
    }
    let made = vec![None; value.len()];
    let mut builder = Builder { py, value, made, empty: Vec::new() };
    let root = builder.make(value.root())?;
    while let Some(node) = builder.empty.pop() {
        builder.fill(node)?;
    }
    Ok(root)
}

struct Builder<'py, 'v> {
    py: Python<'py>,
    value: &'v Value,
    /// By node, its object.
    made: Vec<Option<Bound<'py, PyAny>>>,
    /// Those that are still to be filled.
    empty: Vec<NodeId>,
}

impl<'py> Builder<'py, '_> {
    /// The object of a node, perhaps still empty.
    fn make(&mut self, id: NodeId) -> PyResult<Bound<'py, PyAny>> {
        if let Some(made) = &self.made[id.index()] {
            return Ok(made.clone());
        }
        let value = self.value;
        if let Node::Tuple(_) | Node::FrozenSet(_) = value.node(id) {
            self.make_elements_first(id)?;
        }
        let made = match value.node(id) {
            Node::Tuple(items) => self.tuple(value.items(*items))?.into_any(),
            Node::FrozenSet(items) => {
                PyFrozenSet::new(self.py, self.all(value.items(*items))?)?.into_any()
            }
            node => self.simple(node, id)?,
        };
        self.made[id.index()] = Some(made.clone());
        Ok(made)
    }

    /// Makes what a tuple or frozen set holds, innermost first.
    fn make_elements_first(&mut self, id: NodeId) -> PyResult<()> {
        let value = self.value;
        let mut begun = std::collections::HashSet::new();
        let mut path = vec![id];
        while let Some(&node) = path.last() {
            let (Node::Tuple(items) | Node::FrozenSet(items)) = value.node(node) else {
                path.pop();
                continue;
            };
            let before = path.len();
            let is_late =
                |item: &NodeId| matches!(value.node(*item), Node::Tuple(_) | Node::FrozenSet(_));
            path.extend(
                value
                    .items(*items)
                    .iter()
                    .filter(|item| is_late(item) && self.made[item.index()].is_none()),
            );
            if path.len() > before {
                if !begun.insert(node) {
                    // No pickle can say this; Python could not make it either.
                    return Err(PyRecursionError::new_err(
                        "a tuple that holds itself by tuples alone",
                    ));
                }
                continue;
            }
            path.pop();
            if node != id {
                self.make(node)?;
            }
        }
        Ok(())
    }

    /// The object of a node that needs no others to be made first.
    fn simple(&mut self, node: &Node, id: NodeId) -> PyResult<Bound<'py, PyAny>> {
        let (py, value) = (self.py, self.value);
        Ok(match node {
            Node::None => py.None().into_bound(py),
            Node::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
            Node::Int(integer) => integer.into_pyobject(py)?.into_any(),
            Node::BigInt(integer) => (&**integer).into_pyobject(py)?.into_any(),
            Node::Float(float) => PyFloat::new(py, *float).into_any(),
            Node::Str(span) => PyString::from_bytes(py, value.span(*span))?.into_any(),
            Node::Surrogates(span) => {
                let bytes = PyBytes::new(py, value.span(*span));
                let (utf8, errors) = (c"utf-8", c"surrogatepass");
                PyString::from_encoded_object(&bytes, Some(utf8), Some(errors))?.into_any()
            }
            Node::Bytes(span) => PyBytes::new(py, value.span(*span)).into_any(),
            Node::ByteArray(span) => PyByteArray::new(py, value.span(*span)).into_any(),
            Node::List(_) => self.later(id, PyList::empty(py).into_any()),
            Node::Set(_) => self.later(id, PySet::empty(py)?.into_any()),
            Node::Dict(_) => self.later(id, PyDict::new(py).into_any()),
            Node::Object(object) => {
                let opaque = match &object.class {
                    Class::Global { module, name } => {
                        Opaque::new("global", Some((module.to_string(), name.to_string())))
                    }
                    Class::Computed(_) => Opaque::new("computed", None),
                    Class::Persistent(_) => Opaque::new("persistent", None),
                    Class::Extension(_) => Opaque::new("extension", None),
                    Class::Buffer(_) => Opaque::new("buffer", None),
                };
                self.later(id, Bound::new(py, opaque)?.into_any())
            }
            Node::Tuple(_) | Node::FrozenSet(_) => return self.make(id),
        })
    }

    fn later(&mut self, id: NodeId, empty: Bound<'py, PyAny>) -> Bound<'py, PyAny> {
        self.empty.push(id);
        empty
    }

    fn all(&mut self, items: &[NodeId]) -> PyResult<Vec<Bound<'py, PyAny>>> {
        items.iter().map(|&item| self.make(item)).collect()
    }

    fn tuple(&mut self, items: &[NodeId]) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(self.py, self.all(items)?)
    }

    /// Puts into an object what it holds.
    fn fill(&mut self, id: NodeId) -> PyResult<()> {
        let value = self.value;
        let object = self.make(id)?;
        match value.node(id) {
            Node::List(items) => {
                let list = object.cast::<PyList>()?;
                value.items(*items).iter().try_for_each(|&item| list.append(self.make(item)?))
            }
            Node::Set(items) => {
                let set = object.cast::<PySet>()?;
                value.items(*items).iter().try_for_each(|&item| set.add(self.make(item)?))
            }
            Node::Dict(entries) => {
                let dict = object.cast::<PyDict>()?;
                value
                    .entries(*entries)
                    .iter()
                    .try_for_each(|&(key, item)| dict.set_item(self.make(key)?, self.make(item)?))
            }
            Node::Object(request) => {
                let contents = self.contents(request)?;
                object.cast::<Opaque>()?.borrow_mut().fill(contents);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn contents(&mut self, request: &Object) -> PyResult<Contents> {
        let py = self.py;
        let kwargs = PyDict::new(py);
        for &(name, item) in &request.keywords {
            kwargs.set_item(self.make(name)?, self.make(item)?)?;
        }
        let mut entries = Vec::with_capacity(request.entries.len());
        for &(key, item) in &request.entries {
            entries.push((self.make(key)?, self.make(item)?));
        }
        let args = request.arguments.as_ref().map(|items| self.tuple(items)).transpose()?;
        Ok(Contents {
            subject: match request.class {
                Class::Computed(node) | Class::Persistent(node) => Some(self.make(node)?.unbind()),
                Class::Extension(code) => Some(code.into_pyobject(py)?.into_any().unbind()),
                Class::Buffer(order) => Some(order.into_pyobject(py)?.into_any().unbind()),
                Class::Global { .. } => None,
            },
            args: args.map(Bound::unbind),
            kwargs: PyMappingProxy::new(py, kwargs.as_mapping()).unbind(),
            state: request.state.map(|state| self.make(state)).transpose()?.map(Bound::unbind),
            items: self.tuple(&request.items)?.unbind(),
            entries: PyTuple::new(py, entries)?.unbind(),
        })
    }
}
