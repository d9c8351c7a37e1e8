//! How bytes may be read, as keywords say it.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyMappingMethods};

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
        let limit = |item: Bound<'py, PyAny>| {
            let (name, value): (String, usize) = item.extract()?;
            Ok(Limit { name, value })
        };
        given.items()?.iter().map(limit).collect::<PyResult<_>>().map(LimitsArgument)
    }
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
