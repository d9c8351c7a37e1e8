//! Messages whose ends stand in the bytes.

use super::super::framing::{Cut, Cutter};
use super::super::search::PROTO;
use super::{Arrival, Decoded, Decoder, Fault, FaultKind, Piece, State};

impl Decoder {
    /// Gives whole messages, and what lies between them; says how many bytes that is, and how it goes on.
    pub(super) fn cut_stream(
        &mut self,
        mut state: State,
        arrival: Arrival,
        pending: &[u8],
        out: &mut dyn FnMut(Decoded),
    ) -> (usize, State) {
        let mut start = 0;
        loop {
            let rest = &pending[start..];
            state = match state {
                State::Delimited(mut cutter) => {
                    let (consumed, fault) = self.cut_delimited(&mut cutter, arrival, rest, out);
                    start += consumed;
                    match fault {
                        None => return (start, State::Delimited(cutter)),
                        Some(fault) if self.resyncs() => self.search_after(fault),
                        Some(fault) => {
                            self.give(Piece::broken(&pending[start..], arrival, fault), out);
                            return (pending.len(), State::Lost);
                        }
                    }
                }
                State::Searching(mut searching) => {
                    let (passed, is_found) =
                        self.cut_sought(&mut searching, arrival, rest, false, out);
                    start += passed;
                    match is_found {
                        true => State::of(&self.format, self.text),
                        false => return (start, State::Searching(searching)),
                    }
                }
                other => return (start, other),
            };
        }
    }

    /// Says how many bytes the whole messages are, and why no message follows, if none can be found.
    fn cut_delimited(
        &mut self,
        cutter: &mut Cutter,
        arrival: Arrival,
        pending: &[u8],
        out: &mut dyn FnMut(Decoded),
    ) -> (usize, Option<Fault>) {
        let resyncs = self.resyncs();
        let mut start = 0;
        while start < pending.len() {
            let rest = &pending[start..];
            let cut = cutter.next(rest);
            self.text = cutter.text().unwrap_or(self.text);
            match cut {
                Cut::More => break,
                Cut::Message { length, header, trailer } => {
                    let piece = Piece { header, trailer, ..Piece::new(&rest[..length], arrival) };
                    let piece = self.without_mark(piece);
                    let body = self.read(&piece);
                    match body.0 {
                        // No pickler writes this: its end is none to rely on.
                        Err(fault) if resyncs && fault.kind != FaultKind::Limit => {
                            if self.has_beginnings {
                                return (start, Some(fault));
                            }
                            self.hand_on(piece, (Err(fault), None), out);
                            // The end is all there is to go by.
                            self.unsure = true;
                        }
                        _ => {
                            self.has_beginnings = rest.first() == Some(&PROTO);
                            self.hand_on(piece, body, out);
                        }
                    }
                    self.unsure &= !cutter.recovers();
                    start += length;
                }
                Cut::Overlong { length, fault } => {
                    self.give(Piece::broken(&rest[..length], arrival, fault), out);
                    start += length;
                }
                Cut::Broken(fault) => return (start, Some(fault)),
            }
        }
        (start, None)
    }

    /// Gives up the message that has begun with `pending`: for more of it there is no room in the
    /// process. The framing goes on after it, where it can tell where that is.
    pub(super) fn give_up(
        &mut self,
        pending: &[u8],
        arrival: Arrival,
        out: &mut dyn FnMut(Decoded),
    ) {
        let fault = self.format.settings().exhausted(pending.len());
        let mut piece = Piece::broken(pending, arrival, fault.clone());
        match &mut self.state {
            State::Delimited(cutter) => cutter.give_up(pending, fault),
            State::Searching(searching) => searching.restart(&self.format),
            State::Guess(guess) => {
                guess.give_up();
                piece.guessed = true;
            }
            _ => {}
        }
        self.give(piece, out);
    }
}
