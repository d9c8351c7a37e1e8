//! The in-line proxy.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;

use super::super::net::{AddressArgument, pair};
use super::super::service::{Service, leave};
use super::super::wire::{Named, SchemaArgument};
use super::{Tee, conclude, writer};
use crate::Error;
use crate::capture::Summary;
use crate::net::{self, Address, Recorder, Stop};
use crate::record::{Limits, Notice, Observer, proxy};

/// Record what passes between clients and the server at `to` into `path`, .pcapng or .pcap.
///
/// Clients connect to `recording.address`; the server is dialled for each. It records from now on, until
/// the end of the `with` block or `stop()`; what clients sent by then is recorded and passed on. `format`
/// labels the capture, so that reading it needs none. Raises OSError: FileExistsError for a file that is
/// there, unless `force`.
#[pyfunction]
#[pyo3(signature = (path, to, *, listen = AddressArgument(Address::loopback(0)), format = None, client_format = None, server_format = None, schema = None, force = false), text_signature = "(path, to, *, listen='127.0.0.1:0', format=None, client_format=None, server_format=None, schema=None, force=False)")]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(in crate::python) fn record(
    py: Python<'_>,
    path: PathBuf,
    to: AddressArgument,
    listen: AddressArgument,
    format: Option<&str>,
    client_format: Option<&str>,
    server_format: Option<&str>,
    schema: Option<SchemaArgument>,
    force: bool,
) -> PyResult<Recording> {
    let to = to.0.dialled()?;
    let named = Named { format, client_format, server_format, schema };
    let formats = named.choice(Arc::default(), None)?.of_port(to.port());
    let notices: Arc<Mutex<Vec<String>>> = Arc::default();
    let observer: Observer = {
        let notices = notices.clone();
        Arc::new(move |notice: &Notice| {
            notices.lock().unwrap_or_else(PoisonError::into_inner).push(notice.to_string());
        })
    };
    let stop = Stop::new();
    let limits = Limits { stop: stop.clone(), ..Limits::default() };
    let capture = path.clone();
    let service = Service::start(py, stop, move |announce| async move {
        let listener = net::listen(&listen.0).await?;
        let address = listener
            .local_addr()
            .map_err(|source| Error::network("listen on", &listen.0, source))?;
        net::refuse_loop(&to, &listener).await?;
        // The file last: a port in use must not leave an empty capture behind.
        let writer = writer(Some(&capture), force, formats.as_ref())?;
        let sink: Tee = (writer, None);
        let recorder = Arc::new(Recorder::new(sink));
        // Whoever waits may have been interrupted.
        let _ = announce.send(address);
        let ended = proxy(listener, to, recorder.clone(), limits, observer).await;
        conclude(recorder, ended)
    })?;
    Ok(Recording { service, path, notices })
}

/// A recording that goes on until the end of its `with` block, or `stop()`.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Recording {
    service: Service<Summary>,
    path: PathBuf,
    notices: Arc<Mutex<Vec<String>>>,
}

#[pymethods]
impl Recording {
    /// Where clients connect: (host, port).
    #[getter]
    fn address(&self) -> (String, u16) {
        pair(self.service.address)
    }

    /// What a person should know, in words: a server that could not be reached, a reset.
    #[getter]
    fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// End the recording and complete the capture; nothing if that was done before.
    ///
    /// Raises OSError if a part of the traffic could not be written.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.service.finish(py).map(|_| ())
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
        leave(py, error, self.stop(py))
    }

    fn __repr__(&self) -> String {
        format!("<Recording {} on {}>", self.path.display(), self.service.address)
    }
}
