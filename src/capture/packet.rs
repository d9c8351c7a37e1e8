//! A frame's bytes → the TCP segment in it.
//!
//! Read by hand rather than sliced by a library: a capture cut to 48 bytes still has the fourteen
//! bytes of TCP header that say where its payload belongs, and lengths are those of the IP header, so
//! that padding is no data and a cut packet is a hole of known length. Checksums are not looked at:
//! loopback and offloading leave them unfilled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// `LINKTYPE_` values, see <https://www.tcpdump.org/linktypes.html>.
mod linktype {
    pub(super) const NULL: u32 = 0;
    pub(super) const ETHERNET: u32 = 1;
    /// What LINKTYPE_RAW is called in files written where that was a DLT_ value.
    pub(super) const RAW_BSD: u32 = 12;
    pub(super) const RAW_OPENBSD: u32 = 14;
    pub(super) const RAW: u32 = 101;
    pub(super) const LOOP: u32 = 108;
    pub(super) const LINUX_SLL: u32 = 113;
    pub(super) const IPV4: u32 = 228;
    pub(super) const IPV6: u32 = 229;
    pub(super) const LINUX_SLL2: u32 = 276;
}

/// The link type of Ethernet.
pub(super) const ETHERNET: u32 = linktype::ETHERNET;

/// A TCP segment as it stands in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) sequence: u32,
    /// Where the ACK flag is set.
    pub(super) acknowledgement: Option<u32>,
    pub(super) syn: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
    /// Whether the sender takes no more bytes; unknown where the header is cut before the window.
    pub(super) window_closed: bool,
    /// The payload, as far as it was captured.
    pub(super) payload: &'a [u8],
    /// How long the payload was on the wire.
    pub(super) length: u32,
}

/// Why a packet is no TCP segment for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// A link type that is not read here.
    LinkType,
    /// No IP: ARP and the like.
    NotIp,
    /// IP, but no TCP.
    NotTcp,
    /// A fragment of an IP packet.
    Fragment,
    /// Cut before the end of what must be known.
    Cut,
    /// Lengths that contradict each other.
    Malformed,
}

/// Reads the frame of `link_type` whose first bytes are `captured` and that was `length` bytes long.
pub(super) fn parse(link_type: u32, captured: &[u8], length: u32) -> Result<Segment<'_>, Other> {
    // A length below what is there is a mistake of the writer; what is there is there.
    let data = Slice { bytes: captured, length: (length as usize).max(captured.len()) };
    match link_type {
        linktype::ETHERNET => {
            let kind = data.u16(12)?;
            ethertype(kind, data.after(14)?)
        }
        linktype::RAW | linktype::RAW_BSD | linktype::RAW_OPENBSD => ip(data),
        linktype::IPV4 => ipv4(data),
        linktype::IPV6 => ipv6(data),
        // The address family, in the byte order of the host that captured; its values are all small.
        linktype::NULL | linktype::LOOP => {
            let family = data.u32(0)?;
            let family = if family > 0xffff { family.swap_bytes() } else { family };
            match family {
                // AF_INET; AF_INET6 of NetBSD and OpenBSD, FreeBSD, macOS, Linux.
                2 => ipv4(data.after(4)?),
                24 | 28 | 30 | 10 => ipv6(data.after(4)?),
                _ => Err(Other::NotIp),
            }
        }
        linktype::LINUX_SLL => {
            let kind = data.u16(14)?;
            ethertype(kind, data.after(16)?)
        }
        linktype::LINUX_SLL2 => {
            let kind = data.u16(0)?;
            ethertype(kind, data.after(20)?)
        }
        _ => Err(Other::LinkType),
    }
}

/// Bytes of which only the first may be there.
#[derive(Clone, Copy)]
struct Slice<'a> {
    bytes: &'a [u8],
    /// How many there were on the wire; at least as many as are there.
    length: usize,
}

impl<'a> Slice<'a> {
    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Other> {
        match self.bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(array) => Ok(*array),
            None if at + N <= self.length => Err(Other::Cut),
            None => Err(Other::Malformed),
        }
    }

    fn u8(&self, at: usize) -> Result<u8, Other> {
        self.array::<1>(at).map(|[byte]| byte)
    }

    fn u16(&self, at: usize) -> Result<u16, Other> {
        self.array(at).map(u16::from_be_bytes)
    }

    fn u32(&self, at: usize) -> Result<u32, Other> {
        self.array(at).map(u32::from_be_bytes)
    }

    fn after(&self, at: usize) -> Result<Slice<'a>, Other> {
        let length = self.length.checked_sub(at).ok_or(Other::Malformed)?;
        Ok(Slice { bytes: self.bytes.get(at..).unwrap_or(&[]), length })
    }

    fn shortened(&self, length: usize) -> Slice<'a> {
        let length = length.min(self.length);
        Slice { bytes: &self.bytes[..self.bytes.len().min(length)], length }
    }
}

