//! How a script is played.

use std::sync::Arc;
use std::time::Duration;

use super::pace::Speed;
use super::rules::Rules;
use crate::net::{Recorder, Stop};
use crate::session::Sink;

/// Where a replay reports what passes on its own connections, as a recording would.
pub type Record = Arc<Recorder<Box<dyn Sink + Send>>>;

/// How a script is played, in either role.
#[derive(Clone)]
pub struct Options {
    /// How fast.
    pub speed: Speed,
    /// How much longer than recorded the other end may take for each thing it is expected to do.
    pub patience: Duration,
    /// How what comes back is compared.
    pub rules: Rules,
    /// Whether connections are played of which bytes are missing.
    pub across_gaps: bool,
    /// Whether recorded clients are played one after the other rather than side by side.
    pub serial: bool,
    /// Who takes down the replay itself.
    pub record: Option<Record>,
    /// Ends the replay early; what was not played by then has failed.
    pub stop: Stop,
}

impl Options {
    /// The patience of a replay that was given none.
    pub const PATIENCE: Duration = Duration::from_secs(5);
}

impl Default for Options {
    fn default() -> Options {
        Options {
            speed: Speed::RECORDED,
            patience: Options::PATIENCE,
            rules: Rules::default(),
            across_gaps: false,
            serial: false,
            record: None,
            stop: Stop::new(),
        }
    }
}

/// How the recorded server is played.
#[derive(Clone, Debug, Default)]
pub struct Serving {
    /// Play at most so many connections; the other recorded ones have failed.
    pub connections: Option<u64>,
    /// How long the first client is waited for; without end if not given.
    pub wait: Option<Duration>,
    /// Says that no further clients will come: those that came are played to the end.
    pub closing: Stop,
}
