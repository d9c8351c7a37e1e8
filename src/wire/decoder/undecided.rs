//! `auto`: chunks are kept until they tell what they are, and are then read as if that had been known.

use std::sync::Arc;
use std::time::Duration;

use super::super::detect::{Detector, Next, Verdict};
use super::super::text::InUse;
use super::super::{Codec, Settings};
use super::{Arrival, Decoded, Decoder, State};
use crate::session::Timestamp;

/// How long a live side is silent until what has come is all there is to go by.
const SILENCE: Duration = Duration::from_millis(250);
/// How long its first chunk is kept at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known before the format is.
pub(super) struct Undecided {
    detector: Detector,
    /// How each chunk came that it keeps.
    arrivals: Vec<Arrival>,
    follows_gap: bool,
}

impl Undecided {
    pub(super) fn new(settings: &Arc<Settings>) -> Undecided {
        Undecided { detector: Detector::new(settings), arrivals: Vec::new(), follows_gap: false }
    }

    /// How the first chunk came.
    pub(super) fn since(&self) -> Option<Arrival> {
        self.arrivals.first().copied()
    }

    /// Bytes are missing before the first chunk.
    pub(super) fn follows_gap(&mut self) {
        self.follows_gap = true;
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
        let verdict = undecided.detector.push(bytes);
        let is_kept = undecided.detector.count() > undecided.arrivals.len();
        if is_kept {
            undecided.arrivals.push(arrival);
            self.last = arrival;
        }
        if let Some(verdict) = verdict {
            self.go_on_as(verdict, out);
            if !is_kept {
                self.push(arrival, bytes, out);
            }
        }
    }

    /// Decides by what has come, and what is known of what follows it.
    pub(super) fn conclude(&mut self, next: Next, out: &mut dyn FnMut(Decoded)) {
        let State::Undecided(undecided) = &self.state else { return };
        if let Some(verdict) = undecided.detector.conclude(next) {
            self.go_on_as(verdict, out);
        }
    }

    /// Reads the kept chunks as they would have been read if the format had been named.
    fn go_on_as(&mut self, verdict: Verdict, out: &mut dyn FnMut(Decoded)) {
        debug_assert!(*verdict.format.codec() != Codec::Auto);
        self.format = verdict.format;
        self.reason = Some(verdict.reason);
        self.text = InUse::of(self.format.codec().encoding());
        let decided = State::of(&self.format, self.text);
        let State::Undecided(Undecided { detector, arrivals, follows_gap }) =
            std::mem::replace(&mut self.state, decided)
        else {
            return;
        };
        if follows_gap {
            self.go_on_afresh();
        }
        let (mut held, ends) = detector.into_chunks();
        let (mut consumed, mut fresh) = (0, 0);
        for (arrival, end) in arrivals.into_iter().zip(ends) {
            consumed += self.cut(arrival, &held[consumed..end], fresh - consumed, out);
            fresh = end;
            self.last = arrival;
        }
        held.consume(consumed);
        self.held = held;
    }
}
