//! Names in what follows a fault: an unpickler that is more lenient than this one may come so far.
//!
//! CPython's own reads some pickles that break PEP 3154's rules for frames (cpython#154848), in more
//! than one way, and whoever catches an error may go on. So the opcodes are read on in each of these
//! ways, one after the other, whatever the stack would hold, for the names that they ask for.

mod argument;

use std::collections::{HashMap, HashSet};

use memchr::memchr;

use super::RequestKind;
use crate::wire::pickle::Limits;
use crate::wire::pickle::opcode::*;
use crate::wire::pickle::reader::little_endian;
use argument::{Argument, Arguments, Straddle, Text};

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
    for straddle in [Straddle::ReadOn, Straddle::BehindTheFrame] {
        let mut scan = Scan::new(bytes, straddle, limits.memo);
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
    }
    found.sort_by_key(|found| found.offset);
    (found, unlisted)
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
    /// Whether every byte so far belongs to an opcode: else what follows may be one by chance.
    in_step: bool,
}

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8], straddle: Straddle, memo_limit: usize) -> Scan<'a> {
        let (last, memo) = ([None, None], HashMap::new());
        let arguments = Arguments::new(bytes, straddle);
        Scan { bytes, arguments, last, memo, memo_limit, in_step: true }
    }

    /// What the opcode at `at` asks for, and where the next one is.
    fn step(&mut self, opcode: u8, at: usize) -> (Option<Requested>, usize) {
        let Some(Argument { text: argument, second, next }) = self.arguments.of(opcode, at) else {
            if self.in_step && matches!(opcode, GLOBAL | INST | PERSID) {
                let request = match opcode {
                    PERSID => Some((RequestKind::PersistentId, None)),
                    _ => self.cut_name(at + 1),
                };
                return (request, self.bytes.len() + 1);
            }
            self.in_step = false;
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
                        self.named(&self.bytes[module.clone()], &self.bytes[name.clone()])
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
            let can_be = text.len() <= NAME_LENGTH && (self.in_step || is_ordinary(text));
            can_be.then(|| text.into())
        };
        Some((text(module).filter(|module| !module.is_empty())?, text(name)?))
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

fn is_ordinary(name: &str) -> bool {
    let ordinary = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    let first = name.chars().next();
    name.chars().all(ordinary) && first.is_some_and(|first| !first.is_numeric() && first != '-')
}
