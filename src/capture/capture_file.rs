//! One capture file: its packets, and what is known of it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compression::Compression;
use super::counters::Counters;
use super::digest::Digest;
use super::growing::WAIT;
use super::identity::FileIdentity;
use super::joined::Parts;
use super::label;
use super::mark::{Frame, Mark};
use super::origin::Origin;
use super::packet::{self, Fragments, Segment};
use super::reassembly::Said;
use super::record::{Item, Record};
use super::records::Records;
use crate::session::{Sink, Timestamp};
use crate::{Error, Result};

/// The scope of connections that were captured from a network.
const NETWORK: usize = 0;

/// How soon what was captured is in a file that is being written: recorders keep it for a second. What only
/// silence completes is not complete before.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);

/// A capture file that is read.
pub struct CaptureFile {
    path: PathBuf,
    /// Which file that is; `None` of what is none.
    identity: Option<FileIdentity>,
    /// Which one it is of those that are read as one, from 0.
    number: usize,
    records: Records,
    origin: Origin,
    fragments: Fragments,
    parts: Parts,
    counters: Counters,
    /// The time of its first packet, once that is known.
    first: Option<Timestamp>,
    /// The number of the frame that was taken last, as Wireshark numbers them.
    frame: u64,
    /// The drops that packets reported, beside those in statistics.
    dropped: u64,
    /// How often it was waited for more since a packet came.
    waits: u32,
    /// What looking ahead ran into: its turn has not come yet.
    ahead: Option<Error>,
    is_repeated: bool,
    /// Why nothing more can be read, where that is not raised.
    failure: Option<String>,
}

/// What stood next in a file.
pub(super) enum Next<T> {
    /// A packet with a TCP segment, and what taking it gave.
    Packet(T),
    /// Something else, which is counted.
    Other,
    /// The file that is followed has no more yet, and nothing came until this time, if there was a packet.
    Waiting(Option<Timestamp>),
    /// Nothing.
    End,
}

/// A packet with a TCP segment.
pub(super) struct Packet<'a> {
    pub(super) at: Timestamp,
    /// The number of its frame, as Wireshark numbers them.
    pub(super) number: u64,
    pub(super) segment: &'a Segment<'a>,
    /// What the capture says of it.
    pub(super) said: &'a Said,
    /// What the writer said with it, if it made it.
    pub(super) made: Option<Frame>,
    /// Where parts of one read or gap wait for each other.
    pub(super) parts: &'a mut Parts,
}

impl CaptureFile {
    pub(super) fn open(path: &Path, digest: Option<Digest>) -> Result<CaptureFile> {
        let mut file = CaptureFile::new(Records::open(path, digest)?, path);
        file.identity = FileIdentity::of(path);
        let first = file.peek(|record| made(record.link_type, record.captured))?;
        file.origin.conclude(first.flatten());
        Ok(file)
    }

    pub(super) fn follow(path: &Path) -> Result<Option<CaptureFile>> {
        Ok(Records::follow(path)?.map(|records| CaptureFile::new(records, path)))
    }

    pub(super) fn from_stream(stream: Box<dyn Read + Send>, name: &Path) -> Result<CaptureFile> {
        Ok(CaptureFile::new(Records::new(stream, name, None)?, name))
    }

    fn new(mut records: Records, path: &Path) -> CaptureFile {
        let origin = records.comment().and_then(label::section).unwrap_or_default();
        let mut counters = Counters::default();
        if let Some(fault) = records.first_fault() {
            counters.damaged_at(records.offset(), false, fault);
        }
        CaptureFile {
            path: path.to_owned(),
            identity: None,
            number: 0,
            records,
            origin,
            fragments: Fragments::default(),
            parts: Parts::default(),
            counters,
            first: None,
            frame: 0,
            dropped: 0,
            waits: 0,
            ahead: None,
            is_repeated: false,
            failure: None,
        }
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the capture comes from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether it is the same file as one before it, by whatever name. Then it is read again only if wirespool
    /// recorded it: of traffic from a network there is nothing new in it.
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// What was read so far.
    pub fn summary(&self) -> Counters {
        Counters {
            fragmentation: self.fragments.seen(),
            dropped: self.dropped.max(self.records.dropped()),
            truncated: self.records.truncated(),
            compression: self.records.compression().map(Compression::name),
            compression_damage: self.records.compression_damage().cloned(),
            ended: self.records.ended(),
            ..self.counters.clone()
        }
    }

    /// What it lacks or could not be read of, in words; nothing if all is well. ARP, UDP and the like are no
    /// lack.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.damage();
        warnings.extend(self.foreign());
        warnings
    }

    /// What of the traffic that was recorded is not there, or could not be read, in words.
    pub fn damage(&self) -> Vec<String> {
        let mut damage = self.summary().damage();
        damage.extend(self.failure.clone());
        damage
    }

    /// What stands in it beside what can be read here, in words: usual where all interfaces were
    /// recorded.
    pub fn foreign(&self) -> Vec<String> {
        self.summary().foreign()
    }

    /// SHA-256 of all of the file, in hexadecimal digits, whatever of it could be read as a capture:
    /// reads on to its end. `None` unless it was opened for that.
    ///
    /// # Errors
    /// [`Error::File`] when reading fails.
    pub fn digest(&mut self) -> Result<Option<String>> {
        self.records.digest()
    }

    /// Looks for itself among those before it.
    pub(super) fn compare(&mut self, before: &[CaptureFile]) {
        self.number = before.len();
        let known = || before.iter().any(|other| other.identity == self.identity);
        self.is_repeated = self.identity.is_some() && known();
    }

    /// Whether there is anything to read in it.
    pub(super) fn is_read(&self) -> bool {
        !self.is_repeated || self.origin.is_synthesised()
    }

