//! Replaying: as the client, as the server, and the receipt.

mod receipt;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyString;

pub(super) use receipt::{ConnectionReceipt, Difference, Receipt};
pub(super) use server::{Serving, serve};

use super::net::{AddressArgument, Seconds};
use super::service;
use crate::Result;
use crate::capture::Reader;
use crate::replay::{self as core, Options, Script, Speed};
use crate::wire::Format;

/// Play the recorded client to the server at `to`; return what was done and found.
///
/// `speed` is how many times as fast as recorded, or "max"; `patience` how much longer than recorded the
/// server may take for anything, in seconds. Answers are compared by value where a format is given, or
/// the capture says its own, else by bytes. A server that cannot be reached is a failure of the receipt.
/// Raises OSError, CaptureError, FormatError.
#[pyfunction]
#[pyo3(signature = (path, to, *, speed = SpeedArgument(Speed::RECORDED), patience = Seconds(Options::PATIENCE), format = None), text_signature = "(path, to, *, speed=1.0, patience=5.0, format=None)")]
pub(super) fn replay(
    py: Python<'_>,
    path: PathBuf,
    to: AddressArgument,
    speed: SpeedArgument,
    patience: Seconds,
    format: Option<&str>,
) -> PyResult<Receipt> {
    let format = format.map(Format::parse).transpose()?;
    let options = options(speed, patience);
    let stop = options.stop.clone();
    let receipt = service::run(py, &stop, move || {
        let script = Arc::new(script(&path, format)?);
        service::runtime()?.block_on(core::replay(script, &to.0, &options))
    })?;
    Ok(Receipt::from(receipt))
}

/// A number, or "max".
pub(super) struct SpeedArgument(Speed);

impl<'py> FromPyObject<'_, 'py> for SpeedArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<SpeedArgument> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(SpeedArgument(text.to_cow()?.parse::<Speed>()?));
        }
        match object.extract::<f64>() {
            Ok(factor) => Ok(SpeedArgument(Speed::factor(factor)?)),
            Err(_) => {
                let name = object.get_type().name()?;
                Err(PyTypeError::new_err(format!("a speed is a number or \"max\", not {name}")))
            }
        }
    }
}

fn options(speed: SpeedArgument, patience: Seconds) -> Options {
    Options { speed: speed.0, patience: patience.0, ..Options::default() }
}

/// Reads a capture as the format given, else as recorded, else as bytes.
fn script(path: &Path, given: Option<Format>) -> Result<Script> {
    let mut reader = Reader::open(path)?;
    let recorded = || reader.origin().format().map(Format::parse);
    let format = match given {
        Some(format) => format,
        // A capture of a later version may name a format that this one does not know.
        None => {
            recorded().map_or_else(Format::raw, |known| known.unwrap_or_else(|_| Format::auto()))
        }
    };
    Script::read(format, |sink| reader.read_all(sink))
}