fn ethertype(mut kind: u16, mut data: Slice<'_>) -> Result<Segment<'_>, Other> {
    loop {
        match kind {
            0x0800 => return ipv4(data),
            0x86dd => return ipv6(data),
            // 802.1Q, 802.1ad and what was used for double tags before it.
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                kind = data.u16(2)?;
                data = data.after(4)?;
            }
            // MPLS: a label with the bottom-of-stack bit is the last one.
            0x8847 | 0x8848 => {
                let bottom = data.u8(2)? & 1 != 0;
                data = data.after(4)?;
                if bottom {
                    return ip(data);
                }
            }
            // PPPoE session, with IPv4 or IPv6 in PPP.
            0x8864 => {
                let protocol = data.u16(6)?;
                data = data.after(8)?;
                match protocol {
                    0x0021 => return ipv4(data),
                    0x0057 => return ipv6(data),
                    _ => return Err(Other::NotIp),
                }
            }
            _ => return Err(Other::NotIp),
        }
    }
}

fn ip(data: Slice<'_>) -> Result<Segment<'_>, Other> {
    match data.u8(0)? >> 4 {
        4 => ipv4(data),
        6 => ipv6(data),
        _ => Err(Other::NotIp),
    }
}

/// RFC 791, section 3.1.
fn ipv4(data: Slice<'_>) -> Result<Segment<'_>, Other> {
    let first = data.u8(0)?;
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < 20 {
        return Err(Other::Malformed);
    }
    let total = match usize::from(data.u16(2)?) {
        // Left to the card by segmentation offloading: the packet is as long as the frame.
        0 => data.length,
        total if total < header => return Err(Other::Malformed),
        total => total,
    };
    let fragment = data.u16(6)? & 0x3fff != 0;
    let protocol = data.u8(9)?;
    let source = Ipv4Addr::from(data.array::<4>(12)?);
    let destination = Ipv4Addr::from(data.array::<4>(16)?);
    match protocol {
        TCP if fragment => Err(Other::Fragment),
        TCP => tcp(data.shortened(total).after(header)?, source.into(), destination.into()),
        _ => Err(Other::NotTcp),
    }
}

/// RFC 8200, sections 3 and 4.
fn ipv6(data: Slice<'_>) -> Result<Segment<'_>, Other> {
    const HEADER: usize = 40;
    if data.u8(0)? >> 4 != 6 {
        return Err(Other::Malformed);
    }
    let total = match usize::from(data.u16(4)?) {
        // A jumbogram (RFC 2675), or left to the card: the packet is as long as the frame.
        0 => data.length,
        payload => HEADER + payload,
    };
    let mut next = data.u8(6)?;
    let source = Ipv6Addr::from(data.array::<16>(8)?);
    let destination = Ipv6Addr::from(data.array::<16>(24)?);
    let mut data = data.shortened(total).after(HEADER)?;
    loop {
        let length = match next {
            TCP => return tcp(data, source.into(), destination.into()),
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6.
            0 | 43 | 60 | 135 | 139 | 140 => (usize::from(data.u8(1)?) + 1) * 8,
            // Authentication (RFC 4302) counts in words of four bytes.
            51 => (usize::from(data.u8(1)?) + 2) * 4,
            // A fragment; one that is the whole packet is none (RFC 6946).
            44 if data.u16(2)? & 0xfff9 != 0 => return Err(Other::Fragment),
            44 => 8,
            _ => return Err(Other::NotTcp),
        };
        next = data.u8(0)?;
        data = data.after(length)?;
    }
}

/// The IP protocol number.
const TCP: u8 = 6;

/// RFC 9293, section 3.1. The first fourteen bytes are enough.
fn tcp(data: Slice<'_>, source: IpAddr, destination: IpAddr) -> Result<Segment<'_>, Other> {
    let header = usize::from(data.u8(12)? >> 4) * 4;
    if header < 20 {
        return Err(Other::Malformed);
    }
    let flags = data.u8(13)?;
    let payload = data.after(header)?;
    Ok(Segment {
        source: SocketAddr::new(source, data.u16(0)?),
        destination: SocketAddr::new(destination, data.u16(2)?),
        sequence: data.u32(4)?,
        acknowledgement: if flags & 0x10 != 0 { Some(data.u32(8)?) } else { None },
        fin: flags & 0x01 != 0,
        syn: flags & 0x02 != 0,
        rst: flags & 0x04 != 0,
        window_closed: data.u16(14).is_ok_and(|window| window == 0),
        payload: payload.bytes,
        length: u32::try_from(payload.length).map_err(|_| Other::Malformed)?,
    })
}
