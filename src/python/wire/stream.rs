//! Pickles of a stream, which is left exactly where each ends.

use pyo3::exceptions::{PyEOFError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyString, PyType};

use super::super::error::decode_error;
use crate::wire::pickle::{Limits, Progress, Splitter};
use crate::wire::{Fault, FaultKind};

/// How much is read at first from a stream that can go back, and at most.
const FIRST_READ: usize = 1 << 10;
const LAST_READ: usize = 64 << 10;

/// What `read` makes of the next pickle's bytes.
///
/// # Errors
/// EOFError at the stream's end, DecodeError for what is no pickle, and what the stream raises.
pub(super) fn next_pickle<'py, T>(
    file: &Bound<'py, PyAny>,
    limits: &Limits,
    read: impl Fn(&[u8]) -> T,
) -> PyResult<T> {
    let py = file.py();
    let mut splitter = Splitter::new(limits);
    let mut data = Vec::new();
    let mut source = Source::of(file)?;
    loop {
        let chunk = source.next()?;
        let bytes = chunk.bytes();
        let progress = splitter.feed(bytes);
        let taken = match progress {
            Progress::Complete { consumed } => consumed,
            Progress::NeedMore | Progress::Failed(_) => bytes.len(),
        };
        source.leave(&chunk, taken)?;
        match progress {
            // Most pickles come in one piece, which is not copied.
            Progress::Complete { .. } if data.is_empty() => return Ok(read(&bytes[..taken])),
            Progress::Complete { .. } => {
                data.extend_from_slice(&bytes[..taken]);
                return Ok(read(&data));
            }
            Progress::Failed(fault) => return Err(decode_error(py, &fault)),
            Progress::NeedMore if taken > 0 => {
                data.extend_from_slice(bytes);
                py.check_signals()?;
            }
            Progress::NeedMore if data.is_empty() => {
                return Err(PyEOFError::new_err("the stream has ended"));
            }
            Progress::NeedMore => {
                let words = "the stream ends before the pickle does";
                return Err(decode_error(py, &Fault::new(FaultKind::Truncated, data.len(), words)));
            }
        }
    }
}

#[cold]
fn no_bytes(read: &Bound<'_, PyAny>) -> PyErr {
    match read.get_type().fully_qualified_name() {
        Ok(_) if read.is_instance_of::<PyString>() => PyTypeError::new_err(
            "the file gives str, and a pickle is bytes: open it in binary mode ('rb')",
        ),
        Ok(name) => PyTypeError::new_err(format!("the file gives {name}, not bytes")),
        Err(error) => error,
    }
}

/// A stream, and how what was not needed stays in it.
struct Source<'a, 'py> {
    file: &'a Bound<'py, PyAny>,
    way: Way,
}

#[derive(Clone, Copy)]
enum Way {
    /// An `io.BytesIO`, whose bytes are there already.
    Memory,
    /// It is looked at before it is read.
    Peek,
    /// It is read, so much at once, and gone back.
    Seek(usize),
    /// Nothing is read ahead.
    ByteByByte,
}

/// What came, from some place on.
struct Chunk<'py> {
    bytes: Bound<'py, PyBytes>,
    start: usize,
}

impl Chunk<'_> {
    fn bytes(&self) -> &[u8] {
        &self.bytes.as_bytes()[self.start..]
    }
}

impl<'a, 'py> Source<'a, 'py> {
    fn of(file: &'a Bound<'py, PyAny>) -> PyResult<Source<'a, 'py>> {
        static BYTES_IO: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let py = file.py();
        let way = if file.is_exact_instance(BYTES_IO.import(py, "io", "BytesIO")?) {
            Way::Memory
        } else if file.hasattr(intern!(py, "peek"))? {
            Way::Peek
        } else if file.hasattr(intern!(py, "seekable"))?
            && file.call_method0(intern!(py, "seekable"))?.is_truthy()?
        {
            Way::Seek(FIRST_READ)
        } else {
            Way::ByteByByte
        };
        Ok(Source { file, way })
    }

    fn next(&mut self) -> PyResult<Chunk<'py>> {
        let py = self.file.py();
        let mut start = 0;
        let read = match self.way {
            Way::Memory => {
                // Shared with the stream, not copied.
                start = self.file.call_method0(intern!(py, "tell"))?.extract()?;
                self.file.call_method0(intern!(py, "getvalue"))?
            }
            Way::Peek => self.file.call_method1(intern!(py, "peek"), (1,))?,
            Way::Seek(size) => {
                self.way = Way::Seek((2 * size).min(LAST_READ));
                self.file.call_method1(intern!(py, "read"), (size,))?
            }
            Way::ByteByByte => self.file.call_method1(intern!(py, "read"), (1,))?,
        };
        if read.is_none() {
            let words =
                "the stream has nothing to read yet; pickles are read from blocking streams";
            return Err(PyValueError::new_err(words));
        }
        let bytes = read.cast_into::<PyBytes>().map_err(|error| no_bytes(&error.into_inner()))?;
        let start = start.min(bytes.as_bytes().len());
        Ok(Chunk { bytes, start })
    }

    /// Leaves the stream after the first `taken` bytes of what came.
    fn leave(&self, chunk: &Chunk<'py>, taken: usize) -> PyResult<()> {
        let py = self.file.py();
        match self.way {
            Way::Memory if taken > 0 => {
                self.file.call_method1(intern!(py, "seek"), (chunk.start + taken,))?;
            }
            Way::Peek if taken > 0 => {
                self.file.call_method1(intern!(py, "read"), (taken,))?;
            }
            Way::Seek(_) if taken < chunk.bytes().len() => {
                let back = chunk.bytes().len() - taken;
                self.file.call_method1(intern!(py, "seek"), (-(back as i64), 1))?;
            }
            _ => {}
        }
        Ok(())
    }
}
