//! Values as Python's own objects and back, pickles, and the built-in Protocol Buffers message.

mod allow;
pub(super) mod audit;
mod call;
mod choice;
mod classes;
mod codec;
mod crowd;
mod failure;
mod from_python;
mod leaf;
mod making;
mod name;
mod opaque;
mod out_of_band;
mod part;
mod pickle;
mod refused;
mod repeats;
mod settings;
mod state;
mod stream;
mod telemetry;
mod to_python;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

pub(super) use allow::{Allow, Recipe};
pub(super) use choice::{Named, Schema, SchemaArgument};
pub(super) use classes::Classes;
pub(super) use codec::{decode, encode};
pub(super) use from_python::from_python;
pub(super) use making::{Decoder, Making};
pub(super) use opaque::Opaque;
pub(super) use part::Part;
pub(super) use pickle::{dump, dumps, load, loads};
pub(super) use settings::{LimitsArgument, settings};
pub(super) use telemetry::TempEvent;
pub(super) use to_python::to_python;

use crate::wire::{self, Codec, Format, wrap};

/// The bytes of one message that says what `object` does.
///
/// # Errors
/// TypeError for a type that the format has no value for, UsageError for a value it cannot carry.
pub(super) fn message_bytes(format: &Format, object: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let expected = match format.codec() {
        Codec::Text(_) if !object.is_exact_instance_of::<PyString>() => "a str",
        Codec::Raw => {
            let bytes = pickle::Bytes::extract(object.as_borrowed())
                .map_err(|_| not_that(format, "bytes", object))?;
            return Ok(wrap(format, bytes.as_slice().to_vec())?);
        }
        Codec::Protobuf(message) if !object.is_exact_instance_of::<PyDict>() => {
            let name = message.as_ref().map(|message| message.name());
            match serialized(object, name)? {
                Some(body) => return Ok(wrap(format, body)?),
                None => "a dict by field names or a generated message",
            }
        }
        _ => return Ok(wire::encode(format, &from_python(object)?)?),
    };
    Err(not_that(format, expected, object))
}

/// The bytes of a generated message, which must be the one called `name`.
fn serialized(object: &Bound<'_, PyAny>, name: Option<&str>) -> PyResult<Option<Vec<u8>>> {
    let Some(serialize) = object.getattr_opt("SerializeToString")? else { return Ok(None) };
    let own = match object.getattr_opt("DESCRIPTOR")? {
        Some(descriptor) => Some(descriptor.getattr("full_name")?.extract::<String>()?),
        None if object.is_exact_instance_of::<TempEvent>() => Some(TempEvent::NAME.to_owned()),
        None => None,
    };
    if let (Some(own), Some(name)) = (own, name)
        && own != name
    {
        return Err(PyTypeError::new_err(format!(
            "the format says {name}, the message is a {own}"
        )));
    }
    Ok(Some(serialize.call0()?.cast_into::<PyBytes>()?.as_bytes().to_vec()))
}

fn not_that(format: &Format, expected: &str, object: &Bound<'_, PyAny>) -> PyErr {
    match object.get_type().fully_qualified_name() {
        Ok(name) => PyTypeError::new_err(format!("a {format} message is {expected}, not {name}")),
        Err(error) => error,
    }
}
