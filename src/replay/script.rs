//! From events to what is to be sent, and what is expected, on each connection.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::Result;
use crate::message::{Assembler, Message, Output};
use crate::session::{ConnectionId, Event, Kind, Side, Sink, Start, Timestamp};
use crate::wire::Format;

/// A recorded session, ready to be played from either side.
#[derive(Debug)]
pub struct Script {
    /// The connections that were recorded, in the order in which they began.
    pub conversations: Vec<Conversation>,
    /// What the session was read as.
    pub format: Format,
}

/// What happened on one connection, in the order in which it happened.
#[derive(Debug)]
pub struct Conversation {
    /// Its number in the capture.
    pub connection: ConnectionId,
    /// Who dialled.
    pub client: SocketAddr,
    /// Who was dialled.
    pub server: SocketAddr,
    /// When it began, from the beginning of the recording.
    pub opened: Duration,
    /// Whether its beginning was recorded.
    pub start: Start,
    /// What happened; times never run backwards.
    pub steps: Vec<Step>,
    /// How many bytes are known to be missing of it.
    pub missing: Missing,
    /// Whether the recording ended with the connection open.
    pub cut: bool,
}

/// What a capture does not hold of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// In how many places something is missing.
    pub gaps: u64,
    /// How many bytes, where the capture shows it.
    pub bytes: u64,
}

/// One thing that one side did.
#[derive(Debug)]
pub struct Step {
    /// When, from the beginning of the recording.
    pub at: Duration,
    /// Who did it.
    pub side: Side,
    /// What it was.
    pub action: Action,
}

/// What a side did.
#[derive(Debug)]
pub enum Action {
    /// It sent a message: where the format marks the ends of messages exactly that, else the bytes
    /// that were recorded together.
    Send(Box<Message>),
    /// It half-closed.
    Eof,
    /// It aborted.
    Reset,
}

impl Script {
    /// Reads a session from `source`, which feeds the sink it is given, as `format`.
    ///
    /// # Errors
    /// What `source` says.
    pub fn read(
        format: Format,
        source: impl FnOnce(&mut dyn Sink) -> Result<()>,
    ) -> Result<Script> {
        let mut draft = Draft::default();
        let mut assembler = Assembler::new(format.clone(), |output: Output<'_>| {
            draft.take(output);
            Ok(())
        });
        source(&mut assembler)?;
        drop(assembler);
        for conversation in &mut draft.conversations {
            // A message is complete when its last byte came, but may be known to be complete only
            // later: put it where it happened. The sort is stable, each side's order stays.
            conversation.steps.sort_by_key(|step| step.at);
        }
        Ok(Script { conversations: draft.conversations, format })
    }

    /// Whether nothing was recorded that could be played.
    pub fn is_empty(&self) -> bool {
        self.conversations.is_empty()
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

/// A script while events come in.
#[derive(Debug, Default)]
struct Draft {
    begun: Option<Timestamp>,
    conversations: Vec<Conversation>,
    places: HashMap<ConnectionId, Place>,
}

/// Where a connection stands in the draft, and when each side last did something.
#[derive(Debug)]
struct Place {
    index: usize,
    last: [Duration; 2],
}

impl Draft {
    fn take(&mut self, output: Output<'_>) {
        match output {
            Output::Message(message) => {
                let (connection, at, side) = (message.connection, message.time, message.side);
                self.add(connection, at, side, Action::Send(Box::new(message)));
            }
            Output::Event { event, .. } => self.event(event),
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let begun = *self.begun.get_or_insert(event.at);
        let (connection, at) = (event.connection, event.at);
        match event.kind {
            Kind::Open { client, server, start, .. } => {
                let opened = at.since(begun);
                let index = self.conversations.len();
                self.places.insert(connection, Place { index, last: [opened; 2] });
                self.conversations.push(Conversation {
                    connection,
                    client,
                    server,
                    opened,
                    start,
                    steps: Vec::new(),
                    missing: Missing::default(),
                    cut: false,
                });
            }
            Kind::Eof { side } => self.add(connection, at, side, Action::Eof),
            Kind::Reset { side } => self.add(connection, at, side, Action::Reset),
            Kind::Gap { length, .. } => {
                if let Some(conversation) = self.conversation(connection) {
                    conversation.missing.gaps += 1;
                    conversation.missing.bytes += length.unwrap_or(0);
                }
            }
            Kind::Cut => {
                if let Some(conversation) = self.conversation(connection) {
                    conversation.cut = true;
                }
            }
            Kind::Data { .. } | Kind::Delivered { .. } | Kind::Note(_) => {}
        }
    }

    fn add(&mut self, connection: ConnectionId, at: Timestamp, side: Side, action: Action) {
        let begun = *self.begun.get_or_insert(at);
        if let Some(place) = self.places.get_mut(&connection) {
            // Stamps that run backwards within a side are clamped: its order is certain.
            let last = &mut place.last[side.index()];
            *last = at.since(begun).max(*last);
            let step = Step { at: *last, side, action };
            self.conversations[place.index].steps.push(step);
        }
    }

    fn conversation(&mut self, connection: ConnectionId) -> Option<&mut Conversation> {
        let index = self.places.get(&connection)?.index;
        self.conversations.get_mut(index)
    }
}
