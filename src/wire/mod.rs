//! Bytes in, values out: framings cut a side's bytes into messages, codecs make them values.
//!
//! Everything here is sans-I/O: it knows neither sockets nor captures nor a clock, takes slices and
//! times, and returns values. What comes from a peer is bounded in memory and never run.
//!
//! | item | what it does |
//! | --- | --- |
//! | [`Format`] | says how bytes are cut and read; parsed from its spelling |
//! | [`Settings`] | how far a guess may go, and what a peer may take |
//! | [`Decoder`] | one side's bytes, as they come, to messages |
//! | [`encode`] | a value to a message's bytes |
//! | [`Value`] | what all codecs decode to |
//! | [`json`] | values to JSON and back |
//! | [`detect()`] | names the format of bytes that nobody named |

mod decoded;
mod decoder;
mod detect;
mod fault;
mod format;
pub mod framing;
mod held;
pub mod json;
pub mod pickle;
#[cfg(feature = "python")]
mod pieces;
mod pool;
pub mod protobuf;
mod search;
mod settings;
mod text;
pub mod value;
mod visible;

pub use decoded::{Arrival, Decoded, Split};
pub use decoder::Decoder;
pub use detect::detect;
pub(crate) use detect::{Detector, Next, Verdict};
pub use fault::{Fault, FaultKind};
pub use format::{Codec, Format};
pub use framing::{Framing, Prefix};
pub use pickle::{Limit, Limits};
#[cfg(feature = "python")]
pub(crate) use pieces::{Piece, pieces};
pub use pool::Pool;
pub use settings::Settings;
pub use text::Encoding;
pub use value::Value;
pub use visible::visible;

use crate::Result;

/// The bytes of one message that carries `value`, prefix or terminator included.
///
/// # Errors
/// [`Error::Value`](crate::Error::Value) if the format cannot carry the value, with the place in it;
/// [`Error::Format`](crate::Error::Format) for `auto`, which only reads.
pub fn encode(format: &Format, value: &Value) -> Result<Vec<u8>> {
    encode_with_unknown(format, value, None)
}

/// The same of a message that also has fields its schema does not know, as
/// [`Decoded::unknown`] gives them.
///
/// # Errors
/// As [`encode`], and [`Error::Value`](crate::Error::Value) for unknown fields that have no place in the
/// value, or where the format has no such fields.
pub fn encode_with_unknown(
    format: &Format,
    value: &Value,
    unknown: Option<&Value>,
) -> Result<Vec<u8>> {
    wrap(format, format.encode_body(value, unknown)?)
}

/// The bytes of one message of which `body` is what the codec writes, with its prefix or terminator.
///
/// # Errors
/// [`Error::Value`](crate::Error::Value) if the framing cannot carry it.
pub fn wrap(format: &Format, body: Vec<u8>) -> Result<Vec<u8>> {
    let longest = format.settings().limits.longest();
    let encoding = format.codec().encoding();
    format.framing().wrap(body, encoding, longest).map_err(|reason| format.refuse(reason))
}
