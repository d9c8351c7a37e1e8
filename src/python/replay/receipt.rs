//! What a replay did and found.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::super::error::mismatch;
use super::connection::ConnectionReceipt;
use super::difference::{Difference, differences};
use super::punctuality::Punctuality;
use super::unmatched::Unmatched;
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

    /// Whether all was played, compared and equal, and the recording lacks nothing.
    #[getter]
    fn verified(&self) -> bool {
        self.0.is_verified()
    }

    /// Whether something that was played is only a part of what happened when it was recorded.
    #[getter]
    fn tainted(&self) -> bool {
        self.0.tainted
    }

    /// What was played, as recorded: "client", "server", or "both"; "diff" if two captures were compared.
    #[getter]
    fn role(&self) -> &'static str {
        self.0.role
    }

    /// The captures that were played.
    #[getter]
    fn captures(&self) -> Vec<CaptureDigest> {
        self.0.captures.iter().cloned().map(CaptureDigest).collect()
    }

    /// What the captures lack or could not be read of, in words.
    #[getter]
    fn damage(&self) -> Vec<String> {
        self.0.damage.clone()
    }

    /// What a reader of the verdict should know, in words.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// How closely the sends on all connections kept to their times; None where none had one.
    #[getter]
    fn timing(&self) -> Option<Punctuality> {
        Punctuality::of(self.0.timing.as_ref())
    }

    /// Each recorded connection, in recorded order.
    #[getter]
    fn connections(&self) -> Vec<ConnectionReceipt> {
        self.0.connections.iter().cloned().map(ConnectionReceipt).collect()
    }

    /// Clients that were none of the recorded ones.
    #[getter]
    fn unmatched(&self) -> Unmatched {
        Unmatched(self.0.unmatched.clone())
    }

    /// The first differences of all connections.
    #[getter]
    fn differences(&self) -> Vec<Difference> {
        self.0.connections.iter().flat_map(differences).collect()
    }

    /// Raise Mismatch, with the receipt's words, unless all was played and nothing differed.
    ///
    /// `strict` accepts only a receipt that is `verified`: neither "delivered" nor a tainted one.
    #[pyo3(signature = (*, strict = false))]
    pub(super) fn check(slf: &Bound<'_, Self>, strict: bool) -> PyResult<()> {
        let receipt = slf.get();
        let words = match (receipt.ok(), receipt.verified()) {
            (true, true) => return Ok(()),
            (true, false) if !strict => return Ok(()),
            (true, false) => {
                format!(
                    "{}\nnot accepted: strict asks for verified, of a whole recording",
                    receipt.0
                )
            }
            (false, _) => receipt.0.to_string(),
        };
        Err(mismatch(slf.py(), words, slf.clone().into_any()))
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

/// Which file was played: a verdict is about these bytes.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct CaptureDigest(replay::CaptureDigest);

#[pymethods]
impl CaptureDigest {
    /// Its name, as given.
    #[getter]
    fn path(&self) -> &str {
        &self.0.path
    }

    /// SHA-256 of all of it, in hexadecimal digits.
    #[getter]
    fn sha256(&self) -> &str {
        &self.0.sha256
    }

    fn __repr__(&self) -> String {
        format!("<CaptureDigest {} sha256:{}>", self.0.path, self.0.sha256)
    }
}
