//! Packets of a made-up network, and files of them, written independently of the code under test.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use wirespool::session::Side;

use crate::random::Random;

/// A segment, as it stands in a capture and as the truth knows it.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Which of the made-up connections it is of.
    pub connection: usize,
    pub ends: [SocketAddr; 2],
    pub side: Side,
    pub sequence: u32,
    pub acknowledgement: Option<u32>,
    pub syn: bool,
    pub fin: bool,
    pub rst: bool,
    pub urgent: bool,
    pub window: u16,
    /// Where its payload belongs among the side's bytes.
    pub position: usize,
    pub payload: Vec<u8>,
    /// How much of the payload is in the capture.
    pub captured: usize,
    /// How far the peer's bytes are acknowledged, as positions.
    pub acknowledged: usize,
    /// Whether it stays where it is, and in one piece.
    pub fixed: bool,
    /// A byte of a keep-alive, which is none of the side's.
    pub keep_alive: bool,
}

impl Packet {
    pub fn range(&self) -> Range<usize> {
        self.position..self.position + self.payload.len()
    }

    /// IP and TCP; no checksums, as offloading leaves them.
    fn ip(&self, identification: u16) -> Vec<u8> {
        let [source, destination] = match self.side {
            Side::Client => self.ends,
            Side::Server => [self.ends[1], self.ends[0]],
        };
        let mut tcp = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgement.unwrap_or(0).to_be_bytes());
        let flags =
            [self.fin, self.syn, self.rst, false, self.acknowledgement.is_some(), self.urgent];
        tcp.push(0x50);
        tcp.push((0..).zip(flags).map(|(bit, set)| u8::from(set) << bit).sum());
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0, 0]);
        tcp.extend(u16::from(self.urgent).to_be_bytes());
        tcp.extend(&self.payload);
        match (source.ip(), destination.ip()) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let mut packet = ipv4(tcp.len(), identification, 0);
                packet.extend([source.octets(), destination.octets()].concat());
                [packet, tcp].concat()
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let mut packet = vec![0x60, 0, 0, 0];
                packet.extend((tcp.len() as u16).to_be_bytes());
                packet.extend([6, 64]);
                packet.extend([source.octets(), destination.octets()].concat());
                [packet, tcp].concat()
            }
            _ => panic!("both ends are of one family"),
        }
    }
}

/// As a failing seed is printed.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = [(self.syn, " SYN"), (self.fin, " FIN"), (self.rst, " RST")];
        let flags: String =
            flags.into_iter().filter_map(|(set, name)| set.then_some(name)).collect();
        let acknowledged = self.acknowledgement.map(|_| self.acknowledged);
        write!(f, "connection {} {}{flags} {:?}", self.connection, self.side, self.range())?;
        write!(f, " acknowledges {acknowledged:?} window {}", self.window)?;
        write!(f, " captured {} keep-alive {}", self.captured, self.keep_alive)
    }
}

/// An IPv4 header but for the addresses. `place` is the field of flags and fragment offset.
fn ipv4(length: usize, identification: u16, place: u16) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend((20 + length as u16).to_be_bytes());
    header.extend(identification.to_be_bytes());
    header.extend(place.to_be_bytes());
    header.extend([64, 6, 0, 0]);
    header
}

/// A capture of packets, in one of several file formats and link types, some of them in fragments.
pub fn file(packets: &[Packet], random: &mut Random) -> Vec<u8> {
    let ethernet = random.percent(50);
    let mut frames = Vec::new();
    for (number, packet) in packets.iter().enumerate() {
        let ip = packet.ip(number as u16);
        let whole = packet.captured == packet.payload.len() && !packet.fixed;
        if whole && ip[0] == 0x45 && ip.len() > 60 && random.percent(5) {
            let parts = fragments(&ip, random);
            frames.extend(parts.into_iter().map(|part| {
                let frame = framed(ethernet, part);
                (number, frame.len(), frame)
            }));
        } else {
            let cut = packet.payload.len() - packet.captured;
            let there = ip.len() - cut + if ethernet { 14 } else { 0 };
            let frame = framed(ethernet, ip);
            frames.push((number, if cut > 0 { there } else { frame.len() }, frame));
        }
    }
    let link_type = if ethernet { 1 } else { 101 };
    if random.percent(50) { pcap(link_type, &frames) } else { pcapng(link_type, &frames) }
}

fn fragments(ip: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let (header, data) = ip.split_at(20);
    let first = random.within(1..data.len().div_ceil(8)) * 8;
    let identification = u16::from_be_bytes([header[4], header[5]]);
    let part = |range: Range<usize>, more: bool| {
        let place = (range.start / 8) as u16 | if more { 0x2000 } else { 0 };
        let part = &data[range];
        [&ipv4(part.len(), identification, place), &header[12..], part].concat()
    };
    let mut parts = vec![part(0..first, true), part(first..data.len(), false)];
    if random.percent(30) {
        parts.reverse();
    }
    parts
}

/// Ethernet pads its frames to 60 bytes.
fn framed(ethernet: bool, ip: Vec<u8>) -> Vec<u8> {
    if !ethernet {
        return ip;
    }
    let kind: u16 = if ip[0] == 0x45 { 0x0800 } else { 0x86dd };
    let mut frame = [&[0xee; 12], &kind.to_be_bytes()[..], &ip].concat();
    frame.resize(frame.len().max(60), 0xaa);
    frame
}

/// The number of a frame's packet, how many of its bytes are captured, and all of them.
type Frame = (usize, usize, Vec<u8>);

fn pcap(link_type: u32, frames: &[Frame]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, link_type] {
        file.extend(word.to_le_bytes());
    }
    for (number, captured, frame) in frames {
        let number = *number as u32;
        let lengths = [*captured as u32, frame.len() as u32];
        for word in [1_000_000 + number / 1000, number % 1000 * 1000].into_iter().chain(lengths) {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame[..*captured]);
    }
    file
}

fn pcapng(link_type: u32, frames: &[Frame]) -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len() as u32).to_be_bytes();
        [&kind.to_be_bytes()[..], &length, body, &length].concat()
    };
    let section =
        [0x1a2b_3c4du32.to_be_bytes(), 0x0001_0000u32.to_be_bytes(), [0xff; 4], [0xff; 4]];
    let mut file = block(0x0a0d_0d0a, &section.concat());
    file.extend(block(1, &[(link_type << 16).to_be_bytes(), [0; 4]].concat()));
    for (number, captured, frame) in frames {
        let micros = 1_000_000_000_000 + *number as u64 * 1000;
        let mut body = [0u8; 4].to_vec();
        body.extend(micros.to_be_bytes());
        body.extend((*captured as u32).to_be_bytes());
        body.extend((frame.len() as u32).to_be_bytes());
        body.extend(&frame[..*captured]);
        body.resize(body.len().next_multiple_of(4), 0);
        file.extend(block(6, &body));
    }
    file
}
