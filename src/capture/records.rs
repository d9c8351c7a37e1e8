//! The packets of a pcap or pcapng file, one at a time, in bounded memory.
//!
//! Read by hand: real files break rules that libraries enforce (lengths that disagree with the
//! snapshot length, comments that are not UTF-8, options without an end), and nothing of that stands
//! in the way of a packet's bytes and time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::compression::Compression;
use super::counters::Damage;
use super::digest::Digest;
use super::input::Input;
use super::magic::looks_like;
use super::source::Original;
use super::{pcap, pcapng};
use crate::session::Timestamp;
use crate::{Error, Result};

/// The largest record that is read. A length beyond it is damage: the largest packets there are (BIG
/// TCP) have half a megabyte.
pub(super) const MAX_RECORD: usize = 64 * 1024 * 1024;

/// A packet as it stands in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a> {
    pub(super) at: Timestamp,
    pub(super) link_type: u32,
    pub(super) captured: &'a [u8],
    /// How long it was on the wire.
    pub(super) length: u32,
    pub(super) comment: Option<&'a str>,
    /// How many packets before it the recorder says it lost.
    pub(super) dropped: u64,
}

/// What stands next in a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    /// A packet.
    Packet(Record<'a>),
    /// A packet whose record makes no sense. What follows can be read.
    Damaged,
    /// No packet, but Wireshark numbers it as a frame.
    Frame,
    /// No packet: to be passed over.
    Other,
}

/// The records of a file.
pub(super) struct Records {
    input: Input,
    format: Format,
    /// Where the file ends in the middle of a record.
    truncated: Option<u64>,
}

enum Format {
    Pcap(pcap::Header),
    PcapNg(pcapng::Section),
}

impl Records {
    /// Opens a file and reads as much as shows what it is. What is read goes into `digest`, too.
    pub(super) fn open(path: &Path, digest: Option<Digest>) -> Result<Records> {
        let file = File::open(path).map_err(|source| Error::file("open", path, source))?;
        if file.metadata().is_ok_and(|found| found.is_dir()) {
            // Reading would say so, too, but as a failure of the disk.
            let source = std::io::Error::from_raw_os_error(libc::EISDIR);
            return Err(Error::file("open", path, source));
        }
        Records::new(Box::new(file), path, digest)
    }

    /// The same for bytes from anywhere; `path` is what errors call them.
    pub(super) fn new(
        source: Box<dyn Read + Send>,
        path: &Path,
        digest: Option<Digest>,
    ) -> Result<Records> {
        let mut input = Input::new(Original::new(source, digest), path.to_owned())?;
        let format = Format::detect(&mut input)?;
        Ok(Records { input, format, truncated: None })
    }

    /// Reads a pcapng's first block, which says who wrote it; a pcap has nothing of the kind.
    pub(super) fn introduce(&mut self) -> Result<()> {
        if let Format::PcapNg(_) = self.format
            && self.next()?.is_none()
        {
            let reason = "it ends inside its header".to_owned();
            return Err(Error::NotACapture { path: self.input.path().to_owned(), reason });
        }
        Ok(())
    }

    /// Reads up to the first packet and gives its link type and bytes to `look`, without taking it.
    pub(super) fn peek<T>(&mut self, look: impl FnOnce(u32, &[u8]) -> T) -> Result<Option<T>> {
        loop {
            let offset = self.input.offset();
            let seen = match self.next() {
                Ok(None) => return Ok(None),
                Ok(Some(Item::Other | Item::Frame)) => continue,
                Ok(Some(Item::Damaged)) => None,
                Ok(Some(Item::Packet(record))) => Some(look(record.link_type, record.captured)),
                // It comes again when its turn is.
                Err(Error::Damaged { .. }) => None,
                Err(error) => return Err(error),
            };
            self.input.back_to(offset);
            return Ok(seen);
        }
    }

    /// The section's comment: where a recorder says who it is.
    pub(super) fn comment(&self) -> Option<&str> {
        match &self.format {
            Format::Pcap(_) => None,
            Format::PcapNg(section) => section.comment.as_deref(),
        }
    }

    /// Where the file ends in the middle of a record, if it does; known at its end.
    pub(super) fn truncated(&self) -> Option<u64> {
        self.truncated
    }

    /// How many packets the recorder says it lost, of what statistics were read so far.
    pub(super) fn dropped(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::PcapNg(section) => section.dropped(),
        }
    }

    /// What stands next; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>> {
        let header = match &self.format {
            Format::Pcap(header) => header.record_header(),
            Format::PcapNg(_) => pcapng::BLOCK_HEADER,
        };
        if self.input.fill(header)? < header {
            self.end();
            return Ok(None);
        }
        let length = match &self.format {
            Format::Pcap(header) => header.record(self.input.bytes()),
            Format::PcapNg(section) => section.block(self.input.bytes()),
        }
        .map_err(|reason| self.damaged(reason))?;
        if length > MAX_RECORD {
            let reason = format!("a record claims {length} bytes");
            return Err(self.damaged(reason));
        }
        if self.input.fill(length)? < length {
            self.end();
            return Ok(None);
        }
        let offset = self.input.offset();
        let range = self.input.take(length);
        let record = self.input.taken(range);
        match &mut self.format {
            Format::Pcap(header) => Ok(Some(header.packet(record))),
            Format::PcapNg(section) => section.item(record).map(Some).map_err(|reason| {
                Error::Damaged { path: self.input.path().to_owned(), offset, reason }
            }),
        }
    }

    /// How the file is compressed, if it is: places are those in what decompressing gives.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.input.compression()
    }

    /// Where the compressed data is damaged or cut off, in bytes of the file; known at its end.
    pub(super) fn compression_damage(&self) -> Option<&Damage> {
        self.input.compression_damage()
    }

    /// Reads on to the file's end, for the digest of all of its own bytes, if it is wanted; what was not
    /// taken by then is lost.
    pub(super) fn digest(&mut self) -> Result<Option<String>> {
        self.input.digest()
    }

    fn damaged(&self, reason: String) -> Error {
        Error::Damaged { path: self.input.path().to_owned(), offset: self.input.offset(), reason }
    }

    fn end(&mut self) {
        if !self.input.bytes().is_empty() {
            self.truncated.get_or_insert(self.input.offset());
        }
    }
}

impl Format {
    fn detect(input: &mut Input) -> Result<Format> {
        let seen = input.fill(pcap::HEADER)?;
        if let Some(header) = pcap::Header::parse(input.bytes()) {
            input.take(pcap::HEADER);
            return Ok(Format::Pcap(header));
        }
        if pcapng::begins(input.bytes()) && seen >= pcapng::BLOCK_HEADER {
            return Ok(Format::PcapNg(pcapng::Section::default()));
        }
        input.fill_beginning()?;
        let reason = match (input.compression(), input.compression_damage()) {
            (None, _) => looks_like(input.bytes()),
            (Some(_), Some(Damage { offset, reason })) => format!("{reason} at byte {offset}"),
            (Some(compression), None) => {
                let inside = looks_like(input.bytes());
                format!(
                    "it is compressed by {}, and as for what is in it, {inside}",
                    compression.name()
                )
            }
        };
        Err(Error::NotACapture { path: input.path().to_owned(), reason })
    }
}
