//! What was sent at one go, put together again where only packets or reads parted it.

use std::time::Duration;

use crate::message::Message;
use crate::session::Timestamp;
use crate::wire::{Codec, Framing, Value};

/// The least that a full packet holds, in bytes: what TCP takes for granted (RFC 9293, 3.7.1).
const FULL: usize = 536;
/// How soon the rest of what was sent at one go follows.
const AT_ONCE: Duration = Duration::from_millis(1);
/// The most that is put together, in bytes.
const MOST: usize = 1 << 20;

/// The pieces of each side of a connection, as far as they came.
#[derive(Debug, Default)]
pub(super) struct Pieces([Piece; 2]);

#[derive(Debug, Default)]
struct Piece {
    last: usize,
    largest: usize,
    at: Timestamp,
}

impl Pieces {
    /// Takes note of a message, and says whether it only goes on with `before`, the one before it of
    /// its side: nothing but the size of a packet or a read parted the two. Of formats that know their
    /// messages none does.
    pub(super) fn goes_on(&mut self, before: Option<&Message>, message: &Message) -> bool {
        let piece = &mut self.0[message.side.index()];
        let goes_on = before.is_some_and(|before| {
            is_of_bytes(message)
                && piece.last >= FULL
                && piece.last == piece.largest
                && before.offset + before.raw.len() as u64 == message.offset
                && before.raw.len() < MOST
                && message.time.since(piece.at) < AT_ONCE
        });
        piece.last = message.raw.len();
        piece.largest = piece.largest.max(piece.last);
        piece.at = message.time;
        goes_on
    }
}

/// Gives a message that was put together its whole value.
pub(super) fn complete(message: &mut Message) {
    let known = message.body.as_ref().ok().and_then(|value| value.as_bytes(value.root()));
    if is_of_bytes(message) && known.is_some_and(|known| known.len() != message.raw.len()) {
        message.body = Ok(Value::bytes(&message.raw));
    }
}

fn is_of_bytes(message: &Message) -> bool {
    *message.format.codec() == Codec::Raw && message.format.framing() == Framing::Chunk
}
