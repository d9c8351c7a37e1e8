//! A server that only listens.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::super::message::Message;
use super::super::net::{AddressArgument, Seconds, pair};
use super::super::service::{Service, leave};
use super::super::wire::{
    self, Allow, Classes, Decoder, LimitsArgument, Making, Named, SchemaArgument,
};
use super::inbox::{Feed, Inbox, Next};
use super::{Tee, conclude, writer};
use crate::Error;
use crate::capture::Summary;
use crate::message::Assembler;
use crate::net::{self, Address, Recorder, Stop};
use crate::record::{self, Limits, Notice, Observer};
use crate::session::Side;
use crate::wire::Settings;

/// Listen, and take what clients send as messages. Iterate it; they come as they arrive.
///
/// Answers nothing, and closes a connection when its client does. Messages that are not taken wait, up
/// to 64 MiB of them; then the clients do. `output` records a capture as well. Without a format
/// wirespool.toml has to know the port. The other keywords are as for open. Raises OSError for an address
/// that cannot be had,
/// FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (address = AddressArgument(Address::loopback(0)), *, format = None, client_format = None, server_format = None, schema = None, message_type = None, decoder = None, output = None, force = false, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, allow = None), text_signature = "(address='127.0.0.1:0', *, format=None, client_format=None, server_format=None, schema=None, message_type=None, decoder=None, output=None, force=False, guess_window=0.005, limits=None, resync=False, allow=None)")]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(in crate::python) fn listen(
    py: Python<'_>,
    address: AddressArgument,
    format: Option<&str>,
    client_format: Option<&str>,
    server_format: Option<&str>,
    schema: Option<SchemaArgument>,
    message_type: Option<Classes>,
    decoder: Option<Decoder>,
    output: Option<PathBuf>,
    force: bool,
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
    allow: Option<Allow>,
) -> PyResult<Listener> {
    let named = Named { format, client_format, server_format, schema };
    let choice =
        named.choice(wire::settings(guess_window, limits, resync)?, message_type.as_ref())?;
    let making = Making::new(allow, message_type, decoder)?;
    let (formats, read_as) = making.live(&choice, address.0.port())?;
    let inbox = Arc::new(Inbox::default());
    let feed = Feed { inbox: inbox.clone(), side: Side::Client, waits: true };
    let stop = Stop::new();
    let service_limits = Limits { stop: stop.clone(), ..Limits::default() };
    let observer: Observer = Arc::new(|_: &Notice| {});
    let ending = Ending(inbox.clone());
    let service = Service::start(py, stop, move |announce| async move {
        let _ending = ending;
        let listener = net::listen(&address.0).await?;
        let here = listener
            .local_addr()
            .map_err(|source| Error::network("listen on", &address.0, source))?;
        // The file last: a port in use must not leave an empty capture behind.
        let writer = writer(output.as_deref(), force, Some(&formats))?;
        let sink: Tee = (writer, Some(Assembler::new(read_as, feed)));
        let recorder = Arc::new(Recorder::new(sink));
        // Whoever waits may have been interrupted.
        let _ = announce.send(here);
        let ended = record::listen(listener, recorder.clone(), service_limits, observer).await;
        conclude(recorder, ended)
    })?;
    Ok(Listener { service, inbox, making: Arc::new(making) })
}

/// Ends the inbox however the work ends.
pub(super) struct Ending(pub(super) Arc<Inbox>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

/// A server that takes messages until the end of its `with` block, or `close()`.
///
/// Iterating gives the messages of all clients, as they come; after the end those that came before it,
/// then it stops.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Listener {
    service: Service<Summary>,
    inbox: Arc<Inbox>,
    making: Arc<Making>,
}

#[pymethods]
impl Listener {
    /// Where clients connect: (host, port).
    #[getter]
    fn address(&self) -> (String, u16) {
        pair(self.service.address)
    }

    /// Stop listening; what clients sent by then is still taken. Nothing if that was done before.
    ///
    /// Raises OSError if the capture could not be written.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        // Asked to stop before the inbox refuses: what it refuses then is no surprise to anyone.
        self.service.stop.request();
        py.detach(|| self.inbox.close());
        self.service.finish(py).map(|_| ())
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        match self.inbox.next(py, None)? {
            Next::Message(message) => Ok(Some(Message::new(*message, self.making.clone()))),
            // If it ended by itself, it says why.
            Next::End(_) | Next::NotYet => self.service.finish(py).map(|_| None),
        }
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind, error, trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: Option<&Bound<'_, PyAny>>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let _ = (kind, trace);
        leave(py, error, self.close(py))
    }

    fn __repr__(&self) -> String {
        format!("<Listener on {}>", self.service.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.service.stop.request();
        self.inbox.close();
    }
}
