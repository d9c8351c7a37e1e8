//! The ways in which CPython's unpicklers read what breaks the rules for frames.

use std::collections::VecDeque;

use super::super::super::opcode::*;

/// How many bytes are read at the most for the ways beside the common ones.
const EFFORT: usize = 64 << 20;
/// How many such ways there are at the most.
const WAYS: usize = 32;

/// How one thing is read that straddles its frame's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Straddle {
    /// As if there were no frames.
    ReadOn,
    /// What is left of the frame is dropped, and the argument read anew behind it.
    BehindTheFrame,
}

/// What an unpickler reads from; it decides what becomes of straddles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// All bytes are in memory.
    Memory,
    /// A file from which each frame is taken at once.
    File,
    /// The same in newer versions, which read bytes to where they belong, without a detour.
    FileReadInto,
}

/// One way to read.
///
/// A file that can be peeked into is read as memory where its buffer holds enough, so that each
/// straddle may be read in either way: `chosen` says how, of as many as it has.
#[derive(Clone)]
pub(super) struct Reading {
    source: Source,
    chosen: Vec<Straddle>,
    met: usize,
    /// Whether the memo goes on after STOP, as it does where one unpickler reads several pickles.
    pub(super) keeps_memo: bool,
    /// Whether that makes a difference.
    pub(super) memo_matters: bool,
}

impl Reading {
    fn of(source: Source) -> Reading {
        Reading { source, chosen: Vec::new(), met: 0, keeps_memo: false, memo_matters: false }
    }

    /// How the next straddle is read, which is one of this opcode.
    pub(super) fn straddle(&mut self, opcode: u8) -> Straddle {
        let place = self.met;
        self.met += 1;
        if let Some(&chosen) = self.chosen.get(place) {
            return chosen;
        }
        let reads_into = matches!(opcode, BINBYTES | SHORT_BINBYTES | BINBYTES8 | BYTEARRAY8);
        match self.source {
            Source::Memory => Straddle::ReadOn,
            Source::FileReadInto if reads_into => Straddle::ReadOn,
            Source::File | Source::FileReadInto => Straddle::BehindTheFrame,
        }
    }

    /// How a straddle is read that no unpickler can have come to.
    pub(super) fn unreached(&self) -> Straddle {
        match self.source {
            Source::Memory => Straddle::ReadOn,
            Source::File | Source::FileReadInto => Straddle::BehindTheFrame,
        }
    }
}

/// All ways that are tried, one after the other: which they are shows only while reading.
pub(super) struct Readings {
    waiting: VecDeque<Reading>,
    left: usize,
    /// Whether there are more than are tried.
    pub(super) more: bool,
}

impl Readings {
    /// Of so many bytes.
    pub(super) fn of(length: usize) -> Readings {
        let sources = [Source::Memory, Source::File, Source::FileReadInto];
        Readings {
            waiting: sources.map(Reading::of).into(),
            left: (EFFORT / length.max(1)).min(WAYS),
            more: false,
        }
    }

    pub(super) fn next(&mut self) -> Option<Reading> {
        self.waiting.pop_front()
    }

    /// Has the ways tried that this one, when it was done, has shown that there are.
    pub(super) fn branch(&mut self, done: &Reading) {
        if done.memo_matters && !done.keeps_memo {
            self.add(Reading { met: 0, keeps_memo: true, ..done.clone() });
        }
        if done.source != Source::Memory {
            return;
        }
        for place in done.chosen.len()..done.met {
            let mut chosen = done.chosen.clone();
            chosen.resize(place, Straddle::ReadOn);
            chosen.push(Straddle::BehindTheFrame);
            if !self.add(Reading { chosen, met: 0, ..done.clone() }) {
                break;
            }
        }
    }

    fn add(&mut self, reading: Reading) -> bool {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                self.waiting.push_back(reading);
                true
            }
            None => {
                self.more = true;
                false
            }
        }
    }
}
