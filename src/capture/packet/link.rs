//! The header that a link type puts before what it carries.

use super::slice::Slice;
use super::{Layer, Next, Other, ppp, wireless};

/// `LINKTYPE_` values, see <https://www.tcpdump.org/linktypes.html>.
mod linktype {
    pub(super) const NULL: u32 = 0;
    pub(super) const ETHERNET: u32 = 1;
    pub(super) const PPP: u32 = 9;
    /// What LINKTYPE_RAW is called in files written where that was a DLT_ value.
    pub(super) const RAW_BSD: u32 = 12;
    pub(super) const RAW_OPENBSD: u32 = 14;
    pub(super) const PPP_HDLC: u32 = 50;
    pub(super) const PPP_ETHER: u32 = 51;
    pub(super) const RAW: u32 = 101;
    pub(super) const C_HDLC: u32 = 104;
    pub(super) const IEEE802_11: u32 = 105;
    pub(super) const LOOP: u32 = 108;
    pub(super) const ENC: u32 = 109;
    pub(super) const LINUX_SLL: u32 = 113;
    pub(super) const PFLOG: u32 = 117;
    pub(super) const IEEE802_11_RADIOTAP: u32 = 127;
    pub(super) const PPP_PPPD: u32 = 166;
    pub(super) const PPP_WITH_DIR: u32 = 204;
    pub(super) const MPLS: u32 = 219;
    pub(super) const IPV4: u32 = 228;
    pub(super) const IPV6: u32 = 229;
    pub(super) const NFLOG: u32 = 239;
    pub(super) const PKTAP: u32 = 258;
    pub(super) const LINUX_SLL2: u32 = 276;
}

/// The link type of Ethernet.
pub(in crate::capture) const ETHERNET: u32 = linktype::ETHERNET;

/// What a frame of `link_type` carries.
pub(super) fn link(link_type: u32, data: Slice<'_>) -> Result<Next<'_>, Other> {
    match link_type {
        linktype::ETHERNET => Layer::Ethernet.of(data),
        linktype::RAW | linktype::RAW_BSD | linktype::RAW_OPENBSD => Layer::Ip.of(data),
        linktype::LINUX_SLL => cooked(data.u16(14)?, data.after(16)?),
        linktype::LINUX_SLL2 => cooked(data.u16(0)?, data.after(20)?),
        linktype::NULL | linktype::LOOP => family(data.u32(0)?, data.after(4)?),
        linktype::IPV4 => Layer::Ipv4.of(data),
        linktype::IPV6 => Layer::Ipv6.of(data),
        linktype::PPP | linktype::PPP_HDLC | linktype::C_HDLC => ppp::framed(data),
        linktype::PPP_ETHER => Layer::EtherType(0x8864).of(data),
        // A direction stands in place of the address, or before it.
        linktype::PPP_PPPD => Layer::Ppp.of(data.after(2)?),
        linktype::PPP_WITH_DIR => ppp::framed(data.after(1)?),
        linktype::MPLS => Layer::Mpls.of(data),
        linktype::IEEE802_11 => wireless::frame(data, false),
        linktype::IEEE802_11_RADIOTAP => wireless::radiotap(data),
        linktype::NFLOG => nflog(data),
        linktype::ENC => family(data.u32(0)?, data.after(12)?),
        linktype::PFLOG => {
            let header = usize::from(data.u8(0)?).next_multiple_of(4);
            family(data.u8(1)?.into(), data.after(header)?)
        }
        linktype::PKTAP => pktap(data),
        _ => Err(Other::LinkType),
    }
}

/// The address family, in the byte order of the host that captured; its values are all small.
fn family(family: u32, data: Slice<'_>) -> Result<Next<'_>, Other> {
    let family = if family > 0xffff { family.swap_bytes() } else { family };
    match family {
        // AF_INET; AF_INET6 of NetBSD and OpenBSD, FreeBSD, macOS, Linux, Windows.
        2 => Layer::Ipv4.of(data),
        24 | 28 | 30 | 10 | 23 => Layer::Ipv6.of(data),
        _ => Err(Other::NotIp),
    }
}

/// Linux's cooked header, whose protocol is an EtherType, or 4 where the frame is LLC.
fn cooked(protocol: u16, data: Slice<'_>) -> Result<Next<'_>, Other> {
    match protocol {
        0x0004 => Layer::Llc.of(data),
        _ => Layer::EtherType(protocol).of(data),
    }
}

/// Fields, each with its length and its type, of which one is the packet; in the byte order of the host
/// that captured. See <https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html>.
fn nflog(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const PAYLOAD: u16 = 9;
    let mut fields = data.after(4)?;
    loop {
        let (mut length, mut kind) = (fields.u16_little_endian(0)?, fields.u16_little_endian(2)?);
        // All types are small.
        if kind > 0xff {
            (length, kind) = (length.swap_bytes(), kind.swap_bytes());
        }
        let length = usize::from(length);
        if length < 4 {
            return Err(Other::Malformed);
        }
        if kind == PAYLOAD {
            return Layer::Ip.of(fields.shortened(length).after(4)?);
        }
        fields = fields.after(length.next_multiple_of(4))?;
    }
}

/// macOS's header, which names the link type of the interface; in the byte order of the host that
/// captured, and all those are little-endian. See
/// <https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html>.
fn pktap(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const PACKET: u32 = 1;
    let header = data.u32_little_endian(0)? as usize;
    if data.u32_little_endian(4)? != PACKET {
        return Err(Other::NotIp);
    }
    match data.u32_little_endian(8)? {
        linktype::PKTAP => Err(Other::LinkType),
        inner => link(inner, data.after(header)?),
    }
}
