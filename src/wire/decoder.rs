//! One side's bytes, as they come, to messages.

mod body;
mod delimited;
mod guess;
mod resync;
mod text;
mod undecided;

use std::time::Duration;

use super::decoded::{Arrival, Decoded, Split};
use super::detect::Next;
use super::framing::{Cutter, Framing, too_long};
use super::held::Held;
use super::text::InUse;
use super::{Codec, Fault, FaultKind, Format, Value};
use crate::session::Timestamp;
use body::decode;
use guess::Guess;
use resync::Searching;
use undecided::Undecided;

/// Takes the bytes of one side of one connection and gives messages.
///
/// No byte is lost: the messages' [`raw`](Decoded::raw) bytes, one after the other, are what was
/// pushed. Where no message can be found any more the rest comes as `raw` chunks.
pub struct Decoder {
    /// The format in use.
    format: Format,
    state: State,
    /// The encoding in use, where the messages are text.
    text: InUse,
    /// What was pushed and not given yet.
    held: Held,
    /// Where `held` begins in the side's bytes.
    offset: u64,
    /// How the last chunk came.
    last: Arrival,
    /// Whether the next message's beginning is concluded, and all that follows from it.
    unsure: bool,
    /// Whether the last pickle that could be read had a beginning by which the next one is found.
    has_beginnings: bool,
    /// Why this is the format, where it was found out.
    reason: Option<String>,
}

enum State {
    /// `auto`, until enough was seen.
    Undecided(Undecided),
    /// A message per chunk.
    Chunk,
    /// A message per chunk, with a character that a chunk's end cuts carried over; what is no text is a
    /// message of its own.
    Text {
        /// How many bytes belong to a character of which the beginning is missing.
        half: usize,
    },
    /// A message until nothing comes for so long.
    Idle(Duration),
    /// Message ends stand in the bytes.
    Delimited(Cutter),
    /// Message ends follow from a schema.
    Guess(Guess),
    /// What comes is no pickle, and the next one is looked for.
    Searching(Box<Searching>),
    /// No message can be found any more: chunks as they are.
    Lost,
}

/// What a message says, and what of it its schema does not know.
type Body = (Result<Value, Fault>, Option<Value>);

/// A piece of the pending bytes that is a message, or is given up as one.
struct Piece<'a> {
    raw: &'a [u8],
    /// How many bytes of prefix and terminator it has.
    header: usize,
    trailer: usize,
    arrival: Arrival,
    guessed: bool,
    /// Whether it is no message of the format any more.
    lost: bool,
    fault: Option<Fault>,
}

