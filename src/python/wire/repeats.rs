//! What calls of validated recipes may copy again and again.
//!
//! A few bytes of a pickle fetch a text of megabytes from its memo, and each call that is given it makes
//! its own of it. The first use of anything is paid for by its bytes in the pickle; others are counted.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PySet, PyString, PyTuple};

use super::super::error::decode_error;
use crate::wire::value::NodeId;
use crate::wire::{Fault, FaultKind};

/// How much there may be of it in a message, in bytes of text.
const MOST: usize = 64 << 20;
/// What is smaller is not worth counting, in bytes of text.
const SMALL: usize = 32;
/// What an element of a container takes, in the same measure.
const ELEMENT: usize = 32;

pub(super) struct Repeats {
    used: HashSet<NodeId>,
    left: usize,
}

impl Default for Repeats {
    fn default() -> Repeats {
        Repeats { used: HashSet::new(), left: MOST }
    }
}

impl Repeats {
    /// One call is given this argument.
    ///
    /// # Errors
    /// DecodeError of a limit, at the call's place, if that is too much by now.
    pub(super) fn count(
        &mut self,
        node: NodeId,
        argument: &Bound<'_, PyAny>,
        at: usize,
    ) -> PyResult<()> {
        let weight = weight(argument)?;
        if weight <= SMALL || self.used.insert(node) {
            return Ok(());
        }
        match self.left.checked_sub(weight) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let words = "calls are given the same data again and again";
                Err(decode_error(argument.py(), &Fault::new(FaultKind::Limit, at, words)))
            }
        }
    }
}

fn weight(argument: &Bound<'_, PyAny>) -> PyResult<usize> {
    if let Ok(text) = argument.cast_exact::<PyString>() {
        return text.len();
    }
    if let Ok(bytes) = argument.cast_exact::<PyBytes>() {
        return bytes.len();
    }
    if argument.is_exact_instance_of::<PyInt>() {
        // Arithmetic takes longer than reading does.
        return match argument.extract::<i64>() {
            Ok(_) => Ok(0),
            Err(_) => argument.call_method0("bit_length")?.extract(),
        };
    }
    let is_container = argument.is_exact_instance_of::<PyList>()
        || argument.is_exact_instance_of::<PyTuple>()
        || argument.is_exact_instance_of::<PyDict>()
        || argument.is_exact_instance_of::<PySet>();
    Ok(if is_container { argument.len()?.saturating_mul(ELEMENT) } else { 0 })
}
