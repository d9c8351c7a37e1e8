//! What came back against what was recorded. Sans-I/O: bytes come in as they arrive.
//!
//! Where the format marks the ends of messages, message is compared with message by value, however
//! the bytes were cut on their way. Else the bytes are compared, position by position, and count as
//! the recorded messages they make up: a peer that cuts them otherwise makes no difference. Where they
//! differ, and the format has values, they are decoded from the beginning of that message on, until
//! they are at a message's beginning again.

mod apart;
mod difference;
mod digest;
mod json_end;
mod judge;
mod likeness;
mod live;
mod marks;
mod number;
mod show;
mod stream;
mod walk;

use std::borrow::Cow;
use std::collections::VecDeque;

pub use self::difference::Difference;
use self::difference::excerpt;
use self::judge::{Judge, Verdict};
use self::live::Live;
use self::stream::Mode;
use super::carry::{Carriage, Carried};
use super::rules::Rules;
use super::script::{Conversation, Gap};
use crate::message::Message;
use crate::net::Stop;
use crate::session::Side;
use crate::wire::{Arrival, Codec};

/// Among how many other messages one that came in the wrong place is looked for.
const OTHERS: usize = 100;

/// Compares one side's live bytes with its recorded ones.
pub struct Comparison<'a> {
    side: Side,
    judge: Judge<'a>,
    expected: VecDeque<&'a Message>,
    /// Recorded messages that came, or in place of which another did, the last ones.
    passed: VecDeque<&'a Message>,
    /// What the recording lacks of the side and has not been reached yet.
    gaps: VecDeque<Gap>,
    /// How many bytes more fall in a gap.
    skipping: u64,
    /// How much further the live messages are than the recorded ones, in bytes.
    drift: i64,
    mode: Mode,
    /// How the last bytes came.
    last: Arrival,
    /// Where the last bytes ended that belong to no recorded message and are none of their own.
    surplus: Option<u64>,
    /// Of how many messages differences are kept.
    shown: usize,
    /// How many recorded messages came, equal or not, compared or not.
    pub arrived: u64,
    /// How many of them were compared.
    pub compared: u64,
    /// How many of those were equal.
    pub matched: u64,
    /// How many of those were not.
    pub differing: u64,
    /// How many came of which the rules left nothing to compare.
    pub ignored: u64,
    /// How many bytes came.
    pub bytes: u64,
    /// How many bytes came that belong to no recorded message.
    pub unexpected: u64,
    /// How many of them are whole messages, and how many bytes those are.
    pub(super) unexpected_messages: (u64, u64),
    /// The first differences: a few of each of the first [`Comparison::KEPT`] messages that differ.
    pub differences: Vec<Difference>,
    /// Whether the recording broke off before the side ended.
    breaks_off: bool,
    /// Whether to go on, asked before each message.
    stop: Option<Stop>,
}

impl<'a> Comparison<'a> {
    /// Of how many differing messages something is kept; the others are counted.
    pub const KEPT: usize = 20;

