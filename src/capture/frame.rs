//! One synthesised frame: Ethernet, IPv4 or IPv6, TCP, with real lengths and checksums.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    EtherType, Ethernet2Header, IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader,
};

use super::label;
use super::mark::Mark;
use crate::session::Side;

/// The most payload one segment can carry: what an IPv4 packet of 65,535 bytes has room for.
pub(super) const MAX_PAYLOAD: usize = 65_535 - 20 - 20;

/// The window that every segment advertises, and the shift that a handshake announces (RFC 7323):
/// nearly 1 GiB, so that no reader sees it full.
const WINDOW: u16 = u16::MAX;
const WINDOW_SHIFT: u8 = 14;

/// How many bytes a peer may be ahead of its acknowledgements before a reader calls the window full.
pub(super) const WINDOW_BYTES: u32 = (WINDOW as u32) << WINDOW_SHIFT;

/// What a SYN says: the maximum segment size, no operation, the window's shift.
const SYN_OPTIONS: [u8; 8] =
    [2, 4, (MAX_PAYLOAD >> 8) as u8, MAX_PAYLOAD as u8, 1, 3, 3, WINDOW_SHIFT];

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
    /// What it says in an option beside.
    pub(super) mark: Option<Mark>,
}

/// What a segment carries.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'a> {
    Bytes(&'a [u8]),
    /// So many bytes that are not in the capture: the frame ends before them.
    Missing(usize),
}

impl Payload<'_> {
    pub(super) const NONE: Payload<'static> = Payload::Bytes(&[]);
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

    /// From where to where `side` sends.
    pub(super) fn of(&self, side: Side) -> (SocketAddr, SocketAddr) {
        (self.0[side.index()], self.0[side.other().index()])
    }

    /// Whether a socket is connected with itself, so that there is but one side.
    pub(super) fn are_one(&self) -> bool {
        self.0[0] == self.0[1]
    }
}

/// Appends the frame in which `side` sends `segment` with `payload`, at most [`MAX_PAYLOAD`] bytes less
/// what its options take. Returns how long the frame is with what of it is not in the capture.
pub(super) fn append(
    out: &mut Vec<u8>,
    ends: &Ends,
    side: Side,
    segment: Segment,
    payload: Payload<'_>,
) -> usize {
    let begin = out.len();
    let (from, to) = (ends.0[side.index()], ends.0[side.other().index()]);
    let (bytes, missing) = match payload {
        Payload::Bytes(bytes) => (bytes, 0),
        Payload::Missing(length) => (&[][..], length),
    };
    let mut tcp = header(from.port(), to.port(), segment);
    let length = tcp.header_len() + bytes.len() + missing;
    debug_assert!(length <= MAX_PAYLOAD + TcpHeader::MIN_LEN);
    match (from.ip(), to.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let (source, destination) = (source.octets(), destination.octets());
            let mut ip = Ipv4Header {
                total_len: (Ipv4Header::MIN_LEN + length) as u16,
                time_to_live: TTL,
                protocol: IpNumber::TCP,
                dont_fragment: true,
                source,
                destination,
                ..Ipv4Header::default()
            };
            ip.header_checksum = ip.calc_header_checksum();
            if missing == 0 {
                tcp.checksum =
                    tcp.calc_checksum_ipv4_raw(source, destination, bytes).unwrap_or_default();
            }
            out.extend(ethernet(side, EtherType::IPV4));
            out.extend(ip.to_bytes());
        }
        (source, destination) => {
            let octets = |ip: IpAddr| match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
                IpAddr::V6(ip) => ip.octets(),
            };
            let (source, destination) = (octets(source), octets(destination));
            let ip = Ipv6Header {
                payload_length: length as u16,
                flow_label: Ipv6FlowLabel::ZERO,
                next_header: IpNumber::TCP,
                hop_limit: TTL,
                source,
                destination,
                ..Ipv6Header::default()
            };
            if missing == 0 {
                tcp.checksum =
                    tcp.calc_checksum_ipv6_raw(source, destination, bytes).unwrap_or_default();
            }
            out.extend(ethernet(side, EtherType::IPV6));
            out.extend(ip.to_bytes());
        }
    }
    out.extend(tcp.to_bytes());
    out.extend_from_slice(bytes);
    out.len() - begin + missing
}

fn ethernet(side: Side, ether_type: EtherType) -> [u8; Ethernet2Header::LEN] {
    let (source, destination) = (label::mac(side), label::mac(side.other()));
    Ethernet2Header { source, destination, ether_type }.to_bytes()
}

fn header(from: u16, to: u16, segment: Segment) -> TcpHeader {
    let mut tcp = TcpHeader::new(from, to, segment.sequence, WINDOW);
    tcp.ack = segment.acknowledgement.is_some();
    tcp.acknowledgment_number = segment.acknowledgement.unwrap_or(0);
    tcp.syn = segment.syn;
    tcp.psh = segment.psh;
    tcp.fin = segment.fin;
    tcp.rst = segment.rst;
    let mut options = if segment.syn { SYN_OPTIONS.to_vec() } else { Vec::new() };
    options.extend(segment.mark.iter().flat_map(|mark| mark.option()));
    // Both together fit into the forty bytes there are.
    let _ = tcp.set_options_raw(&options);
    tcp
}
