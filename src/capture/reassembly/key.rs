//! What packets belong to the same connection by. Sans-I/O.

use crate::capture::packet::End;

/// Where a connection was, and its two addresses and ports, the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    low: u128,
    high: u128,
    /// The ports in the same order, and the scope: together, as it is hashed for each segment.
    rest: u64,
}

impl Key {
    pub(super) fn new(scope: usize, a: End, b: End) -> Key {
        let is_first = a.address < b.address || a.address == b.address && a.port < b.port;
        let (low, high) = if is_first { (a, b) } else { (b, a) };
        let rest = (scope as u64) << 32 | u64::from(low.port) << 16 | u64::from(high.port);
        Key { low: low.address, high: high.address, rest }
    }
}
