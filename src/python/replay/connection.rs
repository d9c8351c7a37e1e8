//! What a replay did and found on one connection.

use pyo3::prelude::*;

use super::difference::{Difference, differences};
use super::punctuality::Punctuality;
use crate::replay;

/// What was done and found on one connection.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct ConnectionReceipt(pub(super) replay::ConnectionReceipt);

#[pymethods]
impl ConnectionReceipt {
    /// Its number in the capture.
    #[getter]
    fn connection(&self) -> u64 {
        self.0.connection
    }

    /// What was played of it: "client" or "server"; "diff" if two captures were compared.
    #[getter]
    fn role(&self) -> &'static str {
        self.0.role
    }

    /// The verdict on it: "verified", "delivered" or "failed".
    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.outcome.name()
    }

    /// How many times it was played; what is counted below is counted over all of them.
    #[getter]
    fn plays(&self) -> u64 {
        self.0.plays
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

    /// How many of them came.
    #[getter]
    fn arrived(&self) -> u64 {
        self.0.arrived
    }

    /// How many of those were compared.
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

    /// How many came of which everything is ignored.
    #[getter]
    fn ignored(&self) -> u64 {
        self.0.ignored
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

    /// In how many places the recording lacks bytes.
    #[getter]
    fn gaps(&self) -> u64 {
        self.0.gaps
    }

    /// How often the other end was waited for in vain.
    #[getter]
    fn stalls(&self) -> u64 {
        self.0.stalls
    }

    /// How many messages were sent before something of the other end that was recorded just before them,
    /// nearer than a recorder can tell the order.
    #[getter]
    fn reordered(&self) -> u64 {
        self.0.reordered
    }

    /// How many recorded times ran backwards.
    #[getter]
    fn clamped(&self) -> u64 {
        self.0.clamped
    }

    /// How closely our sends kept to their times; None where nothing was sent, or at full speed.
    #[getter]
    fn timing(&self) -> Option<Punctuality> {
        Punctuality::of(self.0.timing.as_ref())
    }

    /// Why this is a verdict on a part of the connection only, in words.
    #[getter]
    fn tainted(&self) -> Vec<String> {
        self.0.tainted.clone()
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
