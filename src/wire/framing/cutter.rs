//! The framings whose message ends stand in the bytes themselves.

use super::{Framing, Prefix};
use crate::wire::Fault;
use crate::wire::pickle::{Limits, Progress, Splitter};
use crate::wire::protobuf::scan;

/// What a [`Cutter`] found at the beginning of the pending bytes.
#[derive(Debug)]
pub enum Cut {
    /// Nothing whole yet.
    More,
    /// A whole message.
    Message {
        /// Its length in all.
        length: usize,
        /// How many bytes of prefix it begins with.
        header: usize,
        /// How many bytes of terminator it ends with.
        trailer: usize,
    },
    /// So many bytes belong to a message that is longer than allowed; the framing goes on after.
    Overlong {
        /// How many.
        length: usize,
    },
    /// No message begins here, and where the next one would is not known.
    Broken(Fault),
}

/// Cuts bytes into messages, looking at each byte once.
///
/// Invariant: `seen` bytes of the pending ones were looked at and hold no end.
pub struct Cutter {
    seen: usize,
    /// The longest message.
    limit: usize,
    kind: Kind,
}

enum Kind {
    Line {
        /// Whether the pending bytes continue a line that was given as overlong.
        overlong: bool,
    },
    Prefix(Prefix),
    Varint,
    Pickle(Box<Splitter>),
}

impl Cutter {
    /// A cutter at the beginning of a message; `None` where the framing is not in the bytes.
    pub fn new(framing: Framing, limits: &Limits) -> Option<Cutter> {
        let kind = match framing {
            Framing::Line => Kind::Line { overlong: false },
            Framing::Prefix(prefix) => Kind::Prefix(prefix),
            Framing::Varint => Kind::Varint,
            Framing::Codec => Kind::Pickle(Box::new(Splitter::new(limits))),
            Framing::Chunk | Framing::Idle(_) | Framing::Guess => return None,
        };
        Some(Cutter { seen: 0, limit: limits.longest(), kind })
    }

    /// Looks for a message's end in `pending`, which begins where the last message ended and holds
    /// at least what it held when [`Cut::More`] was answered.
    pub fn next(&mut self, pending: &[u8]) -> Cut {
        let cut = match &mut self.kind {
            Kind::Line { overlong } => line(pending, self.seen, self.limit, overlong),
            Kind::Prefix(prefix) => match pending.get(..prefix.width()) {
                None => Cut::More,
                Some(bytes) => prefixed(pending, prefix.width(), prefix.read(bytes), self.limit),
            },
            Kind::Varint => match scan::varint(pending, 0) {
                Ok(None) => Cut::More,
                Ok(Some((length, header))) => prefixed(pending, header, length, self.limit),
                Err(fault) => Cut::Broken(fault),
            },
            Kind::Pickle(splitter) => match splitter.feed(&pending[self.seen..]) {
                Progress::NeedMore => Cut::More,
                Progress::Complete { consumed } => {
                    Cut::Message { length: self.seen + consumed, header: 0, trailer: 0 }
                }
                Progress::Failed(fault) => Cut::Broken(fault),
            },
        };
        self.seen = if matches!(cut, Cut::More) { pending.len() } else { 0 };
        cut
    }

    /// Whether the framing finds message ends again after missing bytes, of itself.
    pub fn recovers(&self) -> bool {
        matches!(self.kind, Kind::Line { .. })
    }

    /// Whether what has begun is whole where the side ends: a line without its terminator is.
    pub fn ends_with_side(&self) -> bool {
        matches!(self.kind, Kind::Line { overlong: false })
    }
}

fn line(pending: &[u8], seen: usize, limit: usize, overlong: &mut bool) -> Cut {
    match memchr::memchr(b'\n', &pending[seen..]) {
        Some(found) => {
            let length = seen + found + 1;
            if std::mem::take(overlong) || length > limit {
                return Cut::Overlong { length };
            }
            let trailer = if pending[..length].ends_with(b"\r\n") { 2 } else { 1 };
            Cut::Message { length, header: 0, trailer }
        }
        None if pending.len() > limit => {
            *overlong = true;
            Cut::Overlong { length: pending.len() }
        }
        None => Cut::More,
    }
}

fn prefixed(pending: &[u8], header: usize, announced: u64, limit: usize) -> Cut {
    match usize::try_from(announced) {
        Ok(body) if body <= limit => {
            if pending.len() - header < body {
                return Cut::More;
            }
            Cut::Message { length: header + body, header, trailer: 0 }
        }
        _ => {
            let found = format!("a length of {announced} is announced; {limit} is the most");
            Cut::Broken(Fault::limit(0, found, "bytes"))
        }
    }
}

/// The fault of a message that goes on beyond the `limit`.
pub fn too_long(at: usize, limit: usize) -> Fault {
    Fault::limit(at, format!("longer than {limit} bytes"), "bytes")
}
