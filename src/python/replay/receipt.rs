//! What a replay did and found.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::super::error::mismatch;
use crate::replay;

/// What a replay did and found. As text, it is a paragraph per connection, the verdict last.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Receipt(replay::Receipt);

impl From<replay::Receipt> for Receipt {
    fn from(receipt: replay::Receipt) -> Receipt {
        Receipt(receipt)
    }
}

#[pymethods]
impl Receipt {
    /// Whether all was played and nothing differed.
    #[getter]
    fn ok(&self) -> bool {
        self.0.is_ok()
    }

    /// The verdict: "verified" (all answers equal), "delivered" (all taken, no answers to compare) or
    /// "failed".
    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.outcome.name()
    }

    /// What was played, as recorded: "client" or "server".
    #[getter]
    fn role(&self) -> &'static str {
        self.0.role
    }

    /// Each recorded connection, in recorded order.
    #[getter]
    fn connections(&self) -> Vec<ConnectionReceipt> {
        self.0.connections.iter().cloned().map(ConnectionReceipt).collect()
    }

    /// The first differences of all connections.
    #[getter]
    fn differences(&self) -> Vec<Difference> {
        self.0.connections.iter().flat_map(differences).collect()
    }

    /// Raise Mismatch, with the receipt's words, unless all was played and nothing differed.
    pub(super) fn check(slf: &Bound<'_, Self>) -> PyResult<()> {
        let receipt = slf.get();
        match receipt.ok() {
            true => Ok(()),
            false => Err(mismatch(slf.py(), receipt.0.to_string(), slf.clone().into_any())),
        }
    }

    /// The receipt as plain data, as the command's --receipt writes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json = serde_json::to_string(&self.0)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }
}

/// What was done and found on one connection.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct ConnectionReceipt(replay::ConnectionReceipt);

#[pymethods]
impl ConnectionReceipt {
    /// Its number in the capture.
    #[getter]
    fn connection(&self) -> u64 {
        self.0.connection
    }

    /// The verdict on it: "verified", "delivered" or "failed".
    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.outcome.name()
    }

    /// How many messages the recording has us send.
    #[getter]
    fn planned(&self) -> u64 {
        self.0.planned
    }

    /// How many of them the system took in full.
    #[getter]
    fn sent(&self) -> u64 {
        self.0.sent
    }

    /// How many bytes the system took.
    #[getter]
    fn bytes_sent(&self) -> u64 {
        self.0.bytes_sent
    }

    /// How many messages the recording has the other end send.
    #[getter]
    fn expected(&self) -> u64 {
        self.0.expected
    }

    /// How many of them came and were compared.
    #[getter]
    fn compared(&self) -> u64 {
        self.0.compared
    }

    /// How many of those were equal.
    #[getter]
    fn matched(&self) -> u64 {
        self.0.matched
    }

    /// How many of those were not.
    #[getter]
    fn differing(&self) -> u64 {
        self.0.differing
    }

    /// How many expected messages did not come.
    #[getter]
    fn missed(&self) -> u64 {
        self.0.missed
    }

    /// How many bytes came.
    #[getter]
    fn bytes_received(&self) -> u64 {
        self.0.bytes_received
    }

    /// How many bytes came beyond what was recorded.
    #[getter]
    fn unexpected_bytes(&self) -> u64 {
        self.0.unexpected_bytes
    }

    /// What kept it from being played, or makes it fail, in words.
    #[getter]
    fn failures(&self) -> Vec<String> {
        self.0.failures.clone()
    }

    /// What a reader of the verdict should know, in words.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// The first differences.
    #[getter]
    fn differences(&self) -> Vec<Difference> {
        differences(&self.0).collect()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }
}

fn differences(receipt: &replay::ConnectionReceipt) -> impl Iterator<Item = Difference> {
    let connection = receipt.connection;
    receipt.differences.iter().cloned().map(move |difference| Difference { connection, difference })
}

/// One message that came back otherwise than it was recorded.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Difference {
    /// On which connection.
    #[pyo3(get)]
    connection: u64,
    difference: replay::Difference,
}

#[pymethods]
impl Difference {
    /// The recorded message's number in its connection; None of one that was not recorded.
    #[getter]
    fn index(&self) -> Option<u64> {
        self.difference.index
    }

    /// Where it begins in its side's bytes: as recorded, or of one that was not, as it came.
    #[getter]
    fn offset(&self) -> u64 {
        self.difference.offset
    }

    /// What was recorded there, shortened; None if nothing was.
    #[getter]
    fn expected(&self) -> Option<&str> {
        self.difference.expected.as_deref()
    }

    /// What came there, shortened; None if nothing did.
    #[getter]
    fn got(&self) -> Option<&str> {
        self.difference.got.as_deref()
    }

    /// Who sent it: "client" or "server".
    #[getter]
    fn side(&self) -> &'static str {
        self.difference.side.name()
    }

    /// The capture's frame in which the recorded message was complete; None where there is none.
    #[getter]
    fn frame(&self) -> Option<u64> {
        self.difference.frame
    }

    /// Where in the message, as a path that `ignore` takes; None if it is shown whole.
    #[getter]
    fn path(&self) -> Option<&str> {
        self.difference.path.as_deref()
    }

    /// What else is to be known of it, in words.
    #[getter]
    fn note(&self) -> Option<&str> {
        self.difference.note.as_deref()
    }

    fn __str__(&self) -> String {
        self.difference.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Difference on connection {}, {}>", self.connection, self.difference)
    }
}
