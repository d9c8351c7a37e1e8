//! What one side sent, as both programs read it.

use std::time::Duration;

use super::finding::{Explanation, Place, Prediction, Reading, Trouble, Unknown};
use super::receiver::Receiver;
use crate::Message;
use crate::session::{ConnectionId, Side, Timestamp};
use crate::wire::{Codec, FaultKind, Format, Split};

/// One side of a connection.
pub(super) struct OneSide {
    connection: ConnectionId,
    side: Side,
    recv: u64,
    /// As its first message says.
    format: Option<Format>,
    receivers: [Receiver; 2],
    /// How many bytes have come.
    offset: u64,
    messages: u64,
    guessed: bool,
    longest: u64,
    /// When it last sent something that its receiver has not said anything after.
    last: Option<Timestamp>,
    closest: Option<Duration>,
    /// From which byte on nothing is predicted, and why.
    unknown: Option<(u64, Unknown)>,
}

impl OneSide {
    pub(super) fn new(connection: ConnectionId, side: Side, recv: u64) -> OneSide {
        let receivers = Reading::BOTH.map(|reading| Receiver::new(connection, side, reading, recv));
        OneSide {
            connection,
            side,
            recv,
            format: None,
            receivers,
            offset: 0,
            messages: 0,
            guessed: false,
            longest: 0,
            last: None,
            closest: None,
            unknown: None,
        }
    }

    /// So many bytes have come.
    pub(super) fn chunk(&mut self, at: Timestamp, length: u64, frame: Option<u64>) {
        if self.unknown.is_some() {
            return;
        }
        let pause = self.last.map(|last| at.since(last));
        self.closest = self.closest.into_iter().chain(pause).min();
        self.last = Some(at);
        self.offset += length;
        let have_room = self.receivers.each_mut().map(|one| one.chunk(length, frame));
        if have_room != [true, true] {
            self.stop_at(Unknown::Pieces);
        }
    }

    /// Its receiver has said something, or nothing more comes.
    pub(super) fn catch_up(&mut self, explanation: &mut Explanation) {
        self.last = None;
        if self.unknown.is_some() {
            return;
        }
        for (receiver, reading) in self.receivers.iter_mut().zip(Reading::BOTH) {
            let format = self.format.as_ref();
            receiver.catch_up(format, &mut |suffered| {
                if let Some(format) = format {
                    let kind = (Some(reading), suffered.trouble, format);
                    explanation.find(kind, suffered.place, suffered.messages);
                }
            });
        }
    }

    /// Nothing can be said of what comes from here on.
    pub(super) fn stop_at(&mut self, why: Unknown) {
        self.unknown.get_or_insert((self.offset, why));
    }

    /// The next message.
    pub(super) fn message(&mut self, message: &Message, explanation: &mut Explanation) {
        let size = message.raw.len() as u64;
        let format = self.format.get_or_insert_with(|| message.format.clone()).clone();
        if let Some((from, _)) = self.unknown {
            let is_cut =
                message.body.as_ref().is_err_and(|fault| fault.kind == FaultKind::Truncated);
            // What begins before bytes that are missing and ends with them was whole for its receiver.
            if message.offset + size > from || message.offset + size == from && is_cut {
                return;
            }
        }
        match (format.codec(), message.format.codec()) {
            (Codec::Raw, _) => return self.unknown = Some((0, Unknown::NoFormat)),
            (_, Codec::Raw) => return self.unknown = Some((message.offset, Unknown::NoMessages)),
            _ => {}
        }
        self.messages += 1;
        self.guessed |= message.split == Split::Guessed;
        self.longest = self.longest.max(size);
        if size > self.recv {
            let place = Place {
                connection: self.connection,
                side: self.side,
                frames: message.frame.map(|frame| (frame.number, frame.number)),
                offset: message.offset,
                size,
                messages: 1,
                begins_inside: false,
                ends_inside: false,
            };
            explanation.find((None, Trouble::Oversized, &format), place, 1);
        }
        for (receiver, reading) in self.receivers.iter_mut().zip(Reading::BOTH) {
            receiver.message(&format, message, &mut |suffered| {
                let kind = (Some(reading), suffered.trouble, &format);
                explanation.find(kind, suffered.place, suffered.messages);
            });
        }
    }

    /// What becomes of it; `None` if no message of it is known.
    pub(super) fn predict(self) -> Option<Prediction> {
        Some(Prediction {
            connection: self.connection,
            side: self.side,
            format: self.format?,
            messages: self.messages,
            guessed: self.guessed,
            longest: self.longest,
            closest: self.closest,
            tallies: self.receivers.map(|receiver| receiver.tally().clone()),
            unknown: self.unknown.map(|(_, why)| why),
        })
    }
}
