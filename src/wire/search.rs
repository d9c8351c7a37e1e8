//! Looks for the place where pickles go on after bytes that are none.
//!
//! A pickle of protocol 2 to 5 begins with PROTO and its number; what begins so, can be split and can be
//! decoded is taken for one. Of protocols 0 and 1 nearly any byte may begin a pickle, and digits and a
//! dot are one: there is nothing to look for.

use super::pickle::{Limits, Progress, Splitter};

/// The opcode that a pickle of protocol 2 or higher begins with.
pub(super) const PROTO: u8 = 0x80;
/// How often a byte may be looked at on average, beyond the first so many.
const WORK_PER_BYTE: usize = 4;
const FIRST_WORK: usize = 1 << 20;
/// How much is split before it is looked whether that went well; then twice as much, and so on.
const FIRST_BLOCK: usize = 64;
const LAST_BLOCK: usize = 1 << 16;

/// Looks for the beginning of a pickle in bytes that come bit by bit.
///
/// All places are tried in turn, the first one that holds a pickle wins. The work is linear in the
/// bytes: where too many places look like a beginning, they are passed over.
pub(super) struct Search {
    limits: Limits,
    /// The place that is being tried, and how much of it is split.
    place: Option<Place>,
    /// Where in the pending bytes the next place is looked for.
    next: usize,
    /// How many of the pending bytes were there before.
    known: usize,
    work_left: usize,
}

/// A place where a pickle may begin: where that is in the pending bytes, and how far it was split.
struct Place {
    start: usize,
    end: usize,
    splitter: Splitter,
}

/// What was found in the pending bytes.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// So many of them belong to no pickle; the others may.
    More(usize),
    /// A pickle begins after so many of them.
    Start(usize),
    /// Too many places in so many of them look like a beginning: they were not all tried.
    TooMany(usize),
}

/// How it went with one place.
enum Trial {
    /// A pickle that ends here.
    Pickle(usize),
    Nothing,
    Unfinished,
    TooMuchWork,
}

impl Search {
    /// From so many bytes on.
    pub(super) fn new(limits: &Limits, from: usize) -> Search {
        Search { limits: limits.clone(), place: None, next: from, known: 0, work_left: FIRST_WORK }
    }

    /// As [`new`](Search::new), where the first byte may be a beginning of any protocol.
    pub(super) fn at_any(limits: &Limits) -> Search {
        let mut search = Search::new(limits, 0);
        search.place = Some(search.place_at(0));
        search
    }

    /// Looks on in `pending`, of which so many bytes were taken away as the last answer said, and to
    /// which others may have been added. If it `is_whole`, nothing will be added any more.
    pub(super) fn find(
        &mut self,
        pending: &[u8],
        is_whole: bool,
        decodes: &dyn Fn(&[u8]) -> bool,
    ) -> Found {
        let fresh = pending.len() - self.known;
        self.work_left = self.work_left.saturating_add(fresh.saturating_mul(WORK_PER_BYTE));
        self.known = pending.len();
        loop {
            let mut place = match self.place.take() {
                Some(place) => place,
                None => match next_start(pending, self.next, is_whole) {
                    Next::At(start) => self.place_at(start),
                    Next::None(passed) => return self.pass(passed),
                },
            };
            let start = place.start;
            match self.attempt(&mut place, pending, decodes) {
                Trial::Pickle(end) => {
                    let start = self.last_start(start, end, pending, decodes);
                    return Found::Start(start);
                }
                Trial::Unfinished if !is_whole => {
                    self.place = Some(place);
                    return self.pass(start);
                }
                Trial::Unfinished | Trial::Nothing => self.next = start + 1,
                Trial::TooMuchWork => {
                    let passed = place.end.max(start + LAST_BLOCK).min(pending.len());
                    self.pass(passed);
                    // Bytes are passed over once only, so that this stays linear, too.
                    self.work_left = passed.saturating_mul(WORK_PER_BYTE);
                    return Found::TooMany(passed);
                }
            }
        }
    }

    fn place_at(&self, start: usize) -> Place {
        Place { start, end: start, splitter: Splitter::new(&self.limits) }
    }

    /// So many bytes are taken away.
    fn pass(&mut self, count: usize) -> Found {
        self.next = self.next.max(count) - count;
        self.known -= count;
        if let Some(place) = &mut self.place {
            place.start -= count;
            place.end -= count;
        }
        Found::More(count)
    }

    fn attempt(
        &mut self,
        place: &mut Place,
        pending: &[u8],
        decodes: &dyn Fn(&[u8]) -> bool,
    ) -> Trial {
        let mut block = FIRST_BLOCK;
        while place.end < pending.len() {
            let length = block.min(pending.len() - place.end);
            if !self.work(length) {
                return Trial::TooMuchWork;
            }
            match place.splitter.feed(&pending[place.end..][..length]) {
                Progress::NeedMore => place.end += length,
                Progress::Failed(_) => return Trial::Nothing,
                Progress::Complete { consumed } => {
                    let end = place.end + consumed;
                    return match self.work(end - place.start) {
                        false => Trial::TooMuchWork,
                        true if decodes(&pending[place.start..end]) => Trial::Pickle(end),
                        true => Trial::Nothing,
                    };
                }
            }
            block = (2 * block).min(LAST_BLOCK);
        }
        Trial::Unfinished
    }

    /// The last place from `start` on at which a pickle begins that ends at `end`: damaged bytes that
    /// happen to be opcodes run on into the pickle behind them.
    fn last_start(
        &mut self,
        start: usize,
        end: usize,
        pending: &[u8],
        decodes: &dyn Fn(&[u8]) -> bool,
    ) -> usize {
        let (mut last, mut next) = (start, start + 1);
        while let Next::At(other) = next_start(&pending[..end], next, true) {
            match self.attempt(&mut self.place_at(other), &pending[..end], decodes) {
                Trial::Pickle(other_end) if other_end == end => last = other,
                Trial::TooMuchWork => break,
                _ => {}
            }
            next = other + 1;
        }
        last
    }

    fn work(&mut self, bytes: usize) -> bool {
        let left = self.work_left.checked_sub(bytes);
        self.work_left = left.unwrap_or(0);
        left.is_some()
    }
}

enum Next {
    At(usize),
    /// None before here, where more bytes are needed to tell, or the end is.
    None(usize),
}

/// The next place that looks like the beginning of a pickle.
fn next_start(pending: &[u8], from: usize, is_whole: bool) -> Next {
    let mut from = from.min(pending.len());
    while let Some(found) = memchr::memchr(PROTO, &pending[from..]) {
        let at = from + found;
        match pending[at + 1..] {
            // Two in a row: what comes first is no part of the pickle.
            [2..=5, next, ..] if next != PROTO => return Next::At(at),
            [] | [2..=5] if !is_whole => return Next::None(at),
            _ => from = at + 1,
        }
    }
    Next::None(pending.len())
}
