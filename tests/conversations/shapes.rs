//! Who speaks when, and who ends how: played from either side to a strict other end.

use std::net::SocketAddr;
use std::sync::Arc;

use wirespool::replay::{Options, Outcome, Receipt, Script};
use wirespool::session::Side;

use crate::support::Line::{self, *};
use crate::support::actor::act;
use crate::support::dial;
use crate::support::playing::{replay_to, script, serve_to};

const SHAPES: [(&str, &[Line<'static>]); 11] = [
    (
        "the server speaks first",
        &[
            Server(b"220 ready\n"),
            Client(b"HELO\n"),
            Server(b"250 ok\n"),
            ClientCloses,
            ServerCloses,
        ],
    ),
    (
        "the server pushes after a subscription",
        &[
            Client(b"SUBSCRIBE\n"),
            Server(b"OK\n"),
            Server(b"news 1\n"),
            Server(b"news 2\n"),
            Server(b"news 3\n"),
            ClientCloses,
            ServerCloses,
        ],
    ),
    (
        "the server pushes unasked and ends",
        &[Server(b"tick 1\n"), Server(b"tick 2\n"), ServerCloses, ClientCloses],
    ),
    (
        "requests are pipelined",
        &[
            Client(b"get a\n"),
            Client(b"get b\n"),
            Client(b"get c\n"),
            Server(b"1\n"),
            Server(b"22\n"),
            Server(b"333\n"),
            ClientCloses,
            ServerCloses,
        ],
    ),
    (
        "requests overtake answers",
        &[
            Client(b"get a\n"),
            Client(b"get b\n"),
            Server(b"1\n"),
            Client(b"get c\n"),
            Server(b"22\n"),
            Server(b"333\n"),
            ClientCloses,
            ServerCloses,
        ],
    ),
    (
        "each speaks until it has closed",
        &[Client(b"request\n"), ClientCloses, Server(b"answer\n"), ServerCloses],
    ),
    (
        "the client goes on after the server has closed",
        &[
            Client(b"a\n"),
            Server(b"b\n"),
            ServerCloses,
            Client(b"c\n"),
            Client(b"d\n"),
            ClientCloses,
        ],
    ),
    ("the server ends", &[Client(b"GET / HTTP\n"), Server(b"200\n"), ServerCloses, ClientCloses]),
    (
        "the server aborts",
        &[Client(b"a\n"), Server(b"b\n"), Client(b"c\n"), Server(b"d\n"), ServerResets],
    ),
    ("the client aborts", &[Client(b"a\n"), Server(b"b\n"), Client(b"c\n"), ClientResets]),
    (
        "both speak as they like",
        &[
            Server(b"a\n"),
            Server(b"b\n"),
            Client(b"c\n"),
            Server(b"d\n"),
            Client(b"e\n"),
            Client(b"f\n"),
            Server(b"g\n"),
            ServerCloses,
            Client(b"h\n"),
            ClientCloses,
        ],
    ),
];

/// Plays `recorded` as `ours` to one that does as in `live`.
fn play(ours: Side, recorded: Arc<Script>, live: Vec<Line<'static>>) -> Receipt {
    match ours {
        Side::Client => {
            replay_to(recorded, Options::default(), move |stream| act(stream, Side::Server, &live))
                .0
        }
        Side::Server => {
            let client = move |address: SocketAddr| act(dial(address), Side::Client, &live);
            serve_to(recorded, Options::default(), client).0
        }
    }
}

#[test]
fn every_shape_is_played_from_either_side_to_a_peer_that_waits_for_its_turn() {
    for (shape, lines) in SHAPES {
        for format in ["raw", "text/line"] {
            for ours in Side::BOTH {
                let receipt = play(ours, script(format, lines), lines.to_vec());
                let said = |side| {
                    lines.iter().filter(move |line| line.side() == side && line.said().is_some())
                };
                let heard = said(ours.other()).count() as u64;
                let expected = if heard == 0 { Outcome::Delivered } else { Outcome::Verified };
                let what = format!("{shape}, {format}, as {ours}: {receipt}");
                assert_eq!(receipt.outcome, expected, "{what}");
                let [one] = receipt.connections.as_slice() else { panic!("{what}") };
                assert_eq!((one.sent, one.matched), (said(ours).count() as u64, heard), "{what}");
                assert_eq!((one.reordered, one.clamped, one.stalls), (0, 0, 0), "{what}");
                assert!(one.tainted.is_empty() && one.notes.is_empty(), "{what}");
            }
        }
    }
}

#[test]
fn any_one_message_that_differs_is_named_in_every_shape_and_from_either_side() {
    for (shape, lines) in SHAPES {
        for format in ["raw", "text/line"] {
            for ours in Side::BOTH {
                let messages = lines.iter().enumerate().filter(|(_, line)| line.said().is_some());
                for (index, (place, line)) in messages.enumerate() {
                    if line.side() == ours {
                        continue;
                    }
                    let mut live = lines.to_vec();
                    live[place] = match line {
                        Client(_) => {
                            Client(&b"????????????????\n"[17 - line.said().unwrap().len()..])
                        }
                        _ => Server(&b"????????????????\n"[17 - line.said().unwrap().len()..]),
                    };
                    let receipt = play(ours, script(format, lines), live);
                    let what = format!("{shape}, {format}, as {ours}, message {index}: {receipt}");
                    assert_eq!(receipt.outcome, Outcome::Failed, "{what}");
                    let found = &receipt.connections[0].differences;
                    assert_eq!(found.len(), 1, "{what}");
                    assert_eq!(found[0].index, Some(index as u64), "{what}");
                }
            }
        }
    }
}
