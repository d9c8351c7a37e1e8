//! Events → a capture file that Wireshark opens without a complaint.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::Path;

use super::file::CaptureFile;
use super::frame::{self, Ends, Segment};
use super::interface::Counts;
use super::label;
use super::packet_writer::Packet;
use super::preamble::Preamble;
use super::synthesis::Synthesis;
use crate::session::{ConnectionId, Event, Kind, Note, Route, Side, Sink, Start, Timestamp};
use crate::{Error, Result};

/// How a capture is written.
#[derive(Clone, Debug, Default)]
pub struct WriterOptions {
    /// Whether a file that is there already may be replaced.
    pub force: bool,
    /// The spelling of the message format in use, kept as a label in a pcapng.
    pub format: Option<String>,
}

/// How many connections that are over are remembered, for what a source says of them late.
const REMEMBERED: usize = 1024;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets, all of them synthesised.
    pub packets: u64,
    /// Connections that were opened.
    pub connections: u64,
    /// Bytes of payload, of both sides.
    pub bytes: u64,
}

/// A sink that writes a pcap or pcapng file.
///
/// Packets are synthesised: real are the payload, its times and order, the ends and the addresses.
/// Bytes are acknowledged when they were handed to the other side
/// ([`Kind::Delivered`]), so what was read and never forwarded stays unacknowledged.
///
/// Whole records are gathered and written by [`flush`](Sink::flush), at the end of a connection, and
/// whenever a quarter of a megabyte has come together: a process that is killed leaves a file that
/// reads up to then. A failed write is returned by this and by every later call.
pub struct Writer {
    file: CaptureFile,
    connections: HashMap<ConnectionId, Synthesis>,
    /// Those among them that are over, oldest first.
    over: VecDeque<ConnectionId>,
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
        let file = CaptureFile::create(
            path,
            options.force,
            Preamble::synthesised(options.format.as_deref()),
        )?;
        Ok(Writer {
            file,
            connections: HashMap::new(),
            over: VecDeque::new(),
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
        let initial = [random()?, random()?];
        let Entry::Vacant(entry) = self.connections.entry(event.connection) else {
            return Err(Error::Usage(format!("connection {} was opened twice", event.connection)));
        };
        let connection = entry.insert(Synthesis::new(ends, initial));
        self.summary.connections += 1;
        let comment = route.as_ref().map(label::route_comment);
        let (first, others) = match start {
            Start::Seen => {
                let [syn, others @ ..] = connection.handshake();
                (syn, others.to_vec())
            }
            Start::Missed => (connection.appear(), Vec::new()),
        };
        self.packet(event.at, &ends, first, &[], comment)?;
        others.into_iter().try_for_each(|segment| self.packet(event.at, &ends, segment, &[], None))
    }

    fn data(&mut self, event: &Event<'_>, side: Side, mut bytes: &[u8]) -> Result<()> {
        self.summary.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            let connection = self.sending(event.connection, side)?;
            let (segment, part, rest) = connection.data(side, bytes);
            let ends = connection.ends;
            self.packet(event.at, &ends, (side, segment), part, None)?;
            bytes = rest;
        }
        Ok(())
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
            Some(segment) => self.packet(event.at, &ends, segment, &[], None),
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
        if !self.connections.get(&id).is_some_and(Synthesis::is_over) {
            return Ok(());
        }
        self.over.push_back(id);
        if self.over.len() > REMEMBERED
            && let Some(oldest) = self.over.pop_front()
        {
            self.connections.remove(&oldest);
        }
        self.file.flush()
    }

    fn packet(
        &mut self,
        at: Timestamp,
        ends: &Ends,
        (side, segment): (Side, Segment),
        payload: &[u8],
        comment: Option<String>,
    ) -> Result<()> {
        self.frame.clear();
        frame::append(&mut self.frame, ends, side, segment, payload);
        self.file.packet(Packet {
            interface: 0,
            at,
            captured: &self.frame,
            length: self.frame.len() as u32,
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
            // A hole of unknown length must show all the same: one byte is the least it can be.
            Kind::Gap { side, length } => {
                self.sending(event.connection, side)?.gap(side, length.unwrap_or(1));
                Ok(())
            }
            Kind::Eof { side } => {
                self.answer(event, |connection| connection.finish(side))?;
                self.answer(event, |connection| connection.acknowledge(side))?;
                self.settle(event.connection)
            }
            Kind::Reset { side } => {
                self.answer(event, |connection| connection.reset(side))?;
                self.settle(event.connection)
            }
            Kind::Cut => {
                self.connections.remove(&event.connection);
                self.file.flush()
            }
            Kind::Note(Note::Dropped(packets)) => {
                self.dropped += packets;
                Ok(())
            }
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
