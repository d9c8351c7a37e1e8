//! Bytes to messages and values to bytes, without a connection: what the commands `decode` and `encode` do.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use super::super::message::Message;
use super::super::net::Seconds;
use super::choice::{Named, SchemaArgument};
use super::classes::Classes;
use super::making::{Decoder, Making};
use super::part::Part;
use super::pickle::Bytes;
use super::{Allow, LimitsArgument, from_python, message_bytes, settings};
use crate::message;
use crate::session::{ConnectionId, Side, Timestamp};
use crate::wire::{self, Arrival, Decoded, Format, Settings, encode_with_unknown};

/// So much is decoded before a signal is looked for, where it does not matter how bytes come.
const PIECE: usize = 1 << 20;

/// The messages in `data`, as a list: the bytes of one side, as if they had come in one read.
///
/// `format` and the other arguments are those of open. A message that cannot be decoded has `error` set, as
/// any other. Raises FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (data, format, *, schema = None, message_type = None, decoder = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, allow = None), text_signature = "(data, format, *, schema=None, message_type=None, decoder=None, guess_window=0.005, limits=None, resync=False, allow=None)")]
#[expect(clippy::too_many_arguments, reason = "they are those of Python's function")]
pub(in crate::python) fn decode<'py>(
    py: Python<'py>,
    data: Bytes,
    format: &str,
    schema: Option<SchemaArgument>,
    message_type: Option<Classes>,
    decoder: Option<Decoder>,
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
    allow: Option<Allow>,
) -> PyResult<Bound<'py, PyList>> {
    let named = Named { format: Some(format), schema, ..Named::default() };
    let choice = named.choice(settings(guess_window, limits, resync)?, message_type.as_ref())?;
    let making = Making::new(allow, message_type, decoder)?;
    let formats = making.read_as(choice.of_capture(None, &Format::auto()))?;
    let format = formats.of_others().of(Side::Client);
    let making = Arc::new(making);
    if making.is_plain()
        && let Some(parts) = Part::all(py, &data, format)
    {
        return PyList::new(py, parts.map(|part| Message::part(part, making.clone())));
    }
    let bytes = data.as_slice();
    let size = if format.is_delimited() { PIECE } else { bytes.len().max(1) };
    let arrival = Arrival { at: Timestamp::now(), frame: None };
    let mut decoder = wire::Decoder::new(format);
    let mut messages = Vec::new();
    for piece in bytes.chunks(size) {
        py.detach(|| decoder.push(arrival, piece, &mut |one| messages.push(one)));
        py.check_signals()?;
    }
    py.detach(|| decoder.end(&mut |one| messages.push(one)));
    let messages = messages.into_iter().enumerate();
    let message = |(index, one)| Message::new(numbered(one, index as u64), making.clone());
    PyList::new(py, messages.map(message))
}

/// The message of this number of a client.
pub(super) fn numbered(decoded: Decoded, index: u64) -> message::Message {
    let Decoded { offset, arrival, raw, format, split, body, unknown } = decoded;
    message::Message {
        connection: ConnectionId(0),
        side: Side::Client,
        index,
        time: arrival.at,
        offset,
        frame: arrival.frame,
        format,
        split,
        raw,
        body,
        unknown,
    }
}

/// The bytes of one message that says `value`, with its length or line end.
///
/// `unknown` are Protocol Buffers fields that the schema does not know, as a message's `unknown` has them; they
/// are written behind the others of their message. Raises FormatError, TypeError for a type that the format
/// has no value for, UsageError for a value that it cannot carry.
#[pyfunction]
#[pyo3(signature = (value, format, *, unknown = None, schema = None))]
pub(in crate::python) fn encode<'py>(
    py: Python<'py>,
    value: &Bound<'py, PyAny>,
    format: &str,
    unknown: Option<&Bound<'py, PyAny>>,
    schema: Option<SchemaArgument>,
) -> PyResult<Bound<'py, PyBytes>> {
    let named = Named { schema, ..Named::default() };
    let format = named.choice(Arc::default(), None)?.parse(format)?;
    let bytes = match unknown {
        None => message_bytes(&format, value)?,
        Some(unknown) => {
            encode_with_unknown(&format, &from_python(value)?, Some(&from_python(unknown)?))?
        }
    };
    Ok(PyBytes::new(py, &bytes))
}
