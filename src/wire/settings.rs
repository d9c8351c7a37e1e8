//! How bytes of a format may be read: what a guess may do, and what a peer may take.

use std::time::Duration;

use super::pickle::{Limit, Limits, unknown_limit};
use crate::Result;

/// How bytes may be read, whatever their format is: a [`Format`](super::Format) carries it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How soon the next chunk must come for a message found by `guess` to go on in it.
    pub guess_window: Duration,
    /// What a message may take. Of a message that is no pickle `bytes` holds.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings { guess_window: Settings::GUESS_WINDOW, limits: Limits::default() }
    }
}

impl Settings {
    /// The [`guess_window`](Settings::guess_window) that nobody set.
    pub const GUESS_WINDOW: Duration = Duration::from_millis(5);

    /// The names of the limits that [`limit`](Settings::limit) takes.
    pub const LIMITS: [&str; 8] = Limits::NAMES;

    /// Sets one limit.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) for a name there is not, which lists those there are.
    pub fn limit(&mut self, Limit { name, value }: Limit) -> Result<()> {
        match self.limits.named(&name) {
            Some(limit) => *limit = value,
            None => return Err(unknown_limit(&name, &Settings::LIMITS)),
        }
        Ok(())
    }
}
