//! What a side's first chunks are, found out as they come.

use std::sync::Arc;

use super::{Next, SAMPLE_SIZE, Sample, Verdict, conclude};
use crate::wire::Settings;
use crate::wire::held::Held;

/// After how many chunks it is first tried to decide, and then after twice as many.
const FIRST_TRY: usize = 32;
/// After how many chunks it is decided whatever they are.
const LAST_TRY: usize = 1024;

/// Keeps the first chunks of a side until they tell what they are.
pub(crate) struct Detector {
    settings: Arc<Settings>,
    held: Held,
    /// Where each chunk ends in what is held.
    ends: Vec<usize>,
}

impl Detector {
    /// At the first byte of a side.
    pub(crate) fn new(settings: &Arc<Settings>) -> Detector {
        Detector { settings: settings.clone(), held: Held::new(settings), ends: Vec::new() }
    }

    /// Takes a chunk, and keeps it unless there is enough without: then it comes to a verdict.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Option<Verdict> {
        let kept = self.held.len();
        // What is only looked at leaves half of all room to messages that are not whole.
        let is_crowded = self.settings.pool.held() > self.settings.process / 2;
        if kept + bytes.len() > SAMPLE_SIZE || is_crowded || !self.held.make_room(bytes.len()) {
            let seen = [&*self.held, &bytes[..bytes.len().min(SAMPLE_SIZE - kept)]].concat();
            let mut ends = self.ends.clone();
            ends.extend(Some(kept + bytes.len()).filter(|end| *end <= SAMPLE_SIZE));
            return Some(conclude(&Sample::new(&seen, &ends, Next::Unknown), &self.settings));
        }
        self.held.extend(bytes);
        self.ends.push(self.held.len());
        let count = self.ends.len();
        let is_time_to_try = count >= FIRST_TRY && count.is_power_of_two();
        let verdict = is_time_to_try.then(|| self.conclude(Next::Unknown)).flatten();
        verdict.filter(|verdict| verdict.is_sure || count >= LAST_TRY)
    }

    /// What has come is; `None` if nothing has.
    pub(crate) fn conclude(&self, next: Next) -> Option<Verdict> {
        let sample = Sample::new(&self.held, &self.ends, next);
        (!self.ends.is_empty()).then(|| conclude(&sample, &self.settings))
    }

    /// How many chunks are kept.
    pub(in crate::wire) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The chunks that are kept, one after the other, and where each ends.
    pub(in crate::wire) fn into_chunks(self) -> (Held, Vec<usize>) {
        (self.held, self.ends)
    }
}
