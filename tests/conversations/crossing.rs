//! Messages that met on the way: the recording has them in one order, the live peers in another.

use std::io::{Read, Write};
use std::time::Duration;

use wirespool::replay::{Outcome, Receipt};
use wirespool::session::Side;

use crate::support::Line::{self, *};
use crate::support::playing::{patience, replay_to, script_at, serve_to};
use crate::support::{dial, half_close, read_exactly, read_to_end};

/// Enough for a busy machine; a fifth of it is waited for what may have crossed.
const PATIENCE: Duration = Duration::from_millis(500);

/// The client's message recorded last, so that a recorder cannot tell which was first.
const CLIENT_SECOND: [(i64, Line<'static>); 4] = [
    (10_000, Server(b"hello\n")),
    (10_020, Client(b"hi\n")),
    (20_000, ClientCloses),
    (30_000, ServerCloses),
];
/// The server's.
const SERVER_SECOND: [(i64, Line<'static>); 4] = [
    (10_000, Client(b"hi\n")),
    (10_020, Server(b"hello\n")),
    (20_000, ClientCloses),
    (30_000, ServerCloses),
];

fn one(receipt: &Receipt) -> (Outcome, u64, u64) {
    let [one] = receipt.connections.as_slice() else { panic!("{receipt}") };
    (receipt.outcome, one.reordered, one.stalls)
}

#[test]
fn a_client_that_speaks_when_spoken_to_is_spoken_to() {
    for format in ["raw", "text/line"] {
        let recorded = script_at(format, &SERVER_SECOND);
        let (receipt, ()) = serve_to(recorded, patience(PATIENCE), |address| {
            let mut stream = dial(address);
            assert_eq!(read_exactly(&mut stream, 6), b"hello\n");
            stream.write_all(b"hi\n").unwrap();
            half_close(&stream);
            read_to_end(&mut stream);
        });
        assert_eq!(one(&receipt), (Outcome::Verified, 1, 0), "{format}: {receipt}");
    }
}

#[test]
fn the_last_word_of_a_recording_that_breaks_off_may_have_crossed_too() {
    let cut = [(10_000, Client(b"hi\n")), (10_020, Server(b"hello\n")), (10_030, Cut)];
    let (receipt, ()) = serve_to(script_at("raw", &cut), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        assert_eq!(read_exactly(&mut stream, 6), b"hello\n");
        stream.write_all(b"hi\n").unwrap();
        half_close(&stream);
        let _ = stream.read(&mut [0]);
    });
    assert_eq!(one(&receipt), (Outcome::Verified, 1, 0), "{receipt}");
}

#[test]
fn peers_that_do_not_wait_for_each_other_are_verified_whoever_was_recorded_first() {
    for recorded in [CLIENT_SECOND, SERVER_SECOND] {
        let script = || script_at("text/line", &recorded);
        let (receipt, ()) = replay_to(script(), patience(PATIENCE), |mut stream| {
            stream.write_all(b"hello\n").unwrap();
            assert_eq!(read_to_end(&mut stream), b"hi\n");
        });
        assert_eq!(one(&receipt), (Outcome::Verified, 0, 0), "{receipt}");
        let (receipt, ()) = serve_to(script(), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            stream.write_all(b"hi\n").unwrap();
            half_close(&stream);
            assert_eq!(read_to_end(&mut stream), b"hello\n");
        });
        assert_eq!(one(&receipt), (Outcome::Verified, 0, 0), "{receipt}");
    }
}

#[test]
fn what_crossed_and_never_comes_is_missed() {
    let (receipt, ()) =
        replay_to(script_at("text/line", &CLIENT_SECOND), patience(PATIENCE), |mut stream| {
            assert_eq!(read_to_end(&mut stream), b"hi\n");
        });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.connections[0].missed, 1, "{receipt}");
    let (receipt, ()) =
        serve_to(script_at("text/line", &SERVER_SECOND), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            assert_eq!(read_exactly(&mut stream, 6), b"hello\n");
            half_close(&stream);
            let _ = stream.read(&mut [0]);
        });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.connections[0].missed, 1, "{receipt}");
}

#[test]
fn what_the_recorder_could_order_is_never_sent_early() {
    // Two milliseconds apart: the client heard the greeting before it spoke.
    let ordered = [(10_000, Server(b"hello\n")), (12_000, Client(b"hi\n")), (20_000, ClientCloses)];
    let (receipt, heard) =
        replay_to(script_at("text/line", &ordered), patience(PATIENCE), |mut stream| {
            read_to_end(&mut stream)
        });
    assert_eq!(one(&receipt), (Outcome::Failed, 0, 1), "{receipt}");
    assert_eq!(heard, b"", "spoken before it was spoken to");
}

#[test]
fn many_messages_that_may_have_crossed_are_waited_for_no_longer_than_one() {
    // As a pipeline on loopback: hundreds of answers within a millisecond, and then the next request.
    let mut recorded = vec![(10_000, Client(b"get\n"))];
    recorded.extend([(12_000, Server(b"1\n")); 500]);
    recorded.extend([(12_500, Client(b"more\n")), (20_000, ClientCloses), (30_000, ServerCloses)]);
    // `run` in the support finds a hang.
    let (receipt, ()) = replay_to(
        script_at("text/line", &recorded),
        patience(Duration::from_secs(1)),
        |mut stream| drop(read_to_end(&mut stream)),
    );
    let (outcome, reordered, stalls) = one(&receipt);
    assert_eq!((outcome, stalls), (Outcome::Failed, 1), "{receipt}");
    assert!(reordered <= 1, "one message was sent before its turn: {receipt}");
}

#[test]
fn a_side_that_is_silent_among_crossing_messages_is_a_stall_from_either_side() {
    for ours in Side::BOTH {
        let recorded = if ours == Side::Client { CLIENT_SECOND } else { SERVER_SECOND };
        let script = script_at("raw", &recorded);
        let receipt = match ours {
            Side::Client => {
                replay_to(script, patience(PATIENCE), |mut stream| {
                    read_exactly(&mut stream, 3);
                    let _ = stream.read(&mut [0]);
                    let _ = stream.read(&mut [0]);
                })
                .0
            }
            Side::Server => {
                serve_to(script, patience(PATIENCE), |address| {
                    let mut stream = dial(address);
                    assert_eq!(read_exactly(&mut stream, 6), b"hello\n");
                    let _ = stream.read(&mut [0]);
                })
                .0
            }
        };
        assert_eq!(one(&receipt), (Outcome::Failed, 1, 1), "{receipt}");
        assert!(receipt.to_string().contains("stalled: connection 0 waited"), "{receipt}");
    }
}
