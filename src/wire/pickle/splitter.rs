//! Finds where a pickle ends without building anything.

use memchr::memchr;

use super::Limits;
use super::bounds::{self, Bounds};
use super::opcode::{self, ARGUMENTS, LONGEST};
use super::reader::little_endian;
use crate::wire::Fault;

/// Cuts a stream of bytes into pickles.
///
/// Sans-I/O and resumable at every byte: it keeps a few numbers between calls and never the bytes,
/// sees each byte once, and skips long arguments by their length.
#[derive(Clone, Debug)]
pub struct Splitter {
    limit: usize,
    line_limit: usize,
    bounds: Bounds,
    /// Where the next byte is, from the pickle's first.
    position: usize,
    /// The opcode that is being read, and where it stands.
    opcode: u8,
    at: usize,
    state: State,
}

/// What the bytes so far are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The pickle goes on beyond these bytes; all of them were taken.
    NeedMore,
    /// The pickle ends with the first `consumed` of these bytes; the rest begins the next one.
    Complete {
        /// How many of the bytes just fed belong to the pickle.
        consumed: usize,
    },
    /// The bytes are no pickle, or one too large; the splitter stays in this state until
    /// [`reset`](Splitter::reset).
    Failed(Fault),
}

#[derive(Clone, Debug)]
enum State {
    Opcode,
    /// So many bytes of the argument are still to come.
    Skip(usize),
    /// `seen` bytes of the length before an argument, as far as they are known.
    Length {
        seen: usize,
        value: u64,
    },
    /// So many lines end the argument, and so much of the first is there.
    Line {
        lines: u8,
        length: usize,
    },
    Failed(Fault),
}

impl Splitter {
    /// A splitter at the beginning of a pickle. Of the limits it applies `bytes` and `line`.
    pub fn new(limits: &Limits) -> Splitter {
        Splitter {
            limit: limits.longest(),
            line_limit: limits.line,
            bounds: Bounds::new(limits.longest()),
            position: 0,
            opcode: 0,
            at: 0,
            state: State::Opcode,
        }
    }

    /// Forgets the pickle that has begun.
    pub fn reset(&mut self) {
        self.bounds = Bounds::new(self.limit);
        self.position = 0;
        self.state = State::Opcode;
    }

    /// How many bytes of the pickle that has begun were seen; 0 between pickles.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Takes the bytes that follow. After [`Progress::Complete`] the next pickle begins, with the
    /// bytes that were not consumed: feed those again.
    pub fn feed(&mut self, bytes: &[u8]) -> Progress {
        let mut index = 0;
        match self.scan(bytes, &mut index) {
            Ok(true) => {
                self.reset();
                Progress::Complete { consumed: index }
            }
            Ok(false) => Progress::NeedMore,
            Err(fault) => {
                self.state = State::Failed(fault.clone());
                Progress::Failed(fault)
            }
        }
    }

    /// Takes bytes up to the pickle's end (`true`) or their own.
    fn scan(&mut self, bytes: &[u8], index: &mut usize) -> Result<bool, Fault> {
        while *index < bytes.len() {
            let rest = &bytes[*index..];
            let taken = match self.state {
                State::Opcode => {
                    let (taken, stopped) = self.opcodes(rest)?;
                    if stopped {
                        *index += taken;
                        return Ok(true);
                    }
                    taken
                }
                State::Skip(left) => {
                    let taken = left.min(rest.len());
                    self.state =
                        if taken == left { State::Opcode } else { State::Skip(left - taken) };
                    taken
                }
                State::Length { seen, value } => self.length(rest[0], seen, value)?,
                State::Line { lines, length } => self.line(rest, lines, length)?,
                State::Failed(ref fault) => return Err(fault.clone()),
            };
            *index += taken;
            self.position += taken;
        }
        match &self.state {
            State::Failed(fault) => Err(fault.clone()),
            _ => Ok(false),
        }
    }

    /// The fast path: whole opcodes. Returns how many bytes were taken, and whether STOP was the last.
    fn opcodes(&mut self, bytes: &[u8]) -> Result<(usize, bool), Fault> {
        let start = self.position;
        let mut index = 0;
        loop {
            index = self.common_opcodes(bytes, index);
            let Some(&opcode) = bytes.get(index) else { break };
            let at = start + index;
            let argument = ARGUMENTS[opcode as usize];
            let next = match argument {
                0..=opcode::FIXED_MAX => at + 1 + argument as usize,
                opcode::LENGTH_1 if index + 1 < bytes.len() => at + 2 + bytes[index + 1] as usize,
                opcode::LENGTH_4 | opcode::SIGNED_LENGTH_4 if index + 4 < bytes.len() => {
                    // A length beyond the frame is no length: say that first, as when it is cut.
                    self.bounds.check(opcode, at, at + 5)?;
                    let length = little_endian(&bytes[index + 1..index + 5]);
                    bounds::end_of(opcode, argument, at, 4, length).or_else(|fault| {
                        // A length that lies beyond the frame is not read, whatever it would say.
                        self.bounds.check(opcode, at, at + 5).and(Err(fault))
                    })?
                }
                opcode::END => {
                    self.bounds.advance(opcode, at, at + 1)?;
                    self.bounds.stop(at)?;
                    return Ok((index + 1, true));
                }
                opcode::PROTOCOL if index + 1 < bytes.len() => {
                    self.bounds.advance(opcode, at, at + 2)?;
                    bounds::check_protocol(at, bytes[index + 1].into())?;
                    index += 2;
                    continue;
                }
                opcode::FRAME_LENGTH if index + 8 < bytes.len() => {
                    self.bounds.check(opcode, at, at + 9)?;
                    self.bounds.enter(at, at + 9, little_endian(&bytes[index + 1..index + 9]))?;
                    index += 9;
                    continue;
                }
                opcode::UNKNOWN => return Err(bounds::unknown_opcode(at, opcode)),
                opcode::LINE | opcode::TWO_LINES => {
                    self.bounds.check(opcode, at, at + 1)?;
                    self.begin(opcode, at);
                    let lines = 1 + u8::from(argument == opcode::TWO_LINES);
                    self.state = State::Line { lines, length: 0 };
                    // Nothing at all may be allowed to follow.
                    self.line_room(at + 1, 0)?;
                    return Ok((index + 1, false));
                }
                _ => {
                    self.bounds.check(opcode, at, at + 1 + opcode::prefix_width(argument))?;
                    self.begin(opcode, at);
                    self.state = State::Length { seen: 0, value: 0 };
                    return Ok((index + 1, false));
                }
            };
            self.bounds.advance(opcode, at, next)?;
            index = next - start;
        }
        if index > bytes.len() {
            self.state = State::Skip(index - bytes.len());
        }
        Ok((bytes.len(), false))
    }

