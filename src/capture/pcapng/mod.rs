//! The pcapng format: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>.

mod fault;
mod interface;
mod options;

pub(super) use fault::Fault;
use interface::Interface;
use options::Options;

use super::interface::Counts;
use super::pcap::Fields;
use super::record::{Beside, Item, Record};
use crate::session::Timestamp;

/// How much of a block must be there to know its length: for a section's, its byte order too.
pub(super) const BLOCK_HEADER: usize = 12;

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
/// Obsolete, and still found.
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const JOURNAL_EXPORT: u32 = 9;
const CUSTOM: u32 = 0x0bad;
const CUSTOM_NOT_TO_COPY: u32 = 0x4000_0bad;
/// Sysdig's blocks.
const SYSDIG_FIRST: u32 = 0x201;
const SYSDIG_LAST: u32 = 0x221;

const COMMENT: u16 = 1;

/// How many interfaces of a section are known. Packets of others are left out, and that is said.
const INTERFACES: usize = 1 << 16;

/// How much of a section's comments is kept: what a recorder says of itself is in the first of them.
const COMMENTS: usize = 1 << 16;

/// Whether `bytes` begin as a pcapng does.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(&SECTION_HEADER.to_be_bytes())
        && bytes.get(8..12).is_none_or(|magic| byte_order(magic).is_some())
}

/// Whether a section is big-endian.
fn byte_order(magic: &[u8]) -> Option<bool> {
    match magic {
        [0x1a, 0x2b, 0x3c, 0x4d] => Some(true),
        [0x4d, 0x3c, 0x2b, 0x1a] => Some(false),
        _ => None,
    }
}

/// What the blocks read so far say about those that follow.
#[derive(Debug, Default)]
pub(super) struct Section {
    big_endian: bool,
    /// Whether it is of a version whose blocks are not known.
    is_unknown: bool,
    /// By their numbers; one whose description makes no sense has none.
    interfaces: Vec<Option<Interface>>,
    /// The first section's comment.
    pub(super) comment: Option<String>,
    /// Of sections that are over.
    dropped_before: u64,
    /// The last packet's time: a simple packet has none of its own.
    at: Timestamp,
}

impl Section {
    /// How long the block is that begins with these bytes.
    pub(super) fn block(&self, bytes: &[u8]) -> Result<usize, String> {
        let fields = self.fields_of(bytes).ok_or("a section begins without a byte order")?;
        match fields.u32(4) as usize {
            length if length < BLOCK_HEADER => Err(format!("a block claims {length} bytes")),
            // Some writers forget to count the padding.
            length => Ok(length.next_multiple_of(4)),
        }
    }

    /// Whether a block's lengths agree, at its begin and at its end.
    pub(super) fn agree(&self, block: &[u8]) -> Result<(), Fault> {
        let fields = self.fields_of(block).ok_or(Fault::Short)?;
        let (begin, end) = (fields.u32(4), fields.u32(block.len() - 4));
        if begin == end { Ok(()) } else { Err(Fault::Lengths(begin, end)) }
    }

    /// A section of the byte order that a block has: what follows has it, too.
    pub(super) fn in_order_of(&self, block: &[u8]) -> Section {
        let big_endian = self.fields_of(block).map_or(self.big_endian, |fields| fields.big_endian);
        Section { big_endian, ..Section::default() }
    }

    /// How long a block would be that begins so; `None` if none does: it is none that has been defined, or
    /// no whole number of words.
    pub(super) fn following(&self, bytes: &[u8]) -> Option<usize> {
        let fields = self.fields_of(bytes)?;
        let is_defined = matches!(
            fields.u32(0),
            SECTION_HEADER | 1..=10 | SYSDIG_FIRST..=SYSDIG_LAST | CUSTOM | CUSTOM_NOT_TO_COPY
        );
        let length = fields.u32(4) as usize;
        (is_defined && length >= BLOCK_HEADER && length.is_multiple_of(4)).then_some(length)
    }

