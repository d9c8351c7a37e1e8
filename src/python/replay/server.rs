//! The recorded server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::super::net::{AddressArgument, Seconds, pair};
use super::super::service::{Service, leave};
use super::{Receipt, SpeedArgument, options, script};
use crate::Error;
use crate::net::{self, Address, Stop};
use crate::replay::{self, Options, Speed};
use crate::wire::Format;

/// Play the recorded server to the clients that connect to `server.address`.
///
/// Clients are taken for the recorded connections in the order in which they come. At the end of the
/// `with` block, what they have begun is waited for, up to `patience` seconds; unless all that was
/// recorded has been played and nothing differed, Mismatch is raised. For `speed`, `patience` and
/// `format` see replay. Raises OSError, CaptureError, FormatError.
#[pyfunction]
#[pyo3(signature = (path, *, listen = AddressArgument(Address::loopback(0)), speed = SpeedArgument(Speed::RECORDED), patience = Seconds(Options::PATIENCE), format = None), text_signature = "(path, *, listen='127.0.0.1:0', speed=1.0, patience=5.0, format=None)")]
pub(in crate::python) fn serve(
    py: Python<'_>,
    path: PathBuf,
    listen: AddressArgument,
    speed: SpeedArgument,
    patience: Seconds,
    format: Option<&str>,
) -> PyResult<Serving> {
    let format = format.map(Format::parse).transpose()?;
    let options = options(speed, patience);
    let serving = replay::Serving::default();
    let (closing, patience) = (serving.closing.clone(), options.patience);
    let service = Service::start(py, options.stop.clone(), |announce| async move {
        let script = Arc::new(script(&path, format)?);
        let listener = net::listen(&listen.0).await?;
        let address = listener
            .local_addr()
            .map_err(|source| Error::network("listen on", &listen.0, source))?;
        // Whoever waits may have been interrupted.
        let _ = announce.send(address);
        replay::serve(script, listener, &options, &serving).await
    })?;
    Ok(Serving { service, closing, patience, receipt: PyOnceLock::new() })
}

/// A recorded server, played until the end of its `with` block, or `stop()`.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Serving {
    service: Service<replay::Receipt>,
    closing: Stop,
    patience: Duration,
    receipt: PyOnceLock<Py<Receipt>>,
}

impl Serving {
    /// Waits until clients have been served, and stops what takes longer than the patience.
    fn conclude(&self, py: Python<'_>, patience: Duration) -> PyResult<Option<Py<Receipt>>> {
        self.closing.request();
        let served = match self.service.wait(py, Some(Instant::now() + patience))? {
            Some(served) => Some(served?),
            None => self.service.finish(py)?,
        };
        if let Some(served) = served {
            let receipt = Py::new(py, Receipt::from(served))?;
            return Ok(Some(self.receipt.get_or_init(py, || receipt).clone_ref(py)));
        }
        Ok(self.receipt(py))
    }
}

#[pymethods]
impl Serving {
    /// Where clients connect: (host, port).
    #[getter]
    fn address(&self) -> (String, u16) {
        pair(self.service.address)
    }

    /// What was played and found; None before the end.
    #[getter]
    fn receipt(&self, py: Python<'_>) -> Option<Py<Receipt>> {
        self.receipt.get(py).map(|receipt| receipt.clone_ref(py))
    }

    /// Stop at once: what was not played by then has failed. Raises nothing; see `receipt`.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        self.conclude(py, Duration::ZERO).map(|_| ())
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
        let finished = match error {
            Some(_) => self.stop(py),
            None => match self.conclude(py, self.patience) {
                Ok(Some(receipt)) => Receipt::check(receipt.bind(py)),
                other => other.map(|_| ()),
            },
        };
        leave(py, error, finished)
    }

    fn __repr__(&self) -> String {
        format!("<Serving on {}>", self.service.address)
    }
}
