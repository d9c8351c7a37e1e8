//! An output file: whole records gathered in one buffer, written in one call.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_file::pcap::{PcapWriteError, PcapWriter, RawPcapPacket};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter};

use super::batch::Batch;
use super::interface::Counts;
use super::packet_writer::Packet;
use super::preamble::{self, Preamble};
use crate::session::{Side, Timestamp};
use crate::{Error, Result};

/// How much is gathered before it is written without being asked for.
const BATCH: usize = 256 * 1024;

/// A pcap or pcapng file being written.
///
/// After a failed write it stays failed: whatever came later would not follow what is in the file.
pub(super) struct CaptureFile {
    path: PathBuf,
    /// A second handle on the file, to ask the system about it.
    handle: File,
    kind: Kind,
    /// Bytes of whole records that wait in the batch.
    waiting: usize,
    tallies: Vec<Tally>,
    failure: Option<Failure>,
}

/// What was written of one interface.
#[derive(Clone, Copy, Default)]
struct Tally {
    packets: u64,
    span: Option<(Timestamp, Timestamp)>,
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
    pub(super) fn create(path: &Path, force: bool, preamble: Preamble) -> Result<CaptureFile> {
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
        let link_type = preamble.interfaces.first().map_or(0, |first| first.link_type);
        if !next_generation && preamble.interfaces.iter().any(|one| one.link_type != link_type) {
            return Err(Error::Usage(format!(
                "the interfaces have different link types, and a pcap has one; end the name of {} in \
                 .pcapng",
                path.display()
            )));
        }
        let tallies = vec![Tally::default(); preamble.interfaces.len()];
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
        let handle = file.try_clone().map_err(|source| Error::file("create", path, source))?;
        let batch = Batch::new(file);
        let kind = if next_generation {
            preamble::pcapng(batch, preamble).map(Kind::PcapNg).map_err(from_pcapng)
        } else {
            preamble::pcap(batch, link_type).map(Kind::Pcap).map_err(from_pcap)
        }
        .map_err(|source| Error::file("write", path, source))?;
        let mut file =
            CaptureFile { path: path.to_owned(), handle, kind, waiting: 0, tallies, failure: None };
        // A file that is killed before its first packet is a capture all the same.
        file.flush()?;
        Ok(file)
    }

    /// Appends a packet.
    pub(super) fn packet(&mut self, packet: Packet<'_>) -> Result<()> {
        self.check()?;
        let since_epoch = duration(packet.at);
        let written = match &mut self.kind {
            Kind::Pcap(writer) => {
                let record = RawPcapPacket {
                    ts_sec: u32::try_from(since_epoch.as_secs()).unwrap_or(u32::MAX),
                    ts_frac: since_epoch.subsec_nanos(),
                    incl_len: packet.captured.len() as u32,
                    orig_len: packet.length,
                    data: Cow::Borrowed(packet.captured),
                };
                writer.write_raw_packet(&record).map_err(from_pcap)
            }
            Kind::PcapNg(writer) => {
                let flags = packet.direction.map(direction).map(EnhancedPacketOption::Flags);
                let comment = packet.comment.map(|text| CommonOption::Comment(text.into()));
                let block = EnhancedPacketBlock {
                    interface_id: packet.interface,
                    timestamp: since_epoch,
                    original_len: packet.length,
                    data: Cow::Borrowed(packet.captured),
                    options: flags
                        .into_iter()
                        .chain(comment.map(EnhancedPacketOption::Common))
                        .collect(),
                };
                writer.write_pcapng_block(block).map_err(from_pcapng)
            }
        };
        self.waiting += written.or_else(|source| self.fail(source))?;
        if let Some(tally) = self.tallies.get_mut(packet.interface as usize) {
            tally.packets += 1;
            let (first, last) = tally.span.unwrap_or((packet.at, packet.at));
            tally.span = Some((first.min(packet.at), last.max(packet.at)));
        }
        if self.waiting >= BATCH { self.flush() } else { Ok(()) }
    }

    /// How many packets were appended.
    pub(super) fn packets(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.packets).sum()
    }

    /// Whether it is a pcapng.
    pub(super) fn is_next_generation(&self) -> bool {
        matches!(self.kind, Kind::PcapNg(_))
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

    /// Appends the statistics with what was counted on each interface, where the kind has a place for
    /// them, and writes everything out.
    pub(super) fn finish(&mut self, counts: &[Counts]) -> Result<()> {
        self.check()?;
        if let Kind::PcapNg(writer) = &mut self.kind {
            let counts = counts.iter().copied().chain(std::iter::repeat(Counts::default()));
            let written =
                (0..).zip(&self.tallies).zip(counts).try_for_each(|((id, tally), counts)| {
                    let (first, last) = tally.span.unwrap_or_default();
                    let span = (duration(first), duration(last));
                    let block = preamble::statistics(id, span, tally.packets, counts);
                    writer.write_pcapng_block(block).map(drop)
                });
            if let Err(error) = written {
                self.fail(from_pcapng(error))?;
            }
        }
        self.flush()?;
        if self.is_unlinked() {
            let source = io::Error::other("it was deleted while it was written");
            return Err(Error::file("keep", &self.path, source));
        }
        Ok(())
    }

    /// Whether the file has no name any more: what was written goes with us.
    fn is_unlinked(&self) -> bool {
        #[cfg(unix)]
        let links =
            self.handle.metadata().map(|found| std::os::unix::fs::MetadataExt::nlink(&found));
        #[cfg(not(unix))]
        let links = self.handle.metadata().map(|_| 1);
        links.is_ok_and(|links| links == 0)
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
