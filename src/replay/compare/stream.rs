//! From bytes, as they arrive, to messages that are compared.

use std::time::Duration;

use super::Comparison;
use super::apart::{Apart, Found};
use super::judge::Judge;
use super::live::Live;
use crate::message::Message;
use crate::replay::script::Gap;
use crate::session::Timestamp;
use crate::wire::{Arrival, Codec, Decoded, Decoder, Format, Value};

/// How long nothing may come before what came is taken for the answer, where nothing is compared.
const QUIET: Duration = Duration::from_millis(250);

/// How messages are found in what comes.
pub(super) enum Mode {
    /// Message ends stand in the bytes.
    Messages(Box<Decoder>),
    /// Bytes that came already of the message in front; they are as recorded if the format has values.
    Bytes(Vec<u8>),
    /// The message in front differs: it is decoded, to be compared by value.
    Apart(Apart),
    /// Nothing is compared, and nothing tells where messages end: so many bytes came already of the
    /// message in front, or of one that was longer.
    Counting(u64),
}

impl Mode {
    pub(super) fn of(judge: &Judge<'_>) -> Mode {
        if judge.format().is_delimited() {
            Mode::Messages(Box::new(Decoder::new(judge.format())))
        } else if judge.compares() || judge.has_values() {
            Mode::Bytes(Vec::new())
        } else {
            Mode::Counting(0)
        }
    }
}

/// What is to be taken again, since how messages are found has changed.
type Rest = Option<Vec<u8>>;

