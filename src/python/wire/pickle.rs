//! `wirespool.pickle`: pickles, read without running them.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyEOFError, PyTypeError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::super::error::{Exception, decode_error};
use super::allow::Allow;
use super::from_python::{from_python, with_buffers};
use super::leaf::{Encoding, Reading};
use super::out_of_band;
use super::settings::LimitsArgument;
use super::stream;
use super::to_python::build;
use crate::wire::Value;
use crate::wire::pickle::{self, DEFAULT_PROTOCOL, Limits};
use crate::wire::value::{Class, Node};

/// Smaller pickles are decoded without leaving the GIL.
const QUICK: usize = 16 << 10;
/// The highest protocol there is.
const HIGHEST_PROTOCOL: u8 = 5;

/// Anything that holds bytes: bytes and bytearray without a copy, any other buffer with one.
pub(in crate::python) enum Bytes {
    Backed(PyBackedBytes),
    Copied(Vec<u8>),
}

impl Bytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Backed(bytes) => bytes,
            Bytes::Copied(bytes) => bytes,
        }
    }

    /// The same bytes, for as long as somebody else wants them.
    pub(super) fn share(&self, py: Python<'_>) -> Bytes {
        match self {
            Bytes::Backed(bytes) => Bytes::Backed(bytes.clone_ref(py)),
            Bytes::Copied(bytes) => Bytes::Copied(bytes.clone()),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Bytes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Bytes> {
        if let Ok(bytes) = object.extract::<PyBackedBytes>() {
            return Ok(Bytes::Backed(bytes));
        }
        match PyBuffer::<u8>::get(&object) {
            Ok(buffer) => Ok(Bytes::Copied(buffer.to_vec(object.py())?)),
            Err(_) => {
                let name = object.get_type().fully_qualified_name()?;
                Err(PyTypeError::new_err(format!("a bytes-like object is required, not {name}")))
            }
        }
    }
}

/// The value of one pickle, of any protocol, that fills `data`. Nothing is imported.
///
/// What a pickle asks for beyond plain data becomes an Opaque, unless `allow` has it: a mapping of exact
/// (module, qualname) to the callable that is called for it, which is the only code that runs. Raises
/// DecodeError, also for bytes after the pickle's end, and for what is larger or deeper than `limits`;
/// EOFError where there are no bytes.
#[pyfunction]
#[pyo3(
    signature = (data, /, *, fix_imports = true, encoding = None, errors = None, buffers = None, allow = None, limits = None),
    text_signature = "(data, /, *, fix_imports=True, encoding=None, errors=None, buffers=None, allow=None, limits=None)"
)]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(in crate::python) fn loads<'py>(
    py: Python<'py>,
    data: Bytes,
    fix_imports: bool,
    encoding: Option<&str>,
    errors: Option<&str>,
    buffers: Option<&Bound<'py, PyAny>>,
    allow: Option<Allow>,
    limits: Option<LimitsArgument>,
) -> PyResult<Bound<'py, PyAny>> {
    let reader = Reader::new(py, fix_imports, (encoding, errors), buffers, allow, limits)?;
    if data.as_slice().is_empty() {
        // As the standard library's does.
        return Err(PyEOFError::new_err("there are no bytes to read a pickle from"));
    }
    reader.read(data.as_slice())
}

/// The value of the next pickle of a binary stream, which is left where the pickle ends.
///
/// The stream has `read(n)`; `peek(n)`, or `seekable()` and `seek(offset, whence)`, make it fast. Raises
/// EOFError at the stream's end, DecodeError as loads does. The other arguments are those of loads.
#[pyfunction]
#[pyo3(
    signature = (file, *, fix_imports = true, encoding = None, errors = None, buffers = None, allow = None, limits = None),
    text_signature = "(file, *, fix_imports=True, encoding=None, errors=None, buffers=None, allow=None, limits=None)"
)]
pub(in crate::python) fn load<'py>(
    file: &Bound<'py, PyAny>,
    fix_imports: bool,
    encoding: Option<&str>,
    errors: Option<&str>,
    buffers: Option<&Bound<'py, PyAny>>,
    allow: Option<Allow>,
    limits: Option<LimitsArgument>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = file.py();
    let reader = Reader::new(py, fix_imports, (encoding, errors), buffers, allow, limits)?;
    stream::next_pickle(file, &reader.limits, |pickle| reader.read(pickle))?
}

/// What `load` and `loads` were asked for.
struct Reader<'a, 'py> {
    py: Python<'py>,
    encoding: Option<Encoding>,
    buffers: Option<&'a Bound<'py, PyAny>>,
    allow: Option<Allow>,
    limits: Limits,
}

