//! What `info` says of each connection, counted from events.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::ends::{End, Ends};
use crate::Result;
use crate::message::{Assembler, FormatsByCapture, Output, Receive};
use crate::session::{ConnectionId, Event, Kind, Note, Side, Sink, Start, Timestamp};
use crate::wire::{Codec, Detector, Format, Next, Verdict};

/// A sink that counts: bytes and ends of connections, and with a format their messages.
pub(super) struct Census {
    /// By number; those that are left out have none.
    connections: Vec<Option<Box<Counts>>>,
    messages: Option<Assembler<MessageCounts>>,
}

/// What was counted of one connection. There may be as many as a capture has SYNs: it is kept small.
pub(super) struct Counts {
    /// The number of the capture in which it came into sight.
    pub(super) capture: usize,
    pub(super) client: SocketAddr,
    pub(super) server: SocketAddr,
    pub(super) start: Start,
    /// Whether who dialled was concluded, not seen.
    pub(super) roles_guessed: bool,
    pub(super) opened: Timestamp,
    pub(super) last: Timestamp,
    pub(super) sides: [SideCounts; 2],
    pub(super) ends: Ends,
}

/// What was counted of one side.
#[derive(Default)]
pub(super) struct SideCounts {
    pub(super) bytes: u64,
    pub(super) gaps: u64,
    pub(super) missing: u64,
    /// Messages in all, and those that could not be decoded; where a format was given.
    pub(super) messages: Option<(u64, u64)>,
    /// Of most sides there is nothing to note.
    oddities: Option<Box<Oddities>>,
    looks: Looks,
}

/// What a side's segments did that changes none of its bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Oddities {
    /// Bytes that were there already.
    pub(super) retransmitted: Occurrences,
    /// Bytes that differ from those that were there already.
    pub(super) differing: Occurrences,
    /// Bytes that are not among its data.
    pub(super) discarded: Occurrences,
    /// How often it sent urgent data.
    pub(super) urgent: u64,
    /// How many RST nobody took.
    pub(super) stray_resets: u64,
}

/// How often something happened, and to how many bytes in all.
#[derive(Clone, Copy, Default)]
pub(super) struct Occurrences {
    pub(super) times: u64,
    pub(super) bytes: u64,
}

