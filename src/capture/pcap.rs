//! The pcap format: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>.

use super::record::{Item, Record};
use crate::session::Timestamp;

/// How long the file's header is.
pub(super) const HEADER: usize = 24;

/// How the records of a pcap are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    big_endian: bool,
    nanoseconds: bool,
    /// Kuznetsov's variant, whose record headers are eight bytes longer.
    modified: bool,
    pub(super) link_type: u32,
    lengths: Lengths,
}

/// Which of a record's two lengths comes first.
#[derive(Clone, Copy, Debug)]
enum Lengths {
    Captured,
    /// As in versions before 2.3, and in those that DG/UX wrote.
    Wire,
    /// Version 2.3 was written either way: none was captured that was not on the wire.
    Smaller,
}

impl Header {
    /// Whether `bytes` begin as a pcap does.
    pub(super) fn magic(bytes: &[u8]) -> bool {
        Header::kind(bytes).is_some()
    }

    /// Reads the file's header; `None` if it is none, or not all there.
    pub(super) fn parse(bytes: &[u8]) -> Option<Header> {
        let (big_endian, nanoseconds, modified) = Header::kind(bytes)?;
        let fields = Fields { bytes: bytes.first_chunk::<HEADER>()?, big_endian };
        let version = (fields.u16(4), fields.u16(6));
        Some(Header {
            big_endian,
            nanoseconds,
            modified,
            // The upper half is for the length of frame check sequences, which we leave to IP.
            link_type: fields.u32(20) & 0xffff,
            lengths: match version {
                (2, 3) => Lengths::Smaller,
                (543, 0) => Lengths::Wire,
                version if version < (2, 3) => Lengths::Wire,
                _ => Lengths::Captured,
            },
        })
    }

    fn kind(bytes: &[u8]) -> Option<(bool, bool, bool)> {
        let magic = *bytes.first_chunk::<4>()?;
        [(u32::from_be_bytes(magic), true), (u32::from_le_bytes(magic), false)]
            .into_iter()
            .find_map(|(magic, big_endian)| match magic {
                0xa1b2_c3d4 => Some((big_endian, false, false)),
                0xa1b2_3c4d => Some((big_endian, true, false)),
                0xa1b2_cd34 => Some((big_endian, false, true)),
                _ => None,
            })
    }

    /// How long a record's header is.
    #[inline]
    pub(super) fn record_header(&self) -> usize {
        if self.modified { 24 } else { 16 }
    }

    /// How long the record is that begins with these bytes, of which the header is there.
    #[inline(always)]
    pub(super) fn record(&self, bytes: &[u8]) -> usize {
        let (captured, _) = self.lengths(bytes);
        self.record_header().saturating_add(captured as usize)
    }

    /// Reads a whole record.
    #[inline(always)]
    pub(super) fn packet<'a>(&self, record: &'a [u8]) -> Item<'a> {
        let fields = self.fields(record);
        let (seconds, fraction) = (i64::from(fields.u32(0)), i64::from(fields.u32(4)));
        let fraction = if self.nanoseconds { fraction } else { fraction * 1000 };
        Item::Packet(Record {
            // Both factors have 32 bits: no overflow.
            at: Timestamp(seconds * 1_000_000_000 + fraction),
            interface: 0,
            link_type: self.link_type,
            captured: &record[self.record_header()..],
            length: self.lengths(record).1,
            beside: None,
        })
    }

    /// The captured length and the one on the wire.
    #[inline(always)]
    fn lengths(&self, record: &[u8]) -> (u32, u32) {
        let fields = self.fields(record);
        let (first, second) = (fields.u32(8), fields.u32(12));
        match self.lengths {
            Lengths::Captured => (first, second),
            Lengths::Wire => (second, first),
            Lengths::Smaller => (first.min(second), first.max(second)),
        }
    }

    fn fields<'a>(&self, bytes: &'a [u8]) -> Fields<'a> {
        Fields { bytes, big_endian: self.big_endian }
    }
}

/// Integers of either byte order. Reading beyond the end gives zeros: lengths are checked before.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) big_endian: bool,
}

impl Fields<'_> {
    #[inline]
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let found = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied();
        found.unwrap_or([0; N])
    }

    #[inline]
    pub(super) fn u16(&self, at: usize) -> u16 {
        let value = u16::from_le_bytes(self.array(at));
        if self.big_endian { value.swap_bytes() } else { value }
    }

    #[inline]
    pub(super) fn u32(&self, at: usize) -> u32 {
        let value = u32::from_le_bytes(self.array(at));
        if self.big_endian { value.swap_bytes() } else { value }
    }

    #[inline]
    pub(super) fn u64(&self, at: usize) -> u64 {
        let value = u64::from_le_bytes(self.array(at));
        if self.big_endian { value.swap_bytes() } else { value }
    }
}
