//! Where captures come from.

use pyo3::prelude::*;

use crate::capture;

/// Where a capture comes from, as far as it says.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Origin(pub(super) capture::Origin);

#[pymethods]
impl Origin {
    /// "recorded" by wirespool from sockets (headers are synthesised; payload, times, order and ends
    /// are real), "converted" by it from other captures, or "captured" from a network.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            capture::Origin::Recorded { .. } => "recorded",
            capture::Origin::Converted { .. } => "converted",
            capture::Origin::Captured { .. } => "captured",
        }
    }

    /// The version of wirespool that recorded it; None if it does not say.
    #[getter]
    fn version(&self) -> Option<&str> {
        self.0.version()
    }

    /// The spelling of the message format it was recorded as; None if it does not say.
    #[getter]
    fn format(&self) -> Option<&str> {
        self.0.format()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<Origin {}>", self.0)
    }
}
