//! `resync`: pickles are looked for again behind damaged and missing bytes.

use super::super::search::{Found, Search};
use super::body::decode_pickle;
use super::{Arrival, Decoded, Decoder, Fault, FaultKind, Format, Framing, Piece, State};

/// Bytes that are no pickle are being passed over.
pub(super) struct Searching {
    search: Search,
    /// Why the first of them are none; the others are raw.
    fault: Option<Fault>,
}

impl Searching {
    /// From the next byte on, all before it was given.
    pub(super) fn restart(&mut self, format: &Format) {
        self.search = Search::new(&format.settings().limits, 0);
    }
}

impl Decoder {
    /// Whether the next pickle is looked for where there is none.
    pub(super) fn resyncs(&self) -> bool {
        self.format.settings().resync && self.format.framing() == Framing::Codec
    }

    /// A search behind the first byte of what is no pickle.
    pub(super) fn search_after(&self, fault: Fault) -> State {
        let search = Search::new(&self.format.settings().limits, 1);
        State::Searching(Box::new(Searching { search, fault: Some(fault) }))
    }

    /// A search from the next byte on: what was before it is missing.
    pub(super) fn search_afresh(&self) -> State {
        let search = Search::at_any(&self.format.settings().limits);
        let fault = Fault::new(FaultKind::Truncated, 0, "the capture lacks its beginning");
        State::Searching(Box::new(Searching { search, fault: Some(fault) }))
    }

    /// Gives what lies before the next pickle, and says how many bytes it is and whether a pickle
    /// begins behind it.
    pub(super) fn cut_sought(
        &mut self,
        searching: &mut Searching,
        arrival: Arrival,
        pending: &[u8],
        is_whole: bool,
        out: &mut dyn FnMut(Decoded),
    ) -> (usize, bool) {
        let settings = self.format.settings().clone();
        let decodes = |bytes: &[u8]| decode_pickle(bytes, &settings).is_ok();
        let mut passed = 0;
        loop {
            let rest = &pending[passed..];
            let found = searching.search.find(rest, is_whole, &decodes);
            if let Found::TooMany(_) = found {
                let words = "too many places look like a pickle's beginning to try them all";
                searching.fault = Some(Fault::new(FaultKind::Limit, 0, words));
            }
            let (Found::More(count) | Found::Start(count) | Found::TooMany(count)) = found;
            self.give_passed(searching, arrival, &rest[..count], out);
            passed += count;
            match found {
                Found::More(_) => return (passed, false),
                Found::Start(_) => {
                    self.unsure = true;
                    return (passed, true);
                }
                Found::TooMany(_) => {}
            }
        }
    }

    /// Gives bytes that are no pickle: the first of them with the reason, the others raw.
    fn give_passed(
        &mut self,
        searching: &mut Searching,
        arrival: Arrival,
        raw: &[u8],
        out: &mut dyn FnMut(Decoded),
    ) {
        if raw.is_empty() {
            return;
        }
        let piece = match searching.fault.take() {
            Some(fault) => {
                let at = fault.at.min(raw.len());
                Piece::broken(raw, arrival, Fault { at, ..fault })
            }
            None => Piece { lost: true, ..Piece::new(raw, arrival) },
        };
        self.give(piece, out);
    }

    /// Gives all that is held, and nothing follows: what has begun may hide whole pickles.
    pub(super) fn conclude_search(&mut self, missing: &str, out: &mut dyn FnMut(Decoded)) {
        let mut held = std::mem::take(&mut self.held);
        let arrival = self.last;
        let mut pending = &held[..];
        while !pending.is_empty() {
            let truncated = Fault::new(FaultKind::Truncated, pending.len(), missing);
            let mut searching = match std::mem::replace(&mut self.state, State::Lost) {
                State::Searching(mut searching) => {
                    searching.fault.get_or_insert(truncated);
                    searching
                }
                _ => match self.search_after(truncated) {
                    State::Searching(searching) => searching,
                    _ => break,
                },
            };
            let (passed, is_found) = self.cut_sought(&mut searching, arrival, pending, true, out);
            pending = &pending[passed..];
            if is_found {
                self.state = State::of(&self.format, self.text);
                pending = &pending[self.cut(arrival, pending, 0, out)..];
            }
        }
        held.clear();
        self.held = held;
    }
}
