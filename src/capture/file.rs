//! An output file: whole records gathered in one buffer, written in one call.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriteError, PcapWriter, RawPcapPacket};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter};
use pcap_file::{DataLink, Endianness};

use super::label;
use crate::session::{Side, Timestamp};
use crate::{Error, Result};

/// The most that a record may hold, as the file announces it.
const SNAPLEN: u32 = 262_144;

/// How much is gathered before it is written without being asked for.
const BATCH: usize = 256 * 1024;

/// A pcap or pcapng file being written.
///
/// After a failed write it stays failed: whatever came later would not follow what is in the file.
pub(super) struct CaptureFile {
    path: PathBuf,
    kind: Kind,
    /// Bytes of whole records that wait in the batch.
    waiting: usize,
    packets: u64,
    bytes: u64,
    dropped: u64,
    span: Option<(Timestamp, Timestamp)>,
    failure: Option<Failure>,
}

// One of each exists per recording; their sizes do not matter.
#[allow(clippy::large_enum_variant)]
enum Kind {
    Pcap(PcapWriter<Batch>),
    PcapNg(PcapNgWriter<Batch>),
}

impl CaptureFile {
    /// Creates the file, of the kind that its ending says. An existing one is replaced only by
    /// `force`; without it, not even one that another process creates at this very moment.
    pub(super) fn create(path: &Path, force: bool, format: Option<&str>) -> Result<CaptureFile> {
        let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
        let next_generation = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("pcapng") => true,
            Some("pcap") => false,
            _ => {
                return Err(Error::Usage(format!(
                    "cannot tell what kind of capture {} shall be; end its name in .pcapng or .pcap",
                    path.display()
                )));
            }
        };
        let mut options = OpenOptions::new();
        options.write(true);
        if force {
            options.create(true).truncate(true);
        } else {
            options.create_new(true);
        }
        let file = options.open(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists { path: path.to_owned() },
            _ => Error::file("create", path, source),
        })?;
        let batch = Batch { file, bytes: Vec::new(), written: 0 };
        let kind = if next_generation {
            section(batch, format).map(Kind::PcapNg).map_err(from_pcapng)
        } else {
            header(batch).map(Kind::Pcap).map_err(from_pcap)
        }
        .map_err(|source| Error::file("write", path, source))?;
        let mut file = CaptureFile {
            path: path.to_owned(),
            kind,
            waiting: 0,
            packets: 0,
            bytes: 0,
            dropped: 0,
            span: None,
            failure: None,
        };
        // A file that is killed before its first packet is a capture all the same.
        file.flush()?;
        Ok(file)
    }

    /// Appends one frame, sent by `side`. `comment` has no place in a pcap.
    pub(super) fn packet(
        &mut self,
        at: Timestamp,
        side: Side,
        frame: &[u8],
        comment: Option<String>,
    ) -> Result<()> {
        self.check()?;
        let since_epoch = duration(at);
        let written = match &mut self.kind {
            Kind::Pcap(writer) => {
                let packet = RawPcapPacket {
                    ts_sec: u32::try_from(since_epoch.as_secs()).unwrap_or(u32::MAX),
                    ts_frac: since_epoch.subsec_nanos(),
                    incl_len: frame.len() as u32,
                    orig_len: frame.len() as u32,
                    data: Cow::Borrowed(frame),
                };
                writer.write_raw_packet(&packet).map_err(from_pcap)
            }
            Kind::PcapNg(writer) => {
                let mut options = vec![EnhancedPacketOption::Flags(direction(side))];
                if let Some(text) = comment {
                    options.push(EnhancedPacketOption::Common(CommonOption::Comment(text.into())));
                }
                let packet = EnhancedPacketBlock {
                    interface_id: 0,
                    timestamp: since_epoch,
                    original_len: frame.len() as u32,
                    data: Cow::Borrowed(frame),
                    options,
                };
                writer.write_pcapng_block(packet).map_err(from_pcapng)
            }
        };
        self.waiting += written.or_else(|source| self.fail(source))?;
        self.packets += 1;
        self.bytes += frame.len() as u64;
        let (first, last) = self.span.unwrap_or((at, at));
        self.span = Some((first.min(at), last.max(at)));
        if self.waiting >= BATCH { self.flush() } else { Ok(()) }
    }

    /// Remembers that packets were lost, for the statistics at the end.
    pub(super) fn dropped(&mut self, packets: u64) {
        self.dropped += packets;
    }

    /// How many packets were appended.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// Writes what waits, in one call.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.check()?;
        let flushed = match &mut self.kind {
            Kind::Pcap(writer) => writer.flush().map_err(from_pcap),
            Kind::PcapNg(writer) => writer.get_mut().flush(),
        };
        self.waiting = 0;
        flushed.or_else(|source| self.fail(source))
    }

    /// Appends the statistics, where the kind has a place for them, and writes everything out.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.check()?;
        if let Kind::PcapNg(writer) = &mut self.kind {
            let written = writer.write_pcapng_block(statistics(
                self.span.unwrap_or_default(),
                self.packets,
                self.dropped,
            ));
            if let Err(error) = written {
                self.fail(from_pcapng(error))?;
            }
        }
        self.flush()
    }

    /// Fails as it failed before.
    fn check(&self) -> Result<()> {
        match &self.failure {
            Some(failure) => Err(Error::file("write", &self.path, failure.again())),
            None => Ok(()),
        }
    }

    fn fail<T>(&mut self, source: io::Error) -> Result<T> {
        self.failure = Some(Failure { code: source.raw_os_error(), kind: source.kind() });
        Err(Error::file("write", &self.path, source))
    }
}

