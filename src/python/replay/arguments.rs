//! Arguments of `replay` and `serve`, read by the spelling that the command has for them.

use std::str::FromStr;
use std::time::Duration;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};

use crate::load::interval;
use crate::replay::{Speed, Tolerance};
use crate::{Error, Result};

/// A number, or "max".
#[derive(Clone, Copy)]
pub(in crate::python) struct SpeedArgument(pub(super) Speed);

impl<'py> FromPyObject<'_, 'py> for SpeedArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<SpeedArgument> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(SpeedArgument(text.to_cow()?.parse::<Speed>()?));
        }
        match object.extract::<f64>() {
            Ok(factor) => Ok(SpeedArgument(Speed::factor(factor)?)),
            Err(_) => Err(no(object, "a speed is a number or \"max\"")),
        }
    }
}

/// Messages a second, as the time from one to the next.
pub(in crate::python) struct RateArgument(pub(super) Duration);

impl<'py> FromPyObject<'_, 'py> for RateArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<RateArgument> {
        Ok(RateArgument(interval(object.extract()?)?))
    }
}

/// A str that stands for one thing of several.
#[derive(Default)]
pub(in crate::python) struct Word<T>(pub(super) T);

impl<'py, T: FromStr<Err = Error>> FromPyObject<'_, 'py> for Word<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Word<T>> {
        match object.cast::<PyString>() {
            Ok(text) => Ok(Word(text.to_cow()?.parse()?)),
            Err(_) => Err(no(object, "it is said by a str")),
        }
    }
}

/// A str, or an iterable of them: a rule each.
pub(in crate::python) struct Spelled<T>(pub(super) Vec<T>);

/// None.
impl<T> Default for Spelled<T> {
    fn default() -> Spelled<T> {
        Spelled(Vec::new())
    }
}

impl<'py, T: FromStr<Err = Error>> FromPyObject<'_, 'py> for Spelled<T> {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Spelled<T>> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Spelled(vec![text.to_cow()?.parse()?]));
        }
        let Ok(given) = object.try_iter() else {
            return Err(no(object, "a rule is a str, and rules are an iterable of str"));
        };
        let read = |one: PyResult<Bound<'py, PyAny>>| {
            let one = one?;
            match one.cast::<PyString>() {
                Ok(text) => Ok(text.to_cow()?.parse::<T>()?),
                Err(_) => Err(no(one.as_borrowed(), "a rule is a str")),
            }
        };
        given.map(read).collect::<PyResult<_>>().map(Spelled)
    }
}

/// A mapping of paths to amounts, or "PATH=N", or an iterable of that.
#[derive(Default)]
pub(in crate::python) struct ToleranceArgument(pub(super) Vec<Tolerance>);

impl<'py> FromPyObject<'_, 'py> for ToleranceArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<ToleranceArgument> {
        let Ok(mapping) = object.cast::<PyMapping>() else {
            return Ok(ToleranceArgument(object.extract::<Spelled<Tolerance>>()?.0));
        };
        let mut tolerances = Vec::new();
        for item in mapping.items()? {
            let (path, amount): (String, f64) = item.extract()?;
            tolerances.push(format!("{path}={amount}").parse::<Tolerance>()?);
        }
        Ok(ToleranceArgument(tolerances))
    }
}

/// Refuses two arguments that exclude each other.
///
/// # Errors
/// [`Error::Usage`] if both are given.
pub(super) fn either(one: (&str, bool), other: (&str, bool)) -> Result<()> {
    match one.1 && other.1 {
        true => Err(Error::Usage(format!("{} and {} exclude each other", one.0, other.0))),
        false => Ok(()),
    }
}

/// The TypeError of something that is not what is wanted.
fn no(object: Borrowed<'_, '_, PyAny>, wanted: &str) -> PyErr {
    match object.get_type().fully_qualified_name() {
        Ok(name) => PyTypeError::new_err(format!("{wanted}, not {name}")),
        Err(error) => error,
    }
}
