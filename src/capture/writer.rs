//! Events → a capture file that Wireshark opens without a complaint.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use super::file::CaptureFile;
use super::frame::{self, Ends, Payload, Segment};
use super::interface::Counts;
use super::label;
use super::mark::Mark;
use super::packet_writer::Packet;
use super::preamble::Preamble;
use super::synthesis::{Acknowledging, Gap, Synthesis};
use crate::session::{ConnectionId, Event, Kind, Note, Route, Side, Sink, Start, Timestamp};
use crate::{Error, Result};

/// How a capture is written.
#[derive(Clone, Debug, Default)]
pub struct WriterOptions {
    /// Whether a file that is there already may be replaced.
    pub force: bool,
    /// The spelling of the message format in use, kept as a label in a pcapng.
    pub format: Option<String>,
    /// Where the events come from.
    pub made_from: MadeFrom,
}

/// Where the events of a capture come from, which says how much of its headers is made up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MadeFrom {
    /// From sockets of ours: every connection was opened whole, and what was handed on is said.
    #[default]
    Sockets,
    /// From other captures, called so in a pcapng. How a connection was opened, and what its sides said
    /// to have, is known as far as [`Note::Answered`] and later segments tell.
    Captures(Vec<String>),
}

/// How many connections that are over are remembered, for what a source says of them late.
const REMEMBERED: usize = 1024;

/// Of how many pairs of ends is known where their sequence numbers have come to. A reader does not know
/// more connections at a time.
const PLACES: usize = 128 * 1024;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets, all of them synthesised.
    pub packets: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Bytes of payload, of both sides.
    pub bytes: u64,
    /// Gaps in it.
    pub gaps: u64,
}

/// A sink that writes a pcap or pcapng file.
///
/// Packets are synthesised: real are the payload, its times and order, the ends and the addresses.
/// Bytes of sockets are acknowledged when they were handed to the other side
/// ([`Kind::Delivered`]), so what was read and never forwarded stays unacknowledged; those of other
/// captures with the next segment of the other side. A gap is segments whose payload was not captured.
///
/// Whole records are gathered and written by [`flush`](Sink::flush), at the end of a connection, and
/// whenever a quarter of a megabyte has come together: a process that is killed leaves a file that
/// reads up to then. A failed write is returned by this and by every later call.
pub struct Writer {
    file: CaptureFile,
    connections: HashMap<ConnectionId, Synthesis>,
    /// Those among them that are over, oldest first.
    over: VecDeque<ConnectionId>,
    made_from: MadeFrom,
    /// Where the sequence numbers of ends are that had connections which are over: of the first to the second,
    /// which was this side.
    places: HashMap<(SocketAddr, SocketAddr), (u32, Side)>,
    /// The frame being built; kept for its allocation.
    frame: Vec<u8>,
    /// How many packets a source said it lost.
    dropped: u64,
    summary: Summary,
}

impl Writer {
    /// Creates `path`, which ends in `.pcapng` or `.pcap`.
    ///
    /// # Errors
    /// [`Error::Usage`] for another ending, [`Error::Exists`] for a file that is there and was not to
    /// be replaced, [`Error::File`] for what the system refuses.
    pub fn create(path: &Path, options: WriterOptions) -> Result<Writer> {
        let preamble = Preamble::synthesised(&options.made_from, options.format.as_deref());
        let file = CaptureFile::create(path, options.force, preamble)?;
        Ok(Writer {
            file,
            connections: HashMap::new(),
            over: VecDeque::new(),
            made_from: options.made_from,
            places: HashMap::new(),
            frame: Vec::new(),
            dropped: 0,
            summary: Summary::default(),
        })
    }

    /// Completes the file. A writer that is dropped instead leaves it without its statistics.
    pub fn finish(mut self) -> Result<Summary> {
        let counts = Counts { dropped: self.dropped, ..Counts::default() };
        self.file.finish(&[counts])?;
        Ok(Summary { packets: self.file.packets(), ..self.summary })
    }

