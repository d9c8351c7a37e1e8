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
use super::preamble;
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
        let handle = file.try_clone().map_err(|source| Error::file("create", path, source))?;
        let batch = Batch::new(file);
        let kind = if next_generation {
            preamble::pcapng(batch, format).map(Kind::PcapNg).map_err(from_pcapng)
        } else {
            preamble::pcap(batch).map(Kind::Pcap).map_err(from_pcap)
        }
        .map_err(|source| Error::file("write", path, source))?;
        let mut file = CaptureFile {
            path: path.to_owned(),
            handle,
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
            let (first, last) = self.span.unwrap_or_default();
            let span = (duration(first), duration(last));
            let written =
                writer.write_pcapng_block(preamble::statistics(span, self.packets, self.dropped));
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
