//! Framings: where in a side's bytes one message ends and the next begins.

mod cutter;

use std::fmt;
use std::time::Duration;

pub(super) use cutter::{Cut, Cutter, HALF, too_long};

use super::text::Encoding;

/// The longest message, in bytes, that nobody asked to be otherwise; a longer one is a
/// [`Limit`](super::FaultKind::Limit) fault.
pub const MAXIMUM_LENGTH: usize = 64 << 20;

/// How a side's bytes are cut into messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Framing {
    /// A message per chunk: a read of a live source, what a segment added of a capture.
    Chunk,
    /// A message ends with `\n` or `\r\n`.
    Line,
    /// A length of fixed width stands before each message; it does not count itself.
    Prefix(Prefix),
    /// A protobuf varint with the length stands before each message, as `writeDelimitedTo` writes.
    Varint,
    /// A message ends where nothing comes for so long.
    Idle(Duration),
    /// `self`: the codec knows its own end.
    Codec,
    /// A protobuf message ends where its schema says that another has begun.
    Guess,
}

/// The fixed-width length prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefix {
    /// One byte.
    U8,
    /// Two bytes, most significant first.
    U16Be,
    /// Two bytes, least significant first.
    U16Le,
    /// Four bytes, most significant first.
    U32Be,
    /// Four bytes, least significant first.
    U32Le,
    /// Eight bytes, most significant first.
    U64Be,
    /// Eight bytes, least significant first.
    U64Le,
}

impl Framing {
    /// The framings without a number in their spelling, as help and errors list them.
    pub(super) const PLAIN: [Framing; 12] = [
        Framing::Chunk,
        Framing::Line,
        Framing::Prefix(Prefix::U8),
        Framing::Prefix(Prefix::U16Be),
        Framing::Prefix(Prefix::U16Le),
        Framing::Prefix(Prefix::U32Be),
        Framing::Prefix(Prefix::U32Le),
        Framing::Prefix(Prefix::U64Be),
        Framing::Prefix(Prefix::U64Le),
        Framing::Varint,
        Framing::Codec,
        Framing::Guess,
    ];

    /// The framing of this spelling, or why there is none.
    pub(super) fn parse(spelling: &str) -> Result<Framing, String> {
        if let Some(framing) = Framing::PLAIN.iter().find(|known| known.to_string() == spelling) {
            return Ok(*framing);
        }
        if let Some(milliseconds) = spelling.strip_prefix("idle=") {
            return match milliseconds.parse() {
                Ok(n) if (1..=3_600_000).contains(&n) => {
                    Ok(Framing::Idle(Duration::from_millis(n)))
                }
                _ => Err("idle= takes milliseconds from 1 to 3600000, as in idle=50".to_owned()),
            };
        }
        let known: Vec<_> = Framing::PLAIN.iter().map(Framing::to_string).collect();
        Err(format!("no framing is called {spelling:?}; there are {}, idle=MS", known.join(", ")))
    }

    /// Whether a message's end stands in the bytes themselves, however they come.
    pub fn is_delimited(self) -> bool {
        match self {
            Framing::Line | Framing::Prefix(_) | Framing::Varint | Framing::Codec => true,
            Framing::Chunk | Framing::Idle(_) | Framing::Guess => false,
        }
    }

    /// What `message` holds, as [`wrap`](Framing::wrap) made it.
    pub(crate) fn unwrap(self, message: &[u8]) -> &[u8] {
        let header = match self {
            Framing::Prefix(prefix) => prefix.width(),
            Framing::Varint => message.iter().take_while(|byte| **byte >= 0x80).count() + 1,
            _ => 0,
        };
        let body = message.get(header..).unwrap_or_default();
        match (self, body.strip_suffix(b"\n")) {
            (Framing::Line, Some(line)) => line.strip_suffix(b"\r").unwrap_or(line),
            _ => body,
        }
    }

    /// A message of at most `limit` bytes as this framing sends it, or why it cannot. Lines end as they do
    /// in this encoding.
    pub(super) fn wrap(
        self,
        body: Vec<u8>,
        encoding: Encoding,
        limit: usize,
    ) -> Result<Vec<u8>, String> {
        if body.len() > limit {
            return Err(format!(
                "it takes {} bytes; a message may have {limit} at most",
                body.len()
            ));
        }
        match self {
            Framing::Chunk | Framing::Idle(_) | Framing::Codec | Framing::Guess => Ok(body),
            Framing::Line => encoding.terminated(body),
            Framing::Varint => {
                let mut wrapped = Vec::with_capacity(body.len() + 5);
                prost::encoding::encode_varint(body.len() as u64, &mut wrapped);
                wrapped.extend_from_slice(&body);
                Ok(wrapped)
            }
            Framing::Prefix(prefix) => {
                let mut wrapped = prefix.write(body.len() as u64).ok_or_else(|| {
                    format!("it takes {} bytes, more than {self} can announce", body.len())
                })?;
                wrapped.extend_from_slice(&body);
                Ok(wrapped)
            }
        }
    }
}

impl Prefix {
    /// How many bytes it takes.
    pub fn width(self) -> usize {
        match self {
            Prefix::U8 => 1,
            Prefix::U16Be | Prefix::U16Le => 2,
            Prefix::U32Be | Prefix::U32Le => 4,
            Prefix::U64Be | Prefix::U64Le => 8,
        }
    }

    fn is_little_endian(self) -> bool {
        matches!(self, Prefix::U16Le | Prefix::U32Le | Prefix::U64Le)
    }

    /// The length that `bytes`, [`width`](Prefix::width) of them, announce.
    fn read(self, bytes: &[u8]) -> u64 {
        let join = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.is_little_endian() {
            bytes.iter().rev().fold(0, join)
        } else {
            bytes.iter().fold(0, join)
        }
    }

    /// The bytes that announce `length`; `None` if it does not fit.
    fn write(self, length: u64) -> Option<Vec<u8>> {
        let width = self.width();
        if width < 8 && length >> (8 * width) != 0 {
            return None;
        }
        let bytes = length.to_be_bytes();
        let mut bytes = bytes[8 - width..].to_vec();
        if self.is_little_endian() {
            bytes.reverse();
        }
        Some(bytes)
    }
}

/// The spelling in a format: `chunk`, `u32be`, `idle=50`.
impl fmt::Display for Framing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Framing::Chunk => f.write_str("chunk"),
            Framing::Line => f.write_str("line"),
            Framing::Prefix(prefix) => prefix.fmt(f),
            Framing::Varint => f.write_str("varint"),
            Framing::Idle(pause) => write!(f, "idle={}", pause.as_millis()),
            Framing::Codec => f.write_str("self"),
            Framing::Guess => f.write_str("guess"),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Prefix::U8 => "u8",
            Prefix::U16Be => "u16be",
            Prefix::U16Le => "u16le",
            Prefix::U32Be => "u32be",
            Prefix::U32Le => "u32le",
            Prefix::U64Be => "u64be",
            Prefix::U64Le => "u64le",
        })
    }
}
