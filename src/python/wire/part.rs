//! Messages of a stream that lies in memory, each looked into when it is asked for.
//!
//! Thousands of small messages cost more to keep than to read: of those whose fields are scalars alone,
//! the dict is made from the bytes, with nothing in between.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFloat, PyString};

use super::codec::numbered;
use super::pickle::Bytes;
use crate::message::Message;
use crate::session::Timestamp;
use crate::wire::protobuf::{MessageType, Scalar};
use crate::wire::{Arrival, Codec, Decoded, Decoder, Format, Piece, pieces};

/// What all messages of a stream have in common.
struct Stream {
    bytes: Bytes,
    format: Format,
    message: MessageType,
    /// By field.
    names: Vec<Py<PyString>>,
    time: Timestamp,
}

/// One message of a stream.
#[derive(Clone)]
pub(in crate::python) struct Part {
    stream: Arc<Stream>,
    piece: Piece,
    index: u64,
}

impl Part {
    /// The messages that `bytes` are, if they are whole Protocol Buffers messages with lengths before them,
    /// and their fields are scalars.
    pub(super) fn all(
        py: Python<'_>,
        bytes: &Bytes,
        format: &Format,
    ) -> Option<impl ExactSizeIterator<Item = Part> + use<>> {
        let Codec::Protobuf(Some(message)) = format.codec() else { return None };
        if !message.is_flat() {
            return None;
        }
        let pieces = py.detach(|| pieces(format, bytes.as_slice()))?;
        let names = message.field_names().map(|name| PyString::intern(py, name).unbind());
        let stream = Arc::new(Stream {
            bytes: bytes.share(py),
            names: names.collect(),
            message: message.clone(),
            format: format.clone(),
            time: Timestamp::now(),
        });
        let part =
            move |(index, piece)| Part { stream: stream.clone(), piece, index: index as u64 };
        Some(pieces.into_iter().enumerate().map(part))
    }

    /// Its bytes, with its length.
    fn raw(&self) -> &[u8] {
        &self.stream.bytes.as_slice()[self.piece.start..][..self.piece.length as usize]
    }

    /// The whole message, as a decoder gives it.
    pub(in crate::python) fn message(&self) -> Message {
        let mut said: Option<Decoded> = None;
        let arrival = Arrival { at: self.stream.time, frame: None };
        let mut decoder = Decoder::new(&self.stream.format);
        decoder.push(arrival, self.raw(), &mut |one| said = Some(one));
        // The same cutter has found it in these bytes.
        let decoded = said.expect("a whole message is one");
        numbered(Decoded { offset: self.piece.start as u64, ..decoded }, self.index)
    }

    /// Its value, if it is one that is written as canonical encoders write it.
    pub(in crate::python) fn value<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let dict = PyDict::new(py);
        let names = &self.stream.names;
        let body = &self.raw()[self.piece.header as usize..];
        let is_whole = self.stream.message.flat(body, |place, scalar| {
            let name = names[place].bind(py);
            match scalar {
                Scalar::Int(integer) => dict.set_item(name, integer),
                Scalar::Unsigned(integer) => dict.set_item(name, integer),
                Scalar::Bool(truth) => dict.set_item(name, truth),
                Scalar::Float(float) => dict.set_item(name, PyFloat::new(py, float)),
                Scalar::Str(text) => dict.set_item(name, text),
                Scalar::Bytes(bytes) => dict.set_item(name, PyBytes::new(py, bytes)),
            }
        })?;
        Ok(is_whole.then_some(dict))
    }
}
