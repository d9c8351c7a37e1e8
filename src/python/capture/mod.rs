//! Captures: their messages and their events, read as they are asked for.

mod stream;

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use stream::Stream;

use super::net::Seconds;
use super::wire::{
    Allow, Classes, Decoder, LimitsArgument, Making, Named, SchemaArgument, settings,
};
use super::{message, session};
use crate::Result;
use crate::capture::{self, Reader};
use crate::message::{FormatsByCapture, Output};
use crate::wire::{Format, Settings};

/// One path, or several.
pub(super) struct Paths(pub(super) Vec<PathBuf>);

impl<'py> FromPyObject<'_, 'py> for Paths {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Paths> {
        let is_one = object.is_instance_of::<PyString>() || object.hasattr("__fspath__")?;
        if is_one {
            return Ok(Paths(vec![object.extract()?]));
        }
        if object.is_instance_of::<PyBytes>() || !object.hasattr("__iter__")? {
            let name = object.get_type().fully_qualified_name()?;
            let words =
                format!("a path is str or os.PathLike, or an iterable of these, not {name}");
            return Err(PyTypeError::new_err(words));
        }
        let paths: Vec<PathBuf> =
            object.try_iter()?.map(|path| path?.extract()).collect::<PyResult<_>>()?;
        match paths.is_empty() {
            true => Err(PyValueError::new_err("there is no path")),
            false => Ok(Paths(paths)),
        }
    }
}

/// Open a capture, pcap or pcapng, or several as one: connections are numbered on.
///
/// Without a format each is read as it was recorded, else as wirespool.toml says of its server's port, else
/// as what its bytes look like; `client_format` and `server_format` are for one side. `schema` has the
/// messages that formats name: a Schema, or the path of a .proto file or of a descriptor set, or several.
/// `message_type` is a generated class of a Protocol Buffers message, or several: values are its instances.
/// `decoder` is a function of a message's bytes, without length or line end, that makes the values; what it
/// raises is the cause of a DecodeError. `guess_window` is how long, in seconds, a Protocol Buffers message with no length may pause and still go on.
/// `limits` changes what a message may take, as {"depth": 1000}: bytes, and of a pickle nodes, memo,
/// line, digits, depth, key_depth, key_nodes; process is for all messages together that are not whole,
/// or being decoded. With `resync` the next pickle is looked for after damaged or missing bytes; its
/// `split` is "guessed", and that of all after it. `allow` is what pickles may make, as for pickle.loads. Raises OSError for a
/// file that cannot be read, CaptureError for one that is no capture, FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (path, format = None, *, client_format = None, server_format = None, schema = None, message_type = None, decoder = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, allow = None), text_signature = "(path, format=None, *, client_format=None, server_format=None, schema=None, message_type=None, decoder=None, guess_window=0.005, limits=None, resync=False, allow=None)")]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(super) fn open(
    py: Python<'_>,
    path: Paths,
    format: Option<&str>,
    client_format: Option<&str>,
    server_format: Option<&str>,
    schema: Option<SchemaArgument>,
    message_type: Option<Classes>,
    decoder: Option<Decoder>,
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
    allow: Option<Allow>,
) -> PyResult<Capture> {
    let named = Named { format, client_format, server_format, schema };
    let choice = named.choice(settings(guess_window, limits, resync)?, message_type.as_ref())?;
    let making = Making::new(allow, message_type, decoder)?;
    let Paths(paths) = path;
    // Errors are raised here, and not at the first message; each reading opens the files anew.
    let reader = py.detach(|| Reader::open_all(&paths))?;
    let origins: Vec<_> = reader.captures().iter().map(|file| file.origin().clone()).collect();
    let read_as = |label| making.read_as(choice.of_capture(label, &Format::auto()));
    let own = origins.iter().map(|origin| read_as(origin.format())).collect::<Result<_>>()?;
    let formats = FormatsByCapture::new(own, read_as(None)?);
    Ok(Capture { paths, formats, making: Arc::new(making), origins })
}

