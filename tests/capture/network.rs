//! Captures of a made-up network, written independently of the code under test.

use std::ops::{BitOr, BitOrAssign};

pub const SYN: Flags = Flags(2);
pub const ACK: Flags = Flags(16);
pub const FIN: Flags = Flags(1);
pub const RST: Flags = Flags(4);
pub const URG: Flags = Flags(32);

#[derive(Clone, Copy, Debug, Default)]
pub struct Flags(u8);

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

/// One TCP segment between `10.0.0.1` (the client) and `10.0.0.2`.
#[derive(Clone, Debug, Default)]
pub struct Packet {
    pub from_client: bool,
    pub sequence: u32,
    pub acknowledgement: u32,
    pub flags: Flags,
    pub window: u16,
    /// How far after its number the urgent data ends.
    pub urgent: u16,
    pub payload: Vec<u8>,
    /// How much of the frame is in the capture, if not all.
    pub cut: Option<usize>,
}

pub const CLIENT: &str = "10.0.0.1:50000";
pub const SERVER: &str = "10.0.0.2:80";

impl Packet {
    pub fn new(from_client: bool, sequence: u32, acknowledgement: u32, flags: Flags) -> Packet {
        Packet { from_client, sequence, acknowledgement, flags, window: 1000, ..Packet::default() }
    }

    pub fn with(mut self, payload: &[u8]) -> Packet {
        self.payload = payload.to_vec();
        self
    }

    pub fn window(mut self, window: u16) -> Packet {
        self.window = window;
        self
    }

    pub fn urgent(mut self, pointer: u16) -> Packet {
        self.urgent = pointer;
        self
    }

    pub fn cut(mut self, length: usize) -> Packet {
        self.cut = Some(length);
        self
    }

    /// IPv4 and TCP without checksums, as offloading leaves them.
    pub fn ip(&self) -> Vec<u8> {
        let mut packet = vec![0x45, 0];
        packet.extend((40 + self.payload.len() as u16).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        packet.extend(if self.from_client { [client, server] } else { [server, client] }.concat());
        let (client, server) = (50_000u16.to_be_bytes(), 80u16.to_be_bytes());
        packet.extend(if self.from_client { [client, server] } else { [server, client] }.concat());
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.acknowledgement.to_be_bytes());
        packet.extend([0x50, self.flags.0]);
        packet.extend(self.window.to_be_bytes());
        packet.extend([0; 2]);
        packet.extend(self.urgent.to_be_bytes());
        packet.extend(&self.payload);
        packet
    }
}

/// A pcap in microseconds, of Ethernet frames, padded to 60 bytes as Ethernet does; the packets are a
/// millisecond apart.
pub fn capture(packets: &[Packet]) -> Vec<u8> {
    let frames = packets.iter().map(|packet| {
        let mut frame = vec![0xee; 12];
        frame.extend([8, 0]);
        frame.extend(packet.ip());
        frame.resize(frame.len().max(60), 0xaa);
        (frame, packet.cut.unwrap_or(usize::MAX))
    });
    file(1, frames)
}

/// A pcap of a link type, of frames of which so much is kept.
pub fn file(link_type: u32, frames: impl IntoIterator<Item = (Vec<u8>, usize)>) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, link_type] {
        file.extend(word.to_le_bytes());
    }
    for (index, (mut frame, kept)) in (0u32..).zip(frames) {
        let length = frame.len() as u32;
        frame.truncate(kept);
        for word in [1_000_000 + index / 1000, index % 1000 * 1000, frame.len() as u32, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}

/// A connection on which both sides begin at given numbers: SYN, SYN-ACK, ACK.
pub fn handshake(client: u32, server: u32) -> Vec<Packet> {
    let (first, second) = (client.wrapping_add(1), server.wrapping_add(1));
    vec![
        Packet::new(true, client, 0, SYN),
        Packet::new(false, server, first, SYN | ACK),
        Packet::new(true, first, second, ACK),
    ]
}
