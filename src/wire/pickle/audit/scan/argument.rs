//! Arguments of opcodes, as unpicklers read them that do not enforce frames.

use std::ops::Range;

use memchr::memchr;

use crate::wire::pickle::opcode::*;
use crate::wire::pickle::reader::little_endian;

use super::reading::{Reading, Straddle};

type Place = Range<usize>;

/// In place of an opcode: what is read is no payload, of which opcodes of bytes have their own way.
const NO_BYTES: u8 = 0;

/// An opcode's argument.
pub(super) struct Argument {
    /// Where it is, without its length or what ends its line.
    pub(super) text: Place,
    /// The second line, of opcodes with two.
    pub(super) second: Place,
    /// Where the next opcode is.
    pub(super) next: usize,
}

/// Reads arguments at places that never go back.
pub(super) struct Arguments<'a> {
    bytes: &'a [u8],
    pub(super) reading: Reading,
    /// Whether every byte so far belongs to an opcode: else what follows may be one by chance.
    pub(super) in_step: bool,
    frame_end: usize,
    newlines: [Newline; 2],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(bytes: &'a [u8], reading: Reading) -> Arguments<'a> {
        let newlines = [Newline(0), Newline(0)];
        Arguments { bytes, reading, in_step: true, frame_end: 0, newlines }
    }

    /// The argument of the opcode at `at`; `None` if there is no such opcode, or no room for it.
    pub(super) fn of(&mut self, opcode: u8, at: usize) -> Option<Argument> {
        let start = at + 1;
        let argument = ARGUMENTS[opcode as usize];
        let text = match argument {
            UNKNOWN => return None,
            0..=FIXED_MAX => self.counted(NO_BYTES, start, argument as usize)?,
            // A file's frame was taken from it as a whole: the next pickle stands behind it.
            END if self.frame_end > start && self.reads_behind(END) => {
                self.frame_end..self.frame_end
            }
            END => start..start,
            PROTOCOL => self.counted(NO_BYTES, start, 1)?,
            FRAME_LENGTH => {
                let prefix = self.counted(NO_BYTES, start, 8)?;
                let size = usize::try_from(little_endian(&self.bytes[prefix.clone()])).ok()?;
                // A frame is taken at once; one that is too long is no frame, and one inside another
                // ends nothing.
                let frame =
                    self.counted(NO_BYTES, prefix.end, size).unwrap_or(prefix.end..prefix.end);
                self.frame_end = self.frame_end.max(frame.end);
                frame.start..frame.start
            }
            LINE => self.line(0, start)?,
            TWO_LINES => {
                let text = self.line(0, start)?;
                let second = self.line(1, text.end + 1)?;
                let next = second.end + 1;
                return Some(Argument { text, second, next });
            }
            _ => {
                let prefix = self.counted(NO_BYTES, start, prefix_width(argument))?;
                let length = usize::try_from(little_endian(&self.bytes[prefix.clone()])).ok()?;
                self.counted(opcode, prefix.end, length)?
            }
        };
        let next = text.end + usize::from(argument == LINE);
        Some(Argument { text, second: 0..0, next })
    }

    fn counted(&mut self, opcode: u8, start: usize, length: usize) -> Option<Place> {
        let mut range = start..start.checked_add(length)?;
        if self.straddles(opcode, &range) {
            range = self.frame_end..self.frame_end.checked_add(length)?;
        }
        (range.end <= self.bytes.len()).then_some(range)
    }

    fn line(&mut self, which: usize, start: usize) -> Option<Place> {
        let newline = &mut self.newlines[which];
        let range = start..newline.find(self.bytes, start)?;
        if self.straddles(NO_BYTES, &(start..range.end + 1)) {
            let newline = &mut self.newlines[which];
            return Some(self.frame_end..newline.find(self.bytes, self.frame_end)?);
        }
        Some(range)
    }

    fn straddles(&mut self, opcode: u8, range: &Place) -> bool {
        range.start < self.frame_end && range.end > self.frame_end && self.reads_behind(opcode)
    }

    fn reads_behind(&mut self, opcode: u8) -> bool {
        let straddle = match self.in_step {
            true => self.reading.straddle(opcode),
            false => self.reading.unreached(),
        };
        straddle == Straddle::BehindTheFrame
    }
}

/// The place of the next newline, so that one that is far away is not looked for again and again.
struct Newline(usize);

impl Newline {
    /// The first newline at `from` or after; `from` never goes back.
    fn find(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        if self.0 < from || bytes.get(self.0).is_some_and(|&byte| byte != b'\n') {
            let rest = bytes.get(from..)?;
            self.0 = memchr(b'\n', rest).map_or(bytes.len(), |found| from + found);
        }
        (self.0 < bytes.len()).then_some(self.0)
    }
}
