//! What is predicted, as plain data.

use std::time::Duration;

use crate::session::{ConnectionId, Side};
use crate::wire::{Codec, Format};

/// How many places of a [`Finding`] are kept.
pub const PLACES: usize = 10;

/// What programs that take one `recv` for one message would make of a capture.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// Of each side that sent anything, by connection.
    pub predictions: Vec<Prediction>,
    /// What goes wrong, all connections together. A program that stops at its first exception suffers no
    /// more of it; these count on, as of one that reads on.
    pub findings: Vec<Finding>,
}

impl Explanation {
    /// Takes note of trouble at `place`, of this many messages.
    pub(super) fn find(
        &mut self,
        (reading, trouble, format): (Option<Reading>, Trouble, &Format),
        place: Place,
        messages: u64,
    ) {
        let mut known = self.findings.iter_mut();
        let is_it = |one: &&mut Finding| {
            (one.reading, one.trouble) == (reading, trouble)
                && one.format.spelling() == format.spelling()
        };
        let finding = match known.find(is_it) {
            Some(finding) => finding,
            None => {
                let format = format.clone();
                let new =
                    Finding { reading, trouble, format, reads: 0, messages: 0, places: vec![] };
                self.findings.push(new);
                let last = self.findings.len() - 1;
                &mut self.findings[last]
            }
        };
        finding.reads += 1;
        finding.messages += messages;
        if finding.places.len() < PLACES {
            finding.places.push(place);
        }
    }
}

/// What a program would make of what one side sent.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// Whose.
    pub connection: ConnectionId,
    /// Who sent; the program is the other side's.
    pub side: Side,
    /// What the messages are; of `raw` nothing is predicted.
    pub format: Format,
    /// How many there are.
    pub messages: u64,
    /// Whether the ends of some were guessed.
    pub guessed: bool,
    /// The longest, in bytes.
    pub longest: u64,
    /// How soon after another one the next bytes came, at the closest, with nothing said in between by
    /// the receiver: held up for longer, it would read both at once.
    pub closest: Option<Duration>,
    /// Of a program that reads everything [at once](Reading::AtOnce), and of one [held up](Reading::HeldUp).
    pub tallies: [Tally; 2],
    /// Why no more is predicted of what follows.
    pub unknown: Option<Unknown>,
}

/// Why nothing is predicted of the rest of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// Nobody knows what the messages are.
    NoFormat,
    /// Bytes are missing from the capture.
    Gap,
    /// The capture ended with the connection open.
    Cut,
    /// Messages could not be found any more.
    NoMessages,
    /// More pieces came of one message than are kept.
    Pieces,
}

impl Unknown {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Unknown::NoFormat => "no_format",
            Unknown::Gap => "gap",
            Unknown::Cut => "cut",
            Unknown::NoMessages => "no_messages",
            Unknown::Pieces => "pieces",
        }
    }
}

/// How soon a program reads what has come: the two extremes between which the others are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Each chunk of the capture as soon as it has come, in reads of at most `recv` bytes.
    AtOnce,
    /// The first chunk at once. Then it is held up until it next says something itself, or all has come,
    /// and finds everything there: all reads but the last are full.
    HeldUp,
}

impl Reading {
    /// Both.
    pub const BOTH: [Reading; 2] = [Reading::AtOnce, Reading::HeldUp];

    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Reading::AtOnce => "at_once",
            Reading::HeldUp => "held_up",
        }
    }
}

/// How far a program would get.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// How many reads it does; the last is the one that stops it.
    pub reads: u64,
    /// How many messages it takes as they were sent.
    pub right: u64,
    /// How many values it takes, in silence, that nobody sent so: merged messages, parts, several texts as one.
    pub wrong: u64,
    /// The read whose exception ends it.
    pub stopped: Option<Place>,
}

/// A kind of trouble, by whom it is suffered, and where.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Who suffers it; `None` of what happens however a program reads.
    pub reading: Option<Reading>,
    /// What happens.
    pub trouble: Trouble,
    /// What the messages are.
    pub format: Format,
    /// How many reads it happens to; of [`Trouble::Oversized`] how many messages.
    pub reads: u64,
    /// How many messages it concerns: those that are lost, merged, printed as one, or whole in a read that raises.
    pub messages: u64,
    /// The first [`PLACES`] of them.
    pub places: Vec<Place>,
}

/// What happens to a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Several pickles: the first is taken, what follows in the read is lost.
    Lost,
    /// Several protobufs are taken for one: of each field the last value is left.
    Merged,
    /// Several texts are taken for one.
    Clumped,
    /// A part of a message is taken for a whole one.
    Part,
    /// An exception, because of where the read begins or ends.
    Raises,
    /// An exception that the message itself causes, however it is read.
    Undecodable,
    /// A message longer than a read: no read of it is the whole message.
    Oversized,
}

impl Trouble {
    /// The name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Trouble::Lost => "lost",
            Trouble::Merged => "merged",
            Trouble::Clumped => "clumped",
            Trouble::Part => "part",
            Trouble::Raises => "raises",
            Trouble::Undecodable => "undecodable",
            Trouble::Oversized => "oversized",
        }
    }
}

/// A read, or a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Of which connection.
    pub connection: ConnectionId,
    /// Who sent it.
    pub side: Side,
    /// The first and the last frame of the capture whose bytes it holds; `None` when live.
    pub frames: Option<(u64, u64)>,
    /// Where it begins, in bytes of what its side sent.
    pub offset: u64,
    /// How many bytes it has.
    pub size: u64,
    /// How many messages are whole in it.
    pub messages: u64,
    /// Whether it begins inside a message.
    pub begins_inside: bool,
    /// Whether it ends inside a message.
    pub ends_inside: bool,
}

/// The exception with which Python refuses what is no message of a format. Pickles have no one exception: what
/// is no pickle may lead to others, too.
pub fn exception(format: &Format) -> &'static str {
    match format.codec() {
        Codec::Pickle => "UnpicklingError",
        Codec::Protobuf(_) => "DecodeError",
        _ => "UnicodeDecodeError",
    }
}
