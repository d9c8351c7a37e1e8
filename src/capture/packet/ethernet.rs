//! Ethernet, and what its EtherType names.

use super::slice::Slice;
use super::{Layer, Next, Other, Unread};

/// The least value that is an EtherType; below it is a length (IEEE 802.3, section 3.2.6).
const TYPES: u16 = 0x0600;

/// The EtherType of IPv4, where it stands, and how long the header is.
pub(super) const IPV4: u16 = 0x0800;
pub(super) const TYPE: usize = 12;
pub(super) const HEADER: usize = 14;

/// From the destination's address on.
pub(super) fn ethernet(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let kind = data.u16(TYPE)?;
    if kind < TYPES {
        return Layer::Llc.of(data.after(HEADER)?.shortened(kind.into()));
    }
    ethertype(kind, data.after(HEADER)?)
}

pub(super) fn ethertype(kind: u16, data: Slice<'_>) -> Result<Next<'_>, Other> {
    match kind {
        IPV4 => Layer::Ipv4.of(data),
        0x86dd => Layer::Ipv6.of(data),
        // 802.1Q, 802.1ad and what was used for double tags before it.
        0x8100 | 0x88a8 | 0x9100 | 0x9200 => tagged(data, 2),
        0x8847 | 0x8848 => Layer::Mpls.of(data),
        // PPPoE session, RFC 2516: six bytes, the last two of them the length.
        0x8864 => Layer::Ppp.of(data.after(6)?.shortened(data.u16(4)?.into())),
        0x880b => Layer::Ppp.of(data),
        // Transparent bridging inside of GRE and the like.
        0x6558 => Layer::Ethernet.of(data),
        // VN-Tag, HSR and PRP.
        0x8926 | 0x892f | 0x88fb => tagged(data, 4),
        // 802.1ah: a service's tag, and then its Ethernet.
        0x88e7 => Layer::Ethernet.of(data.after(4)?),
        0x88e5 => Err(Other::Unread(Unread::Macsec)),
        // LLC in frames that are longer than a length can say.
        0x8870 => Layer::Llc.of(data),
        _ => Err(Other::NotIp),
    }
}

/// A tag of which the EtherType is at `at`; one that is a length is followed by LLC.
fn tagged(data: Slice<'_>, at: usize) -> Result<Next<'_>, Other> {
    let kind = data.u16(at)?;
    let data = data.after(at + 2)?;
    if kind < TYPES {
        return Layer::Llc.of(data.shortened(kind.into()));
    }
    Layer::EtherType(kind).of(data)
}

/// LLC, with SNAP (RFC 1042) or with IP alone (RFC 948).
pub(super) fn llc(data: Slice<'_>) -> Result<Next<'_>, Other> {
    match data.array(0)? {
        [0xaa, 0xaa, 0x03] => match data.array(3)? {
            // RFC 1042, and bridges that keep what was an EtherType (IEEE 802.1H).
            [0, 0, 0] | [0, 0, 0xf8] => Layer::EtherType(data.u16(6)?).of(data.after(8)?),
            _ => Err(Other::NotIp),
        },
        [0x06, 0x06, 0x03] => Layer::Ip.of(data.after(3)?),
        // IP by ISO's network layer identifiers, RFC 2684 and frame relay.
        [0xfe, 0xfe, 0x03] => match data.u8(3)? {
            0xcc => Layer::Ipv4.of(data.after(4)?),
            0x8e => Layer::Ipv6.of(data.after(4)?),
            _ => Err(Other::NotIp),
        },
        _ => Err(Other::NotIp),
    }
}

/// Labels, of which the one with the bottom-of-stack bit is the last. What follows them nothing says: IP
/// shows by its version, and Ethernet may have a control word before it that begins with four zero bits
/// (RFC 4448).
pub(super) fn mpls(mut data: Slice<'_>) -> Result<Next<'_>, Other> {
    while data.u8(2)? & 1 == 0 {
        data = data.after(4)?;
    }
    let data = data.after(4)?;
    match data.u8(0)? >> 4 {
        4 => Layer::Ipv4.of(data),
        6 => Layer::Ipv6.of(data),
        0 if is_ethernet(data.after(4)?)? => Layer::Ethernet.of(data.after(4)?),
        _ if is_ethernet(data)? => Layer::Ethernet.of(data),
        _ => Err(Other::NotIp),
    }
}

/// Whether this looks like Ethernet with IP, or a tag.
fn is_ethernet(data: Slice<'_>) -> Result<bool, Other> {
    match data.u16(TYPE) {
        Ok(kind) => Ok(matches!(kind, IPV4 | 0x86dd | 0x8100 | 0x88a8)),
        Err(Other::Malformed) => Ok(false),
        Err(other) => Err(other),
    }
}