    fn open(
        &mut self,
        event: &Event<'_>,
        ends: Ends,
        start: Start,
        route: Option<Route>,
    ) -> Result<()> {
        let initial = self.initial(&ends, start)?;
        let Entry::Vacant(entry) = self.connections.entry(event.connection) else {
            return Err(Error::Usage(format!("connection {} was opened twice", event.connection)));
        };
        let acknowledging = match self.made_from {
            MadeFrom::Sockets => Acknowledging::WhenDelivered,
            MadeFrom::Captures(_) => Acknowledging::WithTheNext,
        };
        let connection = entry.insert(Synthesis::new(ends, initial, acknowledging));
        self.summary.connections += 1;
        let comment = route.as_ref().map(label::route_comment);
        let (side, mut first) = match start {
            Start::Seen => connection.dial(),
            Start::Missed => connection.appear(),
        };
        if let MadeFrom::Captures(_) = self.made_from {
            first.mark = Some(Mark::Begins);
        }
        self.packet(event.at, &ends, (side, first), Payload::NONE, comment)?;
        if self.made_from == MadeFrom::Sockets {
            self.answer(event, Synthesis::answer)?;
            self.answer(event, Synthesis::greet)?;
        }
        Ok(())
    }

    /// The numbers that a connection's sides begin with. Where nothing says that the numbers of earlier
    /// ones are over, as the SYN of whoever sends it does, only what goes on with them is no loss.
    fn initial(&self, ends: &Ends, start: Start) -> Result<[u32; 2]> {
        let mut initial = [random()?, random()?];
        for side in Side::BOTH {
            let place = self.places.get(&ends.of(side));
            match (start, side, place) {
                (Start::Missed, _, Some((place, _))) => initial[side.index()] = *place,
                // Who dialled is dialled now, perhaps by the other SYN of the same opening.
                (Start::Seen, Side::Server, Some((place, Side::Client))) => {
                    initial[side.index()] = place.wrapping_sub(1);
                }
                _ => {}
            }
        }
        Ok(initial)
    }

    fn data(&mut self, event: &Event<'_>, side: Side, mut bytes: &[u8]) -> Result<()> {
        self.summary.bytes += bytes.len() as u64;
        self.prepare(event, side)?;
        while !bytes.is_empty() {
            let connection = self.sending(event.connection, side)?;
            let (segment, part, rest) = connection.data(side, bytes);
            let ends = connection.ends;
            self.packet(event.at, &ends, (side, segment), Payload::Bytes(part), None)?;
            bytes = rest;
        }
        self.sent(event, side)
    }

    fn gap(&mut self, event: &Event<'_>, side: Side, length: Option<u64>) -> Result<()> {
        self.summary.gaps += 1;
        self.prepare(event, side)?;
        let mut left = Gap::new(length);
        while let Some(gap) = left {
            let connection = self.sending(event.connection, side)?;
            let (segment, part, rest) = connection.gap(side, gap);
            let ends = connection.ends;
            self.packet(event.at, &ends, (side, segment), Payload::Missing(part), None)?;
            left = rest;
        }
        self.sent(event, side)
    }

    /// Does what is due after `side` has sent something.
    fn sent(&mut self, event: &Event<'_>, side: Side) -> Result<()> {
        self.answer(event, |connection| connection.relieve(side))?;
        // Others saw it send after a reset, too.
        if let Some(connection) = self.connections.get(&event.connection)
            && connection.is_over()
        {
            self.leave((connection.ends, connection.next()));
        }
        Ok(())
    }

    /// The server sends nothing before the client has acknowledged its answer.
    fn prepare(&mut self, event: &Event<'_>, side: Side) -> Result<()> {
        match side {
            Side::Client => Ok(()),
            Side::Server => self.answer(event, Synthesis::greet),
        }
    }

