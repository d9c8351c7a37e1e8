//! What `auto` finds out loses nothing, and gives what the format would have given that it has found.

use wirespool::Format;
use wirespool::session::{Frame, Timestamp};
use wirespool::wire::{Arrival, Decoded, Decoder, detect};

/// The first byte says how the rest is cut into chunks, the second what happens between them; the rest
/// is what a side sent.
pub fn holds(input: &[u8]) {
    let [seed, between, stream @ ..] = input else { return };
    let chunks = chunks(*seed, stream);
    let gap = (*between < 64).then(|| usize::from(*between) % (chunks.len() + 1));
    let (found, given) = read(&Format::auto(), &chunks, gap, 1);

    let all: Vec<u8> = given.iter().flat_map(|one| one.raw.clone()).collect();
    assert_eq!(all, stream, "bytes were lost or invented");

    let (_, named) = read(&found, &chunks, gap, 1);
    assert_eq!(format!("{given:?}"), format!("{named:?}"), "as if {found} had been named");

    let (slow, _) = read(&Format::auto(), &chunks, gap, 3_600_000_000_000);
    assert_eq!(slow, found, "the times in a file make no difference");

    let (format, reason) = detect(&chunks);
    assert_eq!(detect(&chunks), (format.clone(), reason.clone()));
    assert!(!reason.is_empty() && format.spelling() != "auto");
}

/// What a decoder says of chunks that come so many nanoseconds apart, bytes missing before one of them.
fn read(
    format: &Format,
    chunks: &[&[u8]],
    gap: Option<usize>,
    pause: i64,
) -> (Format, Vec<Decoded>) {
    let mut given = Vec::new();
    let mut decoder = Decoder::new(format);
    for (index, chunk) in chunks.iter().enumerate() {
        if gap == Some(index) {
            decoder.gap(Some(0), &mut |one| given.push(one));
        }
        let at = Timestamp(index as i64 * pause);
        let arrival = Arrival { at, frame: Some(Frame::alone(index as u64 + 1)) };
        decoder.push(arrival, chunk, &mut |one| given.push(one));
    }
    decoder.end(&mut |one| given.push(one));
    (decoder.format().clone(), given)
}

/// The stream in pieces, short and long ones, the same for the same seed.
fn chunks(seed: u8, mut stream: &[u8]) -> Vec<&[u8]> {
    let most = [1, 3, 16, 200, 4096, usize::MAX][usize::from(seed) % 6];
    let mut state = u32::from(seed) | 1 << 8;
    let mut chunks = Vec::new();
    while !stream.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = 1 + (state >> 8) as usize % most.min(stream.len());
        let (chunk, rest) = stream.split_at(length);
        chunks.push(chunk);
        stream = rest;
    }
    chunks
}
