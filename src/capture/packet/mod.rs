//! A frame's bytes → the TCP segment in it. Sans-I/O.
//!
//! ```text
//! link (the link type's header) ─▶ ethernet, ppp, wireless ─▶ network (IP) ─▶ tcp
//!                                        ▲                      │
//!                                        └─────── tunnel ◀──────┤
//!                                                               ▼
//!                                                    fragments (back to network)
//! ```
//!
//! Read by hand rather than sliced by a library: a capture cut to 48 bytes still has the fourteen
//! bytes of TCP header that say where its payload belongs, and lengths are those of the IP header, so
//! that padding is no data and a cut packet is a hole of known length. Checksums are not looked at:
//! loopback and offloading leave them unfilled.
//!
//! The way of nearly all packets, from Ethernet over IPv4 to TCP, is one function without a loop: what is read
//! is a hundred bytes, and copying that from layer to layer takes longer than reading it.
//!
//! What is inside a tunnel is read as if it stood alone: addresses of two networks that are the same
//! behind different tunnels or in different VLANs are not told apart, as Wireshark does not.

mod end;
mod ethernet;
mod fragments;
mod link;
mod network;
mod ppp;
mod slice;
mod tcp;
mod tunnel;
mod unread;
mod wireless;

#[cfg(test)]
mod tests;

pub(super) use end::End;
pub use fragments::Fragmentation;
pub(super) use fragments::Fragments;
pub(super) use link::ETHERNET;
pub(super) use tcp::Segment;
pub use unread::Unread;

use fragments::Fragment;
use network::{Packet, Payload};
use slice::Slice;

/// How many IP headers are read, one in another.
const DEPTH: usize = 8;

/// Why a packet is no TCP segment for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// A link type that is not read here.
    LinkType,
    /// No IP: ARP and the like.
    NotIp,
    /// IP, but no TCP.
    NotTcp,
    /// In something that is not read here.
    Unread(Unread),
    /// A fragment of an IP packet that is not whole by it.
    Fragment,
    /// Cut before the end of what must be known.
    Cut,
    /// Lengths that contradict each other.
    Malformed,
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content<'a> {
    Segment(Segment<'a>),
    Fragment(Fragment<'a>),
}

/// What is to be read next, and of which bytes.
#[derive(Clone, Copy, Debug)]
struct Next<'a> {
    layer: Layer,
    data: Slice<'a>,
}

/// What the bytes that come next are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Ethernet,
    /// What an EtherType names.
    EtherType(u16),
    /// LLC, IEEE 802.2.
    Llc,
    /// MPLS labels, RFC 3032.
    Mpls,
    /// PPP, from the protocol number on.
    Ppp,
    /// IP of the version that it says.
    Ip,
    Ipv4,
    Ipv6,
}

impl Layer {
    #[inline(always)]
    fn of(self, data: Slice<'_>) -> Result<Next<'_>, Other> {
        Ok(Next { layer: self, data })
    }
}

/// Reads a frame of `link_type`, of whose `length` bytes `captured` are there.
fn parse(link_type: u32, captured: &[u8], length: u32) -> Result<Content<'_>, Other> {
    let frame = Slice::new(captured, length as usize);
    content(packet(link::link(link_type, frame)?)?, 1)
}

/// Reads a frame of the most common kind: a whole TCP segment over IPv4 over Ethernet. `None` of any other, and
/// of one that is cut or makes no sense.
#[inline(always)]
pub(super) fn parse_common(link_type: u32, captured: &[u8], length: u32) -> Option<Segment<'_>> {
    let frame = Slice::new(captured, length as usize);
    let is_common = link_type == ETHERNET && frame.u16(ethernet::TYPE) == Ok(ethernet::IPV4);
    let inside = frame.after(ethernet::HEADER).ok().filter(|_| is_common)?;
    let packet = network::ipv4(inside).ok().filter(Packet::is_segment)?;
    tcp::segment(packet.ends, packet.data).ok()
}

/// Reads what is in a packet, whose IP header is the one of this depth.
fn content(packet: Packet<'_>, depth: usize) -> Result<Content<'_>, Other> {
    match network::payload(packet)? {
        Payload::Segment(segment) => Ok(Content::Segment(segment)),
        Payload::Fragment(part) => Ok(Content::Fragment(Fragment { part, depth })),
        Payload::Tunnel(inner) => tunnelled(inner, depth),
    }
}

/// Reads what is in a tunnel, with `depth` IP headers read already.
fn tunnelled(mut next: Next<'_>, mut depth: usize) -> Result<Content<'_>, Other> {
    loop {
        if depth == DEPTH {
            return Err(Other::Unread(Unread::Depth));
        }
        depth += 1;
        match network::payload(packet(next)?)? {
            Payload::Segment(segment) => return Ok(Content::Segment(segment)),
            Payload::Fragment(part) => return Ok(Content::Fragment(Fragment { part, depth })),
            Payload::Tunnel(inner) => next = inner,
        }
    }
}

/// Reads up to an IP header, and that. Each step takes bytes or names them more closely, so that the work is
/// bounded by the frame's length.
fn packet(mut next: Next<'_>) -> Result<Packet<'_>, Other> {
    loop {
        let Next { layer, data } = next;
        next = match layer {
            Layer::Ethernet => ethernet::ethernet(data)?,
            Layer::EtherType(kind) => ethernet::ethertype(kind, data)?,
            Layer::Llc => ethernet::llc(data)?,
            Layer::Mpls => ethernet::mpls(data)?,
            Layer::Ppp => ppp::ppp(data)?,
            Layer::Ip => network::ip(data)?,
            Layer::Ipv4 => return network::ipv4(data),
            Layer::Ipv6 => return network::ipv6(data),
        };
    }
}
