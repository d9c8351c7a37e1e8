//! Errors as Python's exceptions: those of wirespool, and the OSError that fits.

use std::io;
use std::path::Path;

use pyo3::exceptions::{
    PyAssertionError, PyBrokenPipeError, PyException, PyFileExistsError, PyKeyboardInterrupt,
    PyOSError, PyTypeError, PyValueError,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::Error;
use crate::wire::{Fault, FaultKind};

/// The exceptions of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    Error,
    Decode,
    Format,
    Capture,
    Usage,
    Mismatch,
    Pickling,
}

static CLASSES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

impl Exception {
    const ALL: [Exception; 7] = [
        Exception::Error,
        Exception::Decode,
        Exception::Format,
        Exception::Capture,
        Exception::Usage,
        Exception::Mismatch,
        Exception::Pickling,
    ];

    fn name(self) -> &'static str {
        match self {
            Exception::Error => "Error",
            Exception::Decode => "DecodeError",
            Exception::Format => "FormatError",
            Exception::Capture => "CaptureError",
            Exception::Usage => "UsageError",
            Exception::Mismatch => "Mismatch",
            Exception::Pickling => "PicklingError",
        }
    }

    fn doc(self) -> &'static str {
        match self {
            Exception::Error => "What all errors of wirespool are. I/O failures are an OSError.",
            Exception::Decode => {
                "Bytes that are no value. `kind` is corrupt, truncated, invalid_utf8, limit or schema; \
                 `at` the place, in bytes from the message's first."
            }
            Exception::Format => {
                "A text that is no format, a format that cannot do what is asked, or a file that should say \
                 what formats are and cannot be read."
            }
            Exception::Capture => {
                "A file that is no capture, or one damaged so that it cannot be read."
            }
            Exception::Usage => {
                "An argument that makes no sense, or a value that the format cannot carry."
            }
            Exception::Mismatch => {
                "A replay that did not go as recorded. The words are the receipt's; `receipt` is it."
            }
            Exception::Pickling => "An object that is no plain data.",
        }
    }

    /// The class; all are made when the module is.
    fn class(self, py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
        let classes = CLASSES.get_or_try_init(py, || make(py))?;
        Ok(classes[self as usize].bind(py))
    }

    /// The exception with these words.
    pub(super) fn with(self, py: Python<'_>, words: impl Into<String>) -> PyErr {
        match self.class(py) {
            Ok(class) => PyErr::from_type(class.clone(), (words.into(),)),
            Err(error) => error,
        }
    }
}

/// Adds the exceptions to the module.
pub(super) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    Exception::ALL.into_iter().try_for_each(|one| module.add(one.name(), one.class(module.py())?))
}

/// All classes, in the order of [`Exception::ALL`]. They have several bases, which create_exception! cannot.
///
/// What catches errors of the standard library's pickle catches ours.
fn make(py: Python<'_>) -> PyResult<Vec<Py<PyType>>> {
    // The compiled half, where there is one: the other takes longer to import than all of ours.
    let pickle = py.import("_pickle").or_else(|_| py.import("pickle"))?;
    let of_pickle =
        |name| -> PyResult<Bound<'_, PyType>> { Ok(pickle.getattr(name)?.cast_into()?) };
    let mut made: Vec<Py<PyType>> = Vec::new();
    for one in Exception::ALL {
        let attributes = PyDict::new(py);
        attributes.set_item("__module__", "wirespool")?;
        attributes.set_item("__doc__", one.doc())?;
        let root = made.first().map(|root| root.bind(py).clone());
        let bases = match (one, root) {
            (Exception::Error, _) | (_, None) => vec![py.get_type::<PyException>()],
            (Exception::Mismatch, Some(root)) => {
                attributes.set_item("receipt", py.None())?;
                vec![root, py.get_type::<PyAssertionError>()]
            }
            (Exception::Pickling, Some(root)) => {
                attributes.set_item("__module__", "wirespool.pickle")?;
                vec![root, py.get_type::<PyTypeError>(), of_pickle("PicklingError")?]
            }
            (Exception::Decode, Some(root)) => {
                vec![root, py.get_type::<PyValueError>(), of_pickle("UnpicklingError")?]
            }
            (_, Some(root)) => vec![root, py.get_type::<PyValueError>()],
        };
        if one == Exception::Decode {
            attributes.set_item("kind", "corrupt")?;
            attributes.set_item("at", 0)?;
        }
        let arguments = (one.name(), PyTuple::new(py, bases)?, attributes);
        let class = py.get_type::<PyType>().call1(arguments)?;
        made.push(class.cast_into::<PyType>()?.unbind());
    }
    Ok(made)
}

