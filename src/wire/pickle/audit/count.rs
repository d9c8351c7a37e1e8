//! How many requests there are of each kind.

use std::fmt;
use std::ops::AddAssign;

use super::{Audit, RequestKind};

/// How many requests of each kind there are; in words `2 calls and 1 name`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; 6]);

impl Audit {
    /// How many requests of each kind are listed.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for request in &self.requests {
            counts.0[request.kind as usize] += 1;
        }
        counts
    }
}

impl Counts {
    /// How many there are of one kind.
    pub fn of(&self, kind: RequestKind) -> u64 {
        self.0[kind as usize]
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            ("call", "calls"),
            ("change of a global", "changes of globals"),
            ("name", "names"),
            ("persistent id", "persistent ids"),
            ("extension", "extensions"),
            ("buffer", "buffers"),
        ];
        let last = self.0.iter().rposition(|&count| count > 0);
        let mut first = true;
        for (place, (&count, (one, many))) in self.0.iter().zip(words).enumerate() {
            if count == 0 {
                continue;
            }
            let between = match (first, Some(place) == last) {
                (true, _) => "",
                (false, true) => " and ",
                (false, false) => ", ",
            };
            first = false;
            write!(out, "{between}{count} {}", if count == 1 { one } else { many })?;
        }
        Ok(())
    }
}