impl Comparison<'_> {
    /// Takes bytes that arrived.
    pub fn take(&mut self, arrival: Arrival, mut bytes: &[u8]) {
        self.last = arrival;
        while !bytes.is_empty() && !self.is_stopped() {
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
            let rest_of_piece = self.feed(piece);
            self.feed_rest(rest_of_piece);
            bytes = rest;
        }
    }

    /// Takes a message that was recorded elsewhere, in another framing.
    pub(in crate::replay) fn take_message(&mut self, message: &Message) {
        self.bytes += message.raw.len() as u64;
        let live = Live::of(message);
        match self.expected.pop_front() {
            Some(expected) => self.compare(expected, &live),
            None => self.surplus_message(message.offset, &live),
        }
    }

    /// When [`expire`](Comparison::expire) may complete a message if nothing else comes.
    pub fn deadline(&self) -> Option<Timestamp> {
        match &self.mode {
            Mode::Messages(decoder) => decoder.deadline(),
            Mode::Apart(apart) => apart.deadline(),
            Mode::Counting(1..) if !self.expected.is_empty() => Some(self.last.at + QUIET),
            Mode::Counting(_) | Mode::Bytes(_) => None,
        }
    }

    /// Nothing came until `now`.
    pub fn expire(&mut self, now: Timestamp) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        let rest = match &mut self.mode {
            Mode::Messages(decoder) => {
                let messages = gather(|out| decoder.expire(now, out));
                self.compare_messages(messages)
            }
            Mode::Apart(apart) => {
                let found = apart.expire(now);
                self.compare_apart(found)
            }
            Mode::Counting(heard) => {
                *heard = 0;
                self.expected.pop_front();
                self.arrived += 1;
                None
            }
            Mode::Bytes(_) => None,
        };
        self.feed_rest(rest);
    }

    /// The side has ended: what it had begun is all that comes.
    pub fn end(&mut self) {
        if let Mode::Bytes(heard) = &mut self.mode
            && !heard.is_empty()
        {
            let heard = std::mem::take(heard);
            if self.judge.has_values() {
                let rest = self.go_apart(heard, &[]);
                self.feed_rest(rest);
            } else {
                self.compare_bytes(&heard);
            }
        }
        let rest = match &mut self.mode {
            Mode::Messages(decoder) => {
                let messages = gather(|out| decoder.end(out));
                self.compare_messages(messages)
            }
            Mode::Apart(apart) => {
                let found = apart.end();
                self.compare_apart(found)
            }
            Mode::Bytes(_) | Mode::Counting(_) => None,
        };
        self.feed_rest(rest);
    }

    /// How many bytes come before the next gap.
    fn room(&self) -> u64 {
        let Some(gap) = self.gaps.front() else { return u64::MAX };
        gap.offset.saturating_add_signed(self.drift).saturating_sub(self.bytes)
    }

    fn enter_gap(&mut self) {
        let Some(Gap { length, .. }) = self.gaps.pop_front() else { return };
        match &mut self.mode {
            Mode::Messages(decoder) => {
                let messages = gather(|out| decoder.gap(length, out));
                let rest = self.compare_messages(messages);
                self.feed_rest(rest);
            }
            // The recorded message ends where the gap begins, and so does the live one.
            _ => self.end(),
        }
        match length {
            Some(length) => self.skipping = length,
            None => {
                self.mode = Mode::Counting(0);
                self.gaps.clear();
            }
        }
    }

    fn feed_rest(&mut self, mut rest: Rest) {
        while let Some(bytes) = rest.filter(|_| !self.is_stopped()) {
            rest = self.feed(&bytes);
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Rest {
        let arrival = self.last;
        match &mut self.mode {
            Mode::Messages(decoder) => {
                let messages = gather(|out| decoder.push(arrival, bytes, out));
                self.compare_messages(messages)
            }
            Mode::Apart(apart) => {
                let found = apart.push(arrival, bytes);
                self.compare_apart(found)
            }
            Mode::Bytes(_) => self.fill(bytes),
            Mode::Counting(heard) => {
                *heard += bytes.len() as u64;
                self.count_bytes();
                None
            }
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

    fn compare_messages(&mut self, messages: Vec<Decoded>) -> Rest {
        let mut messages = messages.into_iter();
        while let Some(one) = messages.next() {
            if self.is_stopped() {
                return None;
            }
            if self.cannot_be_cut(&one) {
                self.mode = Mode::Bytes(Vec::new());
                let mut rest = one.raw;
                messages.for_each(|one| rest.extend_from_slice(&one.raw));
                return Some(rest);
            }
            self.compare_message(one.offset, &one);
        }
        None
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

    fn compare_apart(&mut self, found: Option<Found>) -> Rest {
        let Found { base, messages, rest } = found?;
        // What follows may be as recorded again, and then it does not matter how it comes.
        self.mode = Mode::Bytes(Vec::new());
        for one in &messages {
            if self.is_stopped() {
                return None;
            }
            self.compare_message(base + one.offset, one);
        }
        Some(rest).filter(|rest| !rest.is_empty())
    }

    /// Adds to the message in front what belongs to it, and compares it once whole.
    fn fill(&mut self, mut bytes: &[u8]) -> Rest {
        while !bytes.is_empty() && !self.is_stopped() {
            let Mode::Bytes(heard) = &mut self.mode else { return Some(bytes.to_vec()) };
            let Some(front) = self.expected.front() else {
                if self.judge.has_values() {
                    return self.go_apart(Vec::new(), bytes);
                }
                let offset = self.bytes - bytes.len() as u64;
                self.surplus_bytes(offset, bytes);
                return None;
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
        None
    }

    /// Decodes from the beginning of the message in front on, of which `heard` came as recorded.
    fn go_apart(&mut self, mut heard: Vec<u8>, bytes: &[u8]) -> Rest {
        heard.extend_from_slice(bytes);
        let base = self.bytes.saturating_sub(heard.len() as u64);
        let front = self.expected.front().copied();
        self.mode = Mode::Apart(Apart::new(self.judge.apart(), base, front));
        Some(heard)
    }

    fn compare_bytes(&mut self, heard: &[u8]) {
        let Some(expected) = self.expected.pop_front() else { return };
        if heard == expected.raw {
            return self.compare(expected, &Live::of(expected));
        }
        let format = self.judge.format();
        let value = match format.codec() {
            Codec::Text(encoding) => encoding.decode(heard).ok(),
            Codec::Raw | Codec::Auto => Some(Value::bytes(heard)),
            Codec::Pickle | Codec::Protobuf(_) => None,
        };
        let value = value.as_ref();
        self.compare(expected, &Live { raw: heard, format, value, fault: None, unknown: None });
    }

    /// Compares a message that begins at `offset` of what came.
    fn compare_message(&mut self, offset: u64, got: &Decoded) {
        let live = Live::from(got);
        let Some(expected) = self.expected.pop_front() else {
            return self.surplus_message(offset, &live);
        };
        let after = |offset: u64, length: usize| (offset + length as u64) as i64;
        self.drift = after(offset, got.raw.len()) - after(expected.offset, expected.raw.len());
        self.compare(expected, &live);
    }
}

fn gather(give: impl FnOnce(&mut dyn FnMut(Decoded))) -> Vec<Decoded> {
    let mut messages = Vec::new();
    give(&mut |one| messages.push(one));
    messages
}
