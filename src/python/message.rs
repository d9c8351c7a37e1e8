//! Messages, and why one could not be decoded.

use std::sync::{Arc, OnceLock};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;

use super::error::{decode_error, fault_of, is_decode_error};
use super::session::datetime;
use super::wire::{Making, Part, to_python};
use crate::message;
use crate::wire::{self, Split};

/// The most bytes of a message that its repr decodes, and the most characters that it shows of them.
const SHOWN_BYTES: usize = 64 << 10;
const SHOWN: usize = 100;

/// One message of one side of a connection.
///
/// A message that could not be decoded has `error` set, and raises DecodeError at `value`; `raw` is
/// always there.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Message {
    message: Held,
    making: Arc<Making>,
    /// What was made of it, or why nothing could be.
    value: OnceLock<Made>,
    unknown: PyOnceLock<Py<PyAny>>,
}

/// The error in a box: there are many messages, and few of them have one.
type Made = Result<Py<PyAny>, Box<PyErr>>;

enum Held {
    Whole(Arc<message::Message>),
    /// Not looked into before that is asked for.
    Part(Part, OnceLock<Arc<message::Message>>),
}

impl Message {
    /// Its value is made when it is asked for.
    pub(super) fn new(message: message::Message, making: Arc<Making>) -> Message {
        Message::of(Held::Whole(Arc::new(message)), making)
    }

    /// A part of a stream, which is looked into when that is asked for.
    pub(super) fn part(part: Part, making: Arc<Making>) -> Message {
        Message::of(Held::Part(part, OnceLock::new()), making)
    }

    fn of(message: Held, making: Arc<Making>) -> Message {
        Message { message, making, value: OnceLock::new(), unknown: PyOnceLock::new() }
    }

    fn message(&self) -> &Arc<message::Message> {
        match &self.message {
            Held::Whole(message) => message,
            Held::Part(part, message) => message.get_or_init(|| Arc::new(part.message())),
        }
    }

    fn made(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let shared = |made: &Made| match made {
            Ok(made) => Ok(made.clone_ref(py)),
            Err(error) => Err(error.clone_ref(py)),
        };
        if let Some(made) = self.value.get() {
            return shared(made);
        }
        let made = self.make(py);
        // What is no DecodeError, as Ctrl-C, says nothing of the message.
        if made.as_ref().is_err_and(|error| !is_decode_error(py, error)) {
            return made;
        }
        // Another thread may have been faster: all are given the same. Nothing of Python's runs here, so
        // that nobody waits for the GIL with this held.
        shared(self.value.get_or_init(|| made.map_err(Box::new)))
    }

    fn make(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if let Held::Part(part, _) = &self.message
            && let Some(value) = part.value(py)?
        {
            return Ok(value.into_any().unbind());
        }
        let value = self.message().body.as_ref().map_err(|fault| decode_error(py, fault))?;
        self.making.make(py, self.message(), value).map(Bound::unbind)
    }
}

#[pymethods]
impl Message {
    /// Which connection, counted from 0 by first packet.
    #[getter]
    fn connection(&self) -> u64 {
        self.message().connection.0
    }

    /// Who sent it: "client" or "server".
    #[getter]
    fn side(&self) -> &'static str {
        self.message().side.name()
    }

    /// Its number among the messages of both sides of the connection, from 0.
    #[getter]
    fn index(&self) -> u64 {
        self.message().index
    }

    /// When it was complete, as a datetime in UTC, to the microsecond.
    #[getter]
    fn time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.message().time)
    }

    /// When it was complete, in nanoseconds since 1970.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.message().time.nanoseconds()
    }

    /// Where it begins in the bytes of its side.
    #[getter]
    fn offset(&self) -> u64 {
        self.message().offset
    }

    /// How many bytes it has, prefix and terminator included.
    #[getter]
    fn size(&self) -> usize {
        self.message().raw.len()
    }

    /// The capture's frame number, from 1, in which it was complete; None when live.
    #[getter]
    fn frame(&self) -> Option<u64> {
        self.message().frame.map(|frame| frame.number)
    }

    /// In which of the captures that frame stands that were opened as one, from 0; None when live.
    #[getter]
    fn capture(&self) -> Option<usize> {
        self.message().frame.map(|frame| frame.capture)
    }

    /// The spelling of the format it was read by.
    #[getter]
    fn format(&self) -> String {
        self.message().format.to_string()
    }

    /// "exact" if its borders stand in the bytes, "guessed" if they were concluded.
    #[getter]
    fn split(&self) -> &'static str {
        match self.message().split {
            Split::Exact => "exact",
            Split::Guessed => "guessed",
        }
    }

    /// All its bytes, prefix and terminator included.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.message().raw)
    }

    /// What it says; the same object every time. Raises DecodeError if it could not be decoded, or if
    /// something that `allow` lists could not be made.
    #[getter]
    fn value(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.made(py)
    }

    /// Why it could not be decoded; None if it could. A message_type or a decoder is asked for that.
    #[getter]
    fn error(&self, py: Python<'_>) -> PyResult<Option<Fault>> {
        let message = self.message();
        if let Err(fault) = &message.body {
            return Ok(Some(Fault(fault.clone())));
        }
        if !self.making.is_foreign(&message.format) {
            return Ok(None);
        }
        match self.made(py) {
            Ok(_) => Ok(None),
            Err(error) => match fault_of(py, &error)? {
                Some(fault) => Ok(Some(Fault(fault))),
                None => Err(error),
            },
        }
    }

    /// Protocol Buffers fields that the schema does not know, by number; None if there are none.
    #[getter]
    fn unknown(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(unknown) = &self.message().unknown else { return Ok(None) };
        let made = self.unknown.get_or_try_init(py, || Ok(to_python(py, unknown, None)?.unbind()));
        made.map(|value| Some(value.clone_ref(py)))
    }

    /// Its line in the command's --json.
    fn to_json(&self, py: Python<'_>) -> String {
        let message = self.message();
        py.detach(|| message.to_json())
    }

    fn __repr__(&self) -> String {
        let message = self.message();
        let says = match &message.body {
            Ok(_) if message.raw.len() > SHOWN_BYTES => "…".to_owned(),
            Ok(value) => shortened(message.format.write_json(value)),
            Err(fault) => fault.to_string(),
        };
        format!(
            "<Message {} connection={} side={:?} index={} size={}: {says}>",
            message.format,
            message.connection,
            message.side.name(),
            message.index,
            message.raw.len(),
        )
    }
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Why a message could not be decoded.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Fault(wire::Fault);

impl From<wire::Fault> for Fault {
    fn from(fault: wire::Fault) -> Fault {
        Fault(fault)
    }
}

#[pymethods]
impl Fault {
    /// What is wrong: "corrupt", "truncated", "invalid_utf8", "limit" or "schema".
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.name()
    }

    /// Where, in bytes from the message's first.
    #[getter]
    fn at(&self) -> usize {
        self.0.at
    }

    /// The same in words.
    #[getter]
    fn message(&self) -> &str {
        &self.0.message
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Fault {}>", self.0)
    }
}
