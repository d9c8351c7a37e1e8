//! What a decoder says: a message, where it was found and what it holds.

use super::{Fault, Format, Value};
use crate::session::{Frame, Timestamp};

/// When and by which frame of a capture bytes came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// When.
    pub at: Timestamp,
    /// The capture's frame; `None` when live.
    pub frame: Option<Frame>,
}

/// A message, whether or not it could be decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Where it begins in the side's bytes, from 0.
    pub offset: u64,
    /// How the chunk came in which it was complete.
    pub arrival: Arrival,
    /// Its bytes, prefix and terminator included.
    pub raw: Vec<u8>,
    /// The format it was read in: not the one asked for where that was `auto`, or was given up.
    pub format: Format,
    /// Whether its ends are known.
    pub split: Split,
    /// Its value, or why it has none.
    pub body: Result<Value, Fault>,
    /// The fields that a protobuf schema does not know: a mapping by number, of fields inside other
    /// messages by path.
    pub unknown: Option<Value>,
}

/// Whether a message's ends are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// They are where the format says.
    Exact,
    /// They were concluded: by `guess`, or after missing or damaged bytes.
    Guessed,
}
