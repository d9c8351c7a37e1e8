//! Who came and was none of the recorded ones.

use pyo3::prelude::*;

use crate::replay;

/// Clients that were none of the recorded ones.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Unmatched(pub(super) replay::Unmatched);

#[pymethods]
impl Unmatched {
    /// How many were closed. Something came that was not recorded: the replay has failed.
    #[getter]
    fn closed(&self) -> u64 {
        self.0.closed
    }

    /// How many were passed on.
    #[getter]
    fn passed(&self) -> u64 {
        self.0.passed
    }

    /// The first of them.
    #[getter]
    fn clients(&self) -> Vec<UnmatchedClient> {
        self.0.clients.iter().cloned().map(UnmatchedClient).collect()
    }

    fn __repr__(&self) -> String {
        format!("<Unmatched: closed {}, passed on {}>", self.0.closed, self.0.passed)
    }
}

/// A client that was none of the recorded ones.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct UnmatchedClient(replay::UnmatchedClient);

#[pymethods]
impl UnmatchedClient {
    /// Its address: "HOST:PORT".
    #[getter]
    fn client(&self) -> &str {
        &self.0.client
    }

    /// Why it was none of them, in words.
    #[getter]
    fn reason(&self) -> &str {
        &self.0.reason
    }

    /// To which address it was passed on; None if it was closed.
    #[getter]
    fn passed_to(&self) -> Option<&str> {
        self.0.passed_to.as_deref()
    }

    /// How many bytes of it were heard, or passed on.
    #[getter]
    fn bytes_received(&self) -> u64 {
        self.0.bytes_received
    }

    /// How many bytes the other server answered, and it took.
    #[getter]
    fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent
    }

    fn __repr__(&self) -> String {
        format!("<UnmatchedClient {}: {}>", self.0.client, self.0.reason)
    }
}
