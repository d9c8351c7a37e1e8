//! How connections are put together, as a keyword says it.

use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyMappingMethods};

use super::error::Exception;
use super::net::Seconds;
use crate::capture::{Overlap, Policy};

/// A mapping, by the names that the command's flags have.
#[derive(Default)]
pub(super) struct ReassemblyArgument(pub(super) Policy);

impl<'py> FromPyObject<'_, 'py> for ReassemblyArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<ReassemblyArgument> {
        let Ok(given) = object.cast::<PyMapping>() else {
            let name = object.get_type().fully_qualified_name()?;
            let words = format!("it is a mapping, as {{\"overlap\": \"last\"}}, not {name}");
            return Err(PyTypeError::new_err(words));
        };
        let mut policy = Policy::default();
        for item in given.items()? {
            let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
            set(&mut policy, &name, &value)?;
        }
        Ok(ReassemblyArgument(policy))
    }
}

fn set(policy: &mut Policy, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
    match name.str()?.to_cow()?.as_ref() {
        "overlap" => policy.overlap = overlap(value)?,
        "held_per_side" => policy.held_per_side = number(value, "held_per_side", 0)?,
        "held_in_all" => policy.held_in_all = number(value, "held_in_all", 0)?,
        "give_up_after" => policy.patience = patience(value)?,
        "known_connections" => policy.connections = number(value, "known_connections", 1)?,
        _ => {
            let words = format!(
                "there is no {}; there are overlap, held_per_side, held_in_all, give_up_after and \
                 known_connections",
                name.repr()?
            );
            return Err(no(value, words));
        }
    }
    Ok(())
}

fn overlap(value: &Bound<'_, PyAny>) -> PyResult<Overlap> {
    match value.extract::<String>().as_deref() {
        Ok("first") => Ok(Overlap::First),
        Ok("last") => Ok(Overlap::Last),
        _ => Err(no(value, format!("overlap is \"first\" or \"last\", not {}", value.repr()?))),
    }
}

fn number(value: &Bound<'_, PyAny>, name: &str, least: usize) -> PyResult<usize> {
    match value.extract() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(no(value, format!("{name} is an int from {least} on, not {}", value.repr()?))),
    }
}

/// Seconds, or None for ever.
fn patience(value: &Bound<'_, PyAny>) -> PyResult<Option<Duration>> {
    match value.extract::<Option<Seconds>>() {
        Ok(seconds) => Ok(seconds.map(|seconds| seconds.0)),
        Err(_) => {
            let words = "give_up_after is a number of seconds, or None for never";
            Err(no(value, format!("{words}, not {}", value.repr()?)))
        }
    }
}

/// The UsageError of the keyword.
fn no(value: &Bound<'_, PyAny>, why: String) -> PyErr {
    Exception::Usage.with(value.py(), format!("reassembly: {why}"))
}
