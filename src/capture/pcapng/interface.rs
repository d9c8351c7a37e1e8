//! What an interface description says of its packets.

use crate::capture::interface::Counts;
use crate::session::Timestamp;

/// An interface that packets were captured on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) link_type: u32,
    pub(super) snaplen: u32,
    /// `if_tsresol`: a power of ten, or with the highest bit a power of two.
    pub(super) resolution: u8,
    /// `if_tsoffset` in seconds.
    pub(super) offset: i64,
    /// What the last statistics say; none before.
    pub(super) counts: Option<Counts>,
}

impl Interface {
    /// A stamp's time. Integers throughout: binary resolutions lose nothing that nanoseconds can say.
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
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
