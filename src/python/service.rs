//! Work on a thread of its own, with a network runtime of its own, and waiting for it: without the
//! GIL, and so that Ctrl-C is heard.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::net::Stop;
use crate::{Error, Result};

/// The longest that Python's signals wait to be handled.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// Something that another thread will say once; with it, whether it was said.
pub(super) struct Pending<T>(Mutex<(Receiver<T>, bool)>);

/// What waiting came to.
pub(super) enum Waited<T> {
    /// It was said.
    Said(T),
    /// Not in time.
    NotYet,
    /// It was said before, to whoever waited then.
    Before,
    /// Whoever was to say it is gone.
    Never,
}

impl<T: Send> Pending<T> {
    /// What will be said, and the means to say it.
    pub(super) fn new() -> (Sender<T>, Pending<T>) {
        let (sender, receiver) = channel();
        (sender, Pending(Mutex::new((receiver, false))))
    }

    /// Waits until it was said, at most until `deadline`.
    ///
    /// # Errors
    /// What a signal's handler raises: KeyboardInterrupt.
    pub(super) fn wait(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<Waited<T>> {
        loop {
            let left = deadline.map_or(TICK, |deadline| {
                deadline.saturating_duration_since(Instant::now()).min(TICK)
            });
            // The lock is taken and left without the GIL, so that neither waits for the other.
            let waited = py.detach(|| {
                let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                let (receiver, is_said) = &mut *pending;
                match receiver.recv_timeout(left) {
                    Ok(said) => {
                        *is_said = true;
                        Waited::Said(said)
                    }
                    Err(RecvTimeoutError::Disconnected) if *is_said => Waited::Before,
                    Err(RecvTimeoutError::Disconnected) => Waited::Never,
                    Err(RecvTimeoutError::Timeout) => Waited::NotYet,
                }
            });
            if !matches!(waited, Waited::NotYet) {
                return Ok(waited);
            }
            py.check_signals()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Waited::NotYet);
            }
        }
    }
}

/// Work that goes on beside Python until it is told to stop, and says how it went.
pub(super) struct Service<T> {
    /// Where it listens, or whom it has dialled.
    pub(super) address: SocketAddr,
    /// Tells it to finish.
    pub(super) stop: Stop,
    outcome: Pending<Result<T>>,
}

impl<T: Send + 'static> Service<T> {
    /// Starts `work`, which says its address once it has one.
    ///
    /// # Errors
    /// What `work` ended with before that.
    pub(super) fn start<F>(
        py: Python<'_>,
        stop: Stop,
        work: impl FnOnce(Sender<SocketAddr>) -> F + Send + 'static,
    ) -> PyResult<Service<T>>
    where
        F: Future<Output = Result<T>>,
    {
        let (announce, announced) = Pending::new();
        let outcome = spawn(move || runtime()?.block_on(work(announce)))?;
        let waited = announced.wait(py, None).inspect_err(|_| stop.request())?;
        match waited {
            Waited::Said(address) => Ok(Service { address, stop, outcome }),
            _ => match outcome.wait(py, None)? {
                Waited::Said(Err(error)) => Err(error.into()),
                _ => Err(gone()),
            },
        }
    }

    /// Waits for the work's end, at most until `deadline`: `None` if it has not ended by then, or the
    /// outcome was taken before.
    pub(super) fn wait(
        &self,
        py: Python<'_>,
        deadline: Option<Instant>,
    ) -> PyResult<Option<Result<T>>> {
        match self.outcome.wait(py, deadline)? {
            Waited::Said(outcome) => Ok(Some(outcome)),
            Waited::NotYet | Waited::Before => Ok(None),
            Waited::Never => Err(gone()),
        }
    }

    /// Tells the work to finish, and waits for it; `None` if that was done before.
    pub(super) fn finish(&self, py: Python<'_>) -> PyResult<Option<T>> {
        self.stop.request();
        Ok(self.wait(py, None)?.transpose()?)
    }
}

impl<T> Drop for Service<T> {
    fn drop(&mut self) {
        self.stop.request();
    }
}

/// Ends a `with` block: what goes wrong now is raised, unless the block itself raised; then it is told
/// as a note.
pub(super) fn leave(
    py: Python<'_>,
    raised: Option<&Bound<'_, PyAny>>,
    finished: PyResult<()>,
) -> PyResult<bool> {
    match (finished, raised) {
        (Err(error), Some(raised))
            if !error.is_instance_of::<pyo3::exceptions::PyKeyboardInterrupt>(py) =>
        {
            raised.call_method1("add_note", (format!("and at the end of the block: {error}"),))?;
        }
        (finished, _) => finished?,
    }
    Ok(false)
}

/// Runs `work` on a thread and waits for it; `stop` is requested if a signal's handler raises.
pub(super) fn run<T: Send + 'static>(
    py: Python<'_>,
    stop: &Stop,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let outcome = spawn(work)?;
    match outcome.wait(py, None).inspect_err(|_| stop.request())? {
        Waited::Said(outcome) => Ok(outcome?),
        _ => Err(gone()),
    }
}

/// A runtime for sockets and timers.
pub(super) fn runtime() -> Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| Error::network("start", "the network runtime", source))
}

fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> PyResult<Pending<T>> {
    let (sender, outcome) = Pending::new();
    thread::Builder::new()
        .name("wirespool".to_owned())
        .spawn(move || {
            // Whoever waited may have been interrupted.
            let _ = sender.send(work());
        })
        .map_err(|source| Error::network("start", "a thread", source))?;
    Ok(outcome)
}

/// Only a panic ends work without an outcome; it has been reported on stderr.
fn gone() -> PyErr {
    PyRuntimeError::new_err("wirespool's worker thread panicked")
}
