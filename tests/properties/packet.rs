//! Whatever a frame is made of, no byte is invented, and each packet is counted as one thing.

use std::io::Cursor;
use std::path::Path;

use wirespool::Result;
use wirespool::capture::{Counters, Reader};
use wirespool::session::{Event, Kind, Sink};

/// Link types that are read, and one that is not.
const LINK_TYPES: [u8; 21] = [
    1, 0, 9, 12, 50, 51, 101, 104, 105, 108, 109, 113, 117, 127, 147, 166, 204, 219, 228, 229, 239,
];

/// The first byte is the link type, by its place in the list; of each frame that follows the first two bytes
/// are how much of it is there and how much is not.
pub fn holds(input: &[u8]) {
    let Some((&choice, mut rest)) = input.split_first() else { return };
    let mut frames = Vec::new();
    while let [kept, missing, bytes @ ..] = rest {
        let (frame, after) = bytes.split_at(bytes.len().min(usize::from(*kept)));
        frames.push((frame, usize::from(*missing)));
        rest = after;
    }
    let link_type = LINK_TYPES[usize::from(choice) % LINK_TYPES.len()];
    let (Data(pieces), counters) = read(link_type, &frames);

    assert_eq!(counters.packets, frames.len() as u64);
    let unread: u64 = counters.unread.values().sum();
    let told = [
        counters.segments,
        counters.unknown_link,
        counters.not_ip,
        counters.not_tcp,
        unread,
        counters.fragments,
        counters.cut,
        counters.malformed,
    ];
    assert_eq!(told.iter().sum::<u64>(), counters.packets, "{counters:?}");
    let all: usize = frames.iter().map(|(frame, _)| frame.len()).sum();
    assert!(pieces.iter().map(Vec::len).sum::<usize>() <= all);
    if counters.fragmentation.whole == 0 {
        for piece in pieces {
            let found = |frame: &[u8]| frame.windows(piece.len()).any(|part| part == piece);
            assert!(frames.iter().any(|(frame, _)| found(frame)), "{piece:x?} is in no frame");
        }
    }
    let _ = counters.warnings();
}

/// The first bytes say how a packet is cut into fragments, and in which order they come, some again and some
/// with other borders; the rest is what it carries.
pub fn survives_fragments(input: &[u8]) {
    let Some((&[how, order, size, extra], data)) = input.split_first_chunk() else { return };
    let data = &data[..data.len().min(2000)];
    if data.is_empty() {
        return;
    }
    let is_ipv6 = how & 1 != 0;
    let tcp =
        [&[3, 232, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 4, 0, 0, 0, 0, 0], data].concat();
    let size = 8 * (1 + usize::from(size) % 40);
    if tcp.len() <= size {
        return;
    }
    let fragment = |from: usize, to: usize| {
        let to = to.min(tcp.len());
        fragment(is_ipv6, from, to < tcp.len(), &tcp[from..to])
    };
    let mut packets: Vec<_> =
        (0..tcp.len()).step_by(size).map(|from| fragment(from, from + size)).collect();
    let overlaps = how & 2 != 0;
    let at = usize::from(extra) % packets.len();
    if overlaps {
        // Half a fragment before, and longer than the others.
        let from = (at * size).saturating_sub(size / 16 * 8);
        packets.push(fragment(from, from + size + 8));
    } else if how & 4 != 0 {
        packets.push(packets[at].clone());
    }
    let count = packets.len();
    packets.rotate_left(usize::from(order) % count);
    if order & 0x80 != 0 {
        packets.reverse();
    }
    let frames: Vec<_> = packets.iter().map(|packet| (&packet[..], 0)).collect();
    let (Data(pieces), counters) = read(101, &frames);
    let dropped = counters.fragmentation.overlapping;
    assert!(dropped == 0 || is_ipv6 && overlaps);
    if dropped == 0 {
        assert_eq!(pieces, [data], "{counters:?}");
        assert_eq!(counters.fragmentation.contradictory, 0);
    } else {
        assert!(pieces.is_empty() || pieces == [data]);
    }
}

fn fragment(is_ipv6: bool, offset: usize, more: bool, part: &[u8]) -> Vec<u8> {
    let more = u16::from(more);
    if is_ipv6 {
        let [high, low] = (8 + part.len() as u16).to_be_bytes();
        let [first, second] = (offset as u16 | more).to_be_bytes();
        let header = [&[0x60, 0, 0, 0, high, low, 44, 64][..], &[1; 16], &[2; 16]].concat();
        return [&header[..], &[6, 0, first, second, 0, 0, 0, 1], part].concat();
    }
    let [high, low] = (20 + part.len() as u16).to_be_bytes();
    let [first, second] = ((offset / 8) as u16 | more << 13).to_be_bytes();
    let header = [0x45, 0, high, low, 0, 1, first, second, 64, 6, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
    [&header[..], part].concat()
}

/// What was handed out.
#[derive(Default)]
struct Data(Vec<Vec<u8>>);

impl Sink for Data {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Kind::Data { bytes, .. } = event.kind {
            self.0.push(bytes.to_vec());
        }
        Ok(())
    }
}

/// Reads a pcap of frames, each with so many bytes missing at its end.
fn read(link_type: u8, frames: &[(&[u8], usize)]) -> (Data, Counters) {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, link_type.into()] {
        file.extend(word.to_le_bytes());
    }
    for (frame, missing) in frames {
        let length = frame.len() as u32;
        for word in [0, 0, length, length + *missing as u32] {
            file.extend(word.to_le_bytes());
        }
        file.extend(*frame);
    }
    let mut reader = Reader::from_stream(Cursor::new(file), Path::new("made")).expect("a capture");
    let mut data = Data::default();
    reader.read_all(&mut data).expect("a capture is read to its end");
    (data, reader.summary())
}
