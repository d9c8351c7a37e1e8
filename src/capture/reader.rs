//! A capture file → events.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::compression::Compression;
use super::counters::Counters;
use super::digest::Digest;
use super::joined::Parts;
use super::label;
use super::magic;
use super::mark::{Frame, Mark};
use super::origin::Origin;
use super::packet::{self, Fragments};
use super::pcapng::Fault;
use super::reassembly::{Policy, Reassembler, Said, Stamp};
use super::records::{Item, Record, Records};
use crate::session::Sink;
use crate::{Error, Result};

/// A source that reads a pcap or pcapng file.
///
/// Events come in the order in which the capture decides them. What stood behind a hole that is given
/// up keeps the time and frame of its own segment.
pub struct Reader {
    path: PathBuf,
    records: Records,
    origin: Origin,
    fragments: Fragments,
    reassembler: Reassembler,
    parts: Parts,
    counters: Counters,
    /// The number of the frame read last, as Wireshark numbers them.
    frame: u64,
    /// The drops that packets reported, beside those in statistics.
    dropped: u64,
    finished: bool,
}

impl Reader {
    /// Opens a capture file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be opened, [`Error::NotACapture`] if it is something else.
    pub fn open(path: &Path) -> Result<Reader> {
        Reader::of(Records::open(path, None)?, path)
    }

    /// Opens a capture file whose [`digest`](Reader::digest) will be asked for.
    ///
    /// # Errors
    /// As [`open`](Reader::open).
    pub fn open_digested(path: &Path) -> Result<Reader> {
        Reader::of(Records::open(path, Some(Digest::default()))?, path)
    }

    /// Whether a file that begins so is a capture, or is compressed as a capture may be. Four bytes show it.
    pub fn recognises(beginning: &[u8]) -> bool {
        magic::is_capture(beginning) || Compression::of(beginning).is_some()
    }

    /// Opens a capture file that is still being written: at its end a [`step`](Reader::step) waits for more
    /// for a tenth of a second. `None` if too little of it is there to say what it is.
    ///
    /// # Errors
    /// As [`open`](Reader::open); a compressed file is none that can be followed.
    pub fn follow(path: &Path) -> Result<Option<Reader>> {
        Ok(Records::follow(path)?.map(|records| Reader::new(records, path)))
    }

    fn of(records: Records, path: &Path) -> Result<Reader> {
        let mut reader = Reader::new(records, path);
        let first = reader.peek(|record| made(record.link_type, record.captured))?;
        reader.origin.conclude(first.flatten());
        Ok(reader)
    }

    /// Reads a capture from anything; `name` is what errors call it. Where it comes from may be known
    /// only with its first packet, which is not waited for.
    ///
    /// # Errors
    /// As [`open`](Reader::open).
    pub fn from_stream(source: impl Read + Send + 'static, name: &Path) -> Result<Reader> {
        Ok(Reader::new(Records::new(Box::new(source), name, None)?, name))
    }

    fn new(mut records: Records, path: &Path) -> Reader {
        let origin = records.comment().and_then(label::section).unwrap_or_default();
        let mut counters = Counters::default();
        if let Some(fault) = records.first_fault() {
            counters.damaged_at(records.offset(), false, fault);
        }
        Reader {
            path: path.to_owned(),
            records,
            origin,
            fragments: Fragments::default(),
            reassembler: Reassembler::default(),
            parts: Parts::default(),
            counters,
            frame: 0,
            dropped: 0,
            finished: false,
        }
    }

    /// Puts connections together by `policy`. What was read before is forgotten.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Reader {
        Reader { reassembler: Reassembler::new(policy), ..self }
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the capture comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What was read so far.
    pub fn summary(&self) -> Counters {
        Counters {
            connections: self.reassembler.opened(),
            fragmentation: self.fragments.seen(),
            reached: self.reassembler.reached(),
            dropped: self.dropped.max(self.records.dropped()),
            truncated: self.records.truncated(),
            compression: self.records.compression().map(Compression::name),
            compression_damage: self.records.compression_damage().cloned(),
            ended: self.records.ended(),
            ..self.counters.clone()
        }
    }

    /// SHA-256 of all of the file, in hexadecimal digits, whatever of it could be read as a capture:
    /// reads on to its end. `None` unless it was opened for that.
    ///
    /// # Errors
    /// [`Error::File`] when reading fails.
    pub fn digest(&mut self) -> Result<Option<String>> {
        self.records.digest()
    }

    /// Whether the next step finds what it reads in memory, instead of waiting for a file or a pipe.
    pub fn is_buffered(&self) -> bool {
        self.records.is_buffered()
    }

