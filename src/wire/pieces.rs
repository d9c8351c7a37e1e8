//! Messages that lie whole in memory, found without a look into them.

use super::Format;
use super::framing::{Cut, Cutter};
use super::text::InUse;

/// Where a message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it begins.
    pub(crate) start: usize,
    /// Its length in all.
    pub(crate) length: u32,
    /// How much of that is the length before it.
    pub(crate) header: u32,
}

/// The messages that `bytes` are, if their ends stand in them and they are nothing but whole messages:
/// what a [`Decoder`](super::Decoder) would give, whatever each of them says.
pub(crate) fn pieces(format: &Format, bytes: &[u8]) -> Option<Vec<Piece>> {
    let text = InUse::of(format.codec().encoding());
    let mut cutter = Cutter::new(format.framing(), text, &format.settings().limits)?;
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let Cut::Message { length, header, trailer: 0 } = cutter.next(&bytes[start..]) else {
            return None;
        };
        // No message is longer than 4 GiB, whatever the limits.
        let (short, header) = (u32::try_from(length).ok()?, u32::try_from(header).ok()?);
        pieces.push(Piece { start, length: short, header });
        start += length;
    }
    Some(pieces)
}
