//! One capture file, and what is known of it.

mod reading;

use std::io::Read;
use std::path::{Path, PathBuf};

use super::compression::Compression;
use super::counters::Counters;
use super::digest::Digest;
use super::identity::FileIdentity;
use super::joined::Parts;
use super::label;
use super::origin::Origin;
use super::packet::Fragments;
use super::records::Records;
use crate::session::{Sink, Timestamp};
use crate::{Error, Result};
pub(super) use reading::{Next, Packet};

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

impl CaptureFile {
    pub(super) fn open(path: &Path, digest: Option<Digest>) -> Result<CaptureFile> {
        let mut file = CaptureFile::new(Records::open(path, digest)?, path);
        file.identity = FileIdentity::of(path);
        file.find_origin()?;
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
}
