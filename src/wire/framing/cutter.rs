//! The framings whose message ends stand in the bytes themselves.

use super::{Framing, MAXIMUM_LENGTH, Prefix};
use crate::wire::pickle::{self, Progress, Splitter};
use crate::wire::protobuf::scan;
use crate::wire::{Fault, FaultKind};

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
    /// So many bytes belong to a message that exceeds [`MAXIMUM_LENGTH`]; the framing goes on after.
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
    pub fn new(framing: Framing) -> Option<Cutter> {
        let kind = match framing {
            Framing::Line => Kind::Line { overlong: false },
            Framing::Prefix(prefix) => Kind::Prefix(prefix),
            Framing::Varint => Kind::Varint,
            Framing::Codec => Kind::Pickle(Box::new(Splitter::new(&pickle::Limits::default()))),
            Framing::Chunk | Framing::Idle(_) | Framing::Guess => return None,
        };
        Some(Cutter { seen: 0, kind })
    }

    /// Looks for a message's end in `pending`, which begins where the last message ended and holds
    /// at least what it held when [`Cut::More`] was answered.
    pub fn next(&mut self, pending: &[u8]) -> Cut {
        let cut = match &mut self.kind {
            Kind::Line { overlong } => line(pending, self.seen, overlong),
            Kind::Prefix(prefix) => match pending.get(..prefix.width()) {
                None => Cut::More,
                Some(bytes) => prefixed(pending, prefix.width(), prefix.read(bytes)),
            },
            Kind::Varint => match scan::varint(pending, 0) {
                Ok(None) => Cut::More,
                Ok(Some((length, header))) => prefixed(pending, header, length),
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

fn line(pending: &[u8], seen: usize, overlong: &mut bool) -> Cut {
    match memchr::memchr(b'\n', &pending[seen..]) {
        Some(found) => {
            let length = seen + found + 1;
            if std::mem::take(overlong) || length > MAXIMUM_LENGTH {
                return Cut::Overlong { length };
            }
            let trailer = if pending[..length].ends_with(b"\r\n") { 2 } else { 1 };
            Cut::Message { length, header: 0, trailer }
        }
        None if pending.len() > MAXIMUM_LENGTH => {
            *overlong = true;
            Cut::Overlong { length: pending.len() }
        }
        None => Cut::More,
    }
}

fn prefixed(pending: &[u8], header: usize, announced: u64) -> Cut {
    match usize::try_from(announced) {
        Ok(body) if body <= MAXIMUM_LENGTH => {
            if pending.len() - header < body {
                return Cut::More;
            }
            Cut::Message { length: header + body, header, trailer: 0 }
        }
        _ => Cut::Broken(Fault::new(
            FaultKind::Limit,
            0,
            format!("a length of {announced} is announced; {MAXIMUM_LENGTH} is the most"),
        )),
    }
}

/// The fault of a message that goes on beyond [`MAXIMUM_LENGTH`].
pub fn too_long(at: usize) -> Fault {
    Fault::new(FaultKind::Limit, at, format!("longer than {MAXIMUM_LENGTH} bytes"))
}
