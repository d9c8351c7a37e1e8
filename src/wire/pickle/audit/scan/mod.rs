//! Names in what follows a fault: an unpickler that is more lenient than this one may come so far.
//!
//! CPython's own reads some pickles that break PEP 3154's rules for frames (cpython#154848), in more
//! than one way, and whoever catches an error may go on. So the opcodes are read on in each of these
//! ways, one after the other, whatever the stack would hold, for the names that they ask for.

mod argument;
mod reading;
mod text;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use memchr::memchr;

use super::RequestKind;
use crate::wire::pickle::Limits;
use crate::wire::pickle::opcode::*;
use crate::wire::pickle::reader::little_endian;
use argument::{Argument, Arguments};
use reading::{Reading, Readings};
use text::Text;

/// The most that are listed; opcodes found by chance are many.
const LISTED: usize = 1_000;
/// The longest module or name that is taken for one, in bytes.
const NAME_LENGTH: usize = 1_000;

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
    let (mut found, mut unlisted) = (Vec::new(), 0);
    let mut known = HashSet::new();
    let mut readings = Readings::of(bytes.len());
    while let Some(reading) = readings.next() {
        let mut scan = Scan::new(bytes, reading, limits.memo);
        let mut at = 0;
        while let Some(&opcode) = bytes.get(at) {
            let (request, next) = scan.step(opcode, at);
            // A line that only the end of all bytes ends was not read before the fault.
            if let Some((kind, name)) = request
                && (at >= from || next > bytes.len())
                && known.insert((at, name.clone()))
            {
                if found.len() < LISTED {
                    found.push(Found { kind, opcode, offset: at, name });
                } else {
                    unlisted += 1;
                }
            }
            at = next;
        }
        // A million requests more need not be told apart from each other.
        if unlisted > 0 {
            break;
        }
        readings.branch(&scan.arguments.reading);
    }
    found.sort_by_key(|found| found.offset);
    // In a way that was not tried there may be something, too.
    (found, unlisted + usize::from(readings.more))
}

type Name = (Box<str>, Box<str>);
type Requested = (RequestKind, Option<Name>);