    /// From `index` on, where the opcodes end that end here and in their frame: all but the rare ones.
    ///
    /// An arm for each width: the processor guesses which one comes, and goes on with the next opcode.
    /// With a sum of widths it would have to wait for each.
    fn common_opcodes(&self, bytes: &[u8], mut index: usize) -> usize {
        let room = self.bounds.before_boundary().saturating_sub(self.position);
        let bytes = &bytes[..room.min(bytes.len())];
        // More than one at a time: each place learns what usually follows.
        while let Some(next) = after_common(bytes, index) {
            index = next;
            let Some(next) = after_common(bytes, index) else { break };
            index = next;
            let Some(next) = after_common(bytes, index) else { break };
            index = next;
            let Some(next) = after_common(bytes, index) else { break };
            index = next;
        }
        index
    }

    fn begin(&mut self, opcode: u8, at: usize) {
        self.opcode = opcode;
        self.at = at;
    }

    /// One more byte of the length before an argument, least significant first.
    fn length(&mut self, byte: u8, seen: usize, value: u64) -> Result<usize, Fault> {
        let value = value | u64::from(byte) << (8 * seen);
        let argument = ARGUMENTS[self.opcode as usize];
        let width = opcode::prefix_width(argument);
        if seen + 1 < width {
            self.state = State::Length { seen: seen + 1, value };
            return Ok(1);
        }
        let body = self.at + 1 + width;
        self.state = State::Opcode;
        match argument {
            opcode::PROTOCOL => {
                self.bounds.advance(self.opcode, self.at, body)?;
                bounds::check_protocol(self.at, value)?;
            }
            opcode::FRAME_LENGTH => self.bounds.enter(self.at, body, value)?,
            _ => {
                let next = bounds::end_of(self.opcode, argument, self.at, width, value)?;
                self.bounds.advance(self.opcode, self.at, next)?;
                if next > body {
                    self.state = State::Skip(next - body);
                }
            }
        }
        Ok(1)
    }

    /// How many bytes a line may still have, its newline included, of which it has `length`.
    fn line_room(&self, position: usize, length: usize) -> Result<usize, Fault> {
        let in_line = self.line_limit.saturating_add(1) - length;
        let in_frame = self.bounds.room(position);
        if in_frame == 0 {
            Err(self.bounds.beyond(self.opcode, self.at))
        } else if in_line == 0 {
            Err(bounds::line_too_long(self.opcode, self.at, self.line_limit))
        } else {
            Ok(in_line.min(in_frame))
        }
    }

    /// More of a line, of which there are `length` bytes.
    fn line(&mut self, bytes: &[u8], lines: u8, length: usize) -> Result<usize, Fault> {
        let room = self.line_room(self.position, length)?.min(bytes.len());
        let Some(end) = memchr(b'\n', &bytes[..room]) else {
            self.line_room(self.position + room, length + room)?;
            self.state = State::Line { lines, length: length + room };
            return Ok(room);
        };
        let next = self.position + end + 1;
        if lines > 1 {
            self.line_room(next, 0)?;
            self.state = State::Line { lines: lines - 1, length: 0 };
        } else {
            self.bounds.advance(self.opcode, self.at, next)?;
            self.state = State::Opcode;
        }
        Ok(end + 1)
    }
}

/// Where the opcode at `index` ends, if it is a common one and ends inside `bytes`.
#[inline(always)]
fn after_common(bytes: &[u8], index: usize) -> Option<usize> {
    let rest = bytes.get(index..)?;
    let &[code, first, second, third, fourth, ..] = rest.first_chunk::<LONGEST>()?;
    match ARGUMENTS[code as usize] {
        0 => Some(index + 1),
        1 => Some(index + 2),
        2 => Some(index + 3),
        4 => Some(index + 5),
        8 => Some(index + 9),
        opcode::LENGTH_1 => {
            let length = usize::from(first);
            (length <= rest.len() - 2).then_some(index + 2 + length)
        }
        opcode::LENGTH_4 => {
            let length = u32::from_le_bytes([first, second, third, fourth]) as usize;
            (length <= rest.len() - 5).then_some(index + 5 + length)
        }
        _ => None,
    }
}
