//! What is timed.

use std::hint::black_box;

use serde::Deserialize;
use wirespool::wire::pickle::{self, Limits, Progress, Splitter};

/// A record as telemetry programs make them.
#[derive(Deserialize)]
#[expect(dead_code, reason = "only made")]
pub struct Reading {
    device: i64,
    name: String,
    at: f64,
    celsius: f64,
    ok: bool,
    count: i64,
}

/// Bytes that one TCP segment brings on Ethernet.
const SEGMENT: usize = 1448;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// One pickle to the value tree.
    Tree,
    /// Where pickles end, in chunks as they come.
    Split,
    /// Pickles back to back, each cut off and read to the value tree.
    Stream,
    /// One pickle to a Rust type.
    Typed,
    /// The same by serde-pickle alone.
    Serde,
}

impl Operation {
    pub const ALL: [Operation; 5] =
        [Operation::Tree, Operation::Split, Operation::Stream, Operation::Typed, Operation::Serde];

    pub fn name(self) -> &'static str {
        match self {
            Operation::Tree => "tree",
            Operation::Split => "split",
            Operation::Stream => "stream",
            Operation::Typed => "typed",
            Operation::Serde => "serde-pickle",
        }
    }

    /// # Panics
    /// If the bytes are not what they should be: then nothing is measured.
    pub fn run(self, bytes: &[u8]) {
        match self {
            Operation::Tree => {
                black_box(pickle::decode(bytes, &Limits::default()).expect("a pickle"));
            }
            Operation::Split => assert!(split(bytes) > 0),
            Operation::Stream => assert!(stream(bytes) > 0),
            Operation::Typed => {
                black_box(pickle::from_slice::<Vec<Reading>>(bytes).expect("readings"));
            }
            Operation::Serde => {
                let options = serde_pickle::DeOptions::new();
                black_box(
                    serde_pickle::from_slice::<Vec<Reading>>(bytes, options).expect("readings"),
                );
            }
        }
    }
}

/// How many pickles end in the bytes.
fn split(bytes: &[u8]) -> usize {
    let mut splitter = Splitter::new(&Limits::default());
    let mut pickles = 0;
    for mut chunk in bytes.chunks(SEGMENT) {
        while !chunk.is_empty() {
            match splitter.feed(black_box(chunk)) {
                Progress::NeedMore => break,
                Progress::Complete { consumed } => {
                    pickles += 1;
                    chunk = &chunk[consumed..];
                }
                Progress::Failed(fault) => panic!("{fault}"),
            }
        }
    }
    pickles
}

/// How many pickles were read.
fn stream(bytes: &[u8]) -> usize {
    let limits = Limits::default();
    let mut splitter = Splitter::new(&limits);
    let mut rest = bytes;
    let mut pickles = 0;
    while let Progress::Complete { consumed } = splitter.feed(rest) {
        let (one, others) = rest.split_at(consumed);
        black_box(pickle::decode(one, &limits).expect("a pickle"));
        rest = others;
        pickles += 1;
    }
    pickles
}
