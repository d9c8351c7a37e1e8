//! What was read of a capture, and what it lacks, in numbers and in words.

use std::collections::BTreeMap;

use super::link_type;
use super::packet::{Fragmentation, Other, Unread};
use super::pcapng::Fault;
use super::reassembly::Reached;
use crate::session::Timestamp;

/// How many places of damage are kept, and link types.
const DAMAGES: usize = 4;
const LINK_TYPES: usize = 16;

/// A place that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Damage {
    /// Where, in bytes from the beginning.
    pub offset: u64,
    /// In what way.
    pub reason: String,
    /// Whether what was read just before may be wrong, too.
    pub is_doubtful: bool,
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
    /// The same by the link type's number, of the first 16.
    pub unknown_links: BTreeMap<u32, u64>,
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
    /// Packets whose record in the file makes no sense: they are left out.
    pub damaged: u64,
    /// Blocks without a packet, and lists of options, that make no sense.
    pub damaged_blocks: u64,
    /// The first of the places where records, blocks and options make no sense, at most four.
    pub damages: Vec<Damage>,
    /// Packets that the recorder says it lost.
    pub dropped: u64,
    /// Where the capture ends in the middle of a record, in bytes from its beginning, decompressed.
    pub truncated: Option<u64>,
    /// How the file is compressed, if it is: `gzip` or `zstd`.
    pub compression: Option<&'static str>,
    /// Why a file that was followed has ended, if it has by itself.
    pub ended: Option<&'static str>,
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
        let lost = [
            (self.dropped, "lost by the recorder"),
            (self.damaged, "whose record in the file makes no sense"),
            (self.cut, "cut before the end of the TCP header"),
            (self.malformed, "whose lengths contradict each other"),
        ];
        let mut damage: Vec<String> =
            lost.into_iter().filter_map(|(count, what)| packets(count, what)).collect();
        damage.extend(counted(
            self.damaged_blocks,
            ["block or list of options", "blocks or lists of options"],
            "in the file that make no sense",
        ));
        damage.extend(self.places());
        damage.extend(self.fragmentation.damage());
        damage.extend(self.reached.warnings());
        match (&self.compression_damage, self.truncated) {
            // It cuts a record off, too.
            (Some(Damage { offset, reason, is_doubtful }), _) => {
                let doubt = match is_doubtful {
                    true => ", and what came out just before may be wrong",
                    false => "",
                };
                damage.push(format!(
                    "{reason} at byte {offset}; all that came out before is read{doubt}"
                ));
            }
            (None, Some(offset)) => damage.push(format!(
                "the file is cut off in the record that begins at byte {offset}{}",
                self.decompressed()
            )),
            (None, None) => {}
        }
        damage.extend(self.ended.map(str::to_owned));
        damage
    }

    /// What stands in the file beside what can be read here, in words: usual where all interfaces
    /// were recorded.
    pub fn foreign(&self) -> Vec<String> {
        let unread =
            self.unread.iter().filter_map(|(what, &count)| packets(count, &what.to_string()));
        self.unknown_links().into_iter().chain(unread).collect()
    }

    /// Packets of link types that are not read, by their names.
    fn unknown_links(&self) -> Option<String> {
        let words = packets(self.unknown_link, "of a link type that is not supported")?;
        let known: u64 = self.unknown_links.values().sum();
        let mut kinds: Vec<String> = self
            .unknown_links
            .iter()
            .map(|(number, count)| match link_type::name(*number) {
                Some(name) => format!("{name} {count}"),
                None => format!("number {number} {count}"),
            })
            .collect();
        kinds.extend((known < self.unknown_link).then(|| {
            let others = self.unknown_link - known;
            format!("others {others}")
        }));
        Some(format!("{words}: {}", kinds.join(", ")))
    }

    /// Where the first of what makes no sense stands, and why it does not.
    fn places(&self) -> Option<String> {
        let places: Vec<String> = self
            .damages
            .iter()
            .map(|Damage { offset, reason, .. }| format!("at byte {offset} {reason}"))
            .collect();
        let more = self.damaged + self.damaged_blocks > places.len() as u64;
        let beginning = if more { "the first of them: " } else { "" };
        (!places.is_empty())
            .then(|| format!("{beginning}{}{}", places.join("; "), self.decompressed()))
    }

    /// Which bytes are meant, where there are others.
    fn decompressed(&self) -> &'static str {
        if self.compression.is_some() { " of the decompressed data" } else { "" }
    }

    /// Counts a record, or what is beside the packet in it, that makes no sense.
    pub(super) fn damaged_at(&mut self, offset: u64, is_packet: bool, fault: Fault) {
        *(if is_packet { &mut self.damaged } else { &mut self.damaged_blocks }) += 1;
        if self.damages.len() < DAMAGES {
            self.damages.push(Damage { offset, reason: fault.to_string(), is_doubtful: false });
        }
    }

    /// Counts a packet of a link type that is no TCP segment.
    pub(super) fn passed_over(&mut self, other: Other, link_type: u32) {
        let count = match other {
            Other::LinkType => {
                let links = &mut self.unknown_links;
                if links.len() < LINK_TYPES || links.contains_key(&link_type) {
                    *links.entry(link_type).or_default() += 1;
                }
                &mut self.unknown_link
            }
            Other::NotIp => &mut self.not_ip,
            Other::NotTcp => &mut self.not_tcp,
            Other::Unread(unread) => self.unread.entry(unread).or_default(),
            Other::Fragment => &mut self.fragments,
            Other::Cut => &mut self.cut,
            Other::Malformed => &mut self.malformed,
        };
        *count += 1;
    }
}

fn packets(count: u64, what: &str) -> Option<String> {
    counted(count, ["packet", "packets"], what)
}

fn counted(count: u64, [one, several]: [&str; 2], what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one} {what}")),
        _ => Some(format!("{count} {several} {what}")),
    }
}
