//! A client that sends and receives messages.

use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyEOFError, PyTimeoutError, PyValueError};
use pyo3::prelude::*;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep, timeout};

use super::super::message::Message;
use super::super::net::{AddressArgument, Seconds, pair};
use super::super::service::{Pending, Service, Waited, leave};
use super::super::wire::{
    self, Allow, Classes, Decoder, LimitsArgument, Making, Named, SchemaArgument, message_bytes,
};
use super::inbox::{Feed, Inbox, Next};
use super::listener::Ending;
use super::{Tee, conclude, writer};
use crate::Result;
use crate::capture::Summary;
use crate::message::Assembler;
use crate::net::{Recorder, Stop};
use crate::record::Endpoint;
use crate::session::Side;
use crate::wire::{Format, Settings};

/// How often the recording hears that time passes.
const TICK: Duration = Duration::from_millis(5);
/// Every so many ticks the capture is flushed.
const TICKS_PER_FLUSH: u32 = 100;
/// How long a close waits for the other end's.
const CLOSE_WAIT: Duration = Duration::from_millis(200);

/// Connect to a server, to send messages and receive its answers.
///
/// `output` records a capture as well. Without a format wirespool.toml has to know the port. The other
/// keywords are as for open.
/// Raises OSError if the server cannot be reached, FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (address, *, format = None, client_format = None, server_format = None, schema = None, message_type = None, decoder = None, output = None, force = false, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, allow = None), text_signature = "(address, *, format=None, client_format=None, server_format=None, schema=None, message_type=None, decoder=None, output=None, force=False, guess_window=0.005, limits=None, resync=False, allow=None)")]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(in crate::python) fn connect(
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
) -> PyResult<Peer> {
    let address = address.0.dialled()?;
    let named = Named { format, client_format, server_format, schema };
    let choice =
        named.choice(wire::settings(guess_window, limits, resync)?, message_type.as_ref())?;
    let making = Making::new(allow, message_type, decoder)?;
    let (formats, read_as) = making.live(&choice, address.port())?;
    let format = formats.of(Side::Client).clone();
    let inbox = Arc::new(Inbox::default());
    let feed = Feed { inbox: inbox.clone(), side: Side::Server, waits: false };
    let stop = Stop::new();
    let (orders, ordered) = unbounded_channel();
    let (heard, ending, asked) = (inbox.clone(), Ending(inbox.clone()), stop.clone());
    let service = Service::start(py, stop, move |announce| async move {
        let _ending = ending;
        let writer = writer(output.as_deref(), force, Some(&formats))?;
        let sink: Tee = (writer, Some(Assembler::new(read_as, feed)));
        let recorder = Arc::new(Recorder::new(sink));
        let endpoint = Endpoint::dial(&address, recorder.clone()).await?;
        // Whoever waits may have been interrupted.
        let _ = announce.send(endpoint.peer());
        let ended = converse(&endpoint, &recorder, ordered, &heard, &asked).await;
        drop(endpoint);
        conclude(recorder, ended)
    })?;
    Ok(Peer { service, format, orders, inbox, making: Arc::new(making) })
}

/// What Python asks of a connection, and where it wants to hear how it went.
enum Order {
    Send(Vec<u8>, Sender<Result<()>>),
    Finish(Sender<Result<()>>),
}

