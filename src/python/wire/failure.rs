//! What somebody's code raised, as the error of a message whose bytes are in order.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::super::error::{decode_error, is_decode_error};
use super::opaque::Opaque;
use crate::wire::{Fault, FaultKind, visible};

/// How to get at a message that the list does not fit.
pub(super) const WITHOUT: &str = "read it without allow to have it as an Opaque";
/// The most characters of an exception's words that are shown.
const WORDS: usize = 200;

/// The DecodeError of what somebody's code raised, which is its cause. What is no Exception, like
/// KeyboardInterrupt, is raised as it is. The bytes are in order: they do not fit what was asked.
#[cold]
pub(super) fn failed(py: Python<'_>, at: usize, what: &str, error: PyErr, advice: &str) -> PyErr {
    if !error.is_instance_of::<PyException>(py) {
        return error;
    }
    if is_decode_error(py, &error) {
        return error;
    }
    let name = error.get_type(py).name().map(|name| name.to_string()).unwrap_or_default();
    let words = error.value(py).str().map(|words| words.to_string_lossy().into_owned());
    let words: String = words.unwrap_or_default().chars().take(WORDS).collect();
    // They may quote what a peer sent.
    let message = format!("{what}: {name}: {}; {advice}", visible(&words));
    let raised = decode_error(py, &Fault::new(FaultKind::Schema, at, message));
    raised.set_cause(py, Some(error));
    raised
}

/// The first argument that is made of nothing that the list has.
#[cold]
pub(super) fn unlisted(arguments: &[Bound<'_, PyAny>]) -> Option<String> {
    arguments.iter().enumerate().find_map(|(place, argument)| {
        let opaque = argument.cast_exact::<Opaque>().ok()?;
        let name = opaque.borrow().key(argument.py())?;
        Some(format!("argument {} is an Opaque of {name}, which allow does not have", place + 1))
    })
}
