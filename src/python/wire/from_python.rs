//! Python's own objects as a value. Iterative; sharing and cycles are kept by identity.

use std::collections::HashMap;

use num_bigint::BigInt;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use super::opaque::Opaque;
use crate::wire::Value;
use crate::wire::value::{Class, Items, Node, NodeId, Object, Span};

/// The most bytes of strings that a value holds.
const CAPACITY: usize = u32::MAX as usize;

/// The `pickle.PickleBuffer`s of a value, each with its node.
pub(super) type Buffers<'py> = Vec<(NodeId, Bound<'py, PyAny>)>;

/// The value of `object`.
///
/// # Errors
/// TypeError, with the type's name, for all but None, bool, int, float, str, bytes, bytearray, list,
/// tuple, dict, set and frozenset. Their subclasses are refused, too: what they add would be lost.
pub(in crate::python) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(read(object, None)?.value)
}

/// As [`from_python`], with a bare out-of-band buffer for each `pickle.PickleBuffer`, which is named.
pub(super) fn with_buffers<'py>(object: &Bound<'py, PyAny>) -> PyResult<(Value, Buffers<'py>)> {
    let reader = read(object, Some(Vec::new()))?;
    Ok((reader.value, reader.buffers.unwrap_or_default()))
}

fn read<'py>(object: &Bound<'py, PyAny>, buffers: Option<Buffers<'py>>) -> PyResult<Reader<'py>> {
    let mut reader = Reader {
        value: Value::new(),
        known: HashMap::new(),
        unread: Vec::new(),
        kept: Vec::new(),
        stored: 0,
        buffers,
    };
    let root = reader.node(object)?;
    while let Some((id, container)) = reader.unread.pop() {
        let node = reader.elements(&container)?;
        *reader.value.node_mut(id) = node;
    }
    reader.value.set_root(root);
    Ok(reader)
}

struct Reader<'py> {
    value: Value,
    /// By address, the node of an object that was met.
    known: HashMap<usize, NodeId>,
    /// Containers whose elements are still to be read.
    unread: Vec<(NodeId, Bound<'py, PyAny>)>,
    /// Keeps what was met alive, so that no address means two objects.
    kept: Vec<Bound<'py, PyAny>>,
    stored: usize,
    /// The `pickle.PickleBuffer`s that were met, where they are taken.
    buffers: Option<Buffers<'py>>,
}

impl<'py> Reader<'py> {
    fn node(&mut self, object: &Bound<'py, PyAny>) -> PyResult<NodeId> {
        if object.is_none() {
            return Ok(self.value.add(Node::None));
        }
        if let Ok(truth) = object.cast_exact::<PyBool>() {
            return Ok(self.value.add(Node::Bool(truth.is_true())));
        }
        if let Ok(float) = object.cast_exact::<PyFloat>() {
            return Ok(self.value.add(Node::Float(float.value())));
        }
        if object.is_exact_instance_of::<PyInt>() {
            return Ok(match object.extract::<i64>() {
                Ok(small) => self.value.add(Node::Int(small)),
                Err(_) => self.value.add_integer(object.extract::<BigInt>()?),
            });
        }
        let address = object.as_ptr() as usize;
        if let Some(&known) = self.known.get(&address) {
            return Ok(known);
        }
        let node = match object {
            _ if object.is_exact_instance_of::<PyString>() => {
                self.text(object.cast::<PyString>()?)?
            }
            _ if object.is_exact_instance_of::<PyBytes>() => {
                Node::Bytes(self.store(object.cast::<PyBytes>()?.as_bytes())?)
            }
            _ if object.is_exact_instance_of::<PyByteArray>() => {
                Node::ByteArray(self.store(&object.cast::<PyByteArray>()?.to_vec())?)
            }
            _ if is_container(object) => Node::List(Items::default()), // until its elements are read
            _ if self.buffers.is_some() && is_pickle_buffer(object)? => {
                Node::Object(Box::new(Object::reference(Class::Buffer(0), 0)))
            }
            _ => return Err(refuse(object)),
        };
        let is_buffer = matches!(node, Node::Object(_));
        let id = self.value.add(node);
        if let (true, Some(buffers)) = (is_buffer, &mut self.buffers) {
            buffers.push((id, object.clone()));
        }
        if is_container(object) {
            self.unread.push((id, object.clone()));
        }
        self.known.insert(address, id);
        self.kept.push(object.clone());
        Ok(id)
    }