    /// Writes what a connection's state machine answers, if it does. Of a connection that is
    /// forgotten nothing is left to say.
    fn answer(
        &mut self,
        event: &Event<'_>,
        step: impl FnOnce(&mut Synthesis) -> Option<(Side, Segment)>,
    ) -> Result<()> {
        let Some(connection) = self.connections.get_mut(&event.connection) else { return Ok(()) };
        let ends = connection.ends;
        match step(connection) {
            Some(segment) => self.packet(event.at, &ends, segment, Payload::NONE, None),
            None => Ok(()),
        }
    }

    /// The connection on which `side` sends: open, and not ended by it.
    fn sending(&mut self, id: ConnectionId, side: Side) -> Result<&mut Synthesis> {
        match self.connections.get_mut(&id) {
            Some(connection) if connection.may_send(side) => Ok(connection),
            Some(_) => {
                Err(Error::Usage(format!("connection {id}: the {side} sends after its end")))
            }
            None => Err(Error::Usage(format!("connection {id} has data but was not opened"))),
        }
    }

    /// Brings what is known of a connection that is over to the file, and lets old ones go.
    fn settle(&mut self, id: ConnectionId) -> Result<()> {
        let Some(connection) = self.connections.get(&id).filter(|found| found.is_over()) else {
            return Ok(());
        };
        let left = (connection.ends, connection.next());
        self.leave(left);
        self.over.push_back(id);
        if self.over.len() > REMEMBERED
            && let Some(oldest) = self.over.pop_front()
        {
            self.forget(oldest);
        }
        self.file.flush()
    }

    /// Nothing more is said of a connection; another one of the same ends may be.
    fn forget(&mut self, id: ConnectionId) {
        if let Some(connection) = self.connections.remove(&id) {
            self.leave((connection.ends, connection.next()));
        }
    }

    /// Remembers where the numbers of two ends have come to.
    fn leave(&mut self, (ends, next): (Ends, [u32; 2])) {
        if self.made_from == MadeFrom::Sockets {
            return;
        }
        if self.places.len() >= 2 * PLACES {
            self.places.clear();
        }
        self.places.extend(Side::BOTH.map(|side| (ends.of(side), (next[side.index()], side))));
    }

    fn packet(
        &mut self,
        at: Timestamp,
        ends: &Ends,
        (side, segment): (Side, Segment),
        payload: Payload<'_>,
        comment: Option<String>,
    ) -> Result<()> {
        self.frame.clear();
        let length = frame::append(&mut self.frame, ends, side, segment, payload);
        self.file.packet(Packet {
            interface: 0,
            at,
            captured: &self.frame,
            length: length as u32,
            direction: Some(side),
            comment: comment.as_deref(),
        })
    }
}

impl Sink for Writer {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        match event.kind {
            Kind::Open { client, server, start, route } => {
                self.open(event, Ends::new(client, server), start, route)
            }
            Kind::Data { side, bytes } => self.data(event, side, bytes),
            Kind::Delivered { side, length } => {
                self.answer(event, |connection| connection.delivered(side, length))
            }
            Kind::Gap { side, length } => self.gap(event, side, length),
            Kind::Eof { side } => {
                self.prepare(event, side)?;
                self.answer(event, |connection| connection.finish(side))?;
                self.answer(event, |connection| connection.acknowledge(side))?;
                self.settle(event.connection)
            }
            Kind::Reset { side } => {
                self.answer(event, |connection| connection.reset(side))?;
                self.settle(event.connection)
            }
            Kind::Cut => {
                self.forget(event.connection);
                self.file.flush()
            }
            Kind::Note(Note::Dropped(packets)) => {
                self.dropped += packets;
                Ok(())
            }
            Kind::Note(Note::Answered) => self.answer(event, Synthesis::answer),
            Kind::Note(_) => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

/// An initial sequence number that no earlier connection of the same addresses had.
fn random() -> Result<u32> {
    getrandom::u32().map_err(|error| {
        Error::file("read", "the system's random numbers", io::Error::other(error.to_string()))
    })
}