impl<'a> Piece<'a> {
    fn new(raw: &'a [u8], arrival: Arrival) -> Piece<'a> {
        Piece { raw, header: 0, trailer: 0, arrival, guessed: false, lost: false, fault: None }
    }

    fn broken(raw: &'a [u8], arrival: Arrival, fault: Fault) -> Piece<'a> {
        Piece { fault: Some(fault), ..Piece::new(raw, arrival) }
    }
}

impl Decoder {
    /// At the first byte of a side.
    pub fn new(format: &Format) -> Decoder {
        let text = InUse::of(format.codec().encoding());
        Decoder {
            state: State::of(format, text),
            text,
            format: format.clone(),
            held: Held::new(format.settings()),
            offset: 0,
            last: Arrival::default(),
            unsure: false,
            has_beginnings: true,
            reason: None,
        }
    }

    /// The format in use: of `auto` what it has found, once enough bytes have come.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// Why `auto` has found this format; `None` before it has, and where the format was named.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Takes one chunk: a read, or what a segment added. Messages that it completes go to `out`.
    pub fn push(&mut self, arrival: Arrival, bytes: &[u8], out: &mut dyn FnMut(Decoded)) {
        if bytes.is_empty() {
            return;
        }
        if self.is_undecided() {
            return self.push_undecided(arrival, bytes, out);
        }
        self.expire(arrival.at, out);
        let mut held = std::mem::take(&mut self.held);
        if !held.is_empty() && !held.make_room(bytes.len()) {
            self.give_up(&held, self.last, out);
            held.clear();
        }
        let fresh = held.len();
        if fresh == 0 {
            // Most chunks end where a message does: nothing is copied but what is left.
            let consumed = self.cut(arrival, bytes, 0, out);
            let rest = &bytes[consumed..];
            if held.make_room(rest.len()) {
                held.extend(rest);
            } else {
                self.give_up(rest, arrival, out);
            }
        } else {
            held.extend(bytes);
            let consumed = self.cut(arrival, &held, fresh, out);
            held.consume(consumed);
        }
        self.held = held;
        self.last = arrival;
    }

    /// When [`expire`](Decoder::expire) has a message to give if nothing else comes.
    pub fn deadline(&self) -> Option<Timestamp> {
        if self.held.is_empty() {
            return None;
        }
        match &self.state {
            State::Idle(pause) => Some(self.last.at + *pause),
            State::Guess(guess) if guess.scanner.is_between_fields(self.held.len()) => {
                Some(self.last.at + guess.window)
            }
            _ => None,
        }
    }

    /// Since which chunk a message may be complete, and only silence or the next chunks will tell.
    pub fn pending_since(&self) -> Option<Arrival> {
        match &self.state {
            State::Undecided(undecided) => undecided.since(),
            _ => self.deadline().map(|_| self.last),
        }
    }

    /// Gives the message that has ended because nothing came until `now`.
    pub fn expire(&mut self, now: Timestamp, out: &mut dyn FnMut(Decoded)) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.give_held(None, out);
        }
    }

    /// Says that bytes are missing: so many, if that is known. What had begun is given as truncated.
    /// Framings that find message ends of themselves go on; the others try afresh with the next
    /// chunk, and say that what they find is concluded.
    pub fn gap(&mut self, length: Option<u64>, out: &mut dyn FnMut(Decoded)) {
        self.conclude(Next::Unknown, out);
        self.cut_off("bytes are missing from the capture here", out);
        self.offset += length.unwrap_or(0);
        self.go_on_afresh();
    }

    /// What comes next follows missing bytes.
    fn go_on_afresh(&mut self) {
        match &mut self.state {
            State::Undecided(undecided) => undecided.follows_gap(),
            State::Chunk | State::Idle(_) => {}
            State::Text { half } => *half = self.text.encoding().half(self.offset),
            State::Guess(guess) => guess.unsure = true,
            State::Delimited(_) | State::Searching(_) | State::Lost => {
                let mut afresh = State::of(&self.format, self.text);
                if let State::Delimited(cutter) = &mut afresh {
                    cutter.begin_at(self.offset);
                }
                self.state = if self.resyncs() { self.search_afresh() } else { afresh };
                self.unsure = true;
            }
        }
    }

    /// Says that the side has ended. What had begun is given, as truncated where it is not whole;
    /// a last line needs no terminator.
    pub fn end(&mut self, out: &mut dyn FnMut(Decoded)) {
        self.conclude(Next::End, out);
        match &self.state {
            State::Idle(_) => self.give_held(None, out),
            State::Delimited(cutter) if cutter.ends_with_side() => self.give_held(None, out),
            _ => self.cut_off("the side has ended here", out),
        }
    }

    /// Gives what has begun, because of what is `missing` behind it.
    fn cut_off(&mut self, missing: &str, out: &mut dyn FnMut(Decoded)) {
        match self.resyncs() {
            true => self.conclude_search(missing, out),
            false => self.give_held(Some(missing), out),
        }
    }

