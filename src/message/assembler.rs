//! The sink that turns events into messages.

mod conversation;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::{FormatsByCapture, Message};
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
use crate::wire::Format;
use conversation::Conversation;

/// What an [`Assembler`] yields, in the order of the session.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "passed on at once, never kept in numbers")]
pub enum Output<'a> {
    /// A message.
    Message(Message),
    /// Any event but data.
    Event {
        /// What happened.
        event: &'a Event<'a>,
        /// For an event of one side: how many bytes that side had sent, gaps included.
        offset: u64,
    },
}

/// Takes what an [`Assembler`] yields.
pub trait Receive {
    /// Takes one message or event; an error stops the source.
    fn receive(&mut self, output: Output<'_>) -> Result<()>;

    /// Hears which format a side's bytes were found to be in, and why, before the first of its messages.
    fn found(&mut self, connection: ConnectionId, side: Side, format: &Format, reason: &str) {
        let _ = (connection, side, format, reason);
    }
}

impl<F: FnMut(Output<'_>) -> Result<()>> Receive for F {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        self(output)
    }
}

/// How long bytes may have arrived and not been read by a live source that is kept from running. Only
/// a silence longer by this completes a message; the stamps of what comes next decide first.
const UNREAD: Duration = Duration::from_millis(50);

/// A sink that turns events into messages and passes them on, other events between them, each
/// connection in the order in which things were complete.
///
/// Memory is bounded by what each open connection has begun and not completed, and by what waits until
/// it is known what the messages of its sides are.
pub struct Assembler<R> {
    formats: FormatsByCapture,
    conversations: HashMap<ConnectionId, Conversation, RandomState>,
    receiver: R,
}

impl<R: Receive> Assembler<R> {
    /// Reads connections as their `formats` say and gives what it finds to `receiver`.
    pub fn new(formats: impl Into<FormatsByCapture>, receiver: R) -> Assembler<R> {
        Assembler { formats: formats.into(), conversations: HashMap::default(), receiver }
    }

    /// Who receives the messages.
    pub fn receiver(&mut self) -> &mut R {
        &mut self.receiver
    }

    /// Gives the receiver back.
    pub fn into_receiver(self) -> R {
        self.receiver
    }
}

impl<R: Receive> Assembler<R> {
    /// Gives out what the connections that are still open have begun: their source has stopped, and
    /// says nothing more of them.
    ///
    /// # Errors
    /// What the receiver says.
    pub fn finish(&mut self) -> Result<()> {
        let mut open: Vec<Conversation> = self.conversations.drain().map(|(_, one)| one).collect();
        open.sort_unstable_by_key(|one| one.connection);
        open.into_iter().try_for_each(|mut one| {
            one.break_off();
            one.release(&mut self.receiver)
        })
    }
}

impl<R: Receive> Sink for Assembler<R> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let connection = event.connection;
        let formats = |port| self.formats.of(event.capture(), port);
        let conversation = match (self.conversations.entry(connection), event.kind) {
            (Entry::Occupied(known), _) => known.into_mut(),
            (Entry::Vacant(new), Kind::Open { server, .. }) => {
                new.insert(Conversation::new(connection, formats(Some(server.port()))))
            }
            (Entry::Vacant(new), Kind::Data { .. } | Kind::Gap { .. }) => {
                new.insert(Conversation::new(connection, formats(None)))
            }
            // It is over, or never began: there is nothing to assemble.
            (Entry::Vacant(_), _) => {
                return self.receiver.receive(Output::Event { event, offset: 0 });
            }
        };
        conversation.expire(event.at);
        conversation.take(event);
        conversation.decide_in_time();
        conversation.release(&mut self.receiver)?;
        if conversation.is_over() {
            self.conversations.remove(&connection);
        }
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        let now = now - UNREAD;
        for conversation in self.conversations.values_mut() {
            let any = conversation.expire(now);
            if conversation.decide_if_silent(now) || any {
                conversation.release(&mut self.receiver)?;
            }
        }
        Ok(())
    }
}