struct Scan<'a> {
    bytes: &'a [u8],
    arguments: Arguments<'a>,
    /// The last but one and the last thing that was pushed, where it is a text.
    last: [Option<Text>; 2],
    /// Entries that are no texts count, too: `MEMOIZE` numbers by them.
    memo: HashMap<u64, Option<Text>>,
    memo_limit: usize,
    /// Whether the memo may hold something else than what stands here.
    memo_unknown: bool,
    /// Whether a memo was left behind with a pickle that ended.
    stopped: bool,
}

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8], reading: Reading, memo_limit: usize) -> Scan<'a> {
        let (last, memo) = ([None, None], HashMap::new());
        let arguments = Arguments::new(bytes, reading);
        Scan { bytes, arguments, last, memo, memo_limit, memo_unknown: false, stopped: false }
    }

    /// What the opcode at `at` asks for, and where the next one is.
    fn step(&mut self, opcode: u8, at: usize) -> (Option<Requested>, usize) {
        let Some(Argument { text: argument, second, next }) = self.arguments.of(opcode, at) else {
            if self.arguments.in_step && matches!(opcode, GLOBAL | INST | PERSID) {
                let request = match opcode {
                    PERSID => Some((RequestKind::PersistentId, None)),
                    _ => self.cut_name(at + 1),
                };
                return (request, self.bytes.len() + 1);
            }
            self.arguments.in_step = false;
            return (None, at + 1);
        };
        let mut request = None;
        match opcode {
            GLOBAL | INST => {
                let (module, name) = (&self.bytes[argument], &self.bytes[second]);
                let kind = if opcode == INST { RequestKind::Call } else { RequestKind::Global };
                request = self.named(module, name).map(|name| (kind, Some(name)));
                self.push(None);
            }
            STACK_GLOBAL => {
                let name = match &self.last {
                    [Some(module), Some(name)] => {
                        self.named(module.of(self.bytes), name.of(self.bytes))
                    }
                    _ => None,
                };
                if name.is_some() || self.arguments.in_step {
                    request = Some((RequestKind::Global, name));
                }
                self.last = [None, None];
            }
            EXT1 | EXT2 | EXT4 => {
                request = self.arguments.in_step.then_some((RequestKind::Extension, None));
                self.push(None);
            }
            PERSID | BINPERSID => {
                request = self.arguments.in_step.then_some((RequestKind::PersistentId, None));
                self.push(None);
            }
            NEXT_BUFFER => {
                request = self.arguments.in_step.then_some((RequestKind::Buffer, None));
                self.push(None);
            }
            SHORT_BINUNICODE | BINUNICODE | BINUNICODE8 | UNICODE | SHORT_BINSTRING | BINSTRING
            | STRING => self.push(Text::pushed(opcode, self.bytes, &argument)),
            DUP => self.push(self.last[1].clone()),
            BINGET | LONG_BINGET => self.get(Some(little_endian(&self.bytes[argument]))),
            GET => self.get(self.line_number(argument)),
            BINPUT | LONG_BINPUT => self.put(Some(little_endian(&self.bytes[argument]))),
            PUT => self.put(self.line_number(argument)),
            MEMOIZE => self.put(Some(self.memo.len() as u64)),
            STOP => self.stop(),
            PROTO | FRAME | MARK => {}
            _ => self.push(None),
        }
        (request, next)
    }

    /// A name that the end of the bytes cuts, as CPython's Python unpickler reads it: up to the end,
    /// without the last byte, which it takes for the newline.
    fn cut_name(&self, start: usize) -> Option<Requested> {
        let rest = self.bytes.get(start..)?;
        let (module, name) = match memchr(b'\n', rest) {
            Some(end) => (&rest[..end], rest.get(end + 1..).unwrap_or_default()),
            None => (rest.split_last()?.1, &[][..]),
        };
        let name = name.split_last().map_or(&[][..], |(_, name)| name);
        self.named(module, name).map(|name| (RequestKind::Global, Some(name)))
    }

    /// Module and name, if they can be such: bytes by chance seldom are.
    fn named(&self, module: &[u8], name: &[u8]) -> Option<Name> {
        let text = |bytes: &[u8]| -> Option<Box<str>> {
            let text = std::str::from_utf8(bytes).ok()?;
            if text.len() > NAME_LENGTH {
                // A name can be made long, by going through a module and back.
                let end = text.floor_char_boundary(NAME_LENGTH);
                return self.arguments.in_step.then(|| format!("{}…", &text[..end]).into());
            }
            (self.arguments.in_step || is_ordinary(text)).then(|| text.into())
        };
        Some((text(module).filter(|module| !module.is_empty())?, text(name)?))
    }

    /// `None` for what is no number here: CPython's unpicklers take more spellings.
    fn line_number(&self, line: Range<usize>) -> Option<u64> {
        std::str::from_utf8(&self.bytes[line]).ok()?.parse().ok()
    }

    fn push(&mut self, text: Option<Text>) {
        self.last.swap(0, 1);
        self.last[1] = text;
    }

    fn get(&mut self, index: Option<u64>) {
        self.arguments.reading.memo_matters |= self.stopped;
        let known = index.filter(|_| !self.memo_unknown).and_then(|index| self.memo.get(&index));
        self.push(known.cloned().flatten());
    }

    fn put(&mut self, index: Option<u64>) {
        match index {
            Some(index) if self.memo.len() < self.memo_limit => {
                self.memo.insert(index, self.last[1].clone());
            }
            _ => self.memo_unknown = true,
        }
    }

    /// The next pickle begins.
    fn stop(&mut self) {
        self.last = [None, None];
        if !self.arguments.reading.keeps_memo {
            self.stopped |= !self.memo.is_empty();
            self.memo.clear();
            self.memo_unknown = false;
        }
    }
}

fn is_ordinary(name: &str) -> bool {
    let ordinary = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let first = name.chars().next();
    name.chars().all(ordinary) && first.is_some_and(|first| !first.is_numeric() && first != '-')
}