impl<'a, 'py> Reader<'a, 'py> {
    fn new(
        py: Python<'py>,
        fix_imports: bool,
        (encoding, errors): (Option<&str>, Option<&str>),
        buffers: Option<&'a Bound<'py, PyAny>>,
        allow: Option<Allow>,
        limits: Option<LimitsArgument>,
    ) -> PyResult<Reader<'a, 'py>> {
        let mut pickle_limits = Limits::default();
        for limit in limits.unwrap_or_default().0 {
            if limit.name == "process" {
                let words = "the limit process is of all messages that open, listen, connect and \
                             their like hold together; the size of one pickle is bytes";
                return Err(Exception::Usage.with(py, words));
            }
            pickle_limits.set(&limit.name, limit.value)?;
        }
        Ok(Reader {
            py,
            encoding: Encoding::of(py, encoding, errors)?,
            buffers,
            allow: allow.map(|allow| allow.fixing_imports(fix_imports)),
            limits: pickle_limits,
        })
    }

    fn read(&self, pickle: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let limits = &self.limits;
        let decode = || pickle::decode_with_provenance(pickle, limits);
        let decoded = match pickle.len() {
            // Leaving the GIL and coming back takes longer than a small pickle.
            ..QUICK => decode(),
            _ => self.py.detach(decode),
        };
        let (value, provenance) = decoded.map_err(|fault| decode_error(self.py, &fault))?;
        let buffers = self.buffers.map(|buffers| taken(buffers, &value)).transpose()?;
        let reading = Reading {
            allow: self.allow.as_ref(),
            strings: self.encoding.as_ref().map(|encoding| (encoding, &provenance)),
            buffers: buffers.as_deref().map(|buffers| (buffers, &provenance)),
        };
        build(self.py, &value, &reading)
    }
}

/// As many buffers as the value needs, and there are.
fn taken<'py>(buffers: &Bound<'py, PyAny>, value: &Value) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let order = |id| match value.node(id) {
        Node::Object(object) => match object.class {
            Class::Buffer(order) => Some(order + 1),
            _ => None,
        },
        _ => None,
    };
    let needed = value.ids().filter_map(order).max().unwrap_or(0);
    buffers.try_iter()?.take(needed).collect()
}

/// A pickle of plain data, for pickle.loads.
///
/// `protocol` is 0 to 5; None is 4, and a negative one the highest. pickle.PickleBuffer needs protocol 5: it
/// is written into the pickle, or left to `buffer_callback`, as pickle.dumps does. Raises PicklingError, a
/// TypeError, for anything but these and None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set and
/// frozenset, UsageError for what the protocol cannot carry.
#[pyfunction]
#[pyo3(
    signature = (obj, protocol = None, *, fix_imports = true, buffer_callback = None),
    text_signature = "(obj, protocol=None, *, fix_imports=True, buffer_callback=None)"
)]
pub(in crate::python) fn dumps<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<i64>,
    fix_imports: bool,
    buffer_callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    let protocol = match protocol {
        None => DEFAULT_PROTOCOL,
        Some(negative) if negative < 0 => HIGHEST_PROTOCOL,
        Some(given) => u8::try_from(given).unwrap_or(u8::MAX),
    };
    let refuse = |words: &str| Err(Exception::Usage.with(py, words));
    if !fix_imports && protocol < 3 {
        return refuse(
            "fix_imports=False is for protocols 3 and higher: the lower ones are Python 2's",
        );
    }
    if protocol < 5 {
        if buffer_callback.is_some() {
            return refuse("buffer_callback needs protocol 5");
        }
        let value = from_python(obj).map_err(|error| refused(py, error))?;
        let bytes = py.detach(|| pickle::encode(&value, protocol))?;
        return Ok(PyBytes::new(py, &bytes));
    }
    let (mut value, buffers) = with_buffers(obj).map_err(|error| refused(py, error))?;
    let provenance = out_of_band::place(&mut value, buffers, buffer_callback)?;
    let bytes = py.detach(|| pickle::encode_with_provenance(&value, protocol, &provenance))?;
    Ok(PyBytes::new(py, &bytes))
}

/// The PicklingError of an object that is no plain data.
#[cold]
fn refused(py: Python<'_>, error: PyErr) -> PyErr {
    match error.get_type(py).is(py.get_type::<PyTypeError>()) {
        true => Exception::Pickling.with(py, error.value(py).to_string()),
        false => error,
    }
}

/// Write a pickle of plain data to a binary stream. See dumps.
#[pyfunction]
#[pyo3(
    signature = (obj, file, protocol = None, *, fix_imports = true, buffer_callback = None),
    text_signature = "(obj, file, protocol=None, *, fix_imports=True, buffer_callback=None)"
)]
pub(in crate::python) fn dump<'py>(
    obj: &Bound<'py, PyAny>,
    file: &Bound<'py, PyAny>,
    protocol: Option<i64>,
    fix_imports: bool,
    buffer_callback: Option<&Bound<'py, PyAny>>,
) -> PyResult<()> {
    let pickle = dumps(obj, protocol, fix_imports, buffer_callback)?;
    file.call_method1("write", (pickle,)).map(|_| ())
}