    /// Gives the messages that are whole, and says how many bytes they are. `fresh` is where the
    /// chunk that has just come begins in the pending bytes.
    fn cut(
        &mut self,
        arrival: Arrival,
        pending: &[u8],
        fresh: usize,
        out: &mut dyn FnMut(Decoded),
    ) -> usize {
        let limit = self.longest();
        let mut state = std::mem::replace(&mut self.state, State::Lost);
        let consumed = match &mut state {
            State::Undecided(_) | State::Chunk => {
                self.give(Piece::new(pending, arrival), out);
                pending.len()
            }
            State::Lost => {
                self.give(Piece { lost: true, ..Piece::new(pending, arrival) }, out);
                pending.len()
            }
            State::Text { half } => self.cut_text(half, arrival, pending, out),
            State::Idle(_) if pending.len() > limit => {
                self.give(Piece::broken(pending, arrival, too_long(limit)), out);
                pending.len()
            }
            State::Idle(_) => 0,
            State::Delimited(_) | State::Searching(_) => {
                let (consumed, next) = self.cut_stream(state, arrival, pending, out);
                state = next;
                consumed
            }
            State::Guess(guess) => self.cut_guessed(guess, arrival, pending, fresh, out),
        };
        self.state = state;
        consumed
    }

    /// Gives all that is held: as a message if it is one, else as truncated because of what is `missing`.
    fn give_held(&mut self, missing: Option<&str>, out: &mut dyn FnMut(Decoded)) {
        if self.held.is_empty() {
            return;
        }
        let mut held = std::mem::take(&mut self.held);
        let mut piece = Piece::new(&held, self.last);
        let mut whole = missing.is_none();
        if let State::Guess(guess) = &mut self.state {
            whole = guess.scanner.is_between_fields(held.len());
            piece = guess.piece(&held);
            guess.scanner.restart();
        }
        if !whole {
            let message = missing.unwrap_or("the message is not whole");
            let fault = Fault::new(FaultKind::Truncated, held.len(), message);
            piece = Piece { arrival: self.last, fault: Some(fault), ..piece };
        }
        self.give(piece, out);
        held.clear();
        self.held = held;
    }

    /// The longest message, in bytes.
    fn longest(&self) -> usize {
        self.format.settings().limits.longest()
    }

    /// Hands on one message.
    fn give(&mut self, piece: Piece<'_>, out: &mut dyn FnMut(Decoded)) {
        let piece = self.without_mark(piece);
        let body = self.read(&piece);
        self.hand_on(piece, body, out);
    }

    /// What a piece says, and the fields that its schema does not know.
    fn read(&self, piece: &Piece<'_>) -> Body {
        if let Some(fault) = &piece.fault {
            return (Err(fault.clone()), None);
        }
        let Piece { raw, header, trailer, lost, .. } = *piece;
        if lost {
            return (Ok(Value::bytes(raw)), None);
        }
        match decode(&self.format, self.text, &raw[header..raw.len() - trailer]) {
            Ok((value, unknown)) => (Ok(value), unknown),
            Err(fault) => (Err(Fault { at: fault.at + header, ..fault }), None),
        }
    }

    fn hand_on(&mut self, piece: Piece<'_>, body: Body, out: &mut dyn FnMut(Decoded)) {
        let Piece { raw, arrival, guessed, lost, .. } = piece;
        let format = if lost { Format::raw() } else { self.format.clone() };
        let (body, unknown) = body;
        let guessed = guessed || self.unsure && !lost;
        let split = if guessed { Split::Guessed } else { Split::Exact };
        let offset = self.offset;
        self.offset += raw.len() as u64;
        out(Decoded { offset, arrival, raw: raw.to_vec(), format, split, body, unknown });
    }
}

impl State {
    fn of(format: &Format, text: InUse) -> State {
        match (format.codec(), format.framing()) {
            (Codec::Auto, _) => State::Undecided(Undecided::new(format.settings())),
            (Codec::Text(_), Framing::Chunk) => State::Text { half: 0 },
            (_, Framing::Idle(pause)) => State::Idle(pause),
            (Codec::Protobuf(Some(message)), Framing::Guess) => {
                State::Guess(Guess::new(message, format.settings().guess_window))
            }
            (_, framing) => Cutter::new(framing, text, &format.settings().limits)
                .map_or(State::Chunk, State::Delimited),
        }
    }
}
