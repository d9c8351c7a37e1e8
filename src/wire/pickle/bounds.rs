//! Where a pickle and its frames end: the rules that splitter and machine share, so that they cannot
//! disagree about where a pickle stops.

use super::limits::ARENA;
use super::opcode::{self, SIGNED_LENGTH_4};
use crate::wire::{Fault, FaultKind};

/// The highest protocol there is (PEP 574).
const HIGHEST_PROTOCOL: u64 = 5;
const NO_FRAME: usize = usize::MAX;

/// The end of the frame being read, and of what a pickle may take.
///
/// PEP 3154: no opcode's argument straddles a frame's end, a frame holds no other frame, and the
/// pickle ends where its last frame does. CPython's C unpickler does not hold to this
/// (cpython#154848), and what it reads may then differ from what `pickletools` shows.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    limit: usize,
    frame_end: usize,
    /// The nearer of the two: below it nothing needs a look.
    boundary: usize,
}

impl Bounds {
    pub(super) fn new(limit: usize) -> Bounds {
        Bounds { limit, frame_end: NO_FRAME, boundary: limit }
    }

    /// The opcode at `at` ends before `next`; leaves the frame if it ends there too.
    #[inline(always)]
    pub(super) fn advance(&mut self, opcode: u8, at: usize, next: usize) -> Result<(), Fault> {
        if next < self.boundary { Ok(()) } else { self.reach(opcode, at, next) }
    }

    #[cold]
    fn reach(&mut self, opcode: u8, at: usize, next: usize) -> Result<(), Fault> {
        self.check(opcode, at, next)?;
        if next == self.frame_end {
            self.frame_end = NO_FRAME;
            self.boundary = self.limit;
        }
        Ok(())
    }

    /// The opcode at `at` goes on at least up to `next`.
    pub(super) fn check(&self, opcode: u8, at: usize, next: usize) -> Result<(), Fault> {
        if next <= self.boundary { Ok(()) } else { Err(self.beyond(opcode, at)) }
    }

    /// The opcode at `at` takes more than there may be.
    #[cold]
    pub(super) fn beyond(&self, opcode: u8, at: usize) -> Fault {
        let name = opcode::describe(opcode);
        if self.frame_end != NO_FRAME {
            let message = format!("{name} goes beyond the end of its frame at {}", self.frame_end);
            return Fault::new(FaultKind::Corrupt, at, message);
        }
        let message = format!("{name} makes the pickle longer than {} bytes", self.limit);
        Fault::limit(at, message, "bytes")
    }

    /// What ends here at the latest needs no look.
    pub(super) fn before_boundary(&self) -> usize {
        self.boundary.saturating_sub(1)
    }

    /// How many bytes may still come at `position`, in this frame or this pickle.
    pub(super) fn room(&self, position: usize) -> usize {
        self.boundary.saturating_sub(position)
    }

    /// A frame of `size` bytes begins at `next`.
    pub(super) fn enter(&mut self, at: usize, next: usize, size: u64) -> Result<(), Fault> {
        if self.frame_end != NO_FRAME {
            let message = format!("a frame inside the frame that ends at {}", self.frame_end);
            return Err(Fault::new(FaultKind::Corrupt, at, message));
        }
        match usize::try_from(size).ok().and_then(|size| next.checked_add(size)) {
            Some(end) if end <= self.limit => {
                if size > 0 {
                    self.frame_end = end;
                    self.boundary = end;
                }
                Ok(())
            }
            _ => {
                let message =
                    format!("a frame of {size} bytes; a pickle may have {} in all", self.limit);
                Err(match size > ARENA as u64 {
                    true => Fault::new(FaultKind::Limit, at, message),
                    false => Fault::limit(at, message, "bytes"),
                })
            }
        }
    }

    /// The pickle ends: no frame may be open.
    pub(super) fn stop(&self, at: usize) -> Result<(), Fault> {
        if self.frame_end == NO_FRAME {
            return Ok(());
        }
        let message = format!("STOP before the end of its frame at {}", self.frame_end);
        Err(Fault::new(FaultKind::Corrupt, at, message))
    }
}

/// Where the opcode at `at` ends, given the length written before its argument.
#[inline]
pub(super) fn end_of(
    opcode: u8,
    argument: u8,
    at: usize,
    prefix: usize,
    length: u64,
) -> Result<usize, Fault> {
    if argument == SIGNED_LENGTH_4 && length > i32::MAX as u64 {
        let name = opcode::describe(opcode);
        let message = format!("{name} has the length {}", length as u32 as i32);
        return Err(Fault::new(FaultKind::Corrupt, at, message));
    }
    // What does not fit is beyond any limit.
    Ok((at + 1 + prefix).saturating_add(usize::try_from(length).unwrap_or(usize::MAX)))
}

/// The protocol's number is one there is.
pub(super) fn check_protocol(at: usize, protocol: u64) -> Result<(), Fault> {
    if protocol <= HIGHEST_PROTOCOL {
        return Ok(());
    }
    let message = format!("protocol {protocol}; the highest there is is {HIGHEST_PROTOCOL}");
    Err(Fault::new(FaultKind::Corrupt, at, message))
}

/// A code that is no opcode's.
#[cold]
pub(super) fn unknown_opcode(at: usize, opcode: u8) -> Fault {
    Fault::new(FaultKind::Corrupt, at, format!("0x{opcode:02x} is no opcode"))
}

/// A line that is longer than a line may be.
#[cold]
pub(super) fn line_too_long(opcode: u8, at: usize, limit: usize) -> Fault {
    let message = format!("{} has a line longer than {limit} bytes", opcode::describe(opcode));
    Fault::limit(at, message, "line")
}
