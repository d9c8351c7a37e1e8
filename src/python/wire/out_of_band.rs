//! Buffers that stand in a pickle, or go beside it (PEP 574).

use std::collections::HashMap;

use pyo3::exceptions::PyOverflowError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::from_python::Buffers;
use crate::wire::Value;
use crate::wire::pickle::Provenance;
use crate::wire::value::{Class, Node, NodeId};

/// The most bytes of buffers that are put into a value.
const CAPACITY: usize = 2 << 30;

/// Puts each `pickle.PickleBuffer` into the value, as bytes or a bytearray, unless `callback` takes it by
/// a false result; it is asked in the order in which they are written.
pub(super) fn place<'py>(
    value: &mut Value,
    buffers: Buffers<'py>,
    callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<Provenance> {
    let mut provenance = Provenance::default();
    let mut buffers: HashMap<NodeId, Bound<'py, PyAny>> = buffers.into_iter().collect();
    if buffers.is_empty() {
        return Ok(provenance);
    }
    let (mut taken, mut stored) = (0, 0);
    for id in in_order(value) {
        let Some(buffer) = buffers.remove(&id) else { continue };
        // Raises BufferError for what is not one piece, as pickle does.
        let view = buffer.call_method0("raw")?;
        let is_read_only = view.getattr("readonly")?.is_truthy()?;
        if let Some(callback) = callback
            && !callback.call1((&buffer,))?.is_truthy()?
        {
            if let Node::Object(object) = value.node_mut(id) {
                object.class = Class::Buffer(taken);
            }
            taken += 1;
            if is_read_only {
                provenance.read_only_buffers.push(id);
            }
            continue;
        }
        let bytes = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
        stored += bytes.as_bytes().len();
        if stored > CAPACITY {
            return Err(PyOverflowError::new_err("a value holds at most 2 GiB of buffers"));
        }
        let span = value.store(bytes.as_bytes());
        *value.node_mut(id) = if is_read_only { Node::Bytes(span) } else { Node::ByteArray(span) };
    }
    Ok(provenance)
}

/// All nodes, in the order in which they are first written.
fn in_order(value: &Value) -> Vec<NodeId> {
    let mut seen = vec![false; value.len()];
    let (mut order, mut left) = (Vec::new(), vec![value.root()]);
    while let Some(node) = left.pop() {
        if std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        order.push(node);
        let first = left.len();
        left.extend(value.children(node));
        left[first..].reverse();
    }
    order
}
