//! Captures of a network that loses, repeats and reorders, and of an adversary in it, of which the
//! truth is known: no byte is invented, none is lost that the capture holds, and each gap is where it
//! is and as long as it is.
//!
//! A seed that fails is named; `WIRESPOOL_SEED=N` reads it alone. `WIRESPOOL_SEEDS=N` tries so many.

#![allow(clippy::unwrap_used)]

use std::io::Cursor;
use std::path::Path;

use wirespool::Result;
use wirespool::capture::{Overlap, Policy, Reader};
use wirespool::session::{Event, Kind, Note, Sink, Start};

use conversation::Conversation;
use packet::Packet;
use plan::Plan;
use random::Random;
use truth::{SideTruth, Truth};

mod conversation;
mod packet;
mod plan;
mod random;
mod truth;

/// How long a gap of unknown length is taken to be: longer than any there is.
const JUMP: u64 = 1_000;

/// As many as `cargo test` has time for.
const SEEDS: u64 = 2_000;

#[test]
fn what_adversarial_captures_hold_is_read_as_it_is() {
    let number = |name| std::env::var(name).ok().map(|text: String| text.parse::<u64>().unwrap());
    let seeds = match (number("WIRESPOOL_SEED"), number("WIRESPOOL_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, most) => 0..most.unwrap_or(SEEDS),
    };
    let mut failures = Vec::new();
    for seed in seeds {
        let (expected, found, packets) = both(seed);
        let differences = truth::differences(&expected, &found);
        if !differences.is_empty() && failures.is_empty() {
            packets.iter().zip(1..).for_each(|(packet, number)| println!("{number}: {packet}"));
        }
        failures.extend(differences.into_iter().map(|one| format!("seed {seed}: {one}")));
    }
    failures.truncate(20);
    assert!(failures.is_empty(), "the first one's packets are above:\n{}", failures.join("\n"));
}

/// What a seed's capture holds, what was read of it, and its packets.
fn both(seed: u64) -> (Vec<Truth>, Vec<Truth>, Vec<Packet>) {
    let mut random = Random::new(seed);
    let overlap = if random.percent(30) { Overlap::Last } else { Overlap::First };
    let packets = packets(&mut random, overlap);
    let connections =
        packets.iter().map(|packet| packet.connection).max().map_or(0, |last| last + 1);
    let truth = |number| {
        let of: Vec<_> = packets.iter().filter(|packet| packet.connection == number).collect();
        Truth::of(&of, overlap)
    };
    let expected: Vec<_> = (0..connections).map(truth).collect();
    let file = packet::file(&packets, &mut random);
    let reader = Reader::from_stream(Cursor::new(file), Path::new("adversary")).unwrap();
    let mut reader = reader.with_policy(Policy { overlap, ..Policy::default() });
    let mut found = Found::default();
    reader.read_all(&mut found).unwrap();
    // What is certain to differ is compared; what is not is not.
    for (found, expected) in found.0.iter_mut().zip(&expected) {
        for (found, expected) in found.sides.iter_mut().zip(&expected.sides) {
            found.differing = expected.differing.and(found.differing);
        }
    }
    (expected, found.0, packets)
}

/// Several connections at once, some of them one after the other on the same addresses and ports.
fn packets(random: &mut Random, overlap: Overlap) -> Vec<Packet> {
    let mut queues: Vec<_> = Vec::new();
    let mut number = 0;
    for place in 0..random.within(1..4) {
        let ends = plan::ends(random, place);
        let mut queue = Vec::new();
        for generation in 0..if random.percent(30) { random.within(2..4) } else { 1 } {
            let plan = Plan::any(random, generation == 0, overlap == Overlap::Last);
            queue.extend(Conversation::packets(number, ends, plan, random));
            number += 1;
        }
        queues.push(queue.into_iter().peekable());
    }
    let mut packets: Vec<Packet> = Vec::new();
    // Numbered by first packet, as a reader does.
    let mut order = Vec::new();
    while queues.iter_mut().any(|queue| queue.peek().is_some()) {
        let queue = random.below(queues.len());
        let Some(mut packet) = queues[queue].next() else { continue };
        if !order.contains(&packet.connection) {
            order.push(packet.connection);
        }
        packet.connection = order.iter().position(|known| *known == packet.connection).unwrap();
        packets.push(packet);
    }
    packets
}

/// What was read of each connection.
#[derive(Default)]
struct Found(Vec<Truth>);

impl Sink for Found {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let index = event.connection.0 as usize;
        if let Kind::Open { start, .. } = event.kind {
            assert_eq!(index, self.0.len(), "connections are numbered by their first packet");
            let side = || SideTruth { bytes: Vec::new(), eof: false, differing: Some(0) };
            self.0.push(Truth { start, sides: [side(), side()], reset: None, cut: false });
        }
        let connection = &mut self.0[index];
        match event.kind {
            Kind::Data { side: of, bytes } => {
                connection.sides[of.index()].bytes.extend(bytes.iter().copied().map(Some))
            }
            Kind::Gap { side: of, length } => {
                let bytes = &mut connection.sides[of.index()].bytes;
                bytes.resize(bytes.len() + length.unwrap_or(JUMP) as usize, None);
            }
            Kind::Eof { side: of } => {
                assert!(
                    !std::mem::replace(&mut connection.sides[of.index()].eof, true),
                    "a side ends once"
                );
            }
            Kind::Note(Note::Overlap { side: of, length }) => {
                let differing = &mut connection.sides[of.index()].differing;
                *differing = differing.map(|count| count + length);
            }
            Kind::Note(Note::GuessedRole) => assert_eq!(connection.start, Start::Missed),
            Kind::Reset { side } => {
                assert_eq!(connection.reset.replace(side), None, "one side resets");
            }
            Kind::Cut => connection.cut = true,
            _ => {}
        }
        Ok(())
    }
}
