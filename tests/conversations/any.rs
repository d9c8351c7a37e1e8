//! Conversations made by chance: a peer that does as recorded is accepted, one that does anything else is not.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use proptest::prelude::*;
use wirespool::replay::{Options, Outcome, Receipt, Speed};
use wirespool::session::Side;

use crate::support::Line::{self, *};
use crate::support::dial;
use crate::support::playing::{patience, play_to, replay_to, script_paced, serve_to};

const WORDS: [&[u8]; 4] = [b"a\n", b"bb\n", b"two words\n", b"\n"];
const FORMATS: [&str; 2] = ["raw", "text/line"];
/// Near enough to have crossed, and not.
const STEPS: [Duration; 2] = [Duration::from_micros(50), Duration::from_millis(2)];

/// What a live peer does otherwise than recorded.
#[derive(Clone, Copy, Debug)]
enum Deviation {
    Says(&'static [u8]),
    Omits,
    Repeats,
    EndsBefore,
}

/// Who says what; one of the sides ends somewhere in the middle, the other one last.
pub fn conversation() -> impl Strategy<Value = Vec<Line<'static>>> {
    let side = prop_oneof![Just(Side::Client), Just(Side::Server)];
    let said = prop::collection::vec((side.clone(), 0..WORDS.len()), 1..9);
    (said, side, any::<prop::sample::Index>()).prop_map(|(said, first, place)| {
        let end = place.index(said.len() + 1);
        let mut lines = Vec::new();
        for (place, (side, word)) in said.into_iter().enumerate() {
            if place == end {
                lines.push(close(first));
            }
            if place < end || side != first {
                lines.push(say(side, WORDS[word]));
            }
        }
        if !lines.iter().any(|line| line.said().is_none()) {
            lines.push(close(first));
        }
        lines.push(close(first.other()));
        lines
    })
}

fn deviation() -> impl Strategy<Value = Deviation> {
    prop_oneof![
        Just(Deviation::Says(b"x\n")),
        Just(Deviation::Says(b"a much longer line\n")),
        Just(Deviation::Omits),
        Just(Deviation::Repeats),
        Just(Deviation::EndsBefore),
    ]
}

fn say(side: Side, bytes: &'static [u8]) -> Line<'static> {
    if side == Side::Client { Client(bytes) } else { Server(bytes) }
}

fn close(side: Side) -> Line<'static> {
    if side == Side::Client { ClientCloses } else { ServerCloses }
}

/// What the peer does instead of line `place`, which is one of its messages.
fn deviate(lines: &[Line<'static>], place: usize, deviation: Deviation) -> Vec<Line<'static>> {
    let side = lines[place].side();
    let mut live = lines.to_vec();
    match deviation {
        Deviation::Says(bytes) => live[place] = say(side, bytes),
        Deviation::Omits => drop(live.remove(place)),
        Deviation::Repeats => live.insert(place, live[place]),
        Deviation::EndsBefore => {
            live.retain({
                let mut at = 0;
                move |line| {
                    at += 1;
                    at <= place || line.side() != side
                }
            });
            live.insert(place, close(side));
        }
    }
    live
}

/// Does `side`'s part of `lines` for as long as the other end does its own.
fn act(mut stream: TcpStream, side: Side, lines: &[Line<'static>]) {
    for line in lines {
        let own = line.side() == side;
        let done = match line.said() {
            Some(bytes) if own => stream.write_all(bytes).is_ok(),
            Some(bytes) => stream.read_exact(&mut vec![0; bytes.len()]).is_ok(),
            None if own => stream.shutdown(Shutdown::Write).is_ok(),
            None => matches!(stream.read(&mut [0]), Ok(0)),
        };
        if !done {
            return;
        }
    }
}

fn play(
    ours: Side,
    step: Duration,
    format: &str,
    recorded: &[Line<'static>],
    live: &[Line<'static>],
) -> Receipt {
    let script = script_paced(format, step, recorded);
    let live = live.to_vec();
    // Long enough for a peer that is there, short enough for many that are not.
    let options = patience(Duration::from_millis(if live == recorded { 5000 } else { 150 }));
    match ours {
        Side::Client => {
            replay_to(script, options, move |stream| act(stream, Side::Server, &live)).0
        }
        Side::Server => {
            let client = move |address: SocketAddr| act(dial(address), Side::Client, &live);
            serve_to(script, options, client).0
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn whoever_does_as_recorded_is_accepted(
        lines in conversation(), format in 0..2_usize, step in 0..2_usize
    ) {
        for ours in Side::BOTH {
            let receipt = play(ours, STEPS[step], FORMATS[format], &lines, &lines);
            let heard = lines.iter().any(|line| line.said().is_some() && line.side() != ours);
            let said = lines.iter().any(|line| line.said().is_some());
            let expected = match (said, heard) {
                (false, _) => Outcome::Failed,
                (true, false) => Outcome::Delivered,
                (true, true) => Outcome::Verified,
            };
            prop_assert_eq!(receipt.outcome, expected, "{}, as {}: {}", FORMATS[format], ours, receipt);
            prop_assert_eq!(receipt.connections[0].reordered, 0, "{}", receipt);
        }
    }

    #[test]
    fn whoever_does_anything_else_is_not(
        lines in conversation(),
        place in any::<prop::sample::Index>(),
        deviation in deviation(),
        format in 0..2_usize,
        step in 0..2_usize,
    ) {
        let messages: Vec<_> = (0..lines.len()).filter(|&at| lines[at].said().is_some()).collect();
        prop_assume!(!messages.is_empty());
        let place = messages[place.index(messages.len())];
        let ours = lines[place].side().other();
        let live = deviate(&lines, place, deviation);
        let receipt = play(ours, STEPS[step], FORMATS[format], &lines, &live);
        prop_assert_eq!(
            receipt.outcome, Outcome::Failed, "{}, as {}, {:?}: {}", FORMATS[format], ours, live, receipt
        );
    }

    #[test]
    fn a_replay_to_what_is_served_of_the_same_recording_verifies_both(
        lines in conversation(), format in 0..2_usize, step in 0..2_usize, in_no_time in any::<bool>()
    ) {
        let script = || script_paced(FORMATS[format], STEPS[step], &lines);
        let speed = if in_no_time { Speed::Max } else { Speed::RECORDED };
        let options = move || Options { speed, ..Options::default() };
        let client = script();
        let (served, replayed) = serve_to(script(), options(), move |address| {
            play_to(address, client, options())
        });
        for (receipt, ours) in [(replayed, Side::Client), (served, Side::Server)] {
            let said = |side: Side| lines.iter().any(|line| line.side() == side && line.said().is_some());
            let expected = match (said(ours), said(ours.other())) {
                (_, true) => Outcome::Verified,
                (true, false) => Outcome::Delivered,
                (false, false) => Outcome::Failed,
            };
            prop_assert_eq!(receipt.outcome, expected, "as {}: {}", ours, receipt);
            let one = &receipt.connections[0];
            prop_assert_eq!((one.reordered, one.stalls), (0, 0), "as {}: {}", ours, receipt);
            prop_assert!(one.notes.is_empty(), "as {}: {}", ours, receipt);
        }
    }
}
