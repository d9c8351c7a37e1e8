//! How a message's value becomes an object of Python.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::classes::Classes;
use super::failure::failed;
use super::{Allow, to_python};
use crate::Error;
use crate::message::{Formats, FormatsByPort, Message};
use crate::project::{FILE_NAME, FormatChoice};
use crate::wire::{Format, Framing, Value};

/// What makes objects of messages: plain data if nothing else is asked for.
#[derive(Default)]
pub(in crate::python) struct Making {
    /// What pickles may make.
    allow: Option<Allow>,
    /// Classes of Protocol Buffers messages.
    classes: Option<Classes>,
    /// A function of a message's bytes.
    decoder: Option<Decoder>,
}

impl Making {
    /// # Errors
    /// TypeError for a decoder beside classes, or what it would replace.
    pub(in crate::python) fn new(
        allow: Option<Allow>,
        classes: Option<Classes>,
        decoder: Option<Decoder>,
    ) -> PyResult<Making> {
        if decoder.is_some() && (classes.is_some() || allow.is_some()) {
            let words = "decoder makes the values alone: leave out message_type and allow";
            return Err(PyTypeError::new_err(words));
        }
        Ok(Making { allow, classes, decoder })
    }

    /// The formats to read messages by that are made so.
    ///
    /// # Errors
    /// FormatError.
    pub(in crate::python) fn read_as(
        &self,
        formats: FormatsByPort,
    ) -> crate::Result<FormatsByPort> {
        let formats = match &self.classes {
            Some(classes) => classes.applied(formats)?,
            None => formats,
        };
        if self.decoder.is_none() {
            return Ok(formats);
        }
        // Where its end is guessed, the fields are needed for that.
        Ok(formats.map(|_, format: Format| match format.framing() {
            Framing::Guess => format,
            _ => format.undecoded(),
        }))
    }

    /// The formats of a live connection to this port of a server, and those to read its messages by.
    ///
    /// # Errors
    /// FormatError; UsageError if nothing says what they are.
    pub(in crate::python) fn live(
        &self,
        choice: &FormatChoice,
        port: u16,
    ) -> crate::Result<(Formats, FormatsByPort)> {
        let known = choice.of_port(port);
        let made = match (&self.classes, &self.decoder) {
            (Some(_), _) => Some(Format::auto()),
            (None, Some(_)) => Some(Format::raw()),
            (None, None) => None,
        };
        let known = known.or_else(|| Some(made?.with_settings(&choice.settings).into()));
        let Some(known) = known else {
            let reason = format!("format is missing, and no {FILE_NAME} knows port {port}");
            return Err(Error::Usage(reason));
        };
        let formats = match &self.classes {
            Some(classes) => classes.applied(known.into())?.of_others().clone(),
            None => known,
        };
        Ok((formats.clone(), self.read_as(formats.into())?))
    }

    /// Whether somebody's code says if a message is one.
    pub(in crate::python) fn is_foreign(&self, format: &Format) -> bool {
        self.decoder.is_some() || self.classes.as_ref().is_some_and(|all| all.of(format).is_some())
    }

    /// Whether Protocol Buffers messages become plain data.
    pub(super) fn is_plain(&self) -> bool {
        self.classes.is_none() && self.decoder.is_none()
    }

    /// The object of a message with this value.
    ///
    /// # Errors
    /// DecodeError for what a class, a decoder or a callable of allow raised, which is its cause.
    pub(in crate::python) fn make<'py>(
        &self,
        py: Python<'py>,
        message: &Message,
        value: &Value,
    ) -> PyResult<Bound<'py, PyAny>> {
        let body = || PyBytes::new(py, message.format.framing().unwrap(&message.raw));
        if let Some(Decoder(decoder)) = &self.decoder {
            return decoder
                .call1(py, (body(),))
                .map(|made| made.into_bound(py))
                .map_err(|error| failed(py, 0, "decoder raised", error, ADVICE));
        }
        if let Some(class) = self.classes.as_ref().and_then(|all| all.of(&message.format)) {
            return class
                .call_method1(py, "FromString", (body(),))
                .map(|made| made.into_bound(py))
                .map_err(|error| failed(py, 0, "FromString raised", error, ADVICE));
        }
        to_python(py, value, self.allow.as_ref())
    }
}

const ADVICE: &str = "the bytes are in raw";

/// A callable that takes bytes.
pub(in crate::python) struct Decoder(Py<PyAny>);

impl<'py> FromPyObject<'_, 'py> for Decoder {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Decoder> {
        match object.is_callable() {
            true => Ok(Decoder(object.to_owned().unbind())),
            false => Err(PyTypeError::new_err(format!(
                "decoder is a callable that takes a message's bytes, not {}",
                object.repr()?
            ))),
        }
    }
}
