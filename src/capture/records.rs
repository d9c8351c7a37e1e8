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
use super::growing::Growing;
use super::input::Input;
use super::interface::Counts;
use super::magic::{looks_like, may_become_capture};
use super::pcapng::Fault;
use super::record::Item;
use super::source::{Original, Source};
use super::{pcap, pcapng};
use crate::{Error, Result};

/// The largest record that is read. A length beyond it is damage: the largest packets there are (BIG
/// TCP) have half a megabyte.
pub(super) const MAX_RECORD: usize = 64 * 1024 * 1024;

/// The records of a file.
pub(super) struct Records {
    input: Input,
    format: Format,
    /// Where in the capture the last record begins.
    offset: u64,
    /// What makes no sense in the first block.
    first: Option<Fault>,
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
        Records::new(Box::new(open(path)?), path, digest)
    }

    /// Opens a file that is still being written; `None` if too little of it is there to say what it is.
    pub(super) fn follow(path: &Path) -> Result<Option<Records>> {
        let growing = Growing::new(open(path)?, path.to_owned());
        Records::begin(Source::Growing(growing), path)
    }

    /// The same for bytes from anywhere; `path` is what errors call them.
    pub(super) fn new(
        source: Box<dyn Read + Send>,
        path: &Path,
        digest: Option<Digest>,
    ) -> Result<Records> {
        let begun = Records::begin(Source::Plain(Original::new(source, digest)), path)?;
        begun.ok_or_else(|| ends_inside_header(path))
    }

    fn begin(source: Source, path: &Path) -> Result<Option<Records>> {
        let mut input = Input::new(source, path.to_owned())?;
        let Some(format) = Format::detect(&mut input)? else { return Ok(None) };
        let mut records = Records { input, format, offset: 0, first: None, truncated: None };
        if let Format::PcapNg(_) = records.format {
            // A pcapng's first block says who wrote it; a pcap has nothing of the kind.
            records.first = match records.next()? {
                None => return Err(ends_inside_header(path)),
                Some((_, Item::Waiting)) => return Ok(None),
                Some((_, Item::Damaged { fault, .. })) => Some(fault),
                Some(_) => None,
            };
        }
        Ok(Some(records))
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

    /// The link types of the interfaces that were described so far; of a pcap its own.
    pub(super) fn link_types(&self) -> Vec<u32> {
        match &self.format {
            Format::Pcap(header) => vec![header.link_type],
            Format::PcapNg(section) => section.link_types(),
        }
    }

    /// What was counted on each interface, once that was said of all of them.
    pub(super) fn counts(&self) -> Option<Vec<Counts>> {
        match &self.format {
            Format::Pcap(_) => None,
            Format::PcapNg(section) => section.counts(),
        }
    }

    /// What makes no sense in a pcapng's first block, which is read when it is opened.
    pub(super) fn first_fault(&mut self) -> Option<Fault> {
        self.first.take()
    }

    /// What stands next, and where in the capture; `None` at the end.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<(u64, Item<'_>)>> {
        match self.format {
            Format::Pcap(header) => self.next_of_pcap(header),
            Format::PcapNg(_) => self.next_of_pcapng(),
        }
    }

    #[inline(always)]
    fn next_of_pcap(&mut self, header: pcap::Header) -> Result<Option<(u64, Item<'_>)>> {
        let length = |records: &Records| Ok(header.record(records.input.bytes()));
        let Some(length) = self.read_record(header.record_header(), length)? else {
            return Ok(self.end());
        };
        self.offset = self.input.offset();
        let range = self.input.take(length);
        Ok(Some((self.offset, header.packet(self.input.taken(range)))))
    }

    #[inline(never)]
    fn next_of_pcapng(&mut self) -> Result<Option<(u64, Item<'_>)>> {
        let length = |records: &Records| records.format.record(records.input.bytes());
        let Some(length) = self.read_record(pcapng::BLOCK_HEADER, length)? else {
            return Ok(self.end());
        };
        let mut disagreement = None;
        if let Format::PcapNg(section) = &self.format
            && let Err(fault) = section.agree(&self.input.bytes()[..length])
        {
            let section = section.in_order_of(self.input.bytes());
            if !goes_on_behind(&mut self.input, &section, length)? {
                let waits = self.input.waits();
                return if waits { Ok(self.end()) } else { Err(self.damaged(fault.to_string())) };
            }
            disagreement = Some(fault);
        }
        self.offset = self.input.offset();
        let range = self.input.take(length);
        let record = self.input.taken(range);
        let item = match (&mut self.format, disagreement) {
            (Format::Pcap(header), _) => header.packet(record),
            (Format::PcapNg(section), None) => section.item(record),
            (Format::PcapNg(section), Some(fault)) => section.pass_over(record, fault),
        };
        Ok(Some((self.offset, item)))
    }

    /// Reads until all of the next record is there; gives how long it is, as its first `header` bytes show by
    /// `length`. `None` if there is no more than a part of it.
    #[inline(always)]
    fn read_record(
        &mut self,
        header: usize,
        length: impl FnOnce(&Records) -> std::result::Result<usize, String>,
    ) -> Result<Option<usize>> {
        if self.input.fill(header)? < header {
            return Ok(None);
        }
        let length = length(self).map_err(|reason| self.damaged(reason))?;
        if length > MAX_RECORD {
            return Err(self.damaged(format!("a record claims {length} bytes")));
        }
        Ok((self.input.fill(length)? >= length).then_some(length))
    }

    /// Takes the last record back, which was a packet: it comes again.
    pub(super) fn take_back(&mut self) {
        self.input.back_to(self.offset);
    }

    /// Where in the capture the last record begins that was read.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether all of the next record has been read from the file.
    pub(super) fn is_buffered(&self) -> bool {
        let bytes = self.input.bytes();
        bytes.len() >= self.format.record_header()
            && self.format.record(bytes).is_ok_and(|length| bytes.len() >= length)
    }

    /// Why a file that was followed has ended, if it has.
    pub(super) fn ended(&self) -> Option<&'static str> {
        self.input.ended()
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

    /// The end, or that more may come.
    fn end(&mut self) -> Option<(u64, Item<'static>)> {
        if self.input.waits() {
            return Some((self.offset, Item::Waiting));
        }
        if !self.input.bytes().is_empty() {
            self.truncated.get_or_insert(self.input.offset());
        }
        None
    }
}

