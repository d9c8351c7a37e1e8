//! The machine's place in a pickle: opcodes and their arguments, each within its frame.

use memchr::memchr;

use super::Limits;
use super::bounds::{self, Bounds};
use super::opcode::{self, ARGUMENTS, FIXED_MAX};
use crate::wire::{Fault, FaultKind};

pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    bounds: Bounds,
    line_limit: usize,
    /// The opcode being read, where it stands, and where the next byte is.
    pub(super) opcode: u8,
    pub(super) at: usize,
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], limits: &Limits) -> Reader<'a> {
        Reader {
            bytes,
            bounds: Bounds::new(limits.bytes),
            line_limit: limits.line,
            opcode: 0,
            at: 0,
            position: 0,
        }
    }

    /// Where the next byte is.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// How many bytes stand after what was read.
    pub(super) fn rest(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next opcode, with its argument if that has a fixed length.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<(u8, &'a [u8]), Fault> {
        let at = self.position;
        self.at = at;
        let Some(&opcode) = self.bytes.get(at) else { return Err(self.truncated()) };
        self.opcode = opcode;
        let argument = ARGUMENTS[opcode as usize];
        if argument <= FIXED_MAX {
            let next = at + 1 + argument as usize;
            self.bounds.advance(opcode, at, next)?;
            let Some(bytes) = self.bytes.get(at + 1..next) else { return Err(self.truncated()) };
            self.position = next;
            return Ok((opcode, bytes));
        }
        self.position = at + 1;
        Ok((opcode, &[]))
    }

    /// The argument that follows its length of `width` bytes.
    #[inline]
    pub(super) fn counted(&mut self, width: usize) -> Result<&'a [u8], Fault> {
        let length = self.number(width)?;
        let argument = ARGUMENTS[self.opcode as usize];
        let next = bounds::end_of(self.opcode, argument, self.at, width, length)?;
        self.bounds.advance(self.opcode, self.at, next)?;
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
        self.bounds.check(self.opcode, self.at, next)?;
        let Some(bytes) = self.bytes.get(self.position..next) else {
            return Err(self.truncated());
        };
        self.position = next;
        Ok(little_endian(bytes))
    }

    /// The argument up to a newline.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Fault> {
        self.bounds.check(self.opcode, self.at, self.position)?;
        let line = self.open_line()?;
        self.bounds.advance(self.opcode, self.at, self.position)?;
        Ok(line)
    }

    /// Two lines.
    pub(super) fn two_lines(&mut self) -> Result<(&'a [u8], &'a [u8]), Fault> {
        self.bounds.check(self.opcode, self.at, self.position)?;
        let first = self.open_line()?;
        let second = self.open_line()?;
        self.bounds.advance(self.opcode, self.at, self.position)?;
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
            None if window == room => Err(self.bounds.beyond(self.opcode, self.at)),
            None => Err(bounds::line_too_long(self.opcode, self.at, self.line_limit)),
        }
    }

    pub(super) fn protocol(&mut self) -> Result<(), Fault> {
        let protocol = self.number(1)?;
        self.bounds.advance(self.opcode, self.at, self.position)?;
        bounds::check_protocol(self.at, protocol)
    }

    pub(super) fn frame(&mut self) -> Result<(), Fault> {
        let size = self.number(8)?;
        self.bounds.enter(self.at, self.position, size)
    }

    pub(super) fn stop(&mut self) -> Result<(), Fault> {
        self.bounds.advance(self.opcode, self.at, self.position)?;
        self.bounds.stop(self.at)
    }

    #[cold]
    fn truncated(&self) -> Fault {
        let end = self.bytes.len();
        let message = if self.at == end {
            "the bytes end without STOP".to_owned()
        } else {
            format!("the bytes end inside {} at {}", opcode::describe(self.opcode), self.at)
        };
        Fault::new(FaultKind::Truncated, end, message)
    }
}

/// An unsigned number of at most eight bytes, least significant first.
#[inline]
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}
