//! The machine's place in a pickle: opcodes and their arguments, each within its frame.

use memchr::memchr;

use super::Limits;
use super::bounds::{self, Bounds};
use super::opcode::{self, ARGUMENTS, FIXED_MAX, LONGEST};
use crate::wire::{Fault, FaultKind};

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    bounds: Bounds,
    line_limit: usize,
    /// What ends up to here ends before the bytes do, and before the frame does.
    quick: usize,
    /// Where the opcode being read stands, and where the next byte is.
    pub(super) at: usize,
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Reader<'a> {
        let bounds = Bounds::new(limits.bytes);
        let line_limit = limits.line;
        let mut reader = Reader { bytes, bounds, line_limit, quick: 0, at: 0, position: 0 };
        reader.bounds_changed();
        reader
    }

    /// Where the next byte is.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// How many bytes stand after what was read.
    pub(super) fn rest(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The opcode being read.
    pub(super) fn opcode(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    /// The next opcode, and what follows it, of which [`fixed`](Reader::fixed) makes an argument: if
    /// that has a fixed length it is there, and does not go beyond its frame.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<(u8, Word), Fault> {
        let at = self.position;
        self.at = at;
        if at + LONGEST <= self.quick
            && let Some(&[opcode, ref word @ ..]) =
                self.bytes.get(at..).and_then(|rest| rest.first_chunk::<LONGEST>())
        {
            self.position = at + 1;
            return Ok((opcode, Word(u64::from_le_bytes(*word))));
        }
        self.next_at_the_end()
    }

    #[inline(never)]
    fn next_at_the_end(&mut self) -> Result<(u8, Word), Fault> {
        let at = self.at;
        let Some(&opcode) = self.bytes.get(at) else { return Err(self.truncated()) };
        self.position = at + 1;
        let argument = ARGUMENTS[opcode as usize];
        if argument > FIXED_MAX {
            return Ok((opcode, Word(0)));
        }
        let next = at + 1 + argument as usize;
        self.advance(next)?;
        let Some(bytes) = self.bytes.get(at + 1..next) else { return Err(self.truncated()) };
        Ok((opcode, Word(little_endian(bytes))))
    }

    /// The argument of `width` bytes.
    #[inline(always)]
    pub(super) fn fixed(&mut self, word: Word, width: u32) -> u64 {
        self.position += width as usize;
        word.0 & u64::MAX >> (64 - 8 * width)
    }

    /// The opcode ends before `next`.
    #[inline]
    fn advance(&mut self, next: usize) -> Result<(), Fault> {
        if next > self.bounds.before_boundary() {
            self.bounds.advance(self.opcode(), self.at, next)?;
            self.bounds_changed();
        }
        Ok(())
    }

    fn bounds_changed(&mut self) {
        self.quick = self.bounds.before_boundary().min(self.bytes.len());
    }

    /// The argument that follows its length of one byte.
    #[inline(always)]
    pub(super) fn counted_short(&mut self, word: Word) -> Result<&'a [u8], Fault> {
        let start = self.position + 1;
        let next = start + (word.0 as u8) as usize;
        // Of an opcode near the end the word says nothing.
        if next <= self.quick
            && start + LONGEST <= self.quick
            && let Some(bytes) = self.bytes.get(start..next)
        {
            self.position = next;
            return Ok(bytes);
        }
        self.counted(1)
    }

    /// The argument that follows its length of `width` bytes.
    #[inline]
    pub(super) fn counted(&mut self, width: usize) -> Result<&'a [u8], Fault> {
        let length = self.number(width)?;
        let opcode = self.opcode();
        let argument = ARGUMENTS[opcode as usize];
        let next = bounds::end_of(opcode, argument, self.at, width, length)?;
        self.advance(next)?;
        let Some(bytes) = self.bytes.get(self.position..next) else {
            return Err(self.truncated());
        };
        self.position = next;
        Ok(bytes)
    }

    /// An unsigned little-endian number of `width` bytes; does not leave the frame.
    #[inline]
    fn number(&mut self, width: usize) -> Result<u64, Fault> {
        let next = self.position + width;
        self.bounds.check(self.opcode(), self.at, next)?;
        let Some(bytes) = self.bytes.get(self.position..next) else {
            return Err(self.truncated());
        };
        self.position = next;
        Ok(little_endian(bytes))
    }

    /// The argument up to a newline.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Fault> {
        self.bounds.check(self.opcode(), self.at, self.position)?;
        let line = self.open_line()?;
        self.advance(self.position)?;
        Ok(line)
    }

    /// Two lines.
    pub(super) fn two_lines(&mut self) -> Result<(&'a [u8], &'a [u8]), Fault> {
        self.bounds.check(self.opcode(), self.at, self.position)?;
        let first = self.open_line()?;
        let second = self.open_line()?;
        self.advance(self.position)?;
        Ok((first, second))
    }

    fn open_line(&mut self) -> Result<&'a [u8], Fault> {
        let room = self.bounds.room(self.position);
        let window = room.min(self.line_limit.saturating_add(1));
        let rest = &self.bytes[self.position..];
        let seen = &rest[..window.min(rest.len())];
        match memchr(b'\n', seen) {
            Some(end) => {
                self.position += end + 1;
                Ok(&seen[..end])
            }
            None if seen.len() < window => Err(self.truncated()),
            None if window == room => Err(self.bounds.beyond(self.opcode(), self.at)),
            None => Err(bounds::line_too_long(self.opcode(), self.at, self.line_limit)),
        }
    }

    pub(super) fn protocol(&mut self) -> Result<(), Fault> {
        let protocol = self.number(1)?;
        self.advance(self.position)?;
        bounds::check_protocol(self.at, protocol)
    }

    pub(super) fn frame(&mut self) -> Result<(), Fault> {
        let size = self.number(8)?;
        self.bounds.enter(self.at, self.position, size)?;
        self.bounds_changed();
        Ok(())
    }

    pub(super) fn stop(&mut self) -> Result<(), Fault> {
        self.advance(self.position)?;
        self.bounds.stop(self.at)
    }

    #[cold]
    fn truncated(&self) -> Fault {
        let end = self.bytes.len();
        let message = if self.at == end {
            "the bytes end without STOP".to_owned()
        } else {
            format!("the bytes end inside {} at {}", opcode::describe(self.opcode()), self.at)
        };
        Fault::new(FaultKind::Truncated, end, message)
    }
}

/// The eight bytes behind an opcode, or its argument if fewer follow.
#[derive(Clone, Copy)]
pub(super) struct Word(u64);

/// An unsigned number of at most eight bytes, least significant first.
#[inline]
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}