/// What was recorded. Iterating gives its messages, in the order of the session; it can be iterated
/// again and again, and holds no more in memory than the messages that have begun.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Capture {
    paths: Vec<PathBuf>,
    /// What they are read as.
    formats: FormatsByCapture,
    making: Arc<Making>,
    origins: Vec<capture::Origin>,
}

impl Capture {
    /// What its files yield, read as `formats` say.
    fn stream<T: Send>(
        &self,
        py: Python<'_>,
        formats: FormatsByCapture,
        item: fn(Output<'_>) -> Option<T>,
    ) -> PyResult<Stream<T>> {
        let reader = py.detach(|| Reader::open_all(&self.paths))?;
        Ok(Stream::new(reader, formats, item))
    }

    fn all_events(&self, py: Python<'_>) -> PyResult<Events> {
        Ok(Events(self.stream(py, Format::raw().into(), session::Event::of)?))
    }
}

#[pymethods]
impl Capture {
    fn __iter__(&self, py: Python<'_>) -> PyResult<Messages> {
        let messages = self.stream(py, self.formats.clone(), |output| match output {
            Output::Message(message) => Some(message),
            Output::Event { .. } => None,
        })?;
        Ok(Messages(messages, self.making.clone()))
    }

    /// All that happened, data included, in the order of the session.
    fn events(&self, py: Python<'_>) -> PyResult<Events> {
        self.all_events(py)
    }

    /// Where bytes are missing, as events of the kind "gap". Reads the capture through.
    #[getter]
    fn gaps(&self, py: Python<'_>) -> PyResult<Vec<session::Event>> {
        let events = self.all_events(py)?;
        let mut gaps = Vec::new();
        while let Some(event) = events.0.next(py)? {
            if event.is_gap() {
                gaps.push(event);
            }
        }
        Ok(gaps)
    }

    /// What of the capture could not be read, in words; empty if all is well. Reads it through.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let events = self.all_events(py)?;
        while events.0.next(py)?.is_some() {}
        Ok(events.0.into_warnings())
    }

    /// Where the capture comes from, as far as it says; of several, the first one.
    #[getter]
    fn origin(&self) -> Origin {
        Origin(self.origins[0].clone())
    }

    /// Where each capture comes from.
    #[getter]
    fn origins(&self) -> Vec<Origin> {
        self.origins.iter().cloned().map(Origin).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let shown = |path: &PathBuf| -> PyResult<String> {
            Ok(path.as_os_str().into_pyobject(py)?.repr()?.to_string())
        };
        let paths: Vec<String> = self.paths.iter().map(shown).collect::<PyResult<_>>()?;
        Ok(format!("<Capture {} {}>", paths.join(" "), self.origins[0]))
    }
}

/// Where a capture comes from, as far as it says.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Origin(capture::Origin);

#[pymethods]
impl Origin {
    /// "recorded" by wirespool from sockets (headers are synthesised; payload, times, order and ends
    /// are real), "converted" by it from other captures, or "captured" from a network.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            capture::Origin::Recorded { .. } => "recorded",
            capture::Origin::Converted { .. } => "converted",
            capture::Origin::Captured { .. } => "captured",
        }
    }

    /// The version of wirespool that recorded it; None if it does not say.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.0.version()
    }

    /// The spelling of the message format it was recorded as; None if it does not say.
    #[getter]
    fn format(&self) -> Option<&str> {
        self.0.format()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Origin {}>", self.0)
    }
}

/// An iterator over the messages of a capture.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Messages(Stream<crate::Message>, Arc<Making>);

#[pymethods]
impl Messages {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<message::Message>> {
        let next = self.0.next(py)?;
        Ok(next.map(|message| message::Message::new(message, self.1.clone())))
    }
}

/// An iterator over the events of a capture.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Events(Stream<session::Event>);

#[pymethods]
impl Events {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<session::Event>> {
        self.0.next(py)
    }
}
