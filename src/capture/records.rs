//! The packets of a pcap or pcapng file, one at a time, in bounded memory.
//!
//! Read by hand: real files break rules that libraries enforce (lengths that disagree with the
//! snapshot length, comments that are not UTF-8, options without an end), and nothing of that stands
//! in the way of a packet's bytes and time.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::{pcap, pcapng};
use crate::session::Timestamp;
use crate::{Error, Result};

/// The largest record that is read. A length beyond it is damage: the largest packets there are (BIG
/// TCP) have half a megabyte.
pub(super) const MAX_RECORD: usize = 64 * 1024 * 1024;

const BUFFER: usize = 256 * 1024;

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
        let mut input = Input {
            source,
            path: path.to_owned(),
            digest,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            offset: 0,
        };
        let format = Format::detect(&mut input)?;
        Ok(Records { input, format, truncated: None })
    }

    /// Reads a pcapng's first block, which says who wrote it; a pcap has nothing of the kind.
    pub(super) fn introduce(&mut self) -> Result<()> {
        if let Format::PcapNg(_) = self.format
            && self.next()?.is_none()
        {
            let reason = "it ends inside its header".to_owned();
            return Err(Error::NotACapture { path: self.input.path.clone(), reason });
        }
        Ok(())
    }

    /// Reads up to the first packet and gives its link type and bytes to `look`, without taking it.
    pub(super) fn peek<T>(&mut self, look: impl FnOnce(u32, &[u8]) -> T) -> Result<Option<T>> {
        loop {
            let offset = self.input.offset;
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
        .map_err(|reason| self.input.damaged(reason))?;
        if length > MAX_RECORD {
            let reason = format!("a record claims {length} bytes");
            return Err(self.input.damaged(reason));
        }
        if self.input.fill(length)? < length {
            self.end();
            return Ok(None);
        }
        let offset = self.input.offset;
        let range = self.input.take(length);
        let record = &self.input.buffer[range];
        match &mut self.format {
            Format::Pcap(header) => Ok(Some(header.packet(record))),
            Format::PcapNg(section) => section
                .item(record)
                .map(Some)
                .map_err(|reason| Error::Damaged { path: self.input.path.clone(), offset, reason }),
        }
    }

    /// Reads on to the file's end, for the digest of all that was read, if it is wanted; what was not
    /// taken by then is lost.
    pub(super) fn digest(&mut self) -> Result<Option<String>> {
        if self.input.digest.is_some() {
            while self.input.more()? > 0 {}
        }
        Ok(self.input.digest.as_ref().map(Digest::hex))
    }

    fn end(&mut self) {
        if !self.input.bytes().is_empty() {
            self.truncated.get_or_insert(self.input.offset);
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
        input.fill(BUFFER)?;
        let reason = looks_like(input.bytes());
        Err(Error::NotACapture { path: input.path.clone(), reason })
    }
}

/// Bytes on their way in.
struct Input {
    source: Box<dyn Read + Send>,
    path: PathBuf,
    /// Of all that was read, where it is wanted.
    digest: Option<Digest>,
    buffer: Vec<u8>,
    /// What is read and not yet taken.
    start: usize,
    end: usize,
    /// Where in the file `start` is.
    offset: u64,
}

impl Input {
    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Tries to have `wanted` bytes; returns how many there are.
    fn fill(&mut self, wanted: usize) -> Result<usize> {
        while self.end - self.start < wanted {
            if self.start + wanted > self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.buffer.len() {
                // By doubling, so that a length that lies costs no more than the file has.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.read()? {
                0 => break,
                count => self.end += count,
            }
        }
        Ok(self.end - self.start)
    }

    /// Passes over what is read, and reads more; returns how much.
    fn more(&mut self) -> Result<usize> {
        (self.start, self.end) = (0, 0);
        self.read()
    }

    /// Reads into the buffer behind what is there; returns how much.
    fn read(&mut self) -> Result<usize> {
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    if let Some(digest) = &mut self.digest {
                        digest.add(&self.buffer[self.end..self.end + count]);
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::file("read", &self.path, source)),
            }
        }
    }

    /// Takes the next `length` bytes, which are there; returns where in the buffer they are.
    fn take(&mut self, length: usize) -> Range<usize> {
        let from = self.start;
        self.start += length;
        self.offset += length as u64;
        from..self.start
    }

    /// Takes back what was taken since `offset`, of one record at most.
    fn back_to(&mut self, offset: u64) {
        self.start -= (self.offset - offset) as usize;
        self.offset = offset;
    }

    fn damaged(&self, reason: String) -> Error {
        Error::Damaged { path: self.path.clone(), offset: self.offset, reason }
    }
}

/// What a file that is no capture is instead, from its first bytes.
fn looks_like(bytes: &[u8]) -> String {
    const KINDS: [(&[u8], &str); 10] = [
        (b"\x1f\x8b", "it is compressed by gzip; decompress it first (gunzip)"),
        (b"\x28\xb5\x2f\xfd", "it is compressed by zstd; decompress it first (unzstd)"),
        (b"\xfd7zXZ\0", "it is compressed by xz; decompress it first (unxz)"),
        (b"BZh", "it is compressed by bzip2; decompress it first (bunzip2)"),
        (b"\x04\x22\x4d\x18", "it is compressed by lz4; decompress it first (unlz4)"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"snoop\0\0\0", "it is a snoop capture; convert it first (editcap)"),
        (b"\x54\x52\x53\x4e", "it is a NetMon capture; convert it first (editcap)"),
        (b"\x7fELF", "it is a program"),
        (b"\x89PNG", "it is a picture"),
    ];
    if bytes.is_empty() {
        return "it is empty".to_owned();
    }
    if let Some((_, what)) = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*what).to_owned();
    }
    if pcap::Header::magic(bytes) || pcapng::begins(bytes) {
        return "it ends inside its header".to_owned();
    }
    if matches!(bytes, [0x80, 2..=5, ..]) && (bytes[1] < 4 || bytes.get(2) == Some(&0x95)) {
        return "it is a Python pickle".to_owned();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character cut by the end of what was read is no reason to call it binary.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    if !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()) {
        return "it is text".to_owned();
    }
    let begin: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("it begins with {}, which neither pcap nor pcapng does", begin.join(" "))
}
