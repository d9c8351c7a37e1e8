//! What a pickle asks for beyond plain data, as an object that does nothing.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyMappingProxy, PyString, PyTuple};

/// Something that only running code could build: a pickle's request for it. Nothing was run.
///
/// Equal to itself only, and never changed. It cannot be pickled again.
#[pyclass(module = "wirespool")]
pub(in crate::python) struct Opaque {
    /// How it is named: "global" (a class or function in a module), "computed" (what the subject
    /// yields), "persistent" (by a persistent id), "extension" (a code of copyreg's registry) or
    /// "buffer" (an out-of-band buffer, by its order).
    #[pyo3(get)]
    kind: &'static str,
    /// The module's name, of a global.
    #[pyo3(get)]
    module: Option<String>,
    /// The name in the module, of a global.
    #[pyo3(get)]
    qualname: Option<String>,
    contents: Option<Contents>,
}

/// What may refer to other objects, and so to this one; `None` until they are made, and again once
/// the garbage collector has broken a cycle.
pub(super) struct Contents {
    pub(super) subject: Option<Py<PyAny>>,
    pub(super) args: Option<Py<PyTuple>>,
    pub(super) kwargs: Py<PyMappingProxy>,
    pub(super) state: Option<Py<PyAny>>,
    pub(super) items: Py<PyTuple>,
    pub(super) entries: Py<PyTuple>,
}

impl Opaque {
    /// One that holds nothing yet.
    pub(super) fn new(kind: &'static str, name: Option<(String, String)>) -> Opaque {
        let (module, qualname) = name.unzip();
        Opaque { kind, module, qualname, contents: None }
    }

    /// Puts in what it holds.
    pub(super) fn fill(&mut self, contents: Contents) {
        self.contents = Some(contents);
    }
}

#[pymethods]
impl Opaque {
    /// What kind refers to: the called object, the persistent id, the code or the number; None of a
    /// global.
    #[getter]
    fn subject(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.contents.as_ref()?.subject.as_ref().map(|subject| subject.clone_ref(py))
    }

    /// The arguments of the call; None where the thing itself is asked for, not called.
    #[getter]
    fn args(&self, py: Python<'_>) -> Option<Py<PyTuple>> {
        self.contents.as_ref()?.args.as_ref().map(|args| args.clone_ref(py))
    }

    /// The keyword arguments, read-only.
    #[getter]
    fn kwargs(&self, py: Python<'_>) -> Option<Py<PyMappingProxy>> {
        Some(self.contents.as_ref()?.kwargs.clone_ref(py))
    }

    /// What was to be set as its state; None if nothing was.
    #[getter]
    fn state(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.contents.as_ref()?.state.as_ref().map(|state| state.clone_ref(py))
    }

    /// What was to be appended to it.
    #[getter]
    fn items(&self, py: Python<'_>) -> Option<Py<PyTuple>> {
        Some(self.contents.as_ref()?.items.clone_ref(py))
    }

    /// What was to be set in it, as pairs of key and value.
    #[getter]
    fn entries(&self, py: Python<'_>) -> Option<Py<PyTuple>> {
        Some(self.contents.as_ref()?.entries.clone_ref(py))
    }

    /// Says the request, and nothing of what it holds.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let name = match (&self.module, &self.qualname) {
            // A name is what a peer says: shown as Python shows text.
            (Some(module), Some(name)) => {
                PyString::new(py, &format!("{module}.{name}")).repr()?.to_string()
            }
            _ => self.kind.to_owned(),
        };
        let args = self.contents.as_ref().and_then(|contents| contents.args.as_ref());
        Ok(match args.map(|args| args.bind(py).len()) {
            None => format!("<Opaque {name}>"),
            Some(1) => format!("<Opaque {name} called with 1 argument>"),
            Some(count) => format!("<Opaque {name} called with {count} arguments>"),
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Some(contents) = &self.contents else { return Ok(()) };
        visit.call(&contents.subject)?;
        visit.call(&contents.args)?;
        visit.call(&contents.kwargs)?;
        visit.call(&contents.state)?;
        visit.call(&contents.items)?;
        visit.call(&contents.entries)
    }

    fn __clear__(&mut self) {
        self.contents = None;
    }
}