/// The DecodeError of a fault, with its kind and place.
pub(super) fn decode_error(py: Python<'_>, fault: &Fault) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let error = Exception::Decode.class(py)?.call1((fault.to_string(),))?;
        error.setattr("kind", fault.kind.name())?;
        error.setattr("at", fault.at)?;
        Ok(PyErr::from_value(error))
    };
    raised().unwrap_or_else(|error| error)
}

/// The fault that a DecodeError is of; `None` of another exception.
pub(super) fn fault_of(py: Python<'_>, error: &PyErr) -> PyResult<Option<Fault>> {
    if !is_decode_error(py, error) {
        return Ok(None);
    }
    let value = error.value(py);
    let (kind, at) = (value.getattr("kind")?.extract::<String>()?, value.getattr("at")?.extract()?);
    let kind = FaultKind::ALL.into_iter().find(|known| known.name() == kind);
    let kind = kind.unwrap_or(FaultKind::Schema);
    let words = value.str()?.to_string_lossy().into_owned();
    // The words of a DecodeError begin with the kind and the place.
    let message = words.split_once(": ").map_or(words.as_str(), |(_, message)| message).to_owned();
    Ok(Some(Fault { kind, at, message }))
}

/// Whether this is a DecodeError already.
pub(super) fn is_decode_error(py: Python<'_>, error: &PyErr) -> bool {
    Exception::Decode.class(py).is_ok_and(|class| error.get_type(py).is(class))
}

/// The Mismatch of a receipt.
pub(super) fn mismatch(py: Python<'_>, words: String, receipt: Bound<'_, PyAny>) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let error = Exception::Mismatch.class(py)?.call1((words,))?;
        error.setattr("receipt", receipt)?;
        Ok(PyErr::from_value(error))
    };
    raised().unwrap_or_else(|error| error)
}

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        let words = error.to_string();
        Python::attach(|py| match error {
            Error::File { path, source, .. } => os_error(&source, strerror(&source), Some(&path)),
            Error::Exists { path } => {
                let words = "File exists; choose another name, or pass force=True to overwrite it";
                PyFileExistsError::new_err((libc::EEXIST, words, path.into_os_string()))
            }
            Error::Network { action, address, source } => {
                let words = format!("cannot {action} {address}: {}", strerror(&source));
                os_error(&source, words, None)
            }
            Error::Capture { kind, .. } => os_error(&kind.into(), words, None),
            Error::CaptureEnded { .. } => os_error(&io::ErrorKind::Other.into(), words, None),
            Error::Format { .. } | Error::Schema { .. } | Error::Configuration { .. } => {
                Exception::Format.with(py, words)
            }
            Error::NotACapture { .. } | Error::Damaged { .. } => Exception::Capture.with(py, words),
            Error::Address { .. } | Error::Value { .. } | Error::Usage(_) => {
                Exception::Usage.with(py, words)
            }
            Error::Decode(fault) => decode_error(py, &fault),
            Error::BrokenPipe => PyBrokenPipeError::new_err((libc::EPIPE, words)),
            Error::Interrupted => PyKeyboardInterrupt::new_err(()),
        })
    }
}

/// Python picks the subclass by the number.
fn os_error(source: &io::Error, words: String, path: Option<&Path>) -> PyErr {
    match (number(source), path) {
        (Some(number), Some(path)) => {
            PyOSError::new_err((number, words, path.as_os_str().to_owned()))
        }
        (Some(number), None) => PyOSError::new_err((number, words)),
        (None, Some(path)) => PyOSError::new_err(format!("{words}: {}", path.display())),
        (None, None) => PyOSError::new_err(words),
    }
}

fn number(source: &io::Error) -> Option<i32> {
    source.raw_os_error().or_else(|| match source.kind() {
        io::ErrorKind::NotFound => Some(libc::ENOENT),
        io::ErrorKind::PermissionDenied => Some(libc::EACCES),
        io::ErrorKind::TimedOut => Some(libc::ETIMEDOUT),
        io::ErrorKind::ConnectionReset => Some(libc::ECONNRESET),
        io::ErrorKind::BrokenPipe => Some(libc::EPIPE),
        io::ErrorKind::NotConnected => Some(libc::ENOTCONN),
        _ => None,
    })
}

/// What the system says, without Rust's `(os error 2)`: Python writes the number itself.
fn strerror(source: &io::Error) -> String {
    let words = source.to_string();
    match source.raw_os_error() {
        Some(number) => words.trim_end_matches(&format!(" (os error {number})")).to_owned(),
        None => words,
    }
}
