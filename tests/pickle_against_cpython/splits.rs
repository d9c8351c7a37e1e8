//! How a stream's bytes come says nothing about its pickles.

use wirespool::wire::pickle::{Limits, Progress, Splitter};
use wirespool::wire::{Arrival, Decoder, Format};

use crate::describe::describe;

/// Longer streams are not decoded at every cut.
const SHORT: usize = 300;
/// Longer ones are not decoded at every pair of cuts.
const SHORTEST: usize = 40;

/// Cuts a pickle, with another one after it, at every position.
pub fn assert_cuts_do_not_matter(name: &str, pickle: &[u8]) {
    let stream = [pickle, b"K\x01."].concat();
    for at in positions(stream.len()) {
        assert_eq!(ends(&stream, at), [pickle.len(), stream.len()], "{name}, cut at {at}");
    }
    if stream.len() > SHORT {
        return;
    }
    let whole = decoded(&stream, &[]);
    for at in 0..stream.len() {
        assert_eq!(decoded(&stream, &[at]), whole, "{name}, cut at {at}");
        if stream.len() <= SHORTEST {
            for next in at..stream.len() {
                assert_eq!(decoded(&stream, &[at, next]), whole, "{name}, cut at {at} and {next}");
            }
        }
    }
    let each: Vec<usize> = (0..stream.len()).collect();
    assert_eq!(decoded(&stream, &each), whole, "{name}, byte by byte");
}

/// Every position; of a long stream those at its ends and some between.
fn positions(length: usize) -> impl Iterator<Item = usize> {
    let between = if length > 2_000 { length / 61 } else { 1 };
    (0..length).filter(move |at| at % between == 0 || *at < 40 || length - at < 40)
}

/// Where pickles end in a stream that comes in two pieces.
fn ends(stream: &[u8], at: usize) -> Vec<usize> {
    let mut splitter = Splitter::new(&Limits::default());
    let (mut ends, mut position) = (Vec::new(), 0);
    for mut piece in [&stream[..at], &stream[at..]] {
        while !piece.is_empty() {
            let taken = match splitter.feed(piece) {
                Progress::Complete { consumed } => {
                    ends.push(position + consumed);
                    consumed
                }
                Progress::NeedMore => piece.len(),
                Progress::Failed(fault) => panic!("{fault}"),
            };
            position += taken;
            piece = &piece[taken..];
        }
    }
    ends
}

/// The messages of a stream cut at these positions: where each begins, its bytes, and its value.
fn decoded(stream: &[u8], cuts: &[usize]) -> Vec<(u64, Vec<u8>, String)> {
    let mut decoder = Decoder::new(&Format::parse("pickle").expect("a format"));
    let mut messages = Vec::new();
    let mut start = 0;
    for &end in cuts.iter().chain([&stream.len()]) {
        decoder.push(Arrival::default(), &stream[start..end], &mut |message| {
            let value = message.body.unwrap_or_else(|fault| panic!("{fault}"));
            messages.push((message.offset, message.raw, describe(&value)));
        });
        start = end;
    }
    messages
}
