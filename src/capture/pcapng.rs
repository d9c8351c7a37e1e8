//! The pcapng format: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>.

use super::pcap::Fields;
use super::records::{Item, Record};
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

const COMMENT: u16 = 1;

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
    interfaces: Vec<Interface>,
    /// The first section's comment.
    pub(super) comment: Option<String>,
    /// Of sections that are over.
    dropped_before: u64,
    /// The last packet's time: a simple packet has none of its own.
    at: Timestamp,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: u32,
    snaplen: u32,
    /// `if_tsresol`: a power of ten, or with the highest bit a power of two.
    resolution: u8,
    /// `if_tsoffset` in seconds.
    offset: i64,
    dropped: u64,
}

impl Section {
    /// How long the block is that begins with these bytes.
    pub(super) fn block(&self, bytes: &[u8]) -> Result<usize, String> {
        let mut fields = self.fields(bytes);
        if fields.u32(0) == SECTION_HEADER {
            fields.big_endian = byte_order(&bytes[8..12])
                .ok_or_else(|| "a section begins without a byte order".to_owned())?;
        }
        match fields.u32(4) as usize {
            length if length < BLOCK_HEADER => Err(format!("a block claims {length} bytes")),
            // Some writers forget to count the padding.
            length => Ok(length.next_multiple_of(4)),
        }
    }