impl Format {
    /// How much of a record has to be there to know its length.
    fn record_header(&self) -> usize {
        match self {
            Format::Pcap(header) => header.record_header(),
            Format::PcapNg(_) => pcapng::BLOCK_HEADER,
        }
    }

    /// How long the record is that begins with these bytes, of which the header is there.
    #[inline]
    fn record(&self, bytes: &[u8]) -> std::result::Result<usize, String> {
        match self {
            Format::Pcap(header) => Ok(header.record(bytes)),
            Format::PcapNg(section) => section.block(bytes),
        }
    }

    /// What the input is; `None` if it is too early to say.
    fn detect(input: &mut Input) -> Result<Option<Format>> {
        let seen = input.fill(pcap::HEADER)?;
        if let Some(header) = pcap::Header::parse(input.bytes()) {
            input.take(pcap::HEADER);
            return Ok(Some(Format::Pcap(header)));
        }
        if pcapng::begins(input.bytes()) && seen >= pcapng::BLOCK_HEADER {
            return Ok(Some(Format::PcapNg(pcapng::Section::default())));
        }
        if input.waits() && may_become_capture(input.bytes()) {
            return Ok(None);
        }
        input.fill_beginning()?;
        let reason = match (input.compression(), input.compression_damage()) {
            (None, _) if input.is_growing() && Compression::of(input.bytes()).is_some() => {
                "it is compressed: it can be read, but not followed as it grows".to_owned()
            }
            (None, _) => looks_like(input.bytes()),
            (Some(_), Some(Damage { offset, reason, .. })) => format!("{reason} at byte {offset}"),
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

fn open(path: &Path) -> Result<File> {
    let file = File::open(path).map_err(|source| Error::file("open", path, source))?;
    if file.metadata().is_ok_and(|found| found.is_dir()) {
        // Reading would say so, too, but as a failure of the disk.
        let source = std::io::Error::from_raw_os_error(libc::EISDIR);
        return Err(Error::file("open", path, source));
    }
    Ok(file)
}

/// Whether a block of so many bytes, whose lengths disagree, has the right one at its begin: a block
/// follows whose own lengths agree, or the end.
fn goes_on_behind(input: &mut Input, section: &pcapng::Section, length: usize) -> Result<bool> {
    input.fill(length + pcapng::BLOCK_HEADER)?;
    let following = &input.bytes()[length..];
    if following.is_empty() {
        return Ok(!input.waits());
    }
    let Some(next) = section.following(following) else { return Ok(false) };
    let both = length + next;
    Ok(both <= MAX_RECORD
        && input.fill(both)? >= both
        && section.agree(&input.bytes()[length..both]).is_ok())
}

fn ends_inside_header(path: &Path) -> Error {
    let reason = "it ends inside its header".to_owned();
    Error::NotACapture { path: path.to_owned(), reason }
}
