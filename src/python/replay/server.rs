//! The recorded server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use super::super::capture::Paths;
use super::super::net::{AddressArgument, Seconds, pair};
use super::super::reassembly::ReassemblyArgument;
use super::super::selection::SelectionKeywords;
use super::super::service::{Service, leave};
use super::super::wire::{LimitsArgument, Named, SchemaArgument, settings};
use super::arguments::{RateArgument, SpeedArgument, Spelled, ToleranceArgument, Word};
use super::playing::{Equality, Output, Playing, Time, What};
use super::receipt::Receipt;
use crate::Error;
use crate::load::Loaded;
use crate::net::{self, Address, Stop};
use crate::replay::{self, Carry, Compare, Matching, Miss, Options, Path as Place, Speed};
use crate::session::Side;
use crate::wire::Settings;

/// Play the recorded server to the clients that connect to `server.address`.
///
/// Clients are taken for the recorded connections in the order in which they come, or with `match`
/// "content" by the message with which they begin. A client that is none of the recorded ones is closed,
/// and the replay has failed; `on_miss` "pass:HOST:PORT" passes it on to another server instead. With
/// `repeat` each connection may be played any number of times; `connections` is the most that are
/// played. `wait` is how long the first client is waited for, in seconds, without end if it is None.
///
/// At the end of the `with` block, what clients have begun is waited for, up to `patience` seconds;
/// unless all that was recorded has been played and nothing differed, Mismatch is raised. For the other
/// arguments see replay. Raises OSError, CaptureError, FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (path, *, listen = AddressArgument(Address::loopback(0)), wait = None, r#match = Word::default(), on_miss = Word::default(), repeat = false, connections = None, speed = SpeedArgument(Speed::RECORDED), rate = None, cap_idle = None, patience = Seconds(Options::PATIENCE), format = None, client_format = None, server_format = None, schema = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, connection = None, port = None, host = None, since = None, until = None, reassembly = ReassemblyArgument::default(), across_gaps = false, compare = Word::default(), ignore = Spelled::default(), tolerance = ToleranceArgument::default(), unordered = Spelled::default(), carry = Spelled::default(), output = None, force = false), text_signature = "(path, *, listen='127.0.0.1:0', wait=None, match='order', on_miss='close', repeat=False, connections=None, speed=1.0, rate=None, cap_idle=None, patience=5.0, format=None, client_format=None, server_format=None, schema=None, guess_window=0.005, limits=None, resync=False, connection=None, port=None, host=None, since=None, until=None, reassembly={}, across_gaps=False, compare='values', ignore=(), tolerance=(), unordered=(), carry=(), output=None, force=False)")]
#[expect(clippy::too_many_arguments)] // Each one a keyword of its own.
pub(in crate::python) fn serve(
    py: Python<'_>,
    path: Paths,
    listen: AddressArgument,
    wait: Option<Seconds>,
    r#match: Word<Matching>,
    on_miss: Word<Miss>,
    repeat: bool,
    connections: Option<u64>,
    speed: SpeedArgument,
    rate: Option<RateArgument>,
    cap_idle: Option<Seconds>,
    patience: Seconds,
    format: Option<&str>,
    client_format: Option<&str>,
    server_format: Option<&str>,
    schema: Option<SchemaArgument>,
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
    connection: Option<Bound<'_, PyAny>>,
    port: Option<Bound<'_, PyAny>>,
    host: Option<Bound<'_, PyAny>>,
    since: Option<Bound<'_, PyAny>>,
    until: Option<Bound<'_, PyAny>>,
    reassembly: ReassemblyArgument,
    across_gaps: bool,
    compare: Word<Compare>,
    ignore: Spelled<Place>,
    tolerance: ToleranceArgument,
    unordered: Spelled<Place>,
    carry: Spelled<Carry>,
    output: Option<PathBuf>,
    force: bool,
) -> PyResult<Serving> {
    let settings = settings(guess_window, limits, resync)?;
    let named = Named { format, client_format, server_format, schema };
    let selection = SelectionKeywords { connection, port, host, since, until };
    let what = What { path, named, settings, selection, reassembly, across_gaps };
    let time = Time { speed, rate, cap_idle, patience };
    let equality = Equality { compare, ignore, tolerance, unordered, carry };
    let playing = Playing::new(what, time, equality, Output { output, force })?;
    let serving = replay::Serving {
        connections,
        wait: wait.map(|wait| wait.0),
        matching: r#match.0,
        miss: on_miss.0,
        repeat,
        // It is there until the block ends: a client too many is seen.
        stay: true,
        ..replay::Serving::default()
    };
    let (closing, patience) = (serving.closing.clone(), playing.options.patience);
    let service = Service::start(py, playing.options.stop.clone(), |announce| async move {
        let Loaded { script, formats, provenance } = playing.load(Side::Server)?;
        let listener = net::listen(&listen.0).await?;
        let address = listener
            .local_addr()
            .map_err(|source| Error::network("listen on", &listen.0, source))?;
        if let Miss::Pass(to) = &serving.miss {
            net::refuse_loop(to, &listener).await?;
        }
        // The file last: a port in use must not leave an empty capture behind.
        let (options, recording) = playing.options(formats.as_ref())?;
        // Whoever waits may have been interrupted.
        let _ = announce.send(address);
        let played = replay::serve(Arc::new(script), listener, &options, &serving).await;
        recording.conclude(played, provenance)
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
            // What was found so far may well say why the block raised.
            Some(_) => self.conclude(py, Duration::ZERO),
            None => self.conclude(py, self.patience),
        }
        .and_then(|receipt| match receipt {
            Some(receipt) => Receipt::check(receipt.bind(py), false),
            None => Ok(()),
        });
        leave(py, error, finished)
    }

    fn __repr__(&self) -> String {
        format!("<Serving on {}>", self.service.address)
    }
}
