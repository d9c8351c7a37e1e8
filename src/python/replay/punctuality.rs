//! How closely a replay kept to its times.

use pyo3::prelude::*;

use crate::replay::{self, Timing};

/// How closely sends kept to their times.
///
/// The error of a send is the time from when it was due, or from when the other end allowed it if that
/// was later, until the call to the system that sends it. In seconds.
#[pyclass(module = "wirespool", frozen)]
pub(in crate::python) struct Punctuality(replay::Punctuality);

impl Punctuality {
    /// What was timed, if anything was.
    pub(super) fn of(timing: Option<&Timing>) -> Option<Punctuality> {
        timing.and_then(Timing::summary).map(Punctuality)
    }
}

#[pymethods]
impl Punctuality {
    /// How many sends were timed.
    #[getter]
    fn count(&self) -> u64 {
        self.0.count
    }

    /// The error that half of them stayed within, in seconds.
    #[getter]
    fn p50(&self) -> f64 {
        self.0.p50.as_secs_f64()
    }

    /// The error that 99 in 100 of them stayed within, in seconds.
    #[getter]
    fn p99(&self) -> f64 {
        self.0.p99.as_secs_f64()
    }

    /// The largest error, in seconds.
    #[getter]
    fn worst(&self) -> f64 {
        self.0.worst.as_secs_f64()
    }

    /// How far the other end put a send behind its recorded time at most, in seconds.
    #[getter]
    fn behind(&self) -> f64 {
        self.0.behind.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        format!("<Punctuality: {}>", self.0)
    }
}
