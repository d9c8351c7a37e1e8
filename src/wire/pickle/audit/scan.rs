//! Names in what follows a fault: an unpickler that is more lenient than this one may come so far.
//!
//! CPython's own reads some pickles that break PEP 3154's rules for frames (cpython#154848), and
//! whoever catches an error may go on. So the opcodes are read on, one after the other, whatever the
//! stack would hold, for the names that they ask for.

use std::collections::HashMap;
use std::ops::Range;

use memchr::memchr;

use super::RequestKind;
use crate::wire::pickle::Limits;
use crate::wire::pickle::opcode::*;
use crate::wire::pickle::reader::little_endian;

/// The most that are listed; opcodes found by chance are many.
const LISTED: usize = 1_000;
/// The longest module or name that is taken for one, in bytes.
const NAME_LENGTH: usize = 200;

/// What an opcode asks for.
pub(super) struct Found {
    pub(super) kind: RequestKind,
    pub(super) opcode: u8,
    pub(super) offset: usize,
    /// Module and name.
    pub(super) name: Option<(Box<str>, Box<str>)>,
}

/// What the opcodes at `from` and after ask for, and how many more do than are listed. The bytes before
/// are read for the strings that the memo holds.
pub(super) fn after(bytes: &[u8], from: usize, limits: &Limits) -> (Vec<Found>, usize) {
    let bytes = &bytes[..bytes.len().min(limits.bytes)];
    let mut scan = Scan {
        bytes,
        lines: [Newline(0), Newline(0)],
        last: [None, None],
        memo: HashMap::new(),
        memo_limit: limits.memo,
        in_step: true,
    };
    let (mut found, mut unlisted) = (Vec::new(), 0);
    let mut at = 0;
    while let Some(&opcode) = bytes.get(at) {
        let (request, next) = scan.step(opcode, at);
        if let Some((kind, name)) = request
            && at >= from
        {
            if found.len() < LISTED {
                found.push(Found { kind, opcode, offset: at, name });
            } else {
                unlisted += 1;
            }
        }
        // Where the fault is, its opcode may be read in another way: both are looked at.
        at = if at < from && next > from { from } else { next };
    }
    (found, unlisted)
}

type Text = Range<usize>;
type Requested = (RequestKind, Option<(Box<str>, Box<str>)>);

struct Scan<'a> {
    bytes: &'a [u8],
    lines: [Newline; 2],
    /// The last but one and the last thing that was pushed, where it is a text.
    last: [Option<Text>; 2],
    /// Entries that are no texts count, too: `MEMOIZE` numbers by them.
    memo: HashMap<u64, Option<Text>>,
    memo_limit: usize,
    /// Whether every byte so far belongs to an opcode: else what follows may be one by chance.
    in_step: bool,
}

impl Scan<'_> {
    /// What the opcode at `at` asks for, and where the next one is.
    fn step(&mut self, opcode: u8, at: usize) -> (Option<Requested>, usize) {
        let Some(argument) = self.argument(opcode, at) else {
            self.in_step = false;
            return (None, at + 1);
        };
        let next = match ARGUMENTS[opcode as usize] {
            LINE | TWO_LINES => argument.end + 1,
            _ => argument.end,
        };
        let mut request = None;
        match opcode {
            GLOBAL | INST => {
                let lines = &self.bytes[argument];
                let split = memchr(b'\n', lines).unwrap_or(lines.len());
                let (module, name) = (&lines[..split], lines.get(split + 1..).unwrap_or_default());
                let kind = if opcode == INST { RequestKind::Call } else { RequestKind::Global };
                request = named(module, name).map(|name| (kind, Some(name)));
                self.push(None);
            }
            STACK_GLOBAL => {
                let name = match &self.last {
                    [Some(module), Some(name)] => {
                        named(&self.bytes[module.clone()], &self.bytes[name.clone()])
                    }
                    _ => None,
                };
                if name.is_some() || self.in_step {
                    request = Some((RequestKind::Global, name));
                }
                self.last = [None, None];
            }
            EXT1 | EXT2 | EXT4 => {
                request = self.in_step.then_some((RequestKind::Extension, None));
                self.push(None);
            }
            PERSID | BINPERSID => {
                request = self.in_step.then_some((RequestKind::PersistentId, None));
                self.push(None);
            }
            NEXT_BUFFER => {
                request = self.in_step.then_some((RequestKind::Buffer, None));
                self.push(None);
            }
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 | UNICODE | SHORT_BINSTRING | BINSTRING => {
                self.push(Some(argument));
            }
            STRING => {
                let inner = argument.start + 1..argument.end.saturating_sub(1);
                self.push((inner.start <= inner.end).then_some(inner));
            }
            DUP => self.push(self.last[1].clone()),
            BINGET | LONG_BINGET => {
                let index = little_endian(&self.bytes[argument]);
                self.push(self.memo.get(&index).cloned().flatten());
            }
            GET => {
                let known = self.line_number(argument).and_then(|index| self.memo.get(&index));
                self.push(known.cloned().flatten());
            }
            BINPUT | LONG_BINPUT => self.put(Some(little_endian(&self.bytes[argument]))),
            PUT => self.put(self.line_number(argument)),
            MEMOIZE => self.put(Some(self.memo.len() as u64)),
            PROTO | FRAME | MARK => {}
            _ => self.push(None),
        }
        (request, next)
    }

    /// Where the argument of the opcode at `at` is, without what ends its last line.
    fn argument(&mut self, opcode: u8, at: usize) -> Option<Text> {
        let start = at + 1;
        let argument = ARGUMENTS[opcode as usize];
        let range = match argument {
            UNKNOWN => return None,
            0..=FIXED_MAX => start..start + argument as usize,
            END => start..start,
            PROTOCOL => start..start + 1,
            FRAME_LENGTH => start..start + 8,
            LINE => start..self.lines[0].find(self.bytes, start)?,
            TWO_LINES => {
                let first = self.lines[0].find(self.bytes, start)?;
                start..self.lines[1].find(self.bytes, first + 1)?
            }
            _ => {
                let body = start + prefix_width(argument);
                let length = little_endian(self.bytes.get(start..body)?);
                body..body.checked_add(usize::try_from(length).ok()?)?
            }
        };
        (range.end <= self.bytes.len()).then_some(range)
    }

    fn line_number(&self, line: Text) -> Option<u64> {
        std::str::from_utf8(&self.bytes[line]).ok()?.trim_ascii().parse().ok()
    }

    fn push(&mut self, text: Option<Text>) {
        self.last.swap(0, 1);
        self.last[1] = text;
    }

    fn put(&mut self, index: Option<u64>) {
        if let Some(index) = index
            && self.memo.len() < self.memo_limit
        {
            self.memo.insert(index, self.last[1].clone());
        }
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

/// Module and name, if they can be such: bytes by chance seldom are.
fn named(module: &[u8], name: &[u8]) -> Option<(Box<str>, Box<str>)> {
    let text = |bytes: &[u8]| -> Option<Box<str>> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= NAME_LENGTH)?;
        let first = text.chars().next()?;
        let ordinary = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
        (text.chars().all(ordinary) && !first.is_numeric() && first != '-').then(|| text.into())
    };
    Some((text(module)?, text(name)?))
}
