//! `auto`: chunks are kept until they tell what they are, and are then read as if that had been known.

use std::time::Duration;

use super::super::Codec;
use super::super::detect::{Next, SAMPLE_SIZE, Sample, Verdict, conclude};
use super::super::text::InUse;
use super::{Arrival, Decoded, Decoder, State};
use crate::session::Timestamp;

/// After how many chunks it is first tried to decide, and then after twice as many.
const FIRST_TRY: usize = 32;
/// After how many chunks it is decided whatever they are.
const LAST_TRY: usize = 1024;
/// How long a live side is silent until what has come is all there is to go by.
const SILENCE: Duration = Duration::from_millis(250);
/// How long its first chunk is kept at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known before the format is. The bytes are those that the decoder holds.
#[derive(Default)]
pub(super) struct Undecided {
    /// How each chunk came, and where it ends in the bytes.
    chunks: Vec<(Arrival, usize)>,
    follows_gap: bool,
}

impl Undecided {
    /// How the first chunk came.
    pub(super) fn since(&self) -> Option<Arrival> {
        self.chunks.first().map(|(arrival, _)| *arrival)
    }

    /// Bytes are missing before the first chunk.
    pub(super) fn follows_gap(&mut self) {
        self.follows_gap = true;
    }

    /// Whether it is time to look at what has come.
    fn is_time_to_try(&self) -> bool {
        let count = self.chunks.len();
        count >= FIRST_TRY && count.is_power_of_two()
    }
}

impl Decoder {
    /// Whether the format is `auto` and was not found out yet.
    pub fn is_undecided(&self) -> bool {
        matches!(self.state, State::Undecided(_))
    }

    /// When a live side whose format is not known has said all that it says for now, and
    /// [`decide`](Decoder::decide) is due. The times in a file are no reason to hurry: there more follows.
    pub fn decision_due(&self) -> Option<Timestamp> {
        match &self.state {
            State::Undecided(undecided) => {
                undecided.since().map(|first| (self.last.at + SILENCE).min(first.at + PATIENCE))
            }
            _ => None,
        }
    }

    /// Finds the format out from what has come, since nothing follows for now, and gives the messages
    /// that are whole. Does nothing where the format is known, or nothing has come.
    pub fn decide(&mut self, out: &mut dyn FnMut(Decoded)) {
        self.conclude(Next::Pause, out);
    }

    /// Keeps a chunk, unless it is enough to decide.
    pub(super) fn push_undecided(
        &mut self,
        arrival: Arrival,
        bytes: &[u8],
        out: &mut dyn FnMut(Decoded),
    ) {
        let State::Undecided(undecided) = &mut self.state else { return };
        let (kept, settings) = (self.held.len(), self.format.settings());
        // What is only looked at leaves half of all room to messages that are not whole.
        let is_crowded = settings.pool.held() > settings.process / 2;
        if kept + bytes.len() > SAMPLE_SIZE || is_crowded || !self.held.make_room(bytes.len()) {
            let seen = [&*self.held, &bytes[..bytes.len().min(SAMPLE_SIZE - kept)]].concat();
            let mut ends: Vec<usize> = undecided.chunks.iter().map(|(_, end)| *end).collect();
            ends.extend(Some(kept + bytes.len()).filter(|end| *end <= SAMPLE_SIZE));
            let verdict = conclude(&Sample::new(&seen, &ends, Next::Unknown), settings);
            self.go_on_as(verdict, out);
            return self.push(arrival, bytes, out);
        }
        self.held.extend(bytes);
        self.last = arrival;
        undecided.chunks.push((arrival, self.held.len()));
        if !undecided.is_time_to_try() {
            return;
        }
        let is_last = undecided.chunks.len() >= LAST_TRY;
        let verdict = self.verdict(Next::Unknown);
        if let Some(verdict) = verdict.filter(|verdict| verdict.is_sure || is_last) {
            self.go_on_as(verdict, out);
        }
    }

    /// Decides by what has come, and what is known of what follows it.
    pub(super) fn conclude(&mut self, next: Next, out: &mut dyn FnMut(Decoded)) {
        if let Some(verdict) = self.verdict(next) {
            self.go_on_as(verdict, out);
        }
    }

    /// What the kept chunks are; `None` if there are none.
    fn verdict(&self, next: Next) -> Option<Verdict> {
        let State::Undecided(undecided) = &self.state else { return None };
        let ends: Vec<usize> = undecided.chunks.iter().map(|(_, end)| *end).collect();
        let sample = Sample::new(&self.held, &ends, next);
        (!ends.is_empty()).then(|| conclude(&sample, self.format.settings()))
    }

    /// Reads the kept chunks as they would have been read if the format had been named.
    fn go_on_as(&mut self, verdict: Verdict, out: &mut dyn FnMut(Decoded)) {
        debug_assert!(*verdict.format.codec() != Codec::Auto);
        self.format = verdict.format;
        self.reason = Some(verdict.reason);
        self.text = InUse::of(self.format.codec().encoding());
        let decided = State::of(&self.format, self.text);
        let State::Undecided(Undecided { chunks, follows_gap }) =
            std::mem::replace(&mut self.state, decided)
        else {
            return;
        };
        if follows_gap {
            self.go_on_afresh();
        }
        let mut held = std::mem::take(&mut self.held);
        let (mut consumed, mut fresh) = (0, 0);
        for (arrival, end) in chunks {
            consumed += self.cut(arrival, &held[consumed..end], fresh - consumed, out);
            fresh = end;
            self.last = arrival;
        }
        held.consume(consumed);
        self.held = held;
    }
}
