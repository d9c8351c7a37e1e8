//! Arguments of opcodes, as unpicklers read them that do not enforce frames.

use std::ops::Range;

use memchr::memchr;

use crate::wire::pickle::opcode::*;
use crate::wire::pickle::reader::little_endian;

pub(super) type Text = Range<usize>;

/// How an argument is read that straddles its frame's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Straddle {
    /// As if there were no frames: CPython's C unpickler does so with bytes that it has in memory.
    ReadOn,
    /// What is left of the frame is dropped, and the argument read anew behind it: so does the same
    /// unpickler with a file.
    BehindTheFrame,
}

/// An opcode's argument.
pub(super) struct Argument {
    /// Where it is, without its length or what ends its line.
    pub(super) text: Text,
    /// The second line, of opcodes with two.
    pub(super) second: Text,
    /// Where the next opcode is.
    pub(super) next: usize,
}

/// Reads arguments at places that never go back.
pub(super) struct Arguments<'a> {
    bytes: &'a [u8],
    straddle: Straddle,
    frame_end: usize,
    newlines: [Newline; 2],
}

impl<'a> Arguments<'a> {
    pub(super) fn new(bytes: &'a [u8], straddle: Straddle) -> Arguments<'a> {
        Arguments { bytes, straddle, frame_end: 0, newlines: [Newline(0), Newline(0)] }
    }

    /// The argument of the opcode at `at`; `None` if there is no such opcode, or no room for it.
    pub(super) fn of(&mut self, opcode: u8, at: usize) -> Option<Argument> {
        let start = at + 1;
        let argument = ARGUMENTS[opcode as usize];
        let text = match argument {
            UNKNOWN => return None,
            0..=FIXED_MAX => self.counted(start, argument as usize)?,
            END => start..start,
            PROTOCOL => self.counted(start, 1)?,
            FRAME_LENGTH => {
                let prefix = self.counted(start, 8)?;
                let size = usize::try_from(little_endian(&self.bytes[prefix.clone()])).ok()?;
                // A frame is taken at once; one that is too long is no frame, and one inside another
                // ends nothing.
                let frame = self.counted(prefix.end, size).unwrap_or(prefix.end..prefix.end);
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
                let prefix = self.counted(start, prefix_width(argument))?;
                let length = usize::try_from(little_endian(&self.bytes[prefix.clone()])).ok()?;
                self.counted(prefix.end, length)?
            }
        };
        let next = text.end + usize::from(argument == LINE);
        Some(Argument { text, second: 0..0, next })
    }

    fn counted(&self, start: usize, length: usize) -> Option<Text> {
        let mut range = start..start.checked_add(length)?;
        if self.straddles(&range) {
            range = self.frame_end..self.frame_end.checked_add(length)?;
        }
        (range.end <= self.bytes.len()).then_some(range)
    }

    fn line(&mut self, which: usize, start: usize) -> Option<Text> {
        let newline = &mut self.newlines[which];
        let range = start..newline.find(self.bytes, start)?;
        if self.straddles(&(start..range.end + 1)) {
            let newline = &mut self.newlines[which];
            return Some(self.frame_end..newline.find(self.bytes, self.frame_end)?);
        }
        Some(range)
    }

    fn straddles(&self, range: &Text) -> bool {
        self.straddle == Straddle::BehindTheFrame
            && range.start <= self.frame_end
            && range.end > self.frame_end
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