impl Occurrences {
    pub(super) fn add(&mut self, times: u64, bytes: u64) {
        self.times = self.times.saturating_add(times);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// What is known of how a side's first bytes look, by the rules of `auto`.
#[derive(Default)]
enum Looks {
    /// Nothing has come.
    #[default]
    Unseen,
    /// They are being looked at.
    Undecided(Box<Detector>),
    /// What they are, and why.
    Found(Box<(Format, String)>),
}

impl Looks {
    /// Takes what a side said next; nothing is kept once that decides.
    fn push(&mut self, bytes: &[u8]) {
        if let Looks::Unseen = self {
            *self = Looks::Undecided(Box::new(Detector::new(Format::auto().settings())));
        }
        if let Looks::Undecided(detector) = self
            && let Some(verdict) = detector.push(bytes)
        {
            *self = Looks::found(verdict);
        }
    }

    /// Decides by what a side has said, and what is known of what follows it.
    fn conclude(&mut self, next: Next) {
        if let Looks::Undecided(detector) = self
            && let Some(verdict) = detector.conclude(next)
        {
            *self = Looks::found(verdict);
        }
    }

    fn found(Verdict { format, reason, .. }: Verdict) -> Looks {
        Looks::Found(Box::new((format, reason)))
    }
}

impl SideCounts {
    /// What its first bytes look like, and why; `None` of a side that sent nothing.
    pub(super) fn looks_like(&self) -> Option<(&Format, &str)> {
        match &self.looks {
            Looks::Found(found) => Some((&found.0, &found.1)),
            Looks::Unseen | Looks::Undecided(_) => None,
        }
    }

    /// What it did that changes none of its bytes.
    pub(super) fn oddities(&self) -> Oddities {
        self.oddities.as_deref().copied().unwrap_or_default()
    }

    fn odd(&mut self) -> &mut Oddities {
        self.oddities.get_or_insert_default()
    }
}

impl Census {
    /// Counts messages too if formats are given.
    pub(super) fn new(formats: Option<FormatsByCapture>) -> Census {
        let messages = formats.map(|formats| {
            let counts = MessageCounts {
                counts: HashMap::new(),
                raw: HashSet::new(),
                formats: formats.clone(),
            };
            Assembler::new(formats, counts)
        });
        Census { connections: Vec::new(), messages }
    }

    /// The connections, by number.
    pub(super) fn conclude(self) -> BTreeMap<ConnectionId, Box<Counts>> {
        let numbered = (0..).map(ConnectionId).zip(self.connections);
        let mut connections: BTreeMap<_, _> =
            numbered.filter_map(|(number, counts)| Some((number, counts?))).collect();
        for side in connections.values_mut().flat_map(|counts| &mut counts.sides) {
            side.looks.conclude(Next::Pause);
        }
        if let Some(messages) = self.messages {
            let counted = messages.into_receiver().counts;
            for (connection, counts) in &mut connections {
                for side in Side::BOTH {
                    let found = counted.get(&(*connection, side)).copied().unwrap_or_default();
                    counts.sides[side.index()].messages = Some(found);
                }
            }
        }
        connections
    }

    /// Where what is counted of a connection is.
    fn place(&mut self, connection: ConnectionId) -> &mut Option<Box<Counts>> {
        let number = connection.0 as usize;
        if self.connections.len() <= number {
            self.connections.resize_with(number + 1, || None);
        }
        &mut self.connections[number]
    }
}

impl Sink for Census {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Kind::Open { client, server, start, .. } = event.kind {
            let (opened, last) = (event.at, event.at);
            let counts = Counts {
                capture: event.capture(),
                client,
                server,
                start,
                roles_guessed: false,
                opened,
                last,
                sides: Default::default(),
                ends: Ends::default(),
            };
            *self.place(event.connection) = Some(Box::new(counts));
        }
        if let Some(Some(counts)) = self.connections.get_mut(event.connection.0 as usize) {
            counts.count(event);
        }
        self.messages.as_mut().map_or(Ok(()), |messages| messages.event(event))
    }
}

impl Counts {
    fn count(&mut self, event: &Event<'_>) {
        if !matches!(event.kind, Kind::Cut) {
            self.last = self.last.max(event.at);
        }
        match event.kind {
            Kind::Data { side, bytes } => {
                let counts = &mut self.sides[side.index()];
                counts.bytes += bytes.len() as u64;
                counts.looks.push(bytes);
            }
            Kind::Gap { side, length } => {
                let counts = &mut self.sides[side.index()];
                counts.gaps += 1;
                counts.missing += length.unwrap_or(0);
                counts.looks.conclude(Next::Unknown);
            }
            Kind::Note(note) => self.note(note),
            Kind::Eof { side } => {
                self.sides[side.index()].looks.conclude(Next::End);
                self.ends.push(End::Closed(side));
            }
            Kind::Reset { side } => self.break_off(End::Reset(side)),
            Kind::Cut => self.break_off(End::Open),
            Kind::Open { .. } | Kind::Delivered { .. } => {}
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Retransmission { side, length } => {
                self.sides[side.index()].odd().retransmitted.add(1, length);
            }
            Note::Overlap { side, length } => {
                self.sides[side.index()].odd().differing.add(1, length);
            }
            Note::Discarded { side, length } => {
                self.sides[side.index()].odd().discarded.add(1, length);
            }
            Note::Urgent { side, .. } => self.sides[side.index()].odd().urgent += 1,
            Note::StrayReset { side } => self.sides[side.index()].odd().stray_resets += 1,
            Note::GuessedRole => self.roles_guessed = true,
            Note::Answered | Note::Damaged | Note::Dropped(_) => {}
        }
    }

    /// Nothing more is known of either side.
    fn break_off(&mut self, end: End) {
        for side in &mut self.sides {
            side.looks.conclude(Next::Pause);
        }
        self.ends.push(end);
    }

    /// The bytes of both sides.
    pub(super) fn bytes(&self) -> u64 {
        self.sides.iter().map(|side| side.bytes).sum()
    }

    /// The messages of both sides; none where no format was given.
    pub(super) fn messages(&self) -> u64 {
        self.sides.iter().filter_map(|side| side.messages).map(|(messages, _)| messages).sum()
    }

    /// From when it came into sight until something last happened.
    pub(super) fn duration(&self) -> Duration {
        self.last.since(self.opened)
    }

    /// How much there was a second, over the whole duration; `None` where no time passed.
    pub(super) fn a_second(&self, amount: u64) -> Option<f64> {
        let seconds = self.duration().as_secs_f64();
        (seconds > 0.0).then(|| amount as f64 / seconds)
    }
}

/// Messages, and undecodable ones among them, of each side.
struct MessageCounts {
    counts: HashMap<(ConnectionId, Side), (u64, u64)>,
    /// Of which sides raw bytes are what was asked for.
    raw: HashSet<(ConnectionId, Side)>,
    formats: FormatsByCapture,
}

impl Receive for MessageCounts {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Message(message) => {
                let side = (message.connection, message.side);
                let counts = self.counts.entry(side).or_default();
                counts.0 += 1;
                // After an error the rest of a side may come as raw bytes: that is no message decoded.
                let given_up = *message.format.codec() == Codec::Raw && !self.raw.contains(&side);
                counts.1 += u64::from(message.body.is_err() || given_up);
            }
            Output::Event {
                event: event @ Event { connection, kind: Kind::Open { server, .. }, .. },
                ..
            } => {
                let formats = self.formats.of(event.capture(), Some(server.port()));
                let is_raw =
                    |side: &Side| matches!(formats.of(*side).codec(), Codec::Raw | Codec::Auto);
                let sides = Side::BOTH.into_iter().filter(is_raw);
                self.raw.extend(sides.map(|side| (*connection, side)));
            }
            Output::Event { .. } => {}
        }
        Ok(())
    }
}
