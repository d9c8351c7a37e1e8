//! What a pickle asks for beyond plain data, as an object that does nothing.

mod show;

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMappingProxy, PyString, PyTuple};

use super::crowd::Crowd;
use crate::wire::value::{Class, Object};

/// The most characters of a key that are shown.
const KEY: usize = 200;

/// Something that only running code could build: a pickle's request for it. Nothing was run.
///
/// Equal to itself only, and hashed so: what two requests for one thing would give, nobody knows here.
/// To compare, take its parts, or match them: `case Opaque("collections", "deque", args)`. It is never
/// changed, copies as itself, and cannot be pickled again.
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
struct Contents {
    subject: Option<Py<PyAny>>,
    args: Option<Py<PyTuple>>,
    kwargs: Py<PyMappingProxy>,
    state: Option<Py<PyAny>>,
    items: Py<PyTuple>,
    entries: Py<PyTuple>,
}

impl Opaque {
    /// One that holds nothing yet.
    pub(super) fn of(class: &Class) -> Opaque {
        let (kind, name) = match class {
            Class::Global { module, name } => {
                ("global", Some((module.to_string(), name.to_string())))
            }
            Class::Computed(_) => ("computed", None),
            Class::Persistent(_) => ("persistent", None),
            Class::Extension(_) => ("extension", None),
            Class::Buffer(_) => ("buffer", None),
        };
        let (module, qualname) = name.unzip();
        Opaque { kind, module, qualname, contents: None }
    }

    /// The key of an allow-list that would have it, as Python writes it.
    pub(super) fn key(&self, py: Python<'_>) -> Option<String> {
        let key = match (&self.module, &self.qualname, &self.contents) {
            (Some(module), Some(name), _) => (module.clone(), name.clone()),
            (_, _, Some(contents)) => {
                // A method of a class is asked for by getattr(class, name).
                let method = contents.subject.as_ref()?.bind(py).cast::<Opaque>().ok()?.borrow();
                let is_getattr = method.qualname.as_deref() == Some("getattr");
                let arguments = method.contents.as_ref()?.args.as_ref()?.bind(py);
                let (class, name) = arguments.extract::<(Bound<'_, Opaque>, String)>().ok()?;
                let class = class.borrow();
                is_getattr.then_some(())?;
                (class.module.clone()?, format!("{}.{name}", class.qualname.clone()?))
            }
            _ => return None,
        };
        let shown = key.into_pyobject(py).ok()?.repr().ok()?;
        Some(shown.to_string_lossy().chars().take(KEY).collect())
    }

    /// Puts in what it holds: the objects of all nodes that `request` refers to, in their order.
    pub(super) fn fill<'py>(
        slf: &Bound<'py, Opaque>,
        request: &Object,
        parts: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let mut parts = parts.fuse();
        let mut several = |count: usize| -> Vec<_> { parts.by_ref().take(count).collect() };
        let subject = match request.class {
            Class::Computed(_) | Class::Persistent(_) => several(1).pop(),
            Class::Extension(code) => Some(code.into_pyobject(py)?.into_any()),
            Class::Buffer(order) => Some(order.into_pyobject(py)?.into_any()),
            Class::Global { .. } => None,
        };
        let args = match &request.arguments {
            Some(arguments) => Some(PyTuple::new(py, several(arguments.len()))?.unbind()),
            None => None,
        };
        let kwargs = PyDict::new(py);
        let mut crowd = Crowd::of(request.keywords.len());
        for pair in several(2 * request.keywords.len()).chunks_exact(2) {
            if let Some(crowd) = &mut crowd {
                crowd.add(&pair[0])?;
            }
            kwargs.set_item(&pair[0], &pair[1])?;
        }
        let state = several(request.state.iter().len()).pop();
        let items = PyTuple::new(py, several(request.items.len()))?.unbind();
        let mut entries = Vec::with_capacity(request.entries.len());
        for pair in several(2 * request.entries.len()).chunks_exact(2) {
            entries.push(PyTuple::new(py, pair)?);
        }
        let contents = Contents {
            subject: subject.map(Bound::unbind),
            args,
            kwargs: PyMappingProxy::new(py, kwargs.as_mapping()).unbind(),
            state: state.map(Bound::unbind),
            items,
            entries: PyTuple::new(py, entries)?.unbind(),
        };
        // Borrowed when all is hashed that somebody's code may be hashed by.
        slf.borrow_mut().contents = Some(contents);
        Ok(())
    }
}

#[pymethods]
impl Opaque {
    #[classattr]
    fn __match_args__() -> (&'static str, &'static str, &'static str) {
        ("module", "qualname", "args")
    }

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

    /// Says the request, shortened. Runs nothing, however what it holds is made.
    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        show::opaque(slf)
    }

    /// Not an attribute: says where what was looked for may be.
    fn __getattr__(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        let name = name.repr()?;
        let words = match self.key(name.py()) {
            Some(key) => format!(
                "no attribute {name} of an Opaque: {key} was not made; see .args, .state, .items and \
                 .entries, or have it made by allow"
            ),
            None => format!("no attribute {name} of an Opaque ({}); see .subject", self.kind),
        };
        Err(PyAttributeError::new_err(words))
    }

    fn __copy__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (memo, /))]
    fn __deepcopy__<'py>(slf: Bound<'py, Self>, memo: &Bound<'py, PyAny>) -> Bound<'py, Self> {
        let _ = memo;
        slf
    }

    #[pyo3(signature = (protocol, /))]
    fn __reduce_ex__(&self, protocol: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = protocol;
        Err(PyTypeError::new_err(
            "cannot pickle wirespool.Opaque: it stands for what was never made; keep the bytes it came in",
        ))
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
