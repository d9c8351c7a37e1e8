//! How bytes of a format may be read: what a guess may do, and what a peer may take.

use std::sync::Arc;
use std::time::Duration;

use super::pickle::{Limit, Limits, unknown_limit};
use super::{Fault, Pool};
use crate::Result;

/// How bytes may be read, whatever their format is: a [`Format`](super::Format) carries it.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How soon the next chunk must come for a message found by `guess` to go on in it.
    pub guess_window: Duration,
    /// What a message may take. Of a message that is no pickle `bytes` holds.
    pub limits: Limits,
    /// Whether, after damaged or missing bytes, the place is looked for where pickles go on: nothing says
    /// that it is the right one.
    pub resync: bool,
    /// How many bytes may be held at a time for messages that are not whole, or are being decoded, by
    /// all that share the pool: 1 GiB. Two messages of the largest size can be decoded at a time then,
    /// and each of 1,000 connections may have begun one of 1 MiB.
    pub process: usize,
    /// Where that is counted: once for the whole process.
    pub pool: Arc<Pool>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            guess_window: Settings::GUESS_WINDOW,
            limits: Limits::default(),
            resync: false,
            process: 1 << 30,
            pool: Pool::of_process(),
        }
    }
}

impl Settings {
    /// The [`guess_window`](Settings::guess_window) that nobody set.
    pub const GUESS_WINDOW: Duration = Duration::from_millis(5);

    /// The fault of a message, at this byte of it, for which there is no room among all others.
    pub(super) fn exhausted(&self, at: usize) -> Fault {
        let found = format!("messages take {} bytes in the whole process already", self.process);
        Fault::limit(at, found, "process")
    }

    /// Sets one limit.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) for a name there is not, which lists those there are, and
    /// for more than [`Limits::set`] takes.
    pub fn limit(&mut self, Limit { name, value }: Limit) -> Result<()> {
        if name == "process" {
            self.process = value;
            return Ok(());
        }
        if self.limits.named(&name).is_none() {
            return Err(unknown_limit(&name, &[&Limits::NAMES[..], &["process"]].concat()));
        }
        self.limits.set(&name, value)
    }
}
