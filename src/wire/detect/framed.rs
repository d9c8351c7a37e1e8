//! Bytes as messages behind their lengths, whatever the messages are.

use super::Sample;
use crate::wire::framing::{Cut, Cutter, Framing};
use crate::wire::pickle::Limits;
use crate::wire::protobuf::scan;
use crate::wire::text::{Encoding, InUse};

/// All bytes of a sample, cut by the lengths in them.
pub(super) struct Framed<'a> {
    pub(super) framing: Framing,
    /// The messages without their lengths, those that hold nothing left out.
    pub(super) bodies: Vec<&'a [u8]>,
    /// How many hold nothing.
    pub(super) empty: usize,
    /// What is there of the last message, if the sample ends inside it.
    pub(super) begun: &'a [u8],
}

impl Framed<'_> {
    /// How many bytes a length takes at least.
    pub(super) fn width(&self) -> usize {
        match self.framing {
            Framing::Prefix(prefix) => prefix.width(),
            _ => 1,
        }
    }

    /// How many bytes the whole messages have in all.
    pub(super) fn size(&self) -> usize {
        self.bodies.iter().map(|body| body.len()).sum()
    }
}

/// The sample as messages of this framing; `None` if a length is none, or more messages hold nothing than
/// any protocol has: the upper half of a wider length looks like that.
pub(super) fn framed<'a>(
    sample: &Sample<'a>,
    framing: Framing,
    limits: &Limits,
) -> Option<Framed<'a>> {
    let mut cutter = Cutter::new(framing, InUse::of(Encoding::UTF_8), limits)?;
    let mut framed = Framed { framing, bodies: Vec::new(), empty: 0, begun: &[] };
    let mut rest = sample.bytes;
    while !rest.is_empty() {
        match cutter.next(rest) {
            Cut::Message { length, header, .. } => {
                match &rest[header..length] {
                    [] => framed.empty += 1,
                    body => framed.bodies.push(body),
                }
                rest = &rest[length..];
            }
            Cut::More if sample.is_ended() => return None,
            Cut::More => {
                framed.begun = &rest[header(rest, framing).min(rest.len())..];
                break;
            }
            Cut::Overlong { .. } | Cut::Broken(_) => return None,
        }
        // Four more, since the first ones may be alike.
        if framed.empty * 2 > framed.bodies.len() + 4 {
            return None;
        }
    }
    (framed.empty * 2 <= framed.bodies.len()).then_some(framed)
}

/// How many bytes the length takes that `bytes` begin with, or more than they are.
fn header(bytes: &[u8], framing: Framing) -> usize {
    match framing {
        Framing::Prefix(prefix) => prefix.width(),
        _ => scan::varint(bytes, 0).ok().flatten().map_or(usize::MAX, |(_, end)| end),
    }
}
