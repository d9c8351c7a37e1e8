//! One synthesised frame: Ethernet, IPv4 or IPv6, TCP, with real lengths and checksums.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpHeaders, IpNumber, Ipv4Extensions, Ipv4Header, Ipv6Extensions, Ipv6FlowLabel, Ipv6Header,
    PacketBuilder, TcpHeader, TcpOptionElement,
};

use super::label;
use crate::session::Side;

/// The most payload one segment can carry: what an IPv4 packet of 65,535 bytes has room for.
pub(super) const MAX_PAYLOAD: usize = 65_535 - 20 - 20;

/// The window that every segment advertises, and the shift that a handshake announces (RFC 7323):
/// nearly 1 GiB, so that no reader sees it full.
const WINDOW: u16 = u16::MAX;
const WINDOW_SHIFT: u8 = 14;

/// How many bytes a peer may be ahead of its acknowledgements before a reader calls the window full.
pub(super) const WINDOW_BYTES: u32 = (WINDOW as u32) << WINDOW_SHIFT;

const TTL: u8 = 64;

/// What varies between the segments of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    pub(super) sequence: u32,
    /// The acknowledgement number, where the ACK flag is set.
    pub(super) acknowledgement: Option<u32>,
    pub(super) syn: bool,
    pub(super) psh: bool,
    pub(super) fin: bool,
    pub(super) rst: bool,
}

/// The addresses of a connection as its frames can carry them: both of one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends([SocketAddr; 2]);

impl Ends {
    /// IPv4 where both ends have it; otherwise IPv6, where an IPv4 end appears as `::ffff:a.b.c.d`.
    pub(super) fn new(client: SocketAddr, server: SocketAddr) -> Ends {
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        let mapped = |end: SocketAddr| match end.ip() {
            IpAddr::V4(ip) => SocketAddr::new(ip.to_ipv6_mapped().into(), end.port()),
            IpAddr::V6(_) => end,
        };
        let (client, server) = (canonical(client), canonical(server));
        if client.is_ipv4() == server.is_ipv4() {
            Ends([client, server])
        } else {
            Ends([mapped(client), mapped(server)])
        }
    }
}

/// Appends the frame in which `side` sends `segment` with `payload`, at most [`MAX_PAYLOAD`] bytes.
pub(super) fn append(out: &mut Vec<u8>, ends: &Ends, side: Side, segment: Segment, payload: &[u8]) {
    debug_assert!(payload.len() <= MAX_PAYLOAD);
    let (from, to) = (ends.0[side.index()], ends.0[side.other().index()]);
    let mut tcp = TcpHeader::new(from.port(), to.port(), segment.sequence, WINDOW);
    tcp.ack = segment.acknowledgement.is_some();
    tcp.acknowledgment_number = segment.acknowledgement.unwrap_or(0);
    tcp.syn = segment.syn;
    tcp.psh = segment.psh;
    tcp.fin = segment.fin;
    tcp.rst = segment.rst;
    if segment.syn {
        let options = [
            TcpOptionElement::MaximumSegmentSize(MAX_PAYLOAD as u16),
            TcpOptionElement::Noop,
            TcpOptionElement::WindowScale(WINDOW_SHIFT),
        ];
        // Eight bytes always fit into the forty there are.
        let _ = tcp.set_options(&options);
    }
    let ip = match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                time_to_live: TTL,
                protocol: IpNumber::TCP,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            header.dont_fragment = true;
            IpHeaders::Ipv4(header, Ipv4Extensions::default())
        }
        (source, destination) => {
            let octets = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            let header = Ipv6Header {
                flow_label: Ipv6FlowLabel::ZERO,
                next_header: IpNumber::TCP,
                hop_limit: TTL,
                source: octets(source),
                destination: octets(destination),
                ..Ipv6Header::default()
            };
            IpHeaders::Ipv6(header, Ipv6Extensions::default())
        }
    };
    // Fails only for payloads beyond what the IP length can say, which the caller splits.
    let written = PacketBuilder::ethernet2(label::mac(side), label::mac(side.other()))
        .ip(ip)
        .tcp_header(tcp)
        .write_to_vec(out, payload);
    debug_assert!(written.is_ok());
}