/// Carries out orders and hears what comes until it is told to stop.
async fn converse(
    endpoint: &Endpoint<Tee>,
    recorder: &Recorder<Tee>,
    mut orders: UnboundedReceiver<Order>,
    inbox: &Inbox,
    stop: &Stop,
) -> Result<()> {
    // A second FIN is none.
    let is_finished = Cell::new(false);
    let finish = || async {
        match is_finished.replace(true) {
            true => Ok(()),
            false => endpoint.finish().await,
        }
    };
    let obeying = async {
        while let Some(order) = orders.recv().await {
            // Whoever asked may have been interrupted.
            let _ = match order {
                Order::Send(bytes, reply) => reply.send(endpoint.write(&bytes).await),
                Order::Finish(reply) => reply.send(finish().await),
            };
        }
    };
    let hearing = async {
        loop {
            while inbox.is_full() {
                sleep(TICK).await;
            }
            match endpoint.read().await {
                Ok(Some(_)) => {}
                ended => break ended.map(|_| ()),
            }
        }
    };
    let ticking = async {
        for ticks in 1u32.. {
            sleep(TICK).await;
            recorder.tick()?;
            if ticks % TICKS_PER_FLUSH == 0 {
                recorder.flush()?;
            }
        }
        Ok(())
    };
    tokio::pin!(obeying, hearing, ticking);
    let mut is_heard = false;
    loop {
        tokio::select! {
            ended = &mut hearing, if !is_heard => {
                is_heard = true;
                // What came before is still to be taken, also of a connection that broke.
                recorder.tick()?;
                inbox.end(ended.err());
            }
            () = &mut obeying => break,
            ended = &mut ticking => return ended,
            () = stop.requested() => break,
        }
    }
    finish().await?;
    if !is_heard {
        // Nobody is left to be told of a connection that breaks now.
        let _ = timeout(CLOSE_WAIT, &mut hearing).await;
    }
    Ok(())
}

/// The client's end of a connection, until the end of its `with` block, or `close()`.
///
/// Iterating gives the messages that the server sends, until it closes.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Peer {
    service: Service<Summary>,
    format: Format,
    orders: UnboundedSender<Order>,
    inbox: Arc<Inbox>,
    making: Arc<Making>,
}

impl Peer {
    fn order(
        &self,
        py: Python<'_>,
        order: impl FnOnce(Sender<Result<()>>) -> Order,
    ) -> PyResult<()> {
        let (reply, replied) = Pending::new();
        if self.service.stop.is_requested() || self.orders.send(order(reply)).is_err() {
            return Err(closed());
        }
        match replied.wait(py, None)? {
            Waited::Said(done) => Ok(done?),
            _ => Err(closed()),
        }
    }
}

#[pymethods]
impl Peer {
    /// The server: (host, port).
    #[getter]
    fn address(&self) -> (String, u16) {
        pair(self.service.address)
    }

    /// Send one message, and return when the system has taken all of it.
    ///
    /// For text a str, for raw bytes, for pickle plain data, for Protocol Buffers a dict by field names
    /// or a generated message. Raises TypeError, UsageError for a value that the format cannot carry,
    /// OSError if the connection broke, ValueError once it is closed.
    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let bytes = message_bytes(&self.format, value)?;
        self.order(value.py(), |reply| Order::Send(bytes, reply))
    }

    /// The next message that the server sends. Waits for `timeout` seconds, or as long as it takes.
    ///
    /// Raises TimeoutError, EOFError once the server has closed, OSError if the connection broke.
    #[pyo3(signature = (timeout = None))]
    fn receive(&self, py: Python<'_>, timeout: Option<Seconds>) -> PyResult<Message> {
        let deadline = timeout.map(|Seconds(wait)| Instant::now() + wait);
        match self.inbox.next(py, deadline)? {
            Next::Message(message) => Ok(Message::new(*message, self.making.clone())),
            Next::NotYet => Err(PyTimeoutError::new_err("no message came in time")),
            Next::End(None) => Err(PyEOFError::new_err("the connection is closed")),
            Next::End(Some(error)) => Err(error.into()),
        }
    }

    /// Half-close: the server sees that nothing more comes, and may go on sending.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        self.order(py, Order::Finish)
    }

    /// Close the connection, and complete the capture; nothing if that was done before.
    ///
    /// Raises OSError if the capture could not be written.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.service.finish(py).map(|_| ())
    }

    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Message>> {
        match self.inbox.next(py, None)? {
            Next::Message(message) => Ok(Some(Message::new(*message, self.making.clone()))),
            Next::End(None) | Next::NotYet => Ok(None),
            Next::End(Some(error)) => Err(error.into()),
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
        format!("<Peer {} of {}>", self.format, self.service.address)
    }
}

fn closed() -> PyErr {
    PyValueError::new_err("the connection is closed")
}
