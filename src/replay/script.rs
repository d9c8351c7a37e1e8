//! What is to be sent, and what is expected, on each connection.

mod bulk;
mod draft;
mod schedule;

use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::message::{Formats, FormatsByCapture, Message};
use crate::session::{ConnectionId, Side, Sink, Start};

use draft::Draft;

/// A recorded session, ready to be played from either side.
#[derive(Debug)]
pub struct Script {
    /// The connections that were recorded, in the order in which they began.
    pub conversations: Vec<Conversation>,
    /// The numbers of connections that were asked for and are not there.
    pub absent: Vec<ConnectionId>,
}

/// What happened on one connection, in the order in which it happened.
#[derive(Debug)]
pub struct Conversation {
    /// Its number in the capture.
    pub connection: ConnectionId,
    /// What its messages were read as.
    pub formats: Formats,
    /// Who dialled.
    pub client: SocketAddr,
    /// Who was dialled.
    pub server: SocketAddr,
    /// When it began, from the beginning of the recording.
    pub opened: Duration,
    /// When it is to begin in a replay, from the replay's beginning, at the speed of the recording.
    pub due: Duration,
    /// Whether its beginning was recorded.
    pub start: Start,
    /// What happened; times never run backwards.
    pub steps: Vec<Step>,
    /// What is missing of it.
    pub gaps: Vec<Gap>,
    /// Whether the recording ended with the connection open.
    pub cut: bool,
    /// How many times ran backwards, and were taken for the latest one before.
    pub clamped: u64,
}

/// Bytes of one side that the capture does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Who sent them.
    pub side: Side,
    /// Where they begin in that side's bytes.
    pub offset: u64,
    /// How many, where the capture shows it.
    pub length: Option<u64>,
}

/// One thing that one side did.
#[derive(Debug)]
pub struct Step {
    /// When, from the beginning of the recording.
    pub at: Duration,
    /// When it is due in a replay, from the replay's beginning, at the speed of the recording.
    pub due: Duration,
    /// Who did it.
    pub side: Side,
    /// What it was.
    pub action: Action,
}

/// What a side did.
#[derive(Debug)]
pub enum Action {
    /// It sent a message: where the format marks the ends of messages exactly that, else the bytes
    /// that were recorded together; of bytes alone, all that only the size of packets or reads parted.
    Send(Box<Message>),
    /// It half-closed.
    Eof,
    /// It aborted.
    Reset,
}

impl Script {
    /// Reads a session from `source`, which feeds the sink it is given, as `formats` say.
    ///
    /// # Errors
    /// What `source` says.
    pub fn read(
        formats: impl Into<FormatsByCapture>,
        source: impl FnOnce(&mut dyn Sink) -> Result<()>,
    ) -> Result<Script> {
        let mut draft = Draft::default();
        draft.read(formats.into(), source)?;
        Ok(draft.finish())
    }

    /// Whether nothing was recorded that could be played.
    pub fn is_empty(&self) -> bool {
        self.conversations.is_empty()
    }

    /// Who was dialled, each once, by the numbers of the connections: of captures that were taken beside
    /// each other, the first one counts.
    pub fn servers(&self) -> Vec<SocketAddr> {
        let mut numbered: Vec<&Conversation> = self.conversations.iter().collect();
        numbered.sort_by_key(|one| one.connection);
        let mut servers: Vec<SocketAddr> = Vec::new();
        for conversation in numbered {
            if !servers.contains(&conversation.server) {
                servers.push(conversation.server);
            }
        }
        servers
    }

    /// Keeps only the connections of these numbers. One that is not there cannot be played: the verdict
    /// says so.
    pub fn select(&mut self, chosen: &[ConnectionId]) {
        let is_there =
            |asked: &&ConnectionId| self.conversations.iter().any(|one| one.connection == **asked);
        self.absent = chosen.iter().filter(|asked| !is_there(asked)).copied().collect();
        self.conversations.retain(|one| chosen.contains(&one.connection));
    }
}

impl Conversation {
    /// How many messages `side` sent.
    pub fn messages(&self, side: Side) -> u64 {
        self.steps.iter().filter(|step| step.message_of(side).is_some()).count() as u64
    }

    /// Whether the recording shows that `side` ended, by half-close or reset.
    pub fn shows_end_of(&self, side: Side) -> bool {
        self.steps.iter().any(|step| step.side == side && !matches!(step.action, Action::Send(_)))
    }

    /// What makes the recording of it less than the whole connection, in words: a verdict on it is a
    /// verdict on a part.
    pub fn taints(&self) -> Vec<String> {
        let mut taints = Vec::new();
        if self.start == Start::Missed {
            taints.push("its beginning was not recorded".to_owned());
        }
        if self.cut {
            taints.push("the recording ended with the connection open".to_owned());
        }
        if !self.gaps.is_empty() {
            taints.push(self.lacks());
        }
        taints
    }

    /// What the capture lacks of it, in words.
    pub(super) fn lacks(&self) -> String {
        let known: u64 = self.gaps.iter().filter_map(|gap| gap.length).sum();
        let places = match self.gaps.len() {
            1 => "1 place".to_owned(),
            places => format!("{places} places"),
        };
        match self.gaps.iter().all(|gap| gap.length.is_some()) {
            true => format!("the capture lacks {known} bytes of it in {places}"),
            false => format!("the capture lacks at least {known} bytes of it in {places}"),
        }
    }
}

impl Step {
    /// The message, if `side` sent one here.
    pub fn message_of(&self, side: Side) -> Option<&Message> {
        match &self.action {
            Action::Send(message) if self.side == side => Some(message),
            _ => None,
        }
    }
}