    /// Expects what `side` sent in `conversation`.
    ///
    /// Live bytes that fall in a gap of the recording are not compared; after a gap of unknown length
    /// nothing is, since nothing tells which bytes were recorded.
    pub fn new(conversation: &'a Conversation, side: Side, rules: &'a Rules) -> Comparison<'a> {
        let expected: VecDeque<_> =
            conversation.steps.iter().filter_map(|step| step.message_of(side)).collect();
        // What was found out of the recording is what the live bytes are expected to be.
        let format = match expected.front() {
            Some(first) if *conversation.formats.of(side).codec() == Codec::Auto => &first.format,
            _ => conversation.formats.of(side),
        };
        let carried = Carried::new(&rules.carry, side, conversation);
        let breaks_off = conversation.cut && !conversation.shows_end_of(side);
        let judge = Judge::new(format, rules, carried, breaks_off);
        let mode = Mode::of(&judge);
        Comparison {
            side,
            judge,
            expected,
            passed: VecDeque::new(),
            gaps: conversation.gaps.iter().filter(|gap| gap.side == side).copied().collect(),
            skipping: 0,
            drift: 0,
            mode,
            last: Arrival::default(),
            surplus: None,
            shown: 0,
            arrived: 0,
            compared: 0,
            matched: 0,
            differing: 0,
            ignored: 0,
            bytes: 0,
            unexpected: 0,
            unexpected_messages: (0, 0),
            differences: Vec::new(),
            breaks_off,
            stop: None,
        }
    }

    /// Compares nothing more once someone has asked for an end: a peer may send more in one go than is
    /// compared at once.
    pub fn stop_with(&mut self, stop: Stop) {
        self.stop = Some(stop);
    }

    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(Stop::is_requested)
    }

    /// How many recorded messages have not come.
    pub fn missed(&self) -> u64 {
        self.expected.len() as u64
    }

    /// Where the recording broke off nothing tells that bytes behind it do not belong there: takes back
    /// what was said of them, and returns how many they are.
    pub fn disregard_what_follows(&mut self) -> u64 {
        if !self.breaks_off {
            return 0;
        }
        self.differences.retain(|difference| difference.index.is_some());
        self.unexpected_messages = (0, 0);
        std::mem::take(&mut self.unexpected)
    }

    /// What is sent in place of a recorded message of the other side: itself, unless it says something
    /// of which [`Rules::carry`] has found the live value.
    ///
    /// # Errors
    /// Why the live value cannot be put there, in words.
    pub fn outgoing<'m>(&mut self, message: &'m Message) -> Result<Cow<'m, [u8]>, String> {
        self.judge.carried().apply(message)
    }

    /// How often each value that [`Rules::carry`] takes from this side was read, and sent.
    pub fn carriages(&self) -> Vec<Carriage> {
        self.judge.carriages(&self.expected)
    }

    /// The rules that found nothing to do in any message, recorded or live, as they were given; for those
    /// that carry see [`carriages`](Comparison::carriages).
    pub fn unused(&self) -> Vec<String> {
        self.judge.unused(&self.expected)
    }

    fn compare(&mut self, expected: &'a Message, got: &Live<'_>) {
        self.arrived += 1;
        match self.judge.judge(expected, got) {
            Verdict::Uncompared => {}
            Verdict::Ignored => self.ignored += 1,
            Verdict::Equal => {
                self.compared += 1;
                self.matched += 1;
            }
            Verdict::Differing(places) => {
                self.compared += 1;
                self.differing += 1;
                if self.shown < Comparison::KEPT {
                    self.shown += 1;
                    let mut found = self.found_elsewhere(got);
                    for mut place in places {
                        // Once a message, and never as if it were said of a part of it.
                        let found = found.take().map(|found| match place.path {
                            Some(_) => format!("the whole message is {found}"),
                            None => found,
                        });
                        place.note = match (found, place.note) {
                            (Some(found), Some(note)) => Some(format!("{found}; {note}")),
                            (found, note) => found.or(note),
                        };
                        self.differences.push(Difference {
                            side: self.side,
                            index: Some(expected.index),
                            after: None,
                            frame: expected.frame.map(|frame| frame.number),
                            offset: expected.offset,
                            path: place.path,
                            expected: place.expected,
                            got: place.got,
                            note: place.note,
                        });
                    }
                }
            }
        }
        self.passed.push_back(expected);
        if self.passed.len() > OTHERS {
            self.passed.pop_front();
        }
    }

    /// Says of a message that came in the wrong place, or once more, which one it is.
    fn found_elsewhere(&self, got: &Live<'_>) -> Option<String> {
        let others = self.expected.iter().take(OTHERS).chain(self.passed.iter().rev());
        let found = self.judge.find(others.copied(), got)?;
        Some(format!("the same as recorded message {}", found.index))
    }

    /// Bytes that belong to nothing; those that follow each other are one difference.
    fn surplus_bytes(&mut self, offset: u64, bytes: &[u8]) {
        let show = || bytes.escape_ascii().to_string();
        match (self.differences.last_mut(), self.surplus) {
            (Some(last), Some(end)) if last.index.is_none() && end == offset => {
                self.unexpected += bytes.len() as u64;
                if let Some(got) = last.got.as_mut().filter(|got| !got.ends_with('…')) {
                    *got = excerpt(&format!("{got}{}", show()), 0);
                }
            }
            _ => self.surplus(offset, bytes.len(), show, None),
        }
        self.surplus = Some(offset + bytes.len() as u64);
    }

    /// A message that belongs to nothing.
    fn surplus_message(&mut self, offset: u64, live: &Live<'_>) {
        if self.judge.compares() {
            self.unexpected_messages.0 += 1;
            self.unexpected_messages.1 += live.raw.len() as u64;
        }
        let note = match self.shown < Comparison::KEPT {
            true => self.found_elsewhere(live),
            false => None,
        };
        self.surplus(offset, live.raw.len(), || live.show(), note);
    }

    fn surplus(
        &mut self,
        offset: u64,
        length: usize,
        got: impl FnOnce() -> String,
        note: Option<String>,
    ) {
        if !self.judge.compares() {
            return;
        }
        self.unexpected += length as u64;
        if self.shown < Comparison::KEPT {
            self.shown += 1;
            self.differences.push(Difference {
                side: self.side,
                index: None,
                after: self.passed.back().map(|last| last.index),
                frame: None,
                offset,
                path: None,
                expected: None,
                got: Some(excerpt(&got(), 0)),
                note,
            });
        }
    }
}