    /// Reads a whole block.
    pub(super) fn item<'a>(&mut self, block: &'a [u8]) -> Result<Item<'a>, String> {
        let kind = self.fields(block).u32(0);
        if kind == SECTION_HEADER {
            self.big_endian = byte_order(&block[8..12]).unwrap_or(self.big_endian);
        }
        let fields = self.fields(block);
        let (length, again) = (fields.u32(4), fields.u32(block.len() - 4));
        if length != again {
            return Err(format!("a block claims {length} bytes at its begin, {again} at its end"));
        }
        let body = &block[8..block.len() - 4];
        Ok(match kind {
            SECTION_HEADER => {
                self.section(body);
                Item::Other
            }
            INTERFACE_DESCRIPTION => {
                self.interface(body);
                Item::Other
            }
            INTERFACE_STATISTICS => {
                self.statistics(body);
                Item::Other
            }
            ENHANCED_PACKET => self.enhanced_packet(body).map_or(Item::Damaged, Item::Packet),
            PACKET => self.packet(body).map_or(Item::Damaged, Item::Packet),
            SIMPLE_PACKET => self.simple_packet(body).map_or(Item::Damaged, Item::Packet),
            JOURNAL_EXPORT | CUSTOM | CUSTOM_NOT_TO_COPY => Item::Frame,
            _ => Item::Other,
        })
    }

    /// How many packets the statistics say were lost.
    pub(super) fn dropped(&self) -> u64 {
        let now = self.interfaces.iter().map(|interface| interface.dropped);
        now.fold(self.dropped_before, u64::saturating_add)
    }

    fn section(&mut self, body: &[u8]) {
        self.dropped_before = self.dropped();
        self.interfaces.clear();
        if self.comment.is_none() {
            let comments = self.options(body, 16).filter(|(code, _)| *code == COMMENT);
            let lines: Vec<_> = comments.map(|(_, text)| String::from_utf8_lossy(text)).collect();
            self.comment = Some(lines.join("\n")).filter(|text| !text.is_empty());
        }
    }

    fn interface(&mut self, body: &[u8]) {
        let fields = self.fields(body);
        let mut interface = Interface {
            link_type: u32::from(fields.u16(0)),
            snaplen: fields.u32(4),
            resolution: 6,
            offset: 0,
            dropped: 0,
        };
        for (code, value) in self.options(body, 8) {
            match (code, value) {
                (9, [resolution, ..]) => interface.resolution = *resolution,
                (14, value) if value.len() >= 8 => {
                    interface.offset = self.fields(value).u64(0).cast_signed();
                }
                _ => {}
            }
        }
        self.interfaces.push(interface);
    }

    fn statistics(&mut self, body: &[u8]) {
        let mut dropped = 0u64;
        for (code, value) in self.options(body, 12) {
            // isb_ifdrop and isb_osdrop, both since the capture began.
            if matches!(code, 5 | 7) && value.len() >= 8 {
                dropped = dropped.saturating_add(self.fields(value).u64(0));
            }
        }
        let id = self.fields(body).u32(0) as usize;
        if let Some(interface) = self.interfaces.get_mut(id) {
            interface.dropped = dropped;
        }
    }

    fn enhanced_packet<'a>(&mut self, body: &'a [u8]) -> Option<Record<'a>> {
        let id = self.fields(body).u32(0);
        self.record(id, body)
    }

    fn packet<'a>(&mut self, body: &'a [u8]) -> Option<Record<'a>> {
        // Behind the identifier stands a count of drops, 0xffff where it is unknown.
        let fields = self.fields(body);
        let (id, dropped) = (u32::from(fields.u16(0)), fields.u16(2));
        let record = self.record(id, body)?;
        let dropped = if dropped == u16::MAX { 0 } else { u64::from(dropped) };
        Some(Record { dropped, ..record })
    }

    /// What enhanced packets and packets have in common.
    fn record<'a>(&mut self, id: u32, body: &'a [u8]) -> Option<Record<'a>> {
        const FIXED: usize = 20;
        let fields = self.fields(body);
        let interface = *self.interfaces.get(id as usize)?;
        let captured = body.get(FIXED..)?.get(..fields.u32(12) as usize)?;
        self.at = interface.time(u64::from(fields.u32(4)) << 32 | u64::from(fields.u32(8)));
        let mut record = Record {
            at: self.at,
            link_type: interface.link_type,
            captured,
            length: fields.u32(16),
            comment: None,
            dropped: 0,
        };
        for (code, value) in self.options(body, FIXED + captured.len().next_multiple_of(4)) {
            match code {
                COMMENT => record.comment = record.comment.or(std::str::from_utf8(value).ok()),
                // epb_dropcount
                4 if value.len() >= 8 => record.dropped = self.fields(value).u64(0),
                _ => {}
            }
        }
        Some(record)
    }

    fn simple_packet<'a>(&self, body: &'a [u8]) -> Option<Record<'a>> {
        let interface = self.interfaces.first()?;
        let length = self.fields(body).u32(0);
        let snaplen = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
        let captured = body.get(4..)?;
        let kept = (length.min(snaplen) as usize).min(captured.len());
        Some(Record {
            at: self.at,
            link_type: interface.link_type,
            captured: &captured[..kept],
            length,
            comment: None,
            dropped: 0,
        })
    }

    /// The options from `at` on, as far as they make sense.
    fn options<'a>(
        &self,
        body: &'a [u8],
        at: usize,
    ) -> impl Iterator<Item = (u16, &'a [u8])> + use<'a> {
        let big_endian = self.big_endian;
        let mut rest = body.get(at..).unwrap_or(&[]);
        std::iter::from_fn(move || {
            let fields = Fields { bytes: rest.get(..4)?, big_endian };
            let (code, length) = (fields.u16(0), usize::from(fields.u16(2)));
            let value = rest.get(4..4 + length).filter(|_| code != 0)?;
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
            Some((code, value))
        })
    }

    fn fields<'a>(&self, bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, big_endian: self.big_endian }
    }
}

impl Interface {
    /// A stamp's time. Integers throughout: binary resolutions lose nothing that nanoseconds can say.
    fn time(&self, ticks: u64) -> Timestamp {
        const SECOND: u128 = 1_000_000_000;
        let exponent = u32::from(self.resolution & 0x7f);
        let ticks = u128::from(ticks);
        let nanoseconds = if self.resolution & 0x80 != 0 {
            // 64 bits times 30 bits, shifted by at most 127.
            (ticks * SECOND) >> exponent
        } else if exponent <= 9 {
            ticks * 10u128.pow(9 - exponent)
        } else {
            // Beyond 10^38 nothing is left of any stamp.
            10u128.checked_pow(exponent - 9).map_or(0, |unit| ticks / unit)
        };
        let offset = i128::from(self.offset) * SECOND as i128;
        let nanoseconds = nanoseconds as i128 + offset;
        Timestamp(nanoseconds.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}
