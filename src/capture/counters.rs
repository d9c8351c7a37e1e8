//! What was read of a capture, and what it lacks, in numbers and in words.

use std::collections::BTreeMap;

use super::packet::{Fragmentation, Other, Unread};
use super::reassembly::Reached;
use crate::session::Timestamp;

/// A place that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Where, in bytes from the beginning.
    pub offset: u64,
    /// In what way.
    pub reason: String,
}

/// What was read so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Packets, whatever they carry.
    pub packets: u64,
    /// Packets that were TCP segments.
    pub segments: u64,
    /// Connections.
    pub connections: u64,
    /// Packets of a link type that is not read here.
    pub unknown_link: u64,
    /// Packets without IP.
    pub not_ip: u64,
    /// Packets with IP, but without TCP.
    pub not_tcp: u64,
    /// Packets in what is not read: tunnels, encryption.
    pub unread: BTreeMap<Unread, u64>,
    /// Packets that are fragments of IP packets, without those that made one whole.
    pub fragments: u64,
    /// What became of the IP packets that were sent in fragments.
    pub fragmentation: Fragmentation,
    /// Packets cut so short that their TCP header is not there.
    pub cut: u64,
    /// Packets whose lengths contradict each other.
    pub malformed: u64,
    /// Packets whose record in the file makes no sense.
    pub damaged: u64,
    /// Packets that the recorder says it lost.
    pub dropped: u64,
    /// Where the capture ends in the middle of a record, in bytes from its beginning, decompressed.
    pub truncated: Option<u64>,
    /// How the file is compressed, if it is: `gzip` or `zstd`.
    pub compression: Option<&'static str>,
    /// Where the compressed data is damaged or cut off, in bytes of the file.
    pub compression_damage: Option<Damage>,
    /// Which bounds of its policy the reassembly reached.
    pub reached: Reached,
    /// The first and the last packet's time.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Counters {
    /// What the file lacks or could not be read of, in words; nothing if all is well. ARP, UDP and
    /// the like are no lack.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.damage();
        warnings.extend(self.foreign());
        warnings
    }

    /// What of the traffic that was recorded is not there, or could not be read, in words.
    pub fn damage(&self) -> Vec<String> {
        let counted = [
            (self.dropped, "lost by the recorder"),
            (self.damaged, "whose record in the file makes no sense"),
            (self.cut, "cut before the end of their TCP header"),
            (self.malformed, "whose lengths contradict each other"),
        ];
        let mut damage: Vec<String> =
            counted.into_iter().filter_map(|(count, what)| packets(count, what)).collect();
        damage.extend(self.fragmentation.damage());
        damage.extend(self.reached.warnings());
        match (&self.compression_damage, self.truncated) {
            // It cuts a record off, too.
            (Some(Damage { offset, reason }), _) => {
                damage.push(format!("{reason} at byte {offset}; all that came out before is read"));
            }
            (None, Some(offset)) => damage.push(format!(
                "the file is cut off in the record that begins at byte {offset}{}",
                self.decompressed()
            )),
            (None, None) => {}
        }
        damage
    }

    /// What stands in the file beside what can be read here, in words: usual where all interfaces
    /// were recorded.
    pub fn foreign(&self) -> Vec<String> {
        let unknown_link = packets(self.unknown_link, "of a link type that is not supported");
        let unread =
            self.unread.iter().filter_map(|(what, &count)| packets(count, &what.to_string()));
        unknown_link.into_iter().chain(unread).collect()
    }

    /// Which bytes are meant, where there are others.
    fn decompressed(&self) -> &'static str {
        if self.compression.is_some() { " of the decompressed data" } else { "" }
    }

    pub(super) fn of(&mut self, other: Other) -> &mut u64 {
        match other {
            Other::LinkType => &mut self.unknown_link,
            Other::NotIp => &mut self.not_ip,
            Other::NotTcp => &mut self.not_tcp,
            Other::Unread(unread) => self.unread.entry(unread).or_default(),
            Other::Fragment => &mut self.fragments,
            Other::Cut => &mut self.cut,
            Other::Malformed => &mut self.malformed,
        }
    }
}

fn packets(count: u64, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 packet {what}")),
        _ => Some(format!("{count} packets {what}")),
    }
}