    /// Hears that nothing more comes of it.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        self.fragments.finish();
        self.parts.flush(sink)
    }

    /// Hears that nothing more can be read of it, and that nobody else is told.
    pub(super) fn note_failure(&mut self, error: &Error) {
        self.failure = Some(error.to_string());
    }

    /// Hears how many connections came into sight by its last packet.
    pub(super) fn count_connections(&mut self, opened: u64) {
        self.counters.connections += opened;
    }

    /// Whether what stands next is in memory already.
    pub(super) fn is_buffered(&self) -> bool {
        self.records.is_buffered()
    }

    /// When its first packet was; reads up to it. `None` if there is none, or damage comes first.
    pub(super) fn began(&mut self) -> Option<Timestamp> {
        match self.first {
            None => self.look_ahead(),
            first => first,
        }
    }

    /// The time of its next packet, which is not taken; `None` if there is none, or damage comes first.
    pub(super) fn look_ahead(&mut self) -> Option<Timestamp> {
        let found = self.peek(|record| record.at).unwrap_or_else(|error| {
            self.ahead = Some(error);
            None
        });
        self.first = self.first.or(found);
        found
    }

    /// Reads on to the next packet, and looks at it without taking it.
    fn peek<T>(&mut self, look: impl FnOnce(&Record<'_>) -> T) -> Result<Option<T>> {
        loop {
            let (offset, item) = match self.records.next() {
                Ok(Some(next)) => next,
                // Damage comes again when its turn is.
                Ok(None) | Err(Error::Damaged { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            match item {
                Item::Packet(record) => {
                    let seen = look(&record);
                    self.records.take_back();
                    return Ok(Some(seen));
                }
                Item::Waiting => return Ok(None),
                other => pass_over(&other, offset, &mut self.frame, &mut self.counters),
            }
        }
    }

    /// Takes what stands next, and hands it to `take` if it is a packet with a TCP segment: of any size, it is
    /// not copied on its way.
    ///
    /// # Errors
    /// [`Error::File`], and [`Error::Damaged`] where nothing more can be read.
    #[inline(always)]
    pub(super) fn next<T>(&mut self, take: impl FnOnce(Packet<'_>) -> T) -> Result<Next<T>> {
        if self.ahead.is_some() {
            return self.ahead.take().map_or(Ok(Next::Other), Err);
        }
        let Some((offset, item)) = self.records.next()? else { return Ok(Next::End) };
        let record = match item {
            Item::Packet(record) => record,
            Item::Waiting => {
                self.waits = self.waits.saturating_add(1);
                // The stamps of what came are certain at once.
                let silence = (WAIT * self.waits).saturating_sub(WRITTEN_WITHIN);
                let last = self.counters.span.map(|(_, last)| last);
                return Ok(Next::Waiting(last.map(|last| last + silence)));
            }
            other => {
                pass_over(&other, offset, &mut self.frame, &mut self.counters);
                return Ok(Next::Other);
            }
        };
        self.waits = 0;
        self.first.get_or_insert(record.at);
        self.frame += 1;
        self.counters.packets += 1;
        let made = made(record.link_type, record.captured);
        if self.counters.packets == 1 {
            self.origin.conclude(made);
        }
        let (first, last) = self.counters.span.unwrap_or((record.at, record.at));
        self.counters.span = Some((first.min(record.at), last.max(record.at)));
        let Record { at, link_type, captured, length, beside, .. } = record;
        let mut route = None;
        if let Some(beside) = beside {
            route = beside.comment.and_then(label::route).map(Box::new);
            self.dropped = self.dropped.saturating_add(beside.dropped);
            if let Some(fault) = beside.fault {
                self.counters.damaged_at(offset, false, fault);
            }
        }
        self.fragments.pass();
        let mut segment = match packet::parse_common(link_type, captured, length) {
            Some(segment) => segment,
            None => match self.fragments.segment(at, link_type, captured, length) {
                Ok(segment) => segment,
                Err(other) => {
                    self.counters.passed_over(other, link_type);
                    return Ok(Next::Other);
                }
            },
        };
        self.counters.segments += 1;
        let made = made.filter(|_| self.origin.is_synthesised());
        if made.is_some() {
            // The writer maps an IPv4 end whose peer has IPv6.
            segment.is_ipv4 = true;
        }
        // Only a converted capture says of each connection where it begins.
        let says = matches!(self.origin, Origin::Converted { .. });
        let said = Said {
            scope: made.map_or(NETWORK, |_| self.number + 1),
            route: route.filter(|_| segment.syn),
            sender: made.map(|made| made.side),
            begins: made.filter(|_| says).map(|made| made.mark == Some(Mark::Begins)),
            jumps: made.is_some_and(|made| made.mark == Some(Mark::Gap(None))),
        };
        let parts = &mut self.parts;
        let packet = Packet { at, number: self.frame, segment: &segment, said: &said, made, parts };
        Ok(Next::Packet(take(packet)))
    }
}

/// Counts what is no packet that can be read.
fn pass_over(item: &Item<'_>, offset: u64, frame: &mut u64, counters: &mut Counters) {
    match *item {
        Item::Damaged { is_packet, fault } => {
            *frame += u64::from(is_packet);
            counters.packets += u64::from(is_packet);
            counters.damaged_at(offset, is_packet, fault);
        }
        Item::Frame => *frame += 1,
        Item::Packet(_) | Item::Other | Item::Waiting => {}
    }
}

/// What the writer said with a frame, if it made it.
#[inline]
fn made(link_type: u32, captured: &[u8]) -> Option<Frame> {
    (link_type == packet::ETHERNET).then(|| Frame::read(captured)).flatten()
}
