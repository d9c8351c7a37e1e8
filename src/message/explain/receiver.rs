//! One program, reading what one side sent.

use std::collections::VecDeque;

use super::finding::{Place, Reading, Tally, Trouble};
use super::program::{Contents, trouble};
use super::reads::{Border, Reads};
use crate::Message;
use crate::session::{ConnectionId, Side};
use crate::wire::{FaultKind, Format};

/// The most reads whose messages are not known yet. A message of the largest size takes fewer in any
/// network's segments.
const PENDING: usize = 1 << 18;

/// What happened to a read.
pub(super) struct Suffered {
    pub(super) trouble: Trouble,
    pub(super) place: Place,
    /// How many messages it concerns.
    pub(super) messages: u64,
}

/// Puts reads, which come first, and the messages in them together, and says what each read is.
///
/// It keeps the bytes of one read at most.
pub(super) struct Receiver {
    connection: ConnectionId,
    side: Side,
    reads: Reads,
    /// The ends of reads, from the one that is being filled.
    borders: VecDeque<Border>,
    /// The read that is being filled, with the bytes of messages as far as they are known.
    start: u64,
    bytes: Vec<u8>,
    contents: Contents,
    tally: Tally,
}

impl Receiver {
    pub(super) fn new(
        connection: ConnectionId,
        side: Side,
        reading: Reading,
        recv: u64,
    ) -> Receiver {
        Receiver {
            connection,
            side,
            reads: Reads::new(reading, recv),
            borders: VecDeque::new(),
            start: 0,
            bytes: Vec::new(),
            contents: Contents::default(),
            tally: Tally::default(),
        }
    }

    /// So many bytes have come; whether there is room for their reads.
    pub(super) fn chunk(&mut self, length: u64, frame: Option<u64>) -> bool {
        self.reads.chunk(length, frame, &mut self.borders);
        self.borders.len() <= PENDING
    }

    /// It has read all that has come; reads that are whole by it go to `out`.
    pub(super) fn catch_up(&mut self, format: Option<&Format>, out: &mut dyn FnMut(Suffered)) {
        self.reads.catch_up(&mut self.borders);
        // Every byte that was taken for it is a message's, so the last of them is the last of one.
        if let Some(format) = format {
            self.conclude(format, false, out);
        }
    }

    /// The next message of the side.
    pub(super) fn message(
        &mut self,
        format: &Format,
        message: &Message,
        out: &mut dyn FnMut(Suffered),
    ) {
        // What is too much for us may be none too much for it.
        let undecodable = message.body.as_ref().is_err_and(|fault| fault.kind != FaultKind::Limit);
        let mut rest = message.raw.as_slice();
        while !rest.is_empty() {
            let known = self.start + self.bytes.len() as u64;
            let room = self.borders.front().map_or(u64::MAX, |one| one.end.saturating_sub(known));
            let taken = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
            let is_first = self.contents.touched == 0;
            if is_first {
                self.contents.begins_inside = rest.len() < message.raw.len();
                self.contents.first_undecodable = undecodable;
            }
            self.contents.touched += 1;
            self.contents.undecodable |= undecodable;
            let is_whole = taken == message.raw.len();
            self.contents.whole += u64::from(is_whole);
            self.bytes.extend_from_slice(&rest[..taken]);
            rest = &rest[taken..];
            self.conclude(format, !rest.is_empty(), out);
        }
    }

    /// How far it got.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes the read that is being filled for one message, if all its bytes are known.
    fn conclude(&mut self, format: &Format, ends_inside: bool, out: &mut dyn FnMut(Suffered)) {
        let size = self.bytes.len() as u64;
        let end = self.start + size;
        let Some(&border) = self.borders.front().filter(|border| border.end <= end) else {
            return;
        };
        self.borders.pop_front();
        let contents = Contents { ends_inside, ..std::mem::take(&mut self.contents) };
        let place = Place {
            connection: self.connection,
            side: self.side,
            frames: border.frames,
            offset: self.start,
            size,
            messages: contents.whole,
            begins_inside: contents.begins_inside,
            ends_inside,
        };
        let found = trouble(format, &self.bytes, contents);
        self.count(found, place);
        if let Some(trouble) = found {
            let messages = contents.whole - u64::from(trouble == Trouble::Lost);
            out(Suffered { trouble, place, messages });
        }
        self.start = end;
        self.bytes.clear();
    }

    fn count(&mut self, found: Option<Trouble>, place: Place) {
        let tally = &mut self.tally;
        if tally.stopped.is_some() {
            return;
        }
        tally.reads += 1;
        match found {
            None | Some(Trouble::Lost) => tally.right += 1,
            Some(Trouble::Merged | Trouble::Clumped | Trouble::Part) => tally.wrong += 1,
            Some(Trouble::Raises | Trouble::Undecodable | Trouble::Oversized) => {
                tally.stopped = Some(place);
            }
        }
    }
}