    /// Reads on to the next packet, and looks at it without taking it.
    fn peek<T>(&mut self, look: impl FnOnce(&Record<'_>) -> T) -> Result<Option<T>> {
        while !self.finished {
            match self.records.next() {
                Ok(Some(Item::Packet(record))) => {
                    let seen = look(&record);
                    self.records.take_back();
                    return Ok(Some(seen));
                }
                Ok(Some(Item::Damaged { is_packet, fault })) => self.pass_over(is_packet, fault),
                Ok(Some(Item::Frame)) => self.frame += 1,
                Ok(Some(Item::Other)) => {}
                // Damage comes again when its turn is.
                Ok(Some(Item::Waiting) | None) | Err(Error::Damaged { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Reads one packet and hands its events to `sink`. At the end come what was outstanding, and
    /// `false`.
    ///
    /// # Errors
    /// Those of `sink`; [`Error::File`] when reading fails; [`Error::Damaged`] where nothing after a
    /// place can be read, once everything before it, with what was outstanding, went to `sink`.
    pub fn step(&mut self, sink: &mut dyn Sink) -> Result<bool> {
        if self.finished {
            return Ok(false);
        }
        let record = loop {
            match self.records.next() {
                Ok(Some(Item::Packet(record))) => break record,
                Ok(Some(Item::Damaged { is_packet, fault })) => self.pass_over(is_packet, fault),
                Ok(Some(Item::Frame)) => self.frame += 1,
                Ok(Some(Item::Other)) => {}
                Ok(Some(Item::Waiting)) => return Ok(true),
                Ok(None) => {
                    self.finish(sink)?;
                    return Ok(false);
                }
                Err(error) => {
                    self.finish(sink)?;
                    return Err(error);
                }
            }
        };
        self.frame += 1;
        self.counters.packets += 1;
        let made = made(record.link_type, record.captured);
        if self.counters.packets == 1 {
            self.origin.conclude(made);
        }
        let fault = record.fault;
        self.dropped = self.dropped.saturating_add(record.dropped);
        let (first, last) = self.counters.span.unwrap_or((record.at, record.at));
        self.counters.span = Some((first.min(record.at), last.max(record.at)));
        let Record { at, link_type, captured, length, .. } = record;
        match self.fragments.segment(at, link_type, captured, length) {
            Ok(mut segment) => {
                self.counters.segments += 1;
                let made = made.filter(|_| self.origin.is_synthesised());
                if made.is_some() {
                    // The writer maps an IPv4 end whose peer has IPv6.
                    segment.source = canonical(segment.source);
                    segment.destination = canonical(segment.destination);
                }
                let stamp = Stamp { at: record.at, frame: self.frame };
                let route = record.comment.filter(|_| segment.syn).and_then(label::route);
                let sender = made.map(|made| made.side);
                // Only a converted capture says of each connection where it begins.
                let says = matches!(self.origin, Origin::Converted { .. });
                let begins = made.filter(|_| says).map(|made| made.mark == Some(Mark::Begins));
                let jumps = made.is_some_and(|made| made.mark == Some(Mark::Gap(None)));
                let said = Said { route, sender, begins, jumps };
                match made {
                    Some(made) => {
                        let mut joining = self.parts.joining(made, sink);
                        self.reassembler.segment(stamp, &segment, said, &mut joining)?;
                    }
                    None => self.reassembler.segment(stamp, &segment, said, sink)?,
                }
            }
            Err(other) => self.counters.passed_over(other, record.link_type),
        }
        if let Some(fault) = fault {
            self.pass_over(false, fault);
        }
        Ok(true)
    }

    /// Reads all there is.
    ///
    /// # Errors
    /// As [`step`](Reader::step).
    pub fn read_all(&mut self, sink: &mut dyn Sink) -> Result<()> {
        while self.step(sink)? {}
        Ok(())
    }

    /// Ends as if the capture ended here: hands what is outstanding to `sink`.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        self.fragments.finish();
        self.parts.flush(sink)?;
        self.reassembler.finish(sink)
    }

    /// Counts a record that makes no sense.
    fn pass_over(&mut self, is_packet: bool, fault: Fault) {
        if is_packet {
            self.frame += 1;
            self.counters.packets += 1;
        }
        self.counters.damaged_at(self.records.offset(), is_packet, fault);
    }
}

/// What the writer said with a frame, if it made it.
fn made(link_type: u32, captured: &[u8]) -> Option<Frame> {
    (link_type == packet::ETHERNET).then(|| Frame::read(captured)).flatten()
}

fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}