    /// Reads a whole block.
    pub(super) fn item<'a>(&mut self, block: &'a [u8]) -> Item<'a> {
        let kind = self.begin(block);
        let body = &block[8..block.len() - 4];
        let read = match kind {
            SECTION_HEADER => self.section(body).map(|()| Item::Other),
            _ if self.is_unknown => Ok(Item::Other),
            INTERFACE_DESCRIPTION => self.interface(body).map(|()| Item::Other),
            INTERFACE_STATISTICS => self.statistics(body).map(|()| Item::Other),
            ENHANCED_PACKET => self.enhanced_packet(body).map(Item::Packet),
            PACKET => self.packet(body).map(Item::Packet),
            SIMPLE_PACKET => self.simple_packet(body).map(Item::Packet),
            JOURNAL_EXPORT | CUSTOM | CUSTOM_NOT_TO_COPY => Ok(Item::Frame),
            _ => Ok(Item::Other),
        };
        read.unwrap_or_else(|fault| damaged(kind, fault))
    }

    /// Passes over a block of which nothing is believed but what it is.
    pub(super) fn pass_over(&mut self, block: &[u8], fault: Fault) -> Item<'static> {
        let kind = self.begin(block);
        if kind == INTERFACE_DESCRIPTION && self.interfaces.len() < INTERFACES {
            self.interfaces.push(None);
        }
        damaged(kind, fault)
    }

    /// The kind of a block; a section begins with its own.
    fn begin(&mut self, block: &[u8]) -> u32 {
        if let Some(fields) = self.fields_of(block) {
            self.big_endian = fields.big_endian;
        }
        let kind = self.fields(block).u32(0);
        if kind == SECTION_HEADER {
            self.dropped_before = self.dropped();
            self.interfaces.clear();
            self.is_unknown = false;
        }
        kind
    }

    /// How many packets the statistics say were lost.
    pub(super) fn dropped(&self) -> u64 {
        let counts = self.interfaces.iter().flatten().filter_map(|interface| interface.counts);
        let now = counts.map(|counts| counts.dropped);
        now.fold(self.dropped_before, u64::saturating_add)
    }

    fn section(&mut self, body: &[u8]) -> Result<(), Fault> {
        let fields = self.fields(body);
        let (major, minor) = (fields.u16(4), fields.u16(6));
        self.is_unknown = major != 1;
        if self.is_unknown {
            return Err(Fault::Version(major, minor));
        }
        let mut options = self.options(body, 16);
        if self.comment.is_none() {
            let mut text = String::new();
            for (_, line) in options.by_ref().filter(|(code, _)| *code == COMMENT) {
                if text.len() + line.len() > COMMENTS {
                    break;
                }
                text.extend((!text.is_empty()).then_some('\n'));
                text.push_str(&String::from_utf8_lossy(line));
            }
            self.comment = Some(text).filter(|text| !text.is_empty());
        }
        options.end()
    }

    /// The link types of the interfaces that were described so far.
    pub(super) fn link_types(&self) -> Vec<u32> {
        self.interfaces.iter().flatten().map(|interface| interface.link_type).collect()
    }

    /// What was counted on each interface, once that was said of all of them.
    pub(super) fn counts(&self) -> Option<Vec<Counts>> {
        self.interfaces.iter().map(|interface| interface.as_ref()?.counts).collect()
    }

    fn interface(&mut self, body: &[u8]) -> Result<(), Fault> {
        const FIXED: usize = 8;
        if self.interfaces.len() == INTERFACES {
            return Err(Fault::Interfaces);
        }
        if body.len() < FIXED {
            self.interfaces.push(None);
            return Err(Fault::Short);
        }
        let fields = self.fields(body);
        let mut interface = Interface {
            link_type: u32::from(fields.u16(0)),
            snaplen: fields.u32(4),
            resolution: 6,
            offset: 0,
            counts: None,
        };
        let mut options = self.options(body, FIXED);
        for (code, value) in options.by_ref() {
            match (code, value) {
                (9, [resolution, ..]) => interface.resolution = *resolution,
                (14, value) if value.len() >= 8 => {
                    interface.offset = self.fields(value).u64(0).cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(Some(interface));
        options.end()
    }

    fn statistics(&mut self, body: &[u8]) -> Result<(), Fault> {
        const FIXED: usize = 12;
        if body.len() < FIXED {
            return Err(Fault::Short);
        }
        let mut counts = Counts::default();
        let mut options = self.options(body, FIXED);
        for (code, value) in options.by_ref().filter(|(_, value)| value.len() >= 8) {
            let count = self.fields(value).u64(0);
            match code {
                // isb_ifrecv, and isb_ifdrop and isb_osdrop: all since the capture began.
                4 => counts.received = Some(count),
                5 | 7 => counts.dropped = counts.dropped.saturating_add(count),
                _ => {}
            }
        }
        let id = self.fields(body).u32(0) as usize;
        if let Some(Some(interface)) = self.interfaces.get_mut(id) {
            interface.counts = Some(counts);
        }
        options.end()
    }

    fn enhanced_packet<'a>(&mut self, body: &'a [u8]) -> Result<Record<'a>, Fault> {
        let id = self.fields(body).u32(0);
        self.record(id, body, None)
    }

    fn packet<'a>(&mut self, body: &'a [u8]) -> Result<Record<'a>, Fault> {
        // Behind the identifier stands a count of drops, 0xffff where it is unknown.
        let fields = self.fields(body);
        let (id, dropped) = (u32::from(fields.u16(0)), fields.u16(2));
        let dropped = if dropped == u16::MAX { 0 } else { u64::from(dropped) };
        self.record(id, body, Some(dropped))
    }

    /// What enhanced packets and packets have in common; `dropped` is what a packet's own field says.
    fn record<'a>(
        &mut self,
        id: u32,
        body: &'a [u8],
        dropped: Option<u64>,
    ) -> Result<Record<'a>, Fault> {
        const FIXED: usize = 20;
        let fields = self.fields(body);
        let rest = body.get(FIXED..).ok_or(Fault::Short)?;
        let length = fields.u32(12);
        let captured = rest.get(..length as usize).ok_or(Fault::Beyond(length))?;
        let interface = *self.interface_of(id)?;
        self.at = interface.time(u64::from(fields.u32(4)) << 32 | u64::from(fields.u32(8)));
        let mut beside = Beside { dropped: dropped.unwrap_or(0), ..Beside::default() };
        let mut options = self.options(body, FIXED + captured.len().next_multiple_of(4));
        for (code, value) in options.by_ref() {
            match code {
                COMMENT => beside.comment = beside.comment.or(std::str::from_utf8(value).ok()),
                // epb_dropcount
                4 if dropped.is_none() && value.len() >= 8 => {
                    beside.dropped = self.fields(value).u64(0);
                }
                _ => {}
            }
        }
        beside.fault = options.end().err();
        Ok(Record {
            at: self.at,
            interface: id,
            link_type: interface.link_type,
            captured,
            length: fields.u32(16),
            beside: beside.boxed(),
        })
    }

    fn simple_packet<'a>(&self, body: &'a [u8]) -> Result<Record<'a>, Fault> {
        let captured = body.get(4..).ok_or(Fault::Short)?;
        let interface = self.interface_of(0)?;
        let length = self.fields(body).u32(0);
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let kept = (length.min(snaplen) as usize).min(captured.len());
        Ok(Record {
            at: self.at,
            interface: 0,
            link_type: interface.link_type,
            captured: &captured[..kept],
            length,
            beside: None,
        })
    }

    fn interface_of(&self, id: u32) -> Result<&Interface, Fault> {
        let known = self.interfaces.get(id as usize).and_then(Option::as_ref);
        known.ok_or(Fault::Interface(id))
    }

    /// The options from `at` on, as far as they make sense.
    fn options<'a>(&self, body: &'a [u8], at: usize) -> Options<'a> {
        Options::new(body, at, self.big_endian)
    }

    fn fields<'a>(&self, bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, big_endian: self.big_endian }
    }

    /// The same in a section's own byte order, if one begins here; `None` if that is none.
    fn fields_of<'a>(&self, block: &'a [u8]) -> Option<Fields<'a>> {
        let big_endian = match block.starts_with(&SECTION_HEADER.to_be_bytes()) {
            true => byte_order(block.get(8..12)?)?,
            false => self.big_endian,
        };
        Some(Fields { bytes: block, big_endian })
    }
}

fn damaged(kind: u32, fault: Fault) -> Item<'static> {
    Item::Damaged { is_packet: matches!(kind, ENHANCED_PACKET | PACKET | SIMPLE_PACKET), fault }
}
