//! Where pickles end does not depend on how their bytes come.

use wirespool::wire::pickle::{Limits, Progress, Splitter};

/// The first byte says how the rest is cut into chunks; the rest is a stream of pickles.
pub fn holds(input: &[u8]) {
    let Some((&seed, stream)) = input.split_first() else { return };
    let whole = ends(stream, &mut [usize::MAX].into_iter().cycle());
    assert_eq!(ends(stream, &mut lengths(seed)), whole);
    assert_eq!(ends(stream, &mut [1].into_iter().cycle()), whole);
}

/// As [`holds`], of a stream that is cut at every byte, and of a short one at every two.
#[allow(dead_code, reason = "the fuzz target cuts once for each input")]
pub fn holds_everywhere(stream: &[u8]) {
    let whole = ends(stream, &mut [usize::MAX].into_iter().cycle());
    for at in 1..stream.len() {
        let longest = if stream.len() <= 60 { stream.len() - at } else { 0 };
        for more in 0..=longest {
            let mut lengths = [at, more.max(1), usize::MAX].into_iter();
            assert_eq!(ends(stream, &mut lengths), whole, "cut at {at} and {more} behind it");
        }
    }
}

/// Where each pickle ends, and what the splitter says of the rest, counted from where that begins.
fn ends(stream: &[u8], lengths: &mut dyn Iterator<Item = usize>) -> (Vec<usize>, Progress) {
    let limits = Limits::default();
    let mut ends = Vec::new();
    let mut splitter = Splitter::new(&limits);
    let mut at = 0;
    while at < stream.len() {
        let length = lengths.next().unwrap_or(1).min(stream.len() - at);
        let mut chunk = &stream[at..at + length];
        at += length;
        while !chunk.is_empty() {
            match splitter.feed(chunk) {
                Progress::NeedMore => break,
                Progress::Complete { consumed } => {
                    assert!(0 < consumed && consumed <= chunk.len());
                    chunk = &chunk[consumed..];
                    ends.push(at - chunk.len());
                    splitter = Splitter::new(&limits);
                }
                failed @ Progress::Failed(_) => return (ends, failed),
            }
        }
    }
    (ends, Progress::NeedMore)
}

/// Lengths of chunks, short and long ones, the same for the same seed.
fn lengths(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed) | 1 << 8;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 24) as usize % (1 + (state >> 16) as usize % 40)
    })
}
