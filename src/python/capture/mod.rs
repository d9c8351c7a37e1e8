//! Captures: their messages and their events, read as they are asked for.

mod origin;
mod source;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

pub(super) use origin::Origin;
pub(super) use source::Paths;

use source::Source;
use stream::Stream;

use super::net::Seconds;
use super::reassembly::ReassemblyArgument;
use super::selection::{SelectionKeywords, condition, side as side_of};
use super::wire::{
    Allow, Classes, Decoder, LimitsArgument, Making, Named, SchemaArgument, settings,
};
use super::{message, session};
use crate::message::{FormatsByCapture, Output};
use crate::replay::Chosen;
use crate::session::Selection;
use crate::wire::{Format, Settings};
use crate::{Error, Result, capture};

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
/// `split` is "guessed", and that of all after it. `allow` is what pickles may make, as for pickle.loads.
///
/// Iterating, `events()` and `gaps` give what is chosen; what is left out keeps its number. `connection`
/// is the number of a connection, `port` and `host` are those of either end; each may be one or an
/// iterable. A host is an address or a network as "10.0.0.0/8", or of ipaddress. `side` is who sent it.
/// `since` and `until`, itself not included, are an aware datetime, seconds since 1970, or a str:
/// "2026-11-22T13:24:00.5Z", "2026-11-22", "+1.5s" from the first packet on. `where` is a condition on
/// messages' values, "@.humidity > 50", or a JSONPath that has to find something (RFC 9535).
///
/// `reassembly` changes how connections are put together, as {"overlap": "last"}: overlap, held_per_side,
/// held_in_all, give_up_after (seconds, or None for never), known_connections. With `follow` the one
/// file is still being written: what iterates waits for more, until the file is removed, replaced or cut.
///
/// Raises OSError for a file that cannot be read, CaptureError for one that is no capture, FormatError,
/// UsageError.
#[pyfunction]
#[pyo3(signature = (path, format = None, *, client_format = None, server_format = None, schema = None, message_type = None, decoder = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, allow = None, connection = None, port = None, host = None, side = None, since = None, until = None, r#where = None, reassembly = ReassemblyArgument::default(), follow = false), text_signature = "(path, format=None, *, client_format=None, server_format=None, schema=None, message_type=None, decoder=None, guess_window=0.005, limits=None, resync=False, allow=None, connection=None, port=None, host=None, side=None, since=None, until=None, where=None, reassembly={}, follow=False)")]
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
    connection: Option<Bound<'_, PyAny>>,
    port: Option<Bound<'_, PyAny>>,
    host: Option<Bound<'_, PyAny>>,
    side: Option<&str>,
    since: Option<Bound<'_, PyAny>>,
    until: Option<Bound<'_, PyAny>>,
    r#where: Option<&str>,
    reassembly: ReassemblyArgument,
    follow: bool,
) -> PyResult<Capture> {
    let named = Named { format, client_format, server_format, schema };
    let choice = named.choice(settings(guess_window, limits, resync)?, message_type.as_ref())?;
    let making = Making::new(allow, message_type, decoder)?;
    let connections = SelectionKeywords { connection, port, host, since, until }.selection()?;
    let side = side.map(|side| side_of(py, side)).transpose()?;
    let condition = r#where.map(|given| condition(py, given)).transpose()?;
    let selection = Selection { side, ..connections };
    if follow && selection.is_relative() {
        let words = "follow takes since and until by the clock only";
        return Err(Error::Usage(words.to_owned()).into());
    }
    let source = Source { paths: path.0, policy: reassembly.0, follow };
    // Errors are raised here, and not at the first message; each reading opens the files anew.
    let reader = source.reader(py)?;
    let origins: Vec<_> = reader.captures().iter().map(|file| file.origin().clone()).collect();
    let read_as = |label| making.read_as(choice.of_capture(label, &Format::auto()));
    let own = origins.iter().map(|origin| read_as(origin.format())).collect::<Result<_>>()?;
    let formats = FormatsByCapture::new(own, read_as(None)?);
    let making = Arc::new(making);
    Ok(Capture { source, formats, making, chosen: Chosen::new(selection, condition), origins })
}

/// What was recorded. Iterating gives its messages, in the order of the session; it can be iterated
/// again and again, and holds no more in memory than the messages that have begun.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Capture {
    source: Source,
    /// What they are read as.
    formats: FormatsByCapture,
    making: Arc<Making>,
    /// What of them is given.
    chosen: Chosen,
    origins: Vec<capture::Origin>,
}

impl Capture {
    fn messages(&self, py: Python<'_>) -> PyResult<Stream<crate::Message>> {
        let reader = self.source.reader(py)?;
        let (formats, chosen) = (self.formats.clone(), self.chosen.clone());
        Ok(Stream::new(py, reader, formats, chosen, |output| match output {
            Output::Message(message) => Some(message),
            Output::Event { .. } => None,
        }))
    }

    fn all_events(&self, py: Python<'_>) -> PyResult<Stream<session::Event>> {
        let reader = self.source.reader(py)?;
        // Bytes have no value that a condition could be about.
        let chosen = Chosen::new(self.chosen.selection.clone(), None);
        Ok(Stream::new(py, reader, Format::raw().into(), chosen, session::Event::of))
    }
}

#[pymethods]
impl Capture {
    fn __iter__(&self, py: Python<'_>) -> PyResult<Messages> {
        Ok(Messages(self.messages(py)?, self.making.clone()))
    }

    /// All that happened, data included, in the order of the session.
    fn events(&self, py: Python<'_>) -> PyResult<Events> {
        Ok(Events(self.all_events(py)?))
    }

    /// Where bytes are missing, as events of the kind "gap". Reads the capture through.
    #[getter]
    fn gaps(&self, py: Python<'_>) -> PyResult<Vec<session::Event>> {
        let events = self.all_events(py)?;
        let mut gaps = Vec::new();
        while let Some(event) = events.next(py)? {
            if event.is_gap() {
                gaps.push(event);
            }
        }
        Ok(gaps)
    }

    /// What of the capture could not be read, or not be looked at to choose it, in words; empty if all is
    /// well. Reads it through.
    #[getter]
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        match self.chosen.condition {
            // Which messages could not be looked into shows only when they are read.
            Some(_) => self.messages(py)?.warnings(py),
            None => self.all_events(py)?.warnings(py),
        }
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
        let paths: Vec<String> = self.source.paths.iter().map(shown).collect::<PyResult<_>>()?;
        Ok(format!("<Capture {} {}>", paths.join(" "), self.origins[0]))
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
