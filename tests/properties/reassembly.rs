//! Whatever segments come, no byte is handed out that none of them has, and none more often than it
//! came.

use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use wirespool::Result;
use wirespool::capture::{Overlap, Policy, Reader};
use wirespool::session::{Event, Kind, Side, Sink};

/// How many bytes of the input make a segment.
const SEGMENT: usize = 8;

/// The first byte chooses a policy, every eight after it are a segment.
pub fn holds(input: &[u8]) {
    let [chosen, segments @ ..] = input else { return };
    let policy = Policy {
        overlap: if chosen & 1 == 0 { Overlap::First } else { Overlap::Last },
        held_per_side: if chosen & 2 == 0 { 400 } else { 16 << 20 },
        held_in_all: if chosen & 4 == 0 { 600 } else { 256 << 20 },
        patience: (chosen & 8 == 0).then_some(Duration::from_secs(20)),
        connections: if chosen & 16 == 0 { 2 } else { 1000 },
    };
    let mut sent = Sent::default();
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 101] {
        file.extend(word.to_le_bytes());
    }
    let mut seconds = 1_000_000u32;
    for segment in segments.as_chunks::<SEGMENT>().0 {
        seconds = seconds.wrapping_add(u32::from(segment[7] & 15));
        let (packet, captured) = sent.packet(segment);
        for word in [seconds, 0, captured as u32, packet.len() as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&packet[..captured]);
    }
    let reader = Reader::from_stream(Cursor::new(file), Path::new("memory")).expect("a capture");
    let mut left: HashMap<u16, usize> = HashMap::new();
    for ((port, _), sent) in &sent.0 {
        *left.entry(*port).or_default() += sent.iter().map(Vec::len).sum::<usize>();
    }
    let mut check = Check { sent, left, opened: 0, ended: HashMap::new() };
    reader.with_policy(policy).read_all(&mut check).expect("a capture without damage");
}

/// What was sent, by port of the client and side.
#[derive(Default)]
struct Sent(HashMap<(u16, Side), Vec<Vec<u8>>>);

impl Sent {
    /// A packet, and how much of it is captured.
    fn packet(
        &mut self,
        &[flags, length, captured, high, low, far, ack, _]: &[u8; 8],
    ) -> (Vec<u8>, usize) {
        let side = if flags & 1 == 0 { Side::Client } else { Side::Server };
        let port = 50_000 + u16::from(flags >> 6);
        // Close to each other and to the wrap, or anywhere.
        let near = i32::from(i16::from_be_bytes([high, low])) / 16;
        let sequence = match far & 1 {
            0 => near.cast_unsigned(),
            _ => u32::from_be_bytes([high, low, far, ack]),
        };
        let payload: Vec<u8> =
            (0..u32::from(length)).map(|at| byte(sequence.wrapping_add(at))).collect();
        let captured = usize::from(captured).min(payload.len());
        let packets = self.0.entry((port, side)).or_default();
        packets.push(payload[..captured].to_vec());
        let mut packet = vec![0x45, 0];
        packet.extend((40 + u16::from(length)).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        let (own, peer) = (port.to_be_bytes(), 80u16.to_be_bytes());
        match side {
            Side::Client => packet.extend([&client, &server, &own[..], &peer].concat()),
            Side::Server => packet.extend([&server, &client, &peer[..], &own].concat()),
        }
        packet.extend(sequence.to_be_bytes());
        packet.extend((u32::from(ack) * 16).wrapping_sub(2048).to_be_bytes());
        let bit = |bit: u8, value: u8| if flags & bit == 0 { 0 } else { value };
        packet.extend([0x50, bit(2, 2) | bit(4, 16) | bit(8, 1) | bit(16, 4) | bit(32, 32)]);
        packet.extend([0, u8::from(far & 2 == 0), 0, 0, 0, ack]);
        let captured = packet.len() + captured;
        packet.extend(payload);
        (packet, captured)
    }
}

/// What stands at a sequence number: the same whoever sends it, and seldom the same twice in a row.
fn byte(sequence: u32) -> u8 {
    (sequence.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

struct Check {
    sent: Sent,
    /// How many bytes may yet be handed out.
    left: HashMap<u16, usize>,
    opened: u64,
    /// The client's port, and which sides have ended.
    ended: HashMap<u64, (u16, [bool; 2])>,
}

impl Sink for Check {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let number = event.connection.0;
        if let Kind::Open { client, server, .. } = event.kind {
            assert_eq!(number, self.opened, "connections are numbered in order");
            self.opened += 1;
            self.ended.insert(number, (client.port().max(server.port()), [false; 2]));
        }
        let (port, ended) = self.ended.get_mut(&number).expect("each connection is opened first");
        match event.kind {
            Kind::Data { bytes, .. } => {
                assert!(!bytes.is_empty());
                // Who dialled may have been concluded wrongly.
                let sides =
                    Side::BOTH.into_iter().filter_map(|side| self.sent.0.get(&(*port, side)));
                let has = |sent: &Vec<u8>| sent.windows(bytes.len()).any(|part| part == bytes);
                assert!(sides.flatten().any(has), "bytes that nobody sent: {bytes:?}");
                let left = self.left.get_mut(port).expect("what was sent");
                *left = left.checked_sub(bytes.len()).expect("no more than was sent");
            }
            Kind::Gap { length, .. } => assert_ne!(length, Some(0)),
            Kind::Eof { side } => {
                assert!(!std::mem::replace(&mut ended[side.index()], true), "a side ends once");
            }
            _ => {}
        }
        Ok(())
    }
}
