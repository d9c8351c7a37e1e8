//! IPv4 and IPv6, up to what they carry.

use super::end::mapped;
use super::slice::Slice;
use super::{Layer, Next, Other, Segment, Unread, tcp, tunnel};

/// Who sends an IP packet, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    pub(super) source: u128,
    pub(super) destination: u128,
    /// Whether both are of IPv4, and mapped.
    pub(super) is_ipv4: bool,
}

/// An IP packet, behind its header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) ends: Ends,
    /// What the data begins with.
    pub(super) protocol: u8,
    /// Which part of the payload the data is, if not all.
    pub(super) place: Option<Place>,
    pub(super) data: Slice<'a>,
}

impl Packet<'_> {
    /// Whether the data is a whole TCP segment.
    #[inline(always)]
    pub(super) fn is_segment(&self) -> bool {
        self.protocol == TCP && self.place.is_none()
    }
}

/// Where in a packet's payload a fragment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) identification: u32,
    /// In bytes.
    pub(super) offset: usize,
    /// Whether more of the payload follows.
    pub(super) more: bool,
}

/// A fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) ends: Ends,
    pub(super) place: Place,
    /// What the payload begins with, if this is the first fragment.
    pub(super) protocol: u8,
    pub(super) data: Slice<'a>,
}

/// What an IP packet carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    Segment(Segment<'a>),
    Fragment(Part<'a>),
    /// Something with another IP packet in it.
    Tunnel(Next<'a>),
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
#[inline(always)]
pub(super) fn ipv4(data: Slice<'_>) -> Result<Packet<'_>, Other> {
    let fields = data.header::<20>()?;
    let u16 = |at: usize| u16::from_be_bytes([fields[at], fields[at + 1]]);
    let header = usize::from(fields[0] & 0x0f) * 4;
    if fields[0] >> 4 != 4 || header < 20 {
        return Err(Other::Malformed);
    }
    let total = match usize::from(u16(2)) {
        // Left to the card by segmentation offloading: the packet is as long as the frame.
        0 => data.length,
        total => total,
    };
    let fragmentation = u16(6);
    let protocol = fields[9];
    let [.., a, b, c, d, e, f, g, h] = *fields;
    let ends =
        Ends { source: mapped([a, b, c, d]), destination: mapped([e, f, g, h]), is_ipv4: true };
    // More fragments, or an offset.
    let place = if fragmentation & 0x3fff == 0 {
        None
    } else {
        Some(Place {
            identification: u16(4).into(),
            offset: usize::from(fragmentation & 0x1fff) * 8,
            more: fragmentation & 0x2000 != 0,
        })
    };
    Ok(Packet { ends, protocol, place, data: data.shortened(total).after(header)? })
}

/// RFC 8200, section 3.
pub(super) fn ipv6(data: Slice<'_>) -> Result<Packet<'_>, Other> {
    if data.u8(0)? >> 4 != 6 {
        return Err(Other::Malformed);
    }
    let protocol = data.u8(6)?;
    let total = match usize::from(data.u16(4)?) {
        // Left to the card, unless it is a jumbogram that says how long it is.
        0 => jumbogram(data, protocol).map_or(data.length, |payload| IPV6_HEADER + payload),
        payload => IPV6_HEADER + payload,
    };
    let ends = Ends { source: data.u128(8)?, destination: data.u128(24)?, is_ipv4: false };
    let data = data.shortened(total).after(IPV6_HEADER)?;
    Ok(Packet { ends, protocol, place: None, data })
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

/// Reads what a packet carries, behind IPv6's extension headers (RFC 8200, section 4).
pub(super) fn payload(packet: Packet<'_>) -> Result<Payload<'_>, Other> {
    let Packet { mut ends, mut protocol, place, mut data } = packet;
    if let Some(place) = place {
        return fragment(Part { ends, place, protocol, data });
    }
    loop {
        let length = match protocol {
            TCP => return tcp::segment(ends, data).map(Payload::Segment),
            // RFC 4302 counts in words of four bytes.
            AUTHENTICATION => (usize::from(data.u8(1)?) + 2) * 4,
            HOP_BY_HOP | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6 if !ends.is_ipv4 => {
                extension(data)?
            }
            ROUTING if !ends.is_ipv4 => {
                ends.destination = routed(ends.destination, data)?;
                extension(data)?
            }
            FRAGMENT if !ends.is_ipv4 => match part(data)? {
                // A fragment that is the whole packet is none (RFC 6946).
                Place { offset: 0, more: false, .. } => 8,
                place => {
                    let (protocol, data) = (data.u8(0)?, data.after(8)?);
                    return fragment(Part { ends, place, protocol, data });
                }
            },
            _ => return tunnel(protocol, data).map(Payload::Tunnel),
        };
        protocol = data.u8(0)?;
        data = data.after(length)?;
    }
}

/// What has another packet in it.
fn tunnel(protocol: u8, data: Slice<'_>) -> Result<Next<'_>, Other> {
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
        _ => Err(Other::NotTcp),
    }
}

/// A fragment, if there may be TCP in what it is a part of.
fn fragment(part: Part<'_>) -> Result<Payload<'_>, Other> {
    match part.protocol {
        TCP | UDP | IPV4 | IPV6 | GRE | AUTHENTICATION | ETHER_IP | MPLS => {}
        ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY | HIP | SHIM6 if !part.ends.is_ipv4 => {
        }
        protocol => return tunnel(protocol, part.data).map(Payload::Tunnel),
    }
    Ok(Payload::Fragment(part))
}

/// RFC 8200, section 4.5.
fn part(data: Slice<'_>) -> Result<Place, Other> {
    let field = data.u16(2)?;
    let offset = usize::from(field & 0xfff8);
    Ok(Place { identification: data.u32(4)?, offset, more: field & 1 != 0 })
}

/// How long an extension header is.
fn extension(data: Slice<'_>) -> Result<usize, Other> {
    Ok((usize::from(data.u8(1)?) + 1) * 8)
}

/// Where a packet with a routing header goes in the end: on its way it is addressed to each station, and
/// the answers come from the last one.
fn routed(destination: u128, data: Slice<'_>) -> Result<u128, Other> {
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
    data.u128(at)
}
