//! Keys that collide: Python's hashes of numbers are no secret, and a peer can choose as many with one
//! hash as it likes. Each that is added is compared with all before it.

use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::super::error::decode_error;
use crate::wire::{Fault, FaultKind};

/// So many keys of one container may have the same hash.
pub(super) const MOST: usize = 256;

/// How many keys of a container have each hash.
#[derive(Default)]
pub(super) struct Crowd(HashMap<isize, usize>);

impl Crowd {
    /// For a container of so many keys, if they could be too many.
    pub(super) fn of(keys: usize) -> Option<Crowd> {
        (keys > MOST).then(Crowd::default)
    }

    /// Counts a key.
    ///
    /// # Errors
    /// DecodeError of the kind limit for one too many; what hashing it raises.
    pub(super) fn add(&mut self, key: &Bound<'_, PyAny>) -> PyResult<()> {
        // Hashes of text and bytes are secret.
        if key.is_exact_instance_of::<PyString>() || key.is_exact_instance_of::<PyBytes>() {
            return Ok(());
        }
        let count = self.0.entry(key.hash()?).or_insert(0);
        *count += 1;
        if *count <= MOST {
            return Ok(());
        }
        let message = format!("more than {MOST} keys that collide");
        Err(decode_error(key.py(), &Fault::new(FaultKind::Limit, 0, message)))
    }
}
