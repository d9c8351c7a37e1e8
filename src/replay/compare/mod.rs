//! What came back against what was recorded. Sans-I/O: bytes come in as they arrive.
//!
//! Where the format marks the ends of messages, message is compared with message by value, however
//! the bytes were cut on their way. Else the bytes are compared, position by position, and count as
//! the recorded messages they make up: a peer that cuts them otherwise makes no difference. Where they
//! differ, and the format has values, they are decoded from the beginning of that message on, until
//! they are at a message's beginning again.

mod difference;
mod digest;
mod judge;
mod live;
mod marks;
mod walk;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

pub use self::difference::Difference;
use self::difference::excerpt;
use self::judge::{Judge, Verdict};
use self::live::Live;
use super::rules::Rules;
use super::script::{Conversation, Gap};
use crate::message::Message;
use crate::session::{Side, Timestamp};
use crate::wire::{Arrival, Codec, Decoded, Decoder, Format, Value};

/// How long nothing may come before what came is taken for the answer, where nothing is compared.
const QUIET: Duration = Duration::from_millis(250);
/// Among how many other messages one that came in the wrong place is looked for.
const OTHERS: usize = 100;

/// Compares one side's live bytes with its recorded ones.
pub struct Comparison<'a> {
    side: Side,
    judge: Judge<'a>,
    expected: VecDeque<&'a Message>,
    /// Recorded messages in place of which another came, the last ones.
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
    /// The first differences: a few of each of the first [`Comparison::KEPT`] messages that differ.
    pub differences: Vec<Difference>,
}

