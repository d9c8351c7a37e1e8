//! The two sides of one connection, and what waits for its place between theirs.

use std::collections::VecDeque;

use super::super::{Formats, Message};
use super::{Output, Receive};
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Side, Timestamp};
use crate::wire::{Arrival, Decoded, Decoder};

/// How much may wait for a side whose format is not known yet, in bytes: then it is decided. What is
/// no message counts, too.
const WAITING: usize = 256 << 10;
/// What one thing that waits counts beside its bytes.
const WAITING_EACH: usize = 128;

/// The two sides of a connection, as far as they are read.
pub(super) struct Conversation {
    pub(super) connection: ConnectionId,
    decoders: [Decoder; 2],
    /// How many bytes each side has sent, gaps included.
    offsets: [u64; 2],
    ended: [bool; 2],
    messages: u64,
    /// What is complete but may have to wait for a message of the other side that came before it and
    /// is not known to be complete yet.
    waiting: VecDeque<Waiting>,
    /// How much that is, in bytes.
    waiting_size: usize,
    /// Of which sides the receiver has heard what they were found to be.
    heard: [bool; 2],
}

enum Waiting {
    Message(Side, Decoded),
    Event(Event<'static>, u64),
}

impl Conversation {
    pub(super) fn new(connection: ConnectionId, formats: &Formats) -> Conversation {
        Conversation {
            connection,
            decoders: Side::BOTH.map(|side| Decoder::new(formats.of(side))),
            offsets: [0, 0],
            ended: [false, false],
            messages: 0,
            waiting: VecDeque::new(),
            waiting_size: 0,
            heard: [false, false],
        }
    }

    /// Completes what only silence up to `now` completes; whether there was anything.
    pub(super) fn expire(&mut self, now: Timestamp) -> bool {
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

    /// Decides what the sides are that have said nothing more up to `now`; whether there was one.
    pub(super) fn decide_if_silent(&mut self, now: Timestamp) -> bool {
        let is_due = |decoder: &Decoder| decoder.decision_due().is_some_and(|due| due < now);
        let due = Side::BOTH.into_iter().filter(|side| is_due(&self.decoders[side.index()]));
        let due: Vec<Side> = due.collect();
        due.iter().for_each(|side| self.decode(*side, |decoder, out| decoder.decide(out)));
        !due.is_empty()
    }

    /// Decides what the sides are once too much waits for it.
    pub(super) fn decide_in_time(&mut self) {
        if self.waiting_size > WAITING {
            Side::BOTH.into_iter().for_each(|side| {
                self.decode(side, |decoder, out| decoder.decide(out));
            });
        }
    }

    /// Nothing more is known of either side, which does not mean that it has ended.
    pub(super) fn break_off(&mut self) {
        for side in Side::BOTH {
            self.decode(side, |decoder, out| decoder.decide(out));
            self.end(side);
        }
    }

    pub(super) fn take(&mut self, event: &Event<'_>) {
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
                self.break_off();
                self.wait(event, Kind::Reset { side }, self.offsets[side.index()]);
            }
            Kind::Cut => {
                self.break_off();
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

    pub(super) fn is_over(&self) -> bool {
        self.ended == [true, true]
    }

    /// Runs a step of one side's decoder, and puts the messages it completed where they belong.
    fn decode(&mut self, side: Side, step: impl FnOnce(&mut Decoder, &mut dyn FnMut(Decoded))) {
        let (waiting, size) = (&mut self.waiting, &mut self.waiting_size);
        step(&mut self.decoders[side.index()], &mut |decoded| {
            // Never before what its own side did, whatever the stamps say: that order is certain.
            let place = waiting
                .iter()
                .rposition(|other| other.is_of(side) || !is_after(other.arrival(), decoded.arrival))
                .map_or(0, |before| before + 1);
            *size += WAITING_EACH + decoded.raw.len();
            waiting.insert(place, Waiting::Message(side, decoded));
        });
    }

    fn wait(&mut self, event: &Event<'_>, kind: Kind<'static>, offset: u64) {
        let Event { at, connection, frame, .. } = *event;
        self.waiting_size += WAITING_EACH;
        self.waiting.push_back(Waiting::Event(Event { at, connection, frame, kind }, offset));
    }

    /// Gives out what waits for nothing any more.
    pub(super) fn release(&mut self, receiver: &mut impl Receive) -> Result<()> {
        for side in Side::BOTH {
            let (decoder, heard) = (&self.decoders[side.index()], &mut self.heard[side.index()]);
            if let Some(reason) = decoder.reason().filter(|_| !*heard) {
                receiver.found(self.connection, side, decoder.format(), reason);
                *heard = true;
            }
        }
        let pending = self.decoders.each_ref().map(Decoder::pending_since);
        while let Some(next) = self.waiting.front() {
            let arrival = next.arrival();
            if pending.iter().flatten().any(|pending| is_after(arrival, *pending)) {
                break;
            }
            self.waiting_size -= next.size();
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

/// Whether one came after the other: in a capture by its frames, which a clock that was set back does
/// not change.
fn is_after(one: Arrival, other: Arrival) -> bool {
    match (one.frame, other.frame) {
        (Some(one), Some(other)) => one > other,
        _ => one.at > other.at,
    }
}

impl Waiting {
    fn arrival(&self) -> Arrival {
        match self {
            Waiting::Message(_, decoded) => decoded.arrival,
            Waiting::Event(event, _) => Arrival { at: event.at, frame: event.frame },
        }
    }

    /// What it counts of what may wait.
    fn size(&self) -> usize {
        match self {
            Waiting::Message(_, decoded) => WAITING_EACH + decoded.raw.len(),
            Waiting::Event(..) => WAITING_EACH,
        }
    }

    /// Whether it is something that `side` did, or that ends both sides.
    fn is_of(&self, side: Side) -> bool {
        match self {
            Waiting::Message(of, _) => *of == side,
            Waiting::Event(event, _) => match event.kind {
                Kind::Gap { side: of, .. } | Kind::Eof { side: of } => of == side,
                // Said of bytes that a side had sent, whenever they are given.
                Kind::Delivered { .. } | Kind::Note(_) => false,
                _ => true,
            },
        }
    }
}
