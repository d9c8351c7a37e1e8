//! What a reader of pickles lets them make: names, each with what its user calls for it.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyString, PyTuple};

use super::super::error::Exception;
use super::refused;

/// An allow-list: exact names of modules and what is in them, and the callables that the user passed
/// in for them. Nothing is ever imported or looked up for a name.
#[derive(Clone)]
pub(in crate::python) struct Allow {
    /// `(module, qualname)` to a callable.
    entries: Arc<Py<PyDict>>,
    /// Whether a name of Python 2 also finds the entry of its successor.
    fix_imports: bool,
}

impl Allow {
    /// Keeps the entries as they are now.
    ///
    /// # Errors
    /// TypeError for what is no mapping of (module, qualname) to callables, UsageError for an entry that
    /// would let a pickle run what it likes.
    fn new(mapping: &Bound<'_, PyMapping>) -> PyResult<Allow> {
        let entries = PyDict::new(mapping.py());
        entries.update(mapping)?;
        for (key, callable) in &entries {
            check(&key, &callable)?;
        }
        Ok(Allow { entries: Arc::new(entries.unbind()), fix_imports: true })
    }

    /// With names of Python 2 mapped, or not.
    pub(super) fn fixing_imports(self, fix_imports: bool) -> Allow {
        Allow { fix_imports, ..self }
    }

    pub(super) fn is_empty(&self, py: Python<'_>) -> bool {
        self.entries.bind(py).is_empty()
    }

    /// What is called for this very name.
    pub(super) fn find<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        name: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let entries = self.entries.bind(py);
        let found = entries.get_item((module, name))?;
        if found.is_some() || !self.fix_imports {
            return Ok(found);
        }
        match successor(py, module, name)? {
            Some(now) => entries.get_item(now),
            None => Ok(None),
        }
    }
}

impl<'py> FromPyObject<'_, 'py> for Allow {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Allow> {
        match object.cast::<PyMapping>() {
            Ok(mapping) => Allow::new(&mapping),
            Err(_) => {
                let name = object.get_type().fully_qualified_name()?;
                Err(PyTypeError::new_err(format!(
                    "allow is a mapping, not {name}: write {{(module, qualname): callable}}, as \
                     {{('shop.orders', 'Order'): Order}}"
                )))
            }
        }
    }
}

/// What a name of Python 2 is called now, by the standard library's own table.
fn successor<'py>(
    py: Python<'py>,
    module: &str,
    name: &str,
) -> PyResult<Option<Bound<'py, PyTuple>>> {
    let table = py.import("_compat_pickle")?;
    let renamed = table.getattr("NAME_MAPPING")?.call_method1("get", ((module, name),))?;
    if !renamed.is_none() {
        return Ok(Some(renamed.cast_into()?));
    }
    let moved = table.getattr("IMPORT_MAPPING")?.call_method1("get", (module,))?;
    match moved.is_none() {
        true => Ok(None),
        false => Ok(Some((moved, name).into_pyobject(py)?)),
    }
}

fn check(key: &Bound<'_, PyAny>, callable: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = key.py();
    let Ok((module, name)) = key.extract::<(Bound<'_, PyString>, Bound<'_, PyString>)>() else {
        let words = format!(
            "{} is no key of allow: each is (module, qualname), as ('collections', 'OrderedDict')",
            key.repr()?
        );
        return Err(PyTypeError::new_err(words));
    };
    let refuse = |why: &str| -> PyResult<()> {
        Err(Exception::Usage.with(py, format!("allow does not take {}: {why}", key.repr()?)))
    };
    if !callable.is_callable() {
        let name = callable.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!(
            "allow maps {} to {name}, which cannot be called",
            key.repr()?
        )));
    }
    let (module, name) = (module.to_string_lossy(), name.to_string_lossy());
    if module.is_empty() || name.is_empty() {
        return refuse("a name is empty");
    }
    if module.contains('*') || name.contains('*') {
        return refuse("names are exact, there are no wildcards");
    }
    if let Some(why) = refused::reason(&module, &name) {
        return refuse(why);
    }
    // A recipe is ours, and not what a name says.
    if callable.is_instance_of::<Recipe>() {
        return Ok(());
    }
    match refused::reason_of(callable) {
        Some(why) => refuse(&format!("{} is what it maps to; {why}", callable.repr()?)),
        None => Ok(()),
    }
}

/// A function that validates what it is called with before it makes an object of data.
#[pyclass(module = "wirespool._native", name = "_Recipe", frozen)]
pub(in crate::python) struct Recipe {
    make: Py<PyAny>,
    /// Whether the state is its first argument: such an object is made complete, or not at all.
    pub(super) takes_state: bool,
}

#[pymethods]
impl Recipe {
    #[new]
    #[pyo3(signature = (make, *, takes_state = false))]
    fn new(make: Py<PyAny>, takes_state: bool) -> Recipe {
        Recipe { make, takes_state }
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.make.bind(args.py()).call(args, kwargs)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<validated {}>", self.make.bind(py).getattr("__name__")?))
    }
}
