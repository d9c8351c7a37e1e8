//! The keywords that choose connections and messages: what of captures is meant.

use std::fmt::Display;
use std::str::FromStr;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDateTime, PyFloat, PyInt, PyString, PyTzInfo};

use super::error::Exception;
use crate::replay::Condition;
use crate::session::{Moment, Network, Selection, Side, Timestamp};

/// A keyword's value, as it was given.
type Given<'py> = Option<Bound<'py, PyAny>>;

/// Which connections are meant, and when.
#[derive(Default)]
pub(super) struct SelectionKeywords<'py> {
    /// An int, or an iterable of them.
    pub(super) connection: Given<'py>,
    /// An int, or an iterable of them.
    pub(super) port: Given<'py>,
    /// An address or a network as str or of `ipaddress`, or an iterable of them.
    pub(super) host: Given<'py>,
    /// An aware datetime, a str as the command takes it, or seconds since 1970.
    pub(super) since: Given<'py>,
    /// The same.
    pub(super) until: Given<'py>,
}

impl SelectionKeywords<'_> {
    /// What is selected.
    ///
    /// # Errors
    /// TypeError for what is of another type, UsageError for what makes no sense.
    pub(super) fn selection(&self) -> PyResult<Selection> {
        Ok(Selection {
            connections: several(self.connection.as_ref(), "connection", connection)?,
            ports: several(self.port.as_ref(), "port", port)?,
            hosts: several(self.host.as_ref(), "host", host)?,
            side: None,
            since: self.since.as_ref().map(|given| moment(given, "since")).transpose()?,
            until: self.until.as_ref().map(|given| moment(given, "until")).transpose()?,
        })
    }
}

/// "client" or "server".
///
/// # Errors
/// UsageError for another one.
pub(super) fn side(py: Python<'_>, given: &str) -> PyResult<Side> {
    let side = Side::BOTH.into_iter().find(|side| side.name() == given);
    side.ok_or_else(|| no(py, "side", format_args!("{given:?} is none; it is client or server")))
}

/// What values have to be.
///
/// # Errors
/// UsageError for what is no condition.
pub(super) fn condition(py: Python<'_>, given: &str) -> PyResult<Condition> {
    parsed(py, "where", given)
}

/// One, or an iterable of them.
fn several<T>(
    given: Option<&Bound<'_, PyAny>>,
    keyword: &str,
    one: fn(&Bound<'_, PyAny>) -> PyResult<Option<T>>,
) -> PyResult<Vec<T>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    if let Some(single) = one(given)? {
        return Ok(vec![single]);
    }
    if given.is_instance_of::<PyString>() || given.getattr_opt("__iter__")?.is_none() {
        return Err(wrong_type(keyword, given));
    }
    let item = |item: PyResult<Bound<'_, PyAny>>| {
        let item = item?;
        one(&item)?.ok_or_else(|| wrong_type(keyword, &item))
    };
    let all: Vec<T> = given.try_iter()?.map(item).collect::<PyResult<_>>()?;
    match all.is_empty() {
        // None of them would choose nothing, and an empty selection chooses all.
        true => Err(no(given.py(), keyword, "it is empty; leave it out to choose all")),
        false => Ok(all),
    }
}

fn connection(given: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
    number(given, "connection", "connections are numbered from 0")
}

fn port(given: &Bound<'_, PyAny>) -> PyResult<Option<u16>> {
    number(given, "port", "ports are 0 to 65535")
}

/// A number; `None` of another type.
fn number<T: TryFrom<u64>>(
    given: &Bound<'_, PyAny>,
    keyword: &str,
    range: &str,
) -> PyResult<Option<T>> {
    if !given.is_instance_of::<PyInt>() {
        return Ok(None);
    }
    let number = given.extract::<u64>().ok().and_then(|number| T::try_from(number).ok());
    let words = || no(given.py(), keyword, format_args!("{given} is none; {range}"));
    number.ok_or_else(words).map(Some)
}

/// An address or a network; `None` of another type.
fn host(given: &Bound<'_, PyAny>) -> PyResult<Option<Network>> {
    // What all classes of ipaddress have; a network of it is an iterable of its addresses.
    if !given.is_instance_of::<PyString>() && !given.hasattr("max_prefixlen")? {
        return Ok(None);
    }
    parsed(given.py(), "host", &given.str()?.to_cow()?).map(Some)
}

fn moment(given: &Bound<'_, PyAny>, keyword: &str) -> PyResult<Moment> {
    let py = given.py();
    if let Ok(text) = given.cast::<PyString>() {
        return parsed(py, keyword, &text.to_cow()?);
    }
    let nanoseconds = if given.is_instance_of::<PyDateTime>() {
        since_epoch(given, keyword)?
    } else if given.is_instance_of::<PyInt>() {
        given.extract::<i64>().unwrap_or(i64::MAX).checked_mul(1_000_000_000)
    } else if given.is_instance_of::<PyFloat>() {
        let nanoseconds = (given.extract::<f64>()? * 1e9).round();
        // Both bounds are no i64, but the next floats are.
        let is_in_range = nanoseconds.abs() < i64::MAX as f64;
        is_in_range.then_some(nanoseconds as i64)
    } else {
        return Err(wrong_type(keyword, given));
    };
    let words = "is out of range; write seconds since 1970, up to the year 2262";
    let refused = || no(py, keyword, format_args!("{given} {words}"));
    nanoseconds.map(|time| Moment::At(Timestamp(time))).ok_or_else(refused)
}

/// Nanoseconds since 1970; of a year too far away, the nearest that there is.
fn since_epoch(given: &Bound<'_, PyAny>, keyword: &str) -> PyResult<Option<i64>> {
    let py = given.py();
    if given.call_method0("utcoffset")?.is_none() {
        // The standard library takes it for local time, the str of it would be UTC.
        let words = "the datetime has no time zone; give it one, as tzinfo=datetime.UTC";
        return Err(no(py, keyword, words));
    }
    let utc = PyTzInfo::utc(py)?.to_owned();
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    let distance = given.sub(epoch)?;
    let part = |name: &str| distance.getattr(name)?.extract::<i64>();
    // A datetime's days are few enough for all of this.
    let seconds = part("days")? * 86_400 + part("seconds")?;
    let nanoseconds = seconds.saturating_mul(1_000_000_000);
    Ok(Some(nanoseconds.saturating_add(part("microseconds")? * 1000)))
}

/// What `given` spells.
fn parsed<T: FromStr<Err = crate::Error>>(
    py: Python<'_>,
    keyword: &str,
    given: &str,
) -> PyResult<T> {
    given.parse().map_err(|error| no(py, keyword, error))
}

/// The UsageError of a keyword.
fn no(py: Python<'_>, keyword: &str, why: impl Display) -> PyErr {
    Exception::Usage.with(py, format!("{keyword}: {why}"))
}

/// The TypeError of a keyword.
fn wrong_type(keyword: &str, given: &Bound<'_, PyAny>) -> PyErr {
    let wanted = match keyword {
        "connection" => "the number of a connection, or an iterable of them",
        "port" => "an int, or an iterable of them",
        "host" => "a str or an object of ipaddress, or an iterable of them",
        _ => "a datetime, a str, or a number of seconds since 1970",
    };
    match given.get_type().fully_qualified_name() {
        Ok(name) => PyTypeError::new_err(format!("{keyword} is {wanted}, not {name}")),
        Err(error) => error,
    }
}
