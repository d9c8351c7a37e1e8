//! The sink that turns events into messages.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::{Formats, FormatsByPort, Message};
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
use crate::wire::{Arrival, Decoded, Decoder};

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
/// Memory is bounded by what each open connection has begun and not completed.
pub struct Assembler<R> {
    formats: FormatsByPort,
    conversations: HashMap<ConnectionId, Conversation>,
    receiver: R,
}

impl<R: Receive> Assembler<R> {
    /// Reads connections as their `formats` say and gives what it finds to `receiver`.
    pub fn new(formats: impl Into<FormatsByPort>, receiver: R) -> Assembler<R> {
        Assembler { formats: formats.into(), conversations: HashMap::new(), receiver }
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
            one.end(Side::Client);
            one.end(Side::Server);
            one.release(&mut self.receiver)
        })
    }
}

impl<R: Receive> Sink for Assembler<R> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let connection = event.connection;
        let known = self.conversations.contains_key(&connection);
        if !known && !matches!(event.kind, Kind::Open { .. } | Kind::Data { .. } | Kind::Gap { .. })
        {
            // It is over, or never began: there is nothing to assemble.
            return self.receiver.receive(Output::Event { event, offset: 0 });
        }
        let formats = &self.formats;
        let port = match event.kind {
            Kind::Open { server, .. } => Some(server.port()),
            _ => None,
        };
        let conversation = self
            .conversations
            .entry(connection)
            .or_insert_with(|| Conversation::new(connection, formats.of(port)));
        conversation.expire(event.at);
        conversation.take(event);
        conversation.release(&mut self.receiver)?;
        if conversation.is_over() {
            self.conversations.remove(&connection);
        }
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        let now = now - UNREAD;
        for conversation in self.conversations.values_mut() {
            if conversation.expire(now) {
                conversation.release(&mut self.receiver)?;
            }
        }
        Ok(())
    }
}

/// The two sides of a connection, as far as they are read.
struct Conversation {
    connection: ConnectionId,
    decoders: [Decoder; 2],
    /// How many bytes each side has sent, gaps included.
    offsets: [u64; 2],
    ended: [bool; 2],
    messages: u64,
    /// What is complete but may have to wait for a message of the other side that came before it and
    /// is not known to be complete yet.
    waiting: VecDeque<Waiting>,
}

enum Waiting {
    Message(Side, Decoded),
    Event(Event<'static>, u64),
}

impl Conversation {
    fn new(connection: ConnectionId, formats: &Formats) -> Conversation {
        Conversation {
            connection,
            decoders: Side::BOTH.map(|side| Decoder::new(formats.of(side))),
            offsets: [0, 0],
            ended: [false, false],
            messages: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Completes what only silence up to `now` completes; whether there was anything.
    fn expire(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        for side in Side::BOTH {
            let due = self.decoders[side.index()].deadline().is_some_and(|deadline| deadline < now);
            if due {
                self.decode(side, |decoder, out| decoder.expire(now, out));
                any = true;
            }
        }
        any
    }

    fn take(&mut self, event: &Event<'_>) {
        match event.kind {
            Kind::Data { side, bytes } => {
                let arrival = Arrival { at: event.at, frame: event.frame };
                self.decode(side, |decoder, out| decoder.push(arrival, bytes, out));
                self.offsets[side.index()] += bytes.len() as u64;
            }
            Kind::Gap { side, length } => {
                self.decode(side, |decoder, out| decoder.gap(length, out));
                self.wait(event, Kind::Gap { side, length }, self.offsets[side.index()]);
                self.offsets[side.index()] += length.unwrap_or(0);
            }
            Kind::Eof { side } => {
                self.end(side);
                self.wait(event, Kind::Eof { side }, self.offsets[side.index()]);
            }
            Kind::Reset { side } => {
                self.end(Side::Client);
                self.end(Side::Server);
                self.wait(event, Kind::Reset { side }, self.offsets[side.index()]);
            }
            Kind::Cut => {
                self.end(Side::Client);
                self.end(Side::Server);
                self.wait(event, Kind::Cut, 0);
            }
            Kind::Open { client, server, start, route } => {
                self.wait(event, Kind::Open { client, server, start, route }, 0);
            }
            Kind::Delivered { side, length } => {
                self.wait(event, Kind::Delivered { side, length }, self.offsets[side.index()]);
            }
            Kind::Note(note) => self.wait(event, Kind::Note(note), 0),
        }
    }

    fn end(&mut self, side: Side) {
        self.ended[side.index()] = true;
        self.decode(side, |decoder, out| decoder.end(out));
    }

    fn is_over(&self) -> bool {
        self.ended == [true, true]
    }

    /// Runs a step of one side's decoder, and puts the messages it completed where they belong.
    fn decode(&mut self, side: Side, step: impl FnOnce(&mut Decoder, &mut dyn FnMut(Decoded))) {
        let waiting = &mut self.waiting;
        step(&mut self.decoders[side.index()], &mut |decoded| {
            // Never before what its own side did, whatever the stamps say: that order is certain.
            let place = waiting
                .iter()
                .rposition(|other| other.is_of(side) || other.at() <= decoded.arrival.at)
                .map_or(0, |before| before + 1);
            waiting.insert(place, Waiting::Message(side, decoded));
        });
    }

    fn wait(&mut self, event: &Event<'_>, kind: Kind<'static>, offset: u64) {
        let Event { at, connection, frame, .. } = *event;
        self.waiting.push_back(Waiting::Event(Event { at, connection, frame, kind }, offset));
    }

    /// Gives out what waits for nothing any more.
    fn release(&mut self, receiver: &mut impl Receive) -> Result<()> {
        let horizon = self.decoders.iter().filter_map(Decoder::pending_since).min();
        while let Some(next) = self.waiting.front() {
            if horizon.is_some_and(|horizon| next.at() > horizon) {
                break;
            }
            match self.waiting.pop_front() {
                Some(Waiting::Message(side, decoded)) => {
                    let message = self.number(side, decoded);
                    receiver.receive(Output::Message(message))?;
                }
                Some(Waiting::Event(event, offset)) => {
                    receiver.receive(Output::Event { event: &event, offset })?;
                }
                None => break,
            }
        }
        Ok(())
    }

    fn number(&mut self, side: Side, decoded: Decoded) -> Message {
        let index = self.messages;
        self.messages += 1;
        Message {
            connection: self.connection,
            side,
            index,
            time: decoded.arrival.at,
            offset: decoded.offset,
            frame: decoded.arrival.frame,
            format: decoded.format,
            split: decoded.split,
            raw: decoded.raw,
            body: decoded.body,
            unknown: decoded.unknown,
        }
    }
}

impl Waiting {
    fn at(&self) -> Timestamp {
        match self {
            Waiting::Message(_, decoded) => decoded.arrival.at,
            Waiting::Event(event, _) => event.at,
        }
    }

    /// Whether it is something that `side` did, or that ends both sides.
    fn is_of(&self, side: Side) -> bool {
        match self {
            Waiting::Message(of, _) => *of == side,
            Waiting::Event(event, _) => match event.kind {
                Kind::Gap { side: of, .. } | Kind::Eof { side: of } => of == side,
                _ => true,
            },
        }
    }
}
