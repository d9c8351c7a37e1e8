//! Who ends first, and how.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use wirespool::replay::{Outcome, Receipt};

use crate::support::Line::{self, *};
use crate::support::playing::{patience, replay_to, script, script_at, serve_to};
use crate::support::{dial, half_close, read_exactly, read_to_end, reset};

const PATIENCE: Duration = Duration::from_millis(500);

const SERVER_ENDS: [Line<'static>; 4] =
    [Client(b"get\n"), Server(b"got\n"), ServerCloses, ClientCloses];
const CLIENT_ENDS: [Line<'static>; 4] =
    [Client(b"get\n"), Server(b"got\n"), ClientCloses, ServerCloses];

fn verdict(receipt: &Receipt) -> (Outcome, u64) {
    (receipt.outcome, receipt.connections[0].stalls)
}

/// That the other end has not closed: nothing announces it, so a while must do.
fn assert_open(stream: &mut TcpStream) {
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let heard = stream.read(&mut [0]).map_err(|error| error.kind());
    assert!(matches!(heard, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{heard:?}");
    stream.set_read_timeout(Some(crate::support::LIMIT)).unwrap();
}

#[test]
fn a_server_that_ended_first_is_not_ended_on_first() {
    let (receipt, ()) = replay_to(script("raw", &SERVER_ENDS), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 4);
        stream.write_all(b"got\n").unwrap();
        assert_open(&mut stream);
        half_close(&stream);
        assert_eq!(read_to_end(&mut stream), b"");
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
    assert!(receipt.connections[0].notes.is_empty(), "{receipt}");
}

#[test]
fn a_client_that_ended_first_is_not_ended_on_first() {
    let (receipt, ()) = serve_to(script("raw", &CLIENT_ENDS), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"get\n").unwrap();
        read_exactly(&mut stream, 4);
        assert_open(&mut stream);
        half_close(&stream);
        assert_eq!(read_to_end(&mut stream), b"");
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
}

#[test]
fn two_ends_that_crossed_do_not_wait_for_each_other() {
    let times = [1_000, 12_000, 23_000, 23_020];
    let at = |lines: [Line<'static>; 4]| {
        script_at("raw", &[0, 1, 2, 3].map(|place| (times[place], lines[place])))
    };
    // The recorder saw the server's end first; this one waits for ours.
    let (receipt, ()) = replay_to(at(SERVER_ENDS), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 4);
        stream.write_all(b"got\n").unwrap();
        assert_eq!(read_to_end(&mut stream), b"");
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
    // And the other way round.
    let (receipt, ()) = serve_to(at(CLIENT_ENDS), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"get\n").unwrap();
        assert_eq!(read_to_end(&mut stream), b"got\n");
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
}

#[test]
fn a_server_that_does_not_end_has_still_taken_everything_and_that_is_noted() {
    let (receipt, ()) = replay_to(script("raw", &SERVER_ENDS), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 4);
        stream.write_all(b"got\n").unwrap();
        assert_eq!(read_to_end(&mut stream), b"");
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
    assert!(receipt.to_string().contains("did not close within"), "{receipt}");
}

#[test]
fn a_client_that_does_not_end_is_a_stall_that_says_so() {
    let (receipt, ()) = serve_to(script("raw", &CLIENT_ENDS), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"get\n").unwrap();
        assert_eq!(read_to_end(&mut stream), b"got\n");
    });
    assert_eq!(verdict(&receipt), (Outcome::Failed, 1), "{receipt}");
    assert!(receipt.to_string().contains("for the client to close"), "{receipt}");
}

#[test]
fn a_client_that_aborts_where_it_closed_has_failed() {
    let (receipt, ()) = serve_to(script("raw", &CLIENT_ENDS), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"get\n").unwrap();
        read_exactly(&mut stream, 4);
        reset(stream);
    });
    assert_eq!(verdict(&receipt), (Outcome::Failed, 0), "{receipt}");
    assert!(receipt.to_string().contains("the client reset the connection"), "{receipt}");
}

#[test]
fn a_close_where_an_abort_was_recorded_is_noted_from_either_side() {
    let aborts = [Client(b"get\n"), Server(b"got\n"), ServerResets];
    let (receipt, ()) = replay_to(script("raw", &aborts), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 4);
        stream.write_all(b"got\n").unwrap();
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
    assert!(receipt.to_string().contains("recorded to reset"), "{receipt}");
    let aborts = [Client(b"get\n"), Server(b"got\n"), ClientResets];
    let (receipt, ()) = serve_to(script("raw", &aborts), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"get\n").unwrap();
        read_exactly(&mut stream, 4);
    });
    assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{receipt}");
    assert!(receipt.to_string().contains("recorded to reset"), "{receipt}");
}

#[test]
fn an_abort_in_the_middle_is_told_with_how_far_it_had_come_from_either_side() {
    let lines = [
        Client(b"get 1\n"),
        Server(b"got 1\n"),
        Client(b"get 2\n"),
        Server(b"got 2\n"),
        ClientCloses,
        ServerCloses,
    ];
    for format in ["raw", "text/line"] {
        let (receipt, ()) = replay_to(script(format, &lines), patience(PATIENCE), |mut stream| {
            read_exactly(&mut stream, 6);
            stream.write_all(b"got 1\n").unwrap();
            read_exactly(&mut stream, 6);
            reset(stream);
        });
        assert_eq!(verdict(&receipt), (Outcome::Failed, 0), "{receipt}");
        assert_eq!(receipt.connections[0].missed, 1, "{receipt}");
        let told = "the server reset the connection after 1 of 2 messages";
        assert!(receipt.to_string().contains(told), "{receipt}");
        let (receipt, ()) = serve_to(script(format, &lines), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            stream.write_all(b"get 1\n").unwrap();
            read_exactly(&mut stream, 6);
            reset(stream);
        });
        assert_eq!(verdict(&receipt), (Outcome::Failed, 0), "{receipt}");
        assert_eq!(receipt.connections[0].missed, 1, "{receipt}");
        let told = "the client reset the connection after 1 of 2 messages";
        assert!(receipt.to_string().contains(told), "{receipt}");
    }
}

#[test]
fn a_peer_that_goes_on_where_the_recording_broke_off_has_done_nothing_else() {
    // As of a stream of news that was recorded for a while.
    let cut = [Client(b"subscribe\n"), Server(b"tick\n"), Server(b"tick\n"), Cut];
    for format in ["raw", "text/line"] {
        let (receipt, ()) = replay_to(script(format, &cut), patience(PATIENCE), |mut stream| {
            read_exactly(&mut stream, 10);
            while stream.write_all(b"tick\n").is_ok() {
                std::thread::sleep(Duration::from_millis(5)); // the traffic
            }
        });
        let [one] = receipt.connections.as_slice() else { panic!("{receipt}") };
        assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{format}: {receipt}");
        assert_eq!((one.matched, one.unexpected_bytes), (2, 0), "{format}: {receipt}");
        assert!(receipt.tainted && receipt.to_string().contains("went on"), "{format}: {receipt}");

        let asked = [Server(b"ask\n"), Client(b"one\n"), Client(b"two\n"), Cut];
        let (receipt, ()) = serve_to(script(format, &asked), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            read_exactly(&mut stream, 4);
            stream.write_all(b"one\ntwo\nthree\n").unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        });
        assert_eq!(verdict(&receipt), (Outcome::Verified, 0), "{format}: {receipt}");
    }
}
