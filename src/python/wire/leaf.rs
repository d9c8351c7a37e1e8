//! What holds nothing else, as Python's objects.

use std::ffi::CString;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyFloat, PyMemoryView, PyString};

use super::super::error::decode_error;
use super::allow::Allow;
use super::failure::failed;
use crate::wire::pickle::Provenance;
use crate::wire::value::{Class, Node, NodeId, Object, Span, Value};
use crate::wire::{Fault, FaultKind};

/// How a value is made.
#[derive(Default)]
pub(super) struct Reading<'a, 'py> {
    /// Which calls are made.
    pub(super) allow: Option<&'a Allow>,
    /// What strings of Python 2 are, and which they are.
    pub(super) strings: Option<(&'a Encoding, &'a Provenance)>,
    /// The out-of-band buffers, and which of them are to be read-only.
    pub(super) buffers: Option<(&'a [Bound<'py, PyAny>], &'a Provenance)>,
}

/// What a string of Python 2 is read as, if not as text where it is ASCII and as bytes elsewhere.
pub(super) enum Encoding {
    Bytes,
    Text { encoding: CString, errors: CString },
}

impl Encoding {
    /// What these arguments of `pickle.loads` ask for; `None` where neither is given.
    ///
    /// # Errors
    /// LookupError for an encoding, or a way to treat errors, that there is not.
    pub(super) fn of(
        py: Python<'_>,
        encoding: Option<&str>,
        errors: Option<&str>,
    ) -> PyResult<Option<Encoding>> {
        if encoding.is_none() && errors.is_none() {
            return Ok(None);
        }
        let (encoding, errors) = (encoding.unwrap_or("ASCII"), errors.unwrap_or("strict"));
        let codecs = py.import("codecs")?;
        codecs.call_method1("lookup_error", (errors,))?;
        match encoding {
            "bytes" => Ok(Some(Encoding::Bytes)),
            _ => {
                codecs.call_method1("lookup", (encoding,))?;
                let c_string = |text| {
                    CString::new(text).map_err(|_| PyValueError::new_err("embedded null character"))
                };
                let (encoding, errors) = (c_string(encoding)?, c_string(errors)?);
                Ok(Some(Encoding::Text { encoding, errors }))
            }
        }
    }
}

pub(super) struct Leaves<'a, 'py> {
    pub(super) py: Python<'py>,
    pub(super) value: &'a Value,
    pub(super) reading: &'a Reading<'a, 'py>,
}

/// Whether a node of this kind never holds another one.
#[inline]
pub(super) fn is_simple(node: &Node) -> bool {
    let is_sequence =
        matches!(node, Node::List(_) | Node::Tuple(_) | Node::Set(_) | Node::FrozenSet(_));
    !is_sequence && !matches!(node, Node::Dict(_) | Node::Object(_))
}

impl<'py> Leaves<'_, 'py> {
    /// The object of a node that is made again at no more cost than it is looked up.
    #[inline]
    pub(super) fn scalar(&self, node: &Node) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = self.py;
        Ok(Some(match node {
            Node::Int(integer) => integer.into_pyobject(py)?.into_any(),
            Node::Float(float) => PyFloat::new(py, *float).into_any(),
            Node::None => py.None().into_bound(py),
            Node::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
            _ => return Ok(None),
        }))
    }

    /// The object of any other node that holds nothing.
    #[inline]
    pub(super) fn leaf(&self, node: &Node, id: NodeId) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, value) = (self.py, self.value);
        Ok(Some(match node {
            Node::Str(span) | Node::Bytes(span) if self.is_python2(id) => self.python2(*span)?,
            Node::Str(span) => PyString::from_bytes(py, value.span(*span))?.into_any(),
            Node::Surrogates(span) => {
                let bytes = PyBytes::new(py, value.span(*span));
                let (utf8, errors) = (c"utf-8", c"surrogatepass");
                PyString::from_encoded_object(&bytes, Some(utf8), Some(errors))?.into_any()
            }
            Node::Bytes(span) => PyBytes::new(py, value.span(*span)).into_any(),
            Node::ByteArray(span) => PyByteArray::new(py, value.span(*span)).into_any(),
            Node::BigInt(integer) => (&**integer).into_pyobject(py)?.into_any(),
            Node::Object(object) => return self.buffer(object, id),
            _ => return Ok(None),
        }))
    }

    #[inline]
    fn is_python2(&self, id: NodeId) -> bool {
        self.reading
            .strings
            .is_some_and(|(_, from)| from.python2_strings.binary_search(&id).is_ok())
    }

    fn python2(&self, span: Span) -> PyResult<Bound<'py, PyAny>> {
        let bytes = PyBytes::new(self.py, self.value.span(span));
        let Some((Encoding::Text { encoding, errors }, _)) = self.reading.strings else {
            return Ok(bytes.into_any());
        };
        match PyString::from_encoded_object(&bytes, Some(encoding), Some(errors)) {
            Ok(text) => Ok(text.into_any()),
            Err(error) => {
                let advice = "encoding='bytes' gives its bytes";
                Err(failed(self.py, 0, "a string of Python 2", error, advice))
            }
        }
    }

    /// The out-of-band buffer that stands for a node.
    fn buffer(&self, object: &Object, id: NodeId) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (Class::Buffer(order), Some((buffers, provenance))) =
            (&object.class, self.reading.buffers)
        else {
            return Ok(None);
        };
        if object.arguments.is_some() || object.state.is_some() {
            return Ok(None);
        }
        let Some(buffer) = buffers.get(*order) else {
            let message = format!("it needs more than the {} buffers given", buffers.len());
            let fault = Fault::new(FaultKind::Schema, object.offset, message);
            return Err(decode_error(self.py, &fault));
        };
        if !provenance.read_only_buffers.contains(&id) {
            return Ok(Some(buffer.clone()));
        }
        let view = PyMemoryView::from(buffer)?;
        match view.getattr("readonly")?.is_truthy()? {
            true => Ok(Some(buffer.clone())),
            false => Ok(Some(view.call_method0("toreadonly")?)),
        }
    }
}
