//! The framings whose message ends stand in the bytes themselves.

use super::{Framing, Prefix};
use crate::wire::pickle::{Limits, Progress, Splitter};
use crate::wire::protobuf::scan;
use crate::wire::text::InUse;
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
    /// So many bytes belong to a message that takes more than is allowed; the framing goes on after.
    Overlong {
        /// How many.
        length: usize,
        /// What is not allowed.
        fault: Fault,
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
    /// The pending bytes go on with a message that was given up.
    given_up: Option<GivenUp>,
}

enum Kind {
    /// In this encoding, of which each line's byte order mark may change the byte order.
    Line(InUse),
    Prefix(Prefix),
    Varint,
    Pickle(Box<Splitter>),
}

/// A message of which the beginning was given away.
struct GivenUp {
    fault: Fault,
    /// How much of it was.
    given: usize,
    /// How much is to come, where that was announced.
    left: Option<usize>,
}

impl Cutter {
    /// A cutter at the beginning of a message, of which lines are in the encoding of `text`; `None` where
    /// the framing is not in the bytes.
    pub fn new(framing: Framing, text: InUse, limits: &Limits) -> Option<Cutter> {
        let kind = match framing {
            Framing::Line => Kind::Line(text),
            Framing::Prefix(prefix) => Kind::Prefix(prefix),
            Framing::Varint => Kind::Varint,
            Framing::Codec => Kind::Pickle(Box::new(Splitter::new(limits))),
            Framing::Chunk | Framing::Idle(_) | Framing::Guess => return None,
        };
        Some(Cutter { seen: 0, limit: limits.longest(), kind, given_up: None })
    }

    /// Says that the next byte is this one of its side, and those before it are missing. Units of more bytes
    /// than one begin at their multiples: what is left of one is given up.
    pub fn begin_at(&mut self, offset: u64) {
        let Kind::Line(text) = &self.kind else { return };
        let half = text.encoding().half(offset);
        if half > 0 {
            let fault = Fault::new(FaultKind::Truncated, 0, HALF);
            self.given_up = Some(GivenUp { fault, given: 0, left: Some(half) });
        }
    }

    /// Looks for a message's end in `pending`, which begins where the last message ended and holds
    /// at least what it held when [`Cut::More`] was answered.
    pub fn next(&mut self, pending: &[u8]) -> Cut {
        let cut = match self.given_up.take() {
            Some(given_up) => self.next_of(given_up, pending),
            None => self.next_whole(pending),
        };
        self.seen = if matches!(cut, Cut::More) { pending.len() } else { 0 };
        cut
    }

    /// Gives up the message that has begun: `pending`, for which [`Cut::More`] was answered, is taken
    /// away. What follows of it is answered as [`Cut::Overlong`], and then the framing goes on.
    pub fn give_up(&mut self, pending: &[u8], fault: Fault) {
        let announced = match &self.kind {
            Kind::Prefix(prefix) => pending
                .get(..prefix.width())
                .map(|bytes| prefix.width().saturating_add(prefix.read(bytes) as usize)),
            Kind::Varint => match scan::varint(pending, 0) {
                Ok(Some((length, header))) => Some(header.saturating_add(length as usize)),
                _ => None,
            },
            Kind::Line(_) | Kind::Pickle(_) => None,
        };
        let left = announced.map(|announced| announced.saturating_sub(pending.len()));
        self.given_up = Some(GivenUp { fault, given: pending.len(), left });
        self.seen = 0;
    }

    /// The encoding in use behind what was looked at, where that tells line ends.
    pub fn text(&self) -> Option<InUse> {
        match &self.kind {
            Kind::Line(text) => Some(*text),
            _ => None,
        }
    }

    /// Whether the framing finds message ends again after missing bytes, of itself.
    pub fn recovers(&self) -> bool {
        matches!(self.kind, Kind::Line(_))
    }

    /// Whether what has begun is whole where the side ends: a line without its terminator is.
    pub fn ends_with_side(&self) -> bool {
        matches!(self.kind, Kind::Line(_)) && self.given_up.is_none()
    }

    fn next_whole(&mut self, pending: &[u8]) -> Cut {
        match &mut self.kind {
            Kind::Line(text) => match line(text, pending, self.seen) {
                Cut::Message { length, .. } if length > self.limit => {
                    Cut::Overlong { length, fault: too_long(self.limit) }
                }
                Cut::More if pending.len() > self.limit => {
                    let fault = too_long(self.limit);
                    // The rest of a unit may make it a line feed.
                    let length = pending.len() - pending.len() % text.encoding().unit();
                    self.give_up(&pending[..length], fault.clone());
                    Cut::Overlong { length, fault }
                }
                cut => cut,
            },
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
        }
    }

    /// How much of the pending bytes belongs to a message that was given up.
    fn next_of(&mut self, message: GivenUp, pending: &[u8]) -> Cut {
        let unit = match &self.kind {
            Kind::Line(text) if message.left.is_none() => text.encoding().unit(),
            _ => 1,
        };
        if pending.len() < unit {
            self.given_up = Some(message);
            return Cut::More;
        }
        let GivenUp { fault, given, left } = message;
        let end = match &mut self.kind {
            Kind::Line(text) if left.is_none() => {
                // Where its units begin follows from what of it was given.
                let skipped = given % unit;
                let units = pending.get(skipped..).unwrap_or_default();
                text.encoding().line(units, 0).map(|end| skipped + end)
            }
            Kind::Line(_) | Kind::Prefix(_) | Kind::Varint => {
                left.filter(|left| *left <= pending.len())
            }
            Kind::Pickle(splitter) => match splitter.feed(pending) {
                Progress::NeedMore => None,
                Progress::Complete { consumed } => Some(consumed),
                Progress::Failed(fault) => {
                    return Cut::Broken(Fault { at: fault.at.saturating_sub(given), ..fault });
                }
            },
        };
        let length = end.unwrap_or(pending.len() - (given + pending.len()) % unit);
        let piece = Fault { at: fault.at.min(length), ..fault.clone() };
        if end.is_none() {
            let left = left.map(|left| left - length);
            self.given_up = Some(GivenUp { fault, given: given + length, left });
        }
        Cut::Overlong { length, fault: piece }
    }
}

/// A line that may end behind the `seen` bytes.
fn line(text: &mut InUse, pending: &[u8], seen: usize) -> Cut {
    text.pass_mark(pending);
    let encoding = text.encoding();
    match encoding.line(pending, seen) {
        Some(length) => {
            let trailer = encoding.line_end(&pending[..length]);
            Cut::Message { length, header: 0, trailer }
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
            let found = format!(
                "a length of {announced} is announced, if this is one; {limit} is the most"
            );
            Cut::Broken(Fault::limit(0, found, "bytes"))
        }
    }
}

/// The fault of a message that goes on beyond the `limit`.
pub fn too_long(limit: usize) -> Fault {
    Fault::limit(limit, format!("longer than {limit} bytes"), "bytes")
}

/// What is wrong with bytes that end a character of which the beginning is missing.
pub const HALF: &str = "the beginning of this character is missing";
