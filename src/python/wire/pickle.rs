//! `wirespool.pickle`: pickles, read without running them.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyEOFError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use super::super::error::decode_error;
use super::{from_python, to_python};
use crate::wire::pickle::{self, DEFAULT_PROTOCOL, Limits, Progress, Splitter};
use crate::wire::{Fault, FaultKind};

/// How much is read at once from a stream that can go back.
const READ_SIZE: usize = 64 << 10;
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

/// The value of one pickle, of any protocol, that fills `data`. Nothing is imported or called.
///
/// What a pickle asks for beyond plain data becomes an Opaque. Raises DecodeError, also for bytes after
/// the pickle's end, and for what is larger or deeper than any ordinary pickle.
#[pyfunction]
pub(in crate::python) fn loads<'py>(py: Python<'py>, data: Bytes) -> PyResult<Bound<'py, PyAny>> {
    let decoded = py.detach(|| pickle::decode(data.as_slice(), &Limits::default()));
    to_python(py, &decoded.map_err(|fault| decode_error(py, &fault))?)
}

/// The value of the next pickle of a binary stream, which is left where the pickle ends.
///
/// The stream has `read(n)`; `peek(n)`, or `seekable()` and `seek(offset, whence)`, make it fast. Raises
/// EOFError at the stream's end, DecodeError as loads does.
#[pyfunction]
pub(in crate::python) fn load<'py>(file: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = file.py();
    let limits = Limits::default();
    let mut splitter = Splitter::new(&limits);
    let mut data = Vec::new();
    let source = Source::of(file)?;
    loop {
        let chunk = source.next()?;
        let progress = splitter.feed(chunk.as_bytes());
        let taken = match progress {
            Progress::Complete { consumed } => consumed,
            Progress::NeedMore | Progress::Failed(_) => chunk.as_bytes().len(),
        };
        data.extend_from_slice(&chunk.as_bytes()[..taken]);
        source.leave(&chunk, taken)?;
        match progress {
            Progress::Complete { .. } => break,
            Progress::Failed(fault) => return Err(decode_error(py, &fault)),
            Progress::NeedMore if taken > 0 => py.check_signals()?,
            Progress::NeedMore if data.is_empty() => {
                return Err(PyEOFError::new_err("the stream has ended"));
            }
            Progress::NeedMore => {
                let words = "the stream ends before the pickle does";
                return Err(decode_error(py, &Fault::new(FaultKind::Truncated, data.len(), words)));
            }
        }
    }
    let decoded = py.detach(|| pickle::decode(&data, &limits));
    to_python(py, &decoded.map_err(|fault| decode_error(py, &fault))?)
}

/// A stream that is left exactly where a pickle ends.
struct Source<'a, 'py> {
    file: &'a Bound<'py, PyAny>,
    way: Way,
}

/// How what was not needed stays in the stream.
enum Way {
    /// It is looked at before it is read.
    Peek,
    /// It is read and gone back.
    Seek,
    /// Nothing is read ahead.
    ByteByByte,
}

impl<'a, 'py> Source<'a, 'py> {
    fn of(file: &'a Bound<'py, PyAny>) -> PyResult<Source<'a, 'py>> {
        let way = if file.hasattr("peek")? {
            Way::Peek
        } else if file.hasattr("seekable")? && file.call_method0("seekable")?.is_truthy()? {
            Way::Seek
        } else {
            Way::ByteByByte
        };
        Ok(Source { file, way })
    }

    fn next(&self) -> PyResult<Bound<'py, PyBytes>> {
        let read = match self.way {
            Way::Peek => self.file.call_method1("peek", (1,))?,
            Way::Seek => self.file.call_method1("read", (READ_SIZE,))?,
            Way::ByteByByte => self.file.call_method1("read", (1,))?,
        };
        if read.is_none() {
            let words =
                "the stream has nothing to read yet; pickles are read from blocking streams";
            return Err(PyValueError::new_err(words));
        }
        Ok(read.cast_into::<PyBytes>()?)
    }

    /// Leaves the stream after the first `taken` bytes of what came.
    fn leave(&self, chunk: &Bound<'py, PyBytes>, taken: usize) -> PyResult<()> {
        match self.way {
            Way::Peek if taken > 0 => {
                self.file.call_method1("read", (taken,))?;
            }
            Way::Seek if taken < chunk.as_bytes().len() => {
                let back = chunk.as_bytes().len() - taken;
                self.file.call_method1("seek", (-(back as i64), 1))?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A pickle of plain data, for pickle.loads.
///
/// `protocol` is 0 to 5; None is 4, and a negative one the highest. Raises TypeError for anything but
/// None, bool, int, float, str, bytes, bytearray, list, tuple, dict, set and frozenset.
#[pyfunction]
#[pyo3(signature = (obj, protocol = Some(4)), text_signature = "(obj, protocol=4)")]
pub(in crate::python) fn dumps<'py>(
    obj: &Bound<'py, PyAny>,
    protocol: Option<i64>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = obj.py();
    let protocol = match protocol {
        None => DEFAULT_PROTOCOL,
        Some(negative) if negative < 0 => HIGHEST_PROTOCOL,
        Some(given) => u8::try_from(given).unwrap_or(u8::MAX),
    };
    let value = from_python(obj)?;
    let bytes = py.detach(|| pickle::encode(&value, protocol))?;
    Ok(PyBytes::new(py, &bytes))
}

/// Write a pickle of plain data to a binary stream. See dumps.
#[pyfunction]
#[pyo3(signature = (obj, file, protocol = Some(4)), text_signature = "(obj, file, protocol=4)")]
pub(in crate::python) fn dump(
    obj: &Bound<'_, PyAny>,
    file: &Bound<'_, PyAny>,
    protocol: Option<i64>,
) -> PyResult<()> {
    file.call_method1("write", (dumps(obj, protocol)?,)).map(|_| ())
}