    fn elements(&mut self, container: &Bound<'py, PyAny>) -> PyResult<Node> {
        if let Ok(dict) = container.cast::<PyDict>() {
            let mut entries = Vec::with_capacity(dict.len());
            for (key, item) in dict {
                entries.push((self.node(&key)?, self.node(&item)?));
            }
            return Ok(Node::Dict(self.value.store_entries(entries)));
        }
        let mut items = Vec::with_capacity(container.len()?);
        for item in container.try_iter()? {
            items.push(self.node(&item?)?);
        }
        let items = self.value.store_items(&items);
        Ok(if container.is_exact_instance_of::<PyList>() {
            Node::List(items)
        } else if container.is_exact_instance_of::<PyTuple>() {
            Node::Tuple(items)
        } else if container.is_exact_instance_of::<PySet>() {
            Node::Set(items)
        } else {
            Node::FrozenSet(items)
        })
    }

    fn text(&mut self, text: &Bound<'py, PyString>) -> PyResult<Node> {
        if let Ok(utf8) = text.to_str() {
            return Ok(Node::Str(self.store(utf8.as_bytes())?));
        }
        let bytes = text.call_method1("encode", ("utf-8", "surrogatepass"))?;
        Ok(Node::Surrogates(self.store(bytes.cast::<PyBytes>()?.as_bytes())?))
    }

    fn store(&mut self, bytes: &[u8]) -> PyResult<Span> {
        if bytes.len() > CAPACITY - self.stored {
            return Err(PyOverflowError::new_err("a value holds at most 4 GiB of strings"));
        }
        self.stored += bytes.len();
        Ok(self.value.store(bytes))
    }
}

fn is_pickle_buffer(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = object.py().import("pickle")?.getattr("PickleBuffer")?;
    Ok(object.is_exact_instance(&class))
}

fn is_container(object: &Bound<'_, PyAny>) -> bool {
    object.is_exact_instance_of::<PyList>()
        || object.is_exact_instance_of::<PyDict>()
        || object.is_exact_instance_of::<PyTuple>()
        || object.is_exact_instance_of::<PySet>()
        || object.is_exact_instance_of::<PyFrozenSet>()
}

fn refuse(object: &Bound<'_, PyAny>) -> PyErr {
    match object.get_type().fully_qualified_name() {
        Ok(name) => PyTypeError::new_err(format!(
            "cannot encode {name}: only None, bool, int, float, str, bytes, bytearray, list, tuple, \
             dict, set and frozenset themselves are plain data; {}",
            advice(object)
        )),
        Err(error) => error,
    }
}

/// What to do with an object that is no plain data.
fn advice(object: &Bound<'_, PyAny>) -> &'static str {
    if object.is_instance_of::<Opaque>() {
        "what a pickle asked for is not asked for again"
    } else if object.is_instance_of::<PyDict>() {
        "convert it with dict()"
    } else if object.is_instance_of::<PyTuple>() {
        "convert it with tuple()"
    } else if object.is_instance_of::<PyList>() {
        "convert it with list()"
    } else if object.is_instance_of::<PySet>() {
        "convert it with set()"
    } else if object.is_instance_of::<PyInt>() {
        "convert it with int()"
    } else if object.is_instance_of::<PyFloat>() {
        "convert it with float()"
    } else if object.is_instance_of::<PyString>() {
        "convert it with str()"
    } else {
        "convert it first, or use the standard library's pickle"
    }
}
