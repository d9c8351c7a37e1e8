//! What a pickle asks for, without doing it.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::super::message::Fault;
use super::super::net::Seconds;
use super::pickle::Bytes;
use super::{LimitsArgument, settings};
use crate::wire::{Settings, pickle};

/// What one pickle asks for. Nothing is imported or called.
///
/// No pickle is too broken: it has asked for what stands before the fault, which is the audit's error.
/// `limits` changes what a pickle may take, as {"depth": 1000}.
#[pyfunction]
#[pyo3(signature = (data, *, limits = None))]
pub(in crate::python) fn audit(
    py: Python<'_>,
    data: Bytes,
    limits: Option<LimitsArgument>,
) -> PyResult<Audit> {
    let settings = settings(Seconds(Settings::GUESS_WINDOW), limits, false)?;
    let audit = py.detach(|| pickle::audit(data.as_slice(), &settings.limits));
    Ok(Audit(Arc::new(audit)))
}

/// What one pickle asks for.
#[pyclass(module = "wirespool.pickle", frozen)]
pub(in crate::python) struct Audit(Arc<pickle::Audit>);

#[pymethods]
impl Audit {
    /// "plain_data" where it is proved that there is nothing else, "requests", or "unreadable": no
    /// pickle, or a broken one that asks for nothing before it breaks.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.verdict().name()
    }

    /// All that it asks for, each before those that it uses.
    #[getter]
    fn requests<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let all = (0..self.0.requests().len()).map(|id| AuditRequest { audit: self.0.clone(), id });
        PyTuple::new(py, all.collect::<Vec<_>>())
    }

    /// What is wrong with the pickle; None if nothing is.
    #[getter]
    fn error(&self) -> Option<Fault> {
        self.0.fault().cloned().map(Fault::from)
    }

    /// As the command's --json has it: verdict, requests with all of their arguments, error.
    fn to_json(&self) -> PyResult<String> {
        let mut line = String::from("{");
        self.0.write_json(0, &mut |piece| {
            line.push_str(piece);
            Ok(())
        })?;
        line.push('}');
        Ok(line)
    }

    fn __repr__(&self) -> String {
        match self.0.verdict() {
            pickle::Verdict::PlainData => "<Audit: plain data only>".to_owned(),
            pickle::Verdict::Requests => format!("<Audit: requests {}>", self.0.counts()),
            _ => "<Audit: unreadable>".to_owned(),
        }
    }
}

/// One thing that a pickle asks for beyond plain data.
#[pyclass(module = "wirespool.pickle", frozen)]
pub(in crate::python) struct AuditRequest {
    audit: Arc<pickle::Audit>,
    /// Its place among the requests.
    #[pyo3(get)]
    id: usize,
}

impl AuditRequest {
    fn request(&self) -> &pickle::Request {
        &self.audit.requests()[self.id]
    }
}

#[pymethods]
impl AuditRequest {
    /// "call", "change" (of what a module holds), "global" (a name that is looked up), "persistent_id",
    /// "extension" or "buffer".
    #[getter]
    fn kind(&self) -> &'static str {
        self.request().kind.name()
    }

    /// The id of the first request that uses the result; None if none does.
    #[getter]
    fn parent(&self) -> Option<usize> {
        self.request().parent
    }

    /// The module's name; None where nothing is named.
    #[getter]
    fn module(&self) -> Option<&str> {
        self.audit.global(self.request()).map(|(module, _)| module)
    }

    /// The name in the module.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.audit.global(self.request()).map(|(_, name)| name)
    }

    /// The opcode's name, as pickletools has it.
    #[getter]
    fn opcode(&self) -> &'static str {
        self.request().opcode_name()
    }

    /// Where the opcode stands, in bytes from the pickle's first.
    #[getter]
    fn offset(&self) -> usize {
        self.request().offset
    }

    /// Whether the result is part of the pickle's value; None where a fault leaves that open.
    #[getter]
    fn kept(&self) -> Option<bool> {
        self.request().kept
    }

    /// Whether it stands after an error in the pickle.
    #[getter]
    fn after_error(&self) -> bool {
        self.request().after_error
    }

    /// "computed_name", "changed_global" or None: what to look at first, whatever it is called.
    #[getter]
    fn finding(&self) -> Option<&'static str> {
        self.audit.finding(self.request()).map(pickle::Finding::name)
    }

    /// What calling it does, where that is known; it is never judged by this.
    #[getter]
    fn note(&self) -> Option<&'static str> {
        self.audit.note(self.request()).map(|note| note.text)
    }

    /// Whether it is known from pickles that do harm; that another one is not says nothing.
    #[getter]
    fn gadget(&self) -> bool {
        self.audit.note(self.request()).is_some_and(|note| note.gadget)
    }

    /// The request as Python would write it, shortened.
    fn __str__(&self) -> String {
        self.audit.describe(self.request())
    }

    fn __repr__(&self) -> String {
        format!("<AuditRequest {}>", self.audit.describe(self.request()))
    }
}
