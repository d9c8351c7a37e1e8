//! How a script is played.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use super::pace::Speed;
use super::rules::Rules;
use crate::net::{Address, Recorder, Stop};
use crate::session::Sink;
use crate::{Error, Result};

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
    /// Which recorded connection a client is taken for.
    pub matching: Matching,
    /// What becomes of a client that is none of the recorded ones.
    pub miss: Miss,
    /// Whether each recorded connection may be played any number of times, in turn. Then serving ends
    /// when it is told to, and what has never been played by then has failed.
    pub repeat: bool,
    /// Whether to stay until `closing` when all has been played: further clients are none of the
    /// recorded ones.
    pub stay: bool,
}

/// Which recorded connection a client is taken for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Matching {
    /// The next one, in recorded order.
    #[default]
    Order,
    /// The first one whose client began as this one does: with the same first message, as the rules
    /// have it. Those whose client waits to be spoken to, or says nothing, are for clients that say
    /// nothing for as long as the patience, or when no others are left.
    Content,
}

impl FromStr for Matching {
    type Err = Error;

    fn from_str(given: &str) -> Result<Matching> {
        match given {
            "order" => Ok(Matching::Order),
            "content" => Ok(Matching::Content),
            _ => Err(Error::Usage(format!("{given:?} is no matching; it is order or content"))),
        }
    }
}

/// What becomes of a client that is none of the recorded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Miss {
    /// It is closed, and the replay has failed.
    #[default]
    Close,
    /// It is passed on to this server, untouched, which the receipt notes.
    Pass(Address),
}

impl FromStr for Miss {
    type Err = Error;

    fn from_str(given: &str) -> Result<Miss> {
        match given.split_once(':') {
            None if given == "close" => Ok(Miss::Close),
            Some(("pass", to)) => Ok(Miss::Pass(to.parse().and_then(Address::dialled)?)),
            _ => Err(Error::Usage(format!("{given:?} cannot be done; write close, or pass:ADDR"))),
        }
    }
}