/// Enough of an I/O error to report it again.
struct Failure {
    code: Option<i32>,
    kind: io::ErrorKind,
}

impl Failure {
    fn again(&self) -> io::Error {
        match self.code {
            Some(code) => io::Error::from_raw_os_error(code),
            None => self.kind.into(),
        }
    }
}

/// Bytes on their way to a file. Writing only gathers them; flushing writes them all at once.
struct Batch {
    file: File,
    bytes: Vec<u8>,
    /// How many bytes the file holds, all of whole records.
    written: u64,
}

impl Write for Batch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.bytes);
        match &result {
            Ok(()) => self.written += self.bytes.len() as u64,
            // The part that was written ends in the middle of a record: take it back if we can.
            Err(_) => drop(self.file.set_len(self.written)),
        }
        self.bytes.clear();
        result
    }
}

/// Whoever forgets to finish loses the statistics, not the packets.
impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

fn header(batch: Batch) -> std::result::Result<PcapWriter<Batch>, PcapWriteError> {
    let header = PcapHeader {
        snaplen: SNAPLEN,
        datalink: DataLink::ETHERNET,
        ts_resolution: PcapTsResolution::NanoSecond,
        endianness: Endianness::Little,
        ..PcapHeader::default()
    };
    PcapWriter::with_header(batch, header)
}

fn section(
    batch: Batch,
    format: Option<&str>,
) -> std::result::Result<PcapNgWriter<Batch>, PcapNgWriteError> {
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Common(CommonOption::Comment(label::comment(format).into())),
            SectionHeaderOption::Hardware("none: headers synthesised from sockets".into()),
            SectionHeaderOption::OS(std::env::consts::OS.into()),
            SectionHeaderOption::UserApplication(label::application().into()),
        ],
        ..SectionHeaderBlock::default()
    };
    let interface = InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: SNAPLEN,
        options: vec![
            InterfaceDescriptionOption::IfName("wirespool".into()),
            InterfaceDescriptionOption::IfDescription(
                "sockets of wirespool; headers synthesised".into(),
            ),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ],
    };
    let mut writer = PcapNgWriter::with_section_header(batch, section)?;
    writer.write_pcapng_block(interface)?;
    Ok(writer)
}

fn statistics(
    (first, last): (Timestamp, Timestamp),
    packets: u64,
    dropped: u64,
) -> InterfaceStatisticsBlock<'static> {
    InterfaceStatisticsBlock {
        interface_id: 0,
        timestamp: duration(last),
        options: vec![
            InterfaceStatisticsOption::IsbStartTime(duration(first)),
            InterfaceStatisticsOption::IsbEndTime(duration(last)),
            InterfaceStatisticsOption::IsbIfRecv(packets),
            InterfaceStatisticsOption::IsbIfDrop(dropped),
            InterfaceStatisticsOption::IsbOsDrop(0),
            InterfaceStatisticsOption::IsbUsrDeliv(packets),
        ],
    }
}

/// The `epb_flags` word as the client's host would say it: 1 inbound, 2 outbound.
fn direction(side: Side) -> u32 {
    match side {
        Side::Client => 2,
        Side::Server => 1,
    }
}

/// Neither kind of file can say a time before 1970.
fn duration(at: Timestamp) -> Duration {
    Duration::from_nanos(u64::try_from(at.nanoseconds()).unwrap_or(0))
}

fn from_pcap(error: PcapWriteError) -> io::Error {
    match error {
        PcapWriteError::Io(source) | PcapWriteError::FieldWriteFailed(_, source) => source,
        other => io::Error::other(other),
    }
}

fn from_pcapng(error: PcapNgWriteError) -> io::Error {
    match error {
        PcapNgWriteError::Io(source) => source,
        other => io::Error::other(other),
    }
}