enum Mode {
    /// Message ends stand in the bytes.
    Messages(Box<Decoder>),
    /// Bytes that came already of the message in front; they are as recorded if the format has values.
    Bytes(Vec<u8>),
    /// The message in front differs: it is decoded, to be compared by value. With the bytes that make
    /// no message yet.
    Apart(Box<Decoder>, Vec<u8>),
    /// Nothing is compared, and nothing tells where messages end: so many bytes came already of the
    /// message in front, or of one that was longer.
    Counting(u64),
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
            Some(first) if *conversation.format.codec() == Codec::Auto => &first.format,
            _ => &conversation.format,
        };
        let judge = Judge::new(side, format, rules);
        let mode = if format.is_delimited() {
            Mode::Messages(Box::new(Decoder::new(format)))
        } else if judge.compares() || judge.has_values() {
            Mode::Bytes(Vec::new())
        } else {
            Mode::Counting(0)
        };
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
            shown: 0,
            arrived: 0,
            compared: 0,
            matched: 0,
            differing: 0,
            ignored: 0,
            bytes: 0,
            unexpected: 0,
            differences: Vec::new(),
        }
    }

    /// How many recorded messages have not come.
    pub fn missed(&self) -> u64 {
        self.expected.len() as u64
    }

    /// What is sent in place of a recorded message of the other side: itself, unless it says something
    /// of which [`Rules::carry`] has found the live value.
    ///
    /// # Errors
    /// Why the live value cannot be put there, in words.
    pub fn outgoing<'m>(&self, message: &'m Message) -> Result<Cow<'m, [u8]>, String> {
        self.judge.carried().apply(message)
    }

    /// The rules that found nothing to do in any message, recorded or live, as they were given.
    pub fn unused(&self) -> Vec<String> {
        self.judge.unused(&self.expected)
    }

    /// Takes bytes that arrived.
    pub fn take(&mut self, arrival: Arrival, mut bytes: &[u8]) {
        self.last = arrival;
        while !bytes.is_empty() {
            if self.skipping > 0 {
                let length = self.skipping.min(bytes.len() as u64);
                self.skipping -= length;
                self.bytes += length;
                bytes = &bytes[length as usize..];
                continue;
            }
            let room = self.room();
            if room == 0 {
                self.enter_gap();
                continue;
            }
            let length = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let (piece, rest) = bytes.split_at(length);
            self.bytes += length as u64;
            self.feed(piece);
            bytes = rest;
        }
    }

    /// When [`expire`](Comparison::expire) may complete a message if nothing else comes.
    pub fn deadline(&self) -> Option<Timestamp> {
        match &self.mode {
            Mode::Messages(decoder) | Mode::Apart(decoder, _) => decoder.deadline(),
            Mode::Counting(1..) if !self.expected.is_empty() => Some(self.last.at + QUIET),
            Mode::Counting(_) | Mode::Bytes(_) => None,
        }
    }

    /// Nothing came until `now`.
    pub fn expire(&mut self, now: Timestamp) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        if let Mode::Counting(heard) = &mut self.mode {
            *heard = 0;
            self.expected.pop_front();
            self.arrived += 1;
            return;
        }
        self.decode(|decoder, out| decoder.expire(now, out));
    }

    /// The side has ended: what it had begun is all that comes.
    pub fn end(&mut self) {
        if let Mode::Bytes(heard) = &mut self.mode {
            let heard = std::mem::take(heard);
            self.end_bytes(heard);
        }
        self.decode(|decoder, out| decoder.end(out));
    }

    /// How many bytes come before the next gap.
    fn room(&self) -> u64 {
        let Some(gap) = self.gaps.front() else { return u64::MAX };
        gap.offset.saturating_add_signed(self.drift).saturating_sub(self.bytes)
    }

    fn enter_gap(&mut self) {
        let Some(Gap { length, .. }) = self.gaps.pop_front() else { return };
        if matches!(self.mode, Mode::Messages(_)) {
            self.decode(|decoder, out| decoder.gap(length, out));
        } else {
            // The recorded message ends where the gap begins, and so does the live one.
            self.end();
        }
        match length {
            Some(length) => self.skipping = length,
            None => {
                self.mode = Mode::Counting(0);
                self.gaps.clear();
            }
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let arrival = self.last;
        match &mut self.mode {
            Mode::Bytes(_) => self.fill(bytes),
            Mode::Counting(heard) => {
                *heard += bytes.len() as u64;
                self.count_bytes();
            }
            Mode::Apart(_, pending) => {
                pending.extend_from_slice(bytes);
                self.decode(|decoder, out| decoder.push(arrival, bytes, out));
            }
            Mode::Messages(_) => self.decode(|decoder, out| decoder.push(arrival, bytes, out)),
        }
    }

    fn count_bytes(&mut self) {
        let Mode::Counting(heard) = &mut self.mode else { return };
        while let Some(front) = self.expected.front()
            && *heard >= front.raw.len() as u64
        {
            *heard -= front.raw.len() as u64;
            self.expected.pop_front();
            self.arrived += 1;
        }
        if self.expected.is_empty() {
            *heard = 0;
        }
    }

    /// Lets the decoder give messages, and compares them.
    fn decode(&mut self, act: impl FnOnce(&mut Decoder, &mut dyn FnMut(Decoded))) {
        let (Mode::Messages(decoder) | Mode::Apart(decoder, _)) = &mut self.mode else { return };
        let mut decoded = Vec::new();
        act(decoder, &mut |one| decoded.push(one));
        let mut messages = decoded.into_iter();
        if let Mode::Apart(_, pending) = &mut self.mode {
            if messages.len() == 0 {
                return;
            }
            // What follows may be as recorded again, and then it does not matter how it comes.
            let mut pending = std::mem::take(pending);
            self.mode = Mode::Bytes(Vec::new());
            for one in messages {
                pending.drain(..one.raw.len().min(pending.len()));
                self.compare_message(&one);
            }
            return self.fill(&pending);
        }
        while let Some(one) = messages.next() {
            if !self.cannot_be_cut(&one) {
                self.compare_message(&one);
                continue;
            }
            self.mode = Mode::Bytes(Vec::new());
            self.fill(&one.raw);
            for rest in messages.by_ref() {
                self.fill(&rest.raw);
            }
        }
    }

    /// Whether neither the live nor the recorded bytes can be cut into messages any more: then it is
    /// their chunks that were given, which need not be the same ones.
    fn cannot_be_cut(&self, got: &Decoded) -> bool {
        let Some(front) = self.expected.front() else { return false };
        let given_up = |format: &Format| *format.codec() == Codec::Raw;
        let lost = given_up(&got.format) && given_up(&front.format);
        let broken = front.body.is_err() && got.body.is_err();
        let cut = front.raw.starts_with(&got.raw) || got.raw.starts_with(&front.raw);
        *self.judge.format().codec() != Codec::Raw
            && (broken || lost)
            && cut
            && front.raw.len() != got.raw.len()
    }

    /// Adds to the message in front what belongs to it, and compares it once whole.
    fn fill(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Mode::Bytes(heard) = &mut self.mode else { return self.feed(bytes) };
            let Some(front) = self.expected.front() else {
                let offset = self.bytes - bytes.len() as u64;
                return self.surplus(offset, bytes.len(), || bytes.escape_ascii().to_string());
            };
            let wanted = &front.raw[heard.len()..];
            let (taken, rest) = bytes.split_at(bytes.len().min(wanted.len()));
            if self.judge.has_values() && !wanted.starts_with(taken) {
                let heard = std::mem::take(heard);
                return self.go_apart(heard, bytes);
            }
            heard.extend_from_slice(taken);
            if taken.len() == wanted.len() {
                let whole = std::mem::take(heard);
                self.compare_bytes(&whole);
            }
            bytes = rest;
        }
    }

    /// Decodes from the beginning of the message in front on, of which `heard` came as recorded.
    fn go_apart(&mut self, heard: Vec<u8>, bytes: &[u8]) {
        let mut pending = heard;
        pending.extend_from_slice(bytes);
        let (arrival, whole) = (self.last, pending.clone());
        self.mode = Mode::Apart(Box::new(Decoder::new(self.judge.apart())), pending);
        self.decode(|decoder, out| decoder.push(arrival, &whole, out));
    }

    /// Compares what came of the message in front when no more comes of it.
    fn end_bytes(&mut self, heard: Vec<u8>) {
        if heard.is_empty() {
            return;
        }
        if self.judge.has_values() {
            self.go_apart(heard, &[]);
        } else {
            self.compare_bytes(&heard);
        }
    }

    fn compare_bytes(&mut self, heard: &[u8]) {
        let Some(expected) = self.expected.pop_front() else { return };
        let format = self.judge.format();
        let value = match format.codec() {
            Codec::Text => std::str::from_utf8(heard).ok().map(Value::text),
            Codec::Raw | Codec::Auto => Some(Value::bytes(heard)),
            _ if heard == expected.raw => expected.body.as_ref().ok().cloned(),
            _ => None,
        };
        let got = Live { raw: heard, format, value: value.as_ref(), fault: None, unknown: None };
        let got = if heard == expected.raw { Live::of(expected) } else { got };
        self.compare(expected, &got);
    }

    fn compare_message(&mut self, got: &Decoded) {
        let Some(expected) = self.expected.pop_front() else {
            let live = Live::from(got);
            return self.surplus(got.offset, got.raw.len(), || live.show());
        };
        let after = |offset: u64, length: usize| offset as i64 + length as i64;
        if matches!(self.mode, Mode::Messages(_)) {
            self.drift =
                after(got.offset, got.raw.len()) - after(expected.offset, expected.raw.len());
        }
        self.compare(expected, &Live::from(got));
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
                    let found = self.found_elsewhere(got);
                    for mut place in places {
                        place.note = match (&found, place.note) {
                            (Some(found), Some(note)) => Some(format!("{found}; {note}")),
                            (found, note) => found.clone().or(note),
                        };
                        self.differences.push(Difference {
                            side: self.side,
                            index: Some(expected.index),
                            frame: expected.frame,
                            offset: expected.offset,
                            path: place.path,
                            expected: place.expected,
                            got: place.got,
                            note: place.note,
                        });
                    }
                }
                self.passed.push_back(expected);
                if self.passed.len() > OTHERS {
                    self.passed.pop_front();
                }
            }
        }
    }

    /// Says of a message that came in the wrong place which one it is.
    fn found_elsewhere(&self, got: &Live<'_>) -> Option<String> {
        let others = self.expected.iter().take(OTHERS).chain(self.passed.iter().rev());
        let found = others.copied().find(|other| self.judge.is_as(other, got))?;
        Some(format!("it is what was recorded as message {}", found.index))
    }

    fn surplus(&mut self, offset: u64, length: usize, got: impl FnOnce() -> String) {
        if !self.judge.compares() {
            return;
        }
        self.unexpected += length as u64;
        if self.shown < Comparison::KEPT {
            self.shown += 1;
            self.differences.push(Difference {
                side: self.side,
                index: None,
                frame: None,
                offset,
                path: None,
                expected: None,
                got: Some(excerpt(&got(), 0)),
                note: None,
            });
        }
    }
}
