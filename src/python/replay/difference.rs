//! What came back otherwise.

use pyo3::prelude::*;

use crate::replay;

/// The first differences of a connection.
pub(super) fn differences(receipt: &replay::ConnectionReceipt) -> impl Iterator<Item = Difference> {
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
