//! `guess`: message ends that follow from a Protocol Buffers schema.

use std::time::Duration;

use super::super::protobuf::MessageType;
use super::super::protobuf::guess::{Found, Scanner};
use super::{Arrival, Decoded, Decoder, Piece, too_long};

/// What `guess` knows beside the fields.
pub(super) struct Guess {
    pub(super) scanner: Scanner,
    /// How soon the next chunk must come to go on in the message.
    pub(super) window: Duration,
    /// The end of the chunk that the pending message began with, if it began where that began.
    first_chunk: Option<usize>,
    /// How the chunk came in which the last whole field was complete.
    complete: Arrival,
    /// Whether it is only hoped that the next message begins where the next chunk does.
    pub(super) unsure: bool,
}

impl Guess {
    /// At the first byte of a side.
    pub(super) fn new(message: &MessageType, window: Duration) -> Guess {
        Guess {
            scanner: Scanner::new(message),
            window,
            first_chunk: None,
            complete: Arrival::default(),
            unsure: false,
        }
    }

    /// A message that ends where a field did.
    pub(super) fn piece<'a>(&mut self, raw: &'a [u8]) -> Piece<'a> {
        let guessed = std::mem::take(&mut self.unsure) || self.first_chunk != Some(raw.len());
        Piece { guessed, ..Piece::new(raw, self.complete) }
    }

    /// Begins afresh with the next chunk, in the hope that a message begins there.
    pub(super) fn give_up(&mut self) {
        self.scanner.restart();
        self.unsure = true;
    }
}

impl Decoder {
    /// Gives the messages that have ended, and says how many bytes they are.
    pub(super) fn cut_guessed(
        &mut self,
        guess: &mut Guess,
        arrival: Arrival,
        pending: &[u8],
        fresh: usize,
        out: &mut dyn FnMut(Decoded),
    ) -> usize {
        let mut start = 0;
        if fresh == 0 {
            guess.first_chunk = Some(pending.len());
        }
        loop {
            let rest = &pending[start..];
            match guess.scanner.next(rest) {
                Found::Field => guess.complete = arrival,
                Found::More => break,
                Found::End(length) => {
                    self.give(guess.piece(&rest[..length]), out);
                    start += length;
                    guess.scanner.restart();
                    guess.first_chunk = (start == fresh).then(|| pending.len() - start);
                }
                Found::Broken(fault) => {
                    let guessed = start != fresh || guess.unsure;
                    self.give(Piece { guessed, ..Piece::broken(rest, arrival, fault) }, out);
                    guess.give_up();
                    return pending.len();
                }
            }
        }
        let rest = &pending[start..];
        let limit = self.longest();
        if rest.len() > limit {
            let fault = too_long(limit);
            self.give(Piece { guessed: true, ..Piece::broken(rest, arrival, fault) }, out);
            guess.give_up();
            return pending.len();
        }
        guess.scanner.chunk_ended(rest.len());
        start
    }
}
