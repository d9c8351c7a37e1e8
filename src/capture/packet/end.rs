//! An end of a connection, as packets name it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// An IP address and a port, as numbers: all that is done with those of most segments is to compare them,
/// and to build and to copy a [`SocketAddr`] takes longer than reading the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::capture) struct End {
    /// One of IPv4 is mapped into IPv6 (RFC 4291, section 2.5.5.2).
    pub(in crate::capture) address: u128,
    pub(in crate::capture) port: u16,
}

impl End {
    /// The same in words of the system; `is_ipv4` says whether an address that is mapped is IPv4.
    pub(in crate::capture) fn socket(self, is_ipv4: bool) -> SocketAddr {
        let mapped = Ipv6Addr::from_bits(self.address);
        let address = if is_ipv4 { mapped.to_canonical() } else { IpAddr::V6(mapped) };
        SocketAddr::new(address, self.port)
    }
}

/// The number of an IPv4 address.
#[inline(always)]
pub(super) fn mapped(address: [u8; 4]) -> u128 {
    0xffff_0000_0000 | u128::from(u32::from_be_bytes(address))
}
