//! Packets, as they were captured → a capture file.

use std::path::Path;

use super::file::CaptureFile;
use super::interface::{Counts, Interface};
use super::preamble::Preamble;
use super::writer::WriterOptions;
use crate::Result;
use crate::session::{Side, Timestamp};

/// A packet, as somebody captured it.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Which of the file's interfaces it is from, counted from 0.
    pub interface: u32,
    /// When.
    pub at: Timestamp,
    /// What was kept of it.
    pub captured: &'a [u8],
    /// How long it was on the wire.
    pub length: u32,
    /// Who sent it, where that is known; this and the comment have no place in a pcap.
    pub direction: Option<Side>,
    /// What is to be said of it.
    pub comment: Option<&'a str>,
}

/// Writes a pcap or pcapng file of packets that somebody captured, byte for byte: with their stamps, how
/// long they were on the wire, and in a pcapng their interfaces.
///
/// As with [`Writer`](super::Writer), whole records are gathered, and a failed write is returned by this
/// and by every later call.
pub struct PacketWriter {
    file: CaptureFile,
}

impl PacketWriter {
    /// Creates `path`, which ends in `.pcapng` or `.pcap`, for packets from `interfaces` that came
    /// `through` a program, told with its version.
    ///
    /// # Errors
    /// Those of [`Writer::create`](super::Writer::create); [`Error::Usage`](crate::Error::Usage) for a
    /// pcap of several link types, which it has no place for.
    pub fn create(
        path: &Path,
        options: &WriterOptions,
        interfaces: &[Interface],
        through: &str,
    ) -> Result<PacketWriter> {
        let preamble = Preamble::captured(interfaces, through, options.format.as_deref());
        Ok(PacketWriter { file: CaptureFile::create(path, options.force, preamble)? })
    }

    /// Appends a packet.
    pub fn packet(&mut self, packet: Packet<'_>) -> Result<()> {
        self.file.packet(packet)
    }

    /// Whether the file has a place for what [`finish`](PacketWriter::finish) is told.
    pub fn keeps_counts(&self) -> bool {
        self.file.is_next_generation()
    }

    /// How many packets were appended.
    pub fn packets(&self) -> u64 {
        self.file.packets()
    }

    /// Writes what was gathered.
    pub fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }

    /// Completes the file with what was counted on each interface, in their order. A writer that is
    /// dropped instead leaves it without.
    pub fn finish(mut self, counts: &[Counts]) -> Result<u64> {
        self.file.finish(counts)?;
        Ok(self.file.packets())
    }
}
