//! Which files are read, and how: anew each time that they are iterated.

use std::path::PathBuf;
use std::thread;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::super::service::TICK;
use crate::Error;
use crate::capture::{Policy, Reader};

/// One path, or several.
pub(in crate::python) struct Paths(pub(in crate::python) Vec<PathBuf>);

impl<'py> FromPyObject<'_, 'py> for Paths {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Paths> {
        let is_one = object.is_instance_of::<PyString>() || object.hasattr("__fspath__")?;
        if is_one {
            return Ok(Paths(vec![object.extract()?]));
        }
        if object.is_instance_of::<PyBytes>() || !object.hasattr("__iter__")? {
            let name = object.get_type().fully_qualified_name()?;
            let words =
                format!("a path is str or os.PathLike, or an iterable of these, not {name}");
            return Err(PyTypeError::new_err(words));
        }
        let paths: Vec<PathBuf> =
            object.try_iter()?.map(|path| path?.extract()).collect::<PyResult<_>>()?;
        match paths.is_empty() {
            true => Err(PyValueError::new_err("there is no path")),
            false => Ok(Paths(paths)),
        }
    }
}

/// The files of a capture, and how they are put together.
pub(super) struct Source {
    pub(super) paths: Vec<PathBuf>,
    pub(super) policy: Policy,
    /// Whether more is waited for at the end.
    pub(super) follow: bool,
}

impl Source {
    /// Opens the files; one that is followed has to say what it is first, which is waited for.
    ///
    /// # Errors
    /// What [`Reader`] says, and what a signal's handler raises.
    pub(super) fn reader(&self, py: Python<'_>) -> PyResult<Reader> {
        if !self.follow {
            let reader = py.detach(|| Reader::open_all(&self.paths))?;
            return Ok(reader.with_policy(self.policy));
        }
        let [path] = self.paths.as_slice() else {
            return Err(Error::Usage("follow takes one capture".to_owned()).into());
        };
        loop {
            if let Some(reader) = py.detach(|| Reader::follow(path))? {
                return Ok(reader.with_policy(self.policy));
            }
            py.detach(|| thread::sleep(TICK));
            py.check_signals()?;
        }
    }
}
