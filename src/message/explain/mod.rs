//! What a program would suffer that takes one `recv` for one message.
//!
//! TCP carries bytes, not messages: what one `send` wrote may come in two reads, and what many wrote in one.
//! A program that hands each `recv(4096)` to `pickle.loads`, `ParseFromString` or `decode` works as long as
//! each message is read by itself, and then loses messages, merges them, or dies. An [`Explainer`] reads a
//! session as such a program would and says what becomes of it.
//!
//! It is a prediction: how much a `recv` gives depends on when it is called, which no capture shows. So there
//! are two, the extremes: a program that reads each chunk [at once](Reading::AtOnce), and one that is [held
//! up](Reading::HeldUp) after its first read until all has come. The second is what happens to a burst, of
//! which the first message wakes the program and the rest is there before it reads again: its reads are full
//! whatever the segments were, so that it can be predicted to the byte.

mod finding;
mod program;
mod reads;
mod receiver;
mod side;

use std::collections::HashMap;

pub use finding::{
    Explanation, Finding, PLACES, Place, Prediction, Reading, Tally, Trouble, Unknown, exception,
};

use super::{Assembler, FormatsByCapture, Output, Receive};
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Side, Sink};
use side::OneSide;

/// A sink that predicts what programs would make of the session that it takes.
///
/// Of each side it keeps a read's bytes and some numbers while the connection is open, of all trouble the
/// first places of each kind.
pub struct Explainer {
    assembler: Assembler<Model>,
}

impl Explainer {
    /// Predicts for programs that read at most `recv` bytes at a time and take them for a message of what each
    /// side speaks.
    pub fn new(formats: impl Into<FormatsByCapture>, recv: u64) -> Explainer {
        let model = Model { recv, sides: HashMap::new(), explanation: Explanation::default() };
        Explainer { assembler: Assembler::new(formats, model) }
    }

    /// What was found, once the source has ended.
    ///
    /// # Errors
    /// None of its own.
    pub fn conclude(mut self) -> Result<Explanation> {
        self.assembler.receiver().cut();
        self.assembler.finish()?;
        Ok(self.assembler.into_receiver().conclude())
    }
}

impl Sink for Explainer {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        // Reads first: they are what the messages are then put into.
        self.assembler.receiver().read(event);
        self.assembler.event(event)
    }
}

struct Model {
    recv: u64,
    /// Of connections that are open.
    sides: HashMap<(ConnectionId, Side), OneSide>,
    explanation: Explanation,
}

impl Model {
    /// Takes what has come, of which the messages are not known yet.
    fn read(&mut self, event: &Event<'_>) {
        let connection = event.connection;
        match event.kind {
            Kind::Data { side, bytes } => {
                let new = || OneSide::new(connection, side, self.recv);
                let one = self.sides.entry((connection, side)).or_insert_with(new);
                one.chunk(event.at, bytes.len() as u64, event.frame.map(|frame| frame.number));
                // Who sends something is not held up.
                self.catch_up(connection, side.other());
            }
            Kind::Gap { side, .. } => self.stop(connection, side, Unknown::Gap),
            Kind::Cut => {
                Side::BOTH.into_iter().for_each(|side| self.stop(connection, side, Unknown::Cut))
            }
            Kind::Eof { side } => self.catch_up(connection, side),
            Kind::Reset { .. } => {
                Side::BOTH.into_iter().for_each(|side| self.catch_up(connection, side))
            }
            Kind::Open { .. } | Kind::Delivered { .. } | Kind::Note(_) => {}
        }
    }

    fn catch_up(&mut self, connection: ConnectionId, reader_of: Side) {
        if let Some(one) = self.sides.get_mut(&(connection, reader_of)) {
            one.catch_up(&mut self.explanation);
        }
    }

    /// The source has stopped, whatever is open.
    fn cut(&mut self) {
        let open: Vec<_> = self.sides.keys().copied().collect();
        open.into_iter().for_each(|(connection, side)| self.stop(connection, side, Unknown::Cut));
    }

    /// Nobody knows what came next.
    fn stop(&mut self, connection: ConnectionId, side: Side, why: Unknown) {
        self.catch_up(connection, side);
        if let Some(one) = self.sides.get_mut(&(connection, side)) {
            one.stop_at(why);
        }
    }

    /// Says what became of a side of which all messages are known.
    fn end(&mut self, connection: ConnectionId, side: Side) {
        if let Some(one) = self.sides.remove(&(connection, side)) {
            self.explanation.predictions.extend(one.predict());
        }
    }

    fn conclude(mut self) -> Explanation {
        let rest: Vec<_> = self.sides.keys().copied().collect();
        rest.into_iter().for_each(|(connection, side)| self.end(connection, side));
        self.explanation.predictions.sort_by_key(|one| (one.connection, one.side));
        self.explanation
    }
}

impl Receive for Model {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Message(message) => {
                if let Some(one) = self.sides.get_mut(&(message.connection, message.side)) {
                    one.message(&message, &mut self.explanation);
                }
            }
            Output::Event { event, .. } => match event.kind {
                Kind::Eof { side } => self.end(event.connection, side),
                Kind::Reset { .. } | Kind::Cut => {
                    Side::BOTH.into_iter().for_each(|side| self.end(event.connection, side));
                }
                _ => {}
            },
        }
        Ok(())
    }
}
