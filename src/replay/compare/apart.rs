//! Messages that differ from the recorded ones, where message ends do not stand in the bytes.

use super::json_end::{End, JsonEnd};
use crate::message::Message;
use crate::session::Timestamp;
use crate::wire::{Arrival, Codec, Decoded, Decoder, Encoding, Format};

/// Decodes from the beginning of a message that differs.
pub(super) struct Apart {
    decoder: Box<Decoder>,
    /// Where text that is JSON ends, where the recorded one is such.
    json: Option<Box<JsonEnd>>,
    /// Where it begins in what came.
    base: u64,
    /// What makes no message yet.
    pending: Vec<u8>,
    /// How much of that the decoder has.
    fed: usize,
    last: Arrival,
}

/// Messages that were found, and what came after them.
pub(super) struct Found {
    /// What the messages' offsets are counted from.
    pub(super) base: u64,
    pub(super) messages: Vec<Decoded>,
    pub(super) rest: Vec<u8>,
}

impl Apart {
    /// At `base` of what came, where `recorded` was expected.
    pub(super) fn new(format: &Format, base: u64, recorded: Option<&Message>) -> Apart {
        let json = recorded
            .filter(|_| *format.codec() == Codec::Text(Encoding::UTF_8))
            .and_then(JsonEnd::like);
        Apart {
            decoder: Box::new(Decoder::new(format)),
            json: json.map(Box::new),
            base,
            pending: Vec::new(),
            fed: 0,
            last: Arrival::default(),
        }
    }

    /// When silence makes a message of what came.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        self.decoder.deadline()
    }

    pub(super) fn push(&mut self, arrival: Arrival, bytes: &[u8]) -> Option<Found> {
        self.last = arrival;
        self.pending.extend_from_slice(bytes);
        let Some(json) = &mut self.json else {
            let messages = self.decode(self.pending.len());
            return self.found(messages);
        };
        match json.find(&self.pending) {
            End::Unknown => None,
            End::At(length) => {
                let mut messages = self.decode(length);
                self.decoder.end(&mut |one| messages.push(one));
                self.found(messages)
            }
        }
    }

    pub(super) fn expire(&mut self, now: Timestamp) -> Option<Found> {
        let mut messages = Vec::new();
        self.decoder.expire(now, &mut |one| messages.push(one));
        self.found(messages)
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) -> Option<Found> {
        let mut messages = self.decode(self.pending.len());
        self.decoder.end(&mut |one| messages.push(one));
        self.found(messages)
    }

    fn decode(&mut self, until: usize) -> Vec<Decoded> {
        let mut messages = Vec::new();
        self.decoder.push(self.last, &self.pending[self.fed..until], &mut |one| messages.push(one));
        self.fed = until;
        messages
    }

    fn found(&mut self, messages: Vec<Decoded>) -> Option<Found> {
        if messages.is_empty() {
            return None;
        }
        let length: usize = messages.iter().map(|one| one.raw.len()).sum();
        let rest = self.pending.split_off(length.min(self.pending.len()));
        Some(Found { base: self.base, messages, rest })
    }
}
