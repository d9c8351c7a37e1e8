//! IPv4 and IPv6, up to what they carry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fragments::{Key, Place};
use super::slice::Slice;
use super::{Layer, Next, Other, Unread, tunnel};

/// Who sends an IP packet, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
}

/// IP protocol numbers, <https://www.iana.org/assignments/protocol-numbers>.
pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
const HOP_BY_HOP: u8 = 0;
const IPV4: u8 = 4;
const IPV6: u8 = 41;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const GRE: u8 = 47;
const ESP: u8 = 50;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const ETHER_IP: u8 = 97;
const IP_COMP: u8 = 108;
const L2TP: u8 = 115;
const MOBILITY: u8 = 135;
const MPLS: u8 = 137;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// How long an IPv6 header is.
const IPV6_HEADER: usize = 40;

/// IP of the version that the first four bits say.
pub(super) fn ip(data: Slice<'_>) -> Result<Next<'_>, Other> {
    match data.u8(0)? >> 4 {
        4 => Layer::Ipv4.of(data),
        6 => Layer::Ipv6.of(data),
        _ => Err(Other::NotIp),
    }
}

/// RFC 791, section 3.1.
#[inline]
pub(super) fn ipv4(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let first = data.u8(0)?;
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < 20 {
        return Err(Other::Malformed);
    }
    let total = match usize::from(data.u16(2)?) {
        // Left to the card by segmentation offloading: the packet is as long as the frame.
        0 => data.length,
        total => total,
    };
    let fragmentation = data.u16(6)?;
    let protocol = data.u8(9)?;
    let ends = Ends {
        source: Ipv4Addr::from(data.array::<4>(12)?).into(),
        destination: Ipv4Addr::from(data.array::<4>(16)?).into(),
    };
    let payload = data.shortened(total).after(header)?;
    // More fragments, or an offset.
    if fragmentation & 0x3fff != 0 {
        let key = Key { ends, identification: data.u16(4)?.into(), protocol: Some(protocol) };
        let offset = usize::from(fragmentation & 0x1fff) * 8;
        let place = Place { key, protocol, offset, more: fragmentation & 0x2000 != 0 };
        return fragment(place, payload);
    }
    Layer::Payload(ends, protocol).of(payload)
}

/// RFC 8200, section 3.
#[inline]
pub(super) fn ipv6(data: Slice<'_>) -> Result<Next<'_>, Other> {
    if data.u8(0)? >> 4 != 6 {
        return Err(Other::Malformed);
    }
    let next = data.u8(6)?;
    let total = match usize::from(data.u16(4)?) {
        // Left to the card, unless it is a jumbogram that says how long it is.
        0 => jumbogram(data, next).map_or(data.length, |payload| IPV6_HEADER + payload),
        payload => IPV6_HEADER + payload,
    };
    let ends = Ends {
        source: Ipv6Addr::from(data.array::<16>(8)?).into(),
        destination: Ipv6Addr::from(data.array::<16>(24)?).into(),
    };
    Layer::Payload(ends, next).of(data.shortened(total).after(IPV6_HEADER)?)
}

/// The length that a hop-by-hop option says (RFC 2675, section 2), if it is one of a jumbogram.
fn jumbogram(data: Slice<'_>, next: u8) -> Option<usize> {
    const JUMBO: u8 = 0xc2;
    let options = data.after(IPV6_HEADER).ok().filter(|_| next == HOP_BY_HOP)?;
    let end = (usize::from(options.u8(1).ok()?) + 1) * 8;
    let mut at = 2;
    while at < end {
        at += match options.u8(at).ok()? {
            // The one option that is a single byte.
            0 => 1,
            JUMBO => {
                let length = options.u32(at + 2).ok()?;
                return (length > 0xffff).then_some(length as usize);
            }
            _ => 2 + usize::from(options.u8(at + 1).ok()?),
        }
    }
    None
}

/// What `protocol` names, TCP aside: IPv6's extension headers (RFC 8200, section 4), and tunnels.
pub(super) fn payload(ends: Ends, protocol: u8, data: Slice<'_>) -> Result<Next<'_>, Other> {
    let is_ipv6 = ends.destination.is_ipv6();
    match protocol {
        UDP => tunnel::udp(data),
        IPV4 => Layer::Ipv4.of(data),
        IPV6 => Layer::Ipv6.of(data),
        GRE => tunnel::gre(data),
        ETHER_IP => Layer::Ethernet.of(data.after(2)?),
        MPLS => Layer::Mpls.of(data),
        ESP => Err(Other::Unread(Unread::Esp)),
        IP_COMP => Err(Other::Unread(Unread::IpComp)),
        L2TP => Err(Other::Unread(Unread::L2tp)),
        // RFC 4302 counts in words of four bytes.
        AUTHENTICATION => {
            let length = (usize::from(data.u8(1)?) + 2) * 4;
            Layer::Payload(ends, data.u8(0)?).of(data.after(length)?)
        }
        HOP_BY_HOP | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6 if is_ipv6 => {
            Layer::Payload(ends, data.u8(0)?).of(data.after(extension(data)?)?)
        }
        ROUTING if is_ipv6 => {
            let ends = Ends { destination: routed(ends.destination, data)?, ..ends };
            Layer::Payload(ends, data.u8(0)?).of(data.after(extension(data)?)?)
        }
        FRAGMENT if is_ipv6 => {
            let (protocol, field) = (data.u8(0)?, data.u16(2)?);
            let rest = data.after(8)?;
            // A fragment that is the whole packet is none (RFC 6946).
            if field & 0xfff9 == 0 {
                return Layer::Payload(ends, protocol).of(rest);
            }
            let key = Key { ends, identification: data.u32(4)?, protocol: None };
            let (offset, more) = (usize::from(field & 0xfff8), field & 1 != 0);
            fragment(Place { key, protocol, offset, more }, rest)
        }
        _ => Err(Other::NotTcp),
    }
}

/// How long an extension header is.
fn extension(data: Slice<'_>) -> Result<usize, Other> {
    Ok((usize::from(data.u8(1)?) + 1) * 8)
}

/// Where a packet with a routing header goes in the end: on its way it is addressed to each station, and
/// the answers come from the last one.
fn routed(destination: IpAddr, data: Slice<'_>) -> Result<IpAddr, Other> {
    let (length, kind, left) = (data.u8(1)?, data.u8(2)?, data.u8(3)?);
    if left == 0 || length < 2 {
        return Ok(destination);
    }
    let at = match kind {
        // RFC 2460, section 4.4: the last one; and of mobility (RFC 6275, section 6.4) the only one.
        0 | 2 => 8 + (usize::from(length) / 2 - 1) * 16,
        // RFC 8754, section 2: the list is the wrong way round.
        4 => 8,
        _ => return Ok(destination),
    };
    Ok(Ipv6Addr::from(data.array::<16>(at)?).into())
}

/// A fragment, if there may be TCP in what it is a part of.
fn fragment(place: Place, data: Slice<'_>) -> Result<Next<'_>, Other> {
    match place.protocol {
        TCP | UDP | IPV4 | IPV6 | GRE | AUTHENTICATION | ETHER_IP | MPLS => {
            Layer::Fragment(place).of(data)
        }
        ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6
            if place.key.ends.destination.is_ipv6() =>
        {
            Layer::Fragment(place).of(data)
        }
        ESP => Err(Other::Unread(Unread::Esp)),
        IP_COMP => Err(Other::Unread(Unread::IpComp)),
        L2TP => Err(Other::Unread(Unread::L2tp)),
        _ => Err(Other::NotTcp),
    }
}
