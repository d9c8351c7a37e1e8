//! How bytes may be read, as keywords say it.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyMapping, PyMappingMethods};

use super::super::error::Exception;
use super::super::net::Seconds;
use crate::Result;
use crate::wire::{Limit, Settings};

/// A mapping of names to numbers: what a message may take.
#[derive(Default)]
pub(in crate::python) struct LimitsArgument(pub(super) Vec<Limit>);

impl<'py> FromPyObject<'_, 'py> for LimitsArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<LimitsArgument> {
        let Ok(given) = object.cast::<PyMapping>() else {
            let name = object.get_type().fully_qualified_name()?;
            let words = format!("limits are a mapping, as {{\"depth\": 1000}}, not {name}");
            return Err(PyTypeError::new_err(words));
        };
        given.items()?.iter().map(|item| limit(&item)).collect::<PyResult<_>>().map(LimitsArgument)
    }
}

fn limit(item: &Bound<'_, PyAny>) -> PyResult<Limit> {
    let (name, given): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
    let Ok(name) = name.extract::<String>() else {
        let words = format!("{} is no name of a limit, as \"depth\"", name.repr()?);
        return Err(PyTypeError::new_err(words));
    };
    if !given.is_instance_of::<PyInt>() {
        let words = format!("the limit {name} is an int, not {}", given.repr()?);
        return Err(PyTypeError::new_err(words));
    }
    if given.lt(0)? {
        let words = format!("the limit {name} is 0 or more, not {given}");
        return Err(Exception::Usage.with(given.py(), words));
    }
    // What is more than a number here is more than any limit may be.
    Ok(Limit { name, value: given.extract().unwrap_or(usize::MAX) })
}

/// How bytes are read, whatever their format is.
///
/// # Errors
/// UsageError for a limit there is not.
pub(in crate::python) fn settings(
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
) -> Result<Arc<Settings>> {
    let mut settings = Settings { guess_window: guess_window.0, resync, ..Settings::default() };
    limits.unwrap_or_default().0.into_iter().try_for_each(|limit| settings.limit(limit))?;
    Ok(Arc::new(settings))
}
