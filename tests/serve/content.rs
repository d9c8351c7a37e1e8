//! Clients are known by what they say first.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use super::support::Line::*;
use super::support::playing::{patience, script_of, serve_as};
use super::support::{Kept, dial, half_close, read_exactly, read_to_end, reset};
use super::{HI, exchange, soon, talk};
use std::sync::Arc;
use wirespool::net::Recorder;
use wirespool::replay::{Matching, Options, Outcome, Serving};
use wirespool::session::{Side, Sink};

fn by_content() -> Serving {
    Serving { matching: Matching::Content, ..Serving::default() }
}

const ONE: [super::Line<'_>; 4] = exchange!(b"one\n", b"ONE\n");
const TWO: [super::Line<'_>; 4] = exchange!(b"two\n", b"TWO\n");
const THREE: [super::Line<'_>; 4] = exchange!(b"three\n", b"THREE\n");

#[test]
fn clients_may_come_in_another_order_than_recorded() {
    for format in ["raw", "text/line", "text", "auto"] {
        let script = script_of(format, &[&ONE, &TWO, &THREE]);
        let (receipt, heard) = serve_as(script, Options::default(), by_content(), |address| {
            ["three\n", "one\n", "two\n"].map(|said| talk(address, said))
        });
        assert_eq!(heard, ["THREE\n", "ONE\n", "TWO\n"], "{format}");
        assert_eq!(receipt.outcome, Outcome::Verified, "{format}: {receipt}");
        let numbers: Vec<u64> = receipt.connections.iter().map(|one| one.connection).collect();
        assert_eq!(numbers, [0, 1, 2], "in recorded order");
    }
}

#[test]
fn those_who_begin_alike_are_taken_in_recorded_order() {
    let recorded =
        [exchange!(b"hi\n", b"1\n"), exchange!(b"ho\n", b"2\n"), exchange!(b"hi\n", b"3\n")];
    let [first, other, second] = &recorded;
    let script = script_of("text/line", &[first, other, second]);
    let (receipt, heard) = serve_as(script, Options::default(), by_content(), |address| {
        ["hi\n", "hi\n", "ho\n"].map(|said| talk(address, said))
    });
    assert_eq!(heard, ["1\n", "3\n", "2\n"]);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn a_first_message_may_come_in_pieces_and_the_rest_with_it() {
    for format in ["raw", "text/line"] {
        let more =
            [Client(b"two\n"), Client(b"more\n"), Server(b"yes\n"), ClientCloses, ServerCloses];
        let script = script_of(format, &[&ONE, &more]);
        let (receipt, heard) = serve_as(script, Options::default(), by_content(), |address| {
            let mut stream = dial(address);
            for piece in [&b"t"[..], b"w", b"o\nmo", b"re\n"] {
                stream.write_all(piece).unwrap();
            }
            half_close(&stream);
            (read_to_end(&mut stream), talk(address, "one\n"))
        });
        assert_eq!(heard, (b"yes\n".to_vec(), "ONE\n".to_owned()), "{format}");
        assert_eq!(receipt.outcome, Outcome::Verified, "{format}: {receipt}");
    }
}

#[test]
fn of_two_that_begin_alike_in_bytes_the_longer_one_is_meant_if_it_is_said() {
    let short = exchange!(b"GET", b"short");
    let long = exchange!(b"GET /a", b"long");
    let script = script_of("raw", &[&short, &long]);
    let (receipt, heard) = serve_as(script, Options::default(), by_content(), |address| {
        let mut waiting = dial(address);
        waiting.write_all(b"GET").unwrap();
        let answer = read_exactly(&mut waiting, 5);
        half_close(&waiting);
        (answer, talk(address, "GET /a"))
    });
    assert_eq!(heard, (b"short".to_vec(), "long".to_owned()));
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn a_silent_client_holds_up_nobody() {
    let greeting = [Server(b"welcome\n"), Client(b"thanks\n"), ClientCloses, ServerCloses];
    let script = script_of("text/line", &[&greeting, &ONE, &TWO, &TWO]);
    let (receipt, heard) = serve_as(script, soon(), by_content(), |address| {
        let mut silent = dial(address);
        let one = talk(address, "one\n");
        let two = talk(address, "two\n");
        // Others are left, so it is known by its silence alone.
        let greeting = read_exactly(&mut silent, 8);
        silent.write_all(b"thanks\n").unwrap();
        half_close(&silent);
        read_to_end(&mut silent);
        (one, two, greeting, talk(address, "two\n"))
    });
    assert_eq!(heard.0 + &heard.1 + &heard.3, "ONE\nTWO\nTWO\n");
    assert_eq!(heard.2, b"welcome\n");
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn where_the_server_always_speaks_first_nobody_waits() {
    let greetings = [
        [Server(b"a\n"), ClientCloses, ServerCloses],
        [Server(b"b\n"), ClientCloses, ServerCloses],
    ];
    let script = script_of("text/line", &[&greetings[0], &greetings[1]]);
    let options = patience(Duration::from_secs(3600));
    let (receipt, heard) =
        serve_as(script, options, by_content(), |address| [(); 2].map(|()| talk(address, "")));
    assert_eq!(heard, ["a\n", "b\n"]);
    assert_eq!(receipt.outcome, Outcome::Delivered, "{receipt}");
}

#[test]
fn a_silent_client_is_greeted_once_no_other_is_left() {
    let greeting = [Server(b"welcome\n"), ClientCloses, ServerCloses];
    let script = script_of("text/line", &[&greeting, &ONE]);
    // Longer than any test: it is not the patience that ends its silence.
    let options = patience(Duration::from_secs(3600));
    let (receipt, heard) = serve_as(script, options, by_content(), |address| {
        let mut silent = dial(address);
        let one = talk(address, "one\n");
        let greeting = read_exactly(&mut silent, 8);
        half_close(&silent);
        read_to_end(&mut silent);
        (one, greeting)
    });
    assert_eq!(heard, ("ONE\n".to_owned(), b"welcome\n".to_vec()));
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn no_more_are_taken_than_were_asked_for_however_many_have_come() {
    let serving = Serving { connections: Some(1), ..by_content() };
    let script = script_of("text/line", &[&ONE, &TWO]);
    let (receipt, heard) = serve_as(script, soon(), serving, |address| {
        let mut waiting = dial(address);
        let one = talk(address, "one\n");
        let _ = waiting.write_all(b"two\n");
        let mut heard = Vec::new();
        let _ = std::io::Read::read_to_end(&mut waiting, &mut heard);
        (one, heard)
    });
    assert_eq!(heard, ("ONE\n".to_owned(), Vec::new()));
    assert!(receipt.connections[1].failures[0].contains("only 1 were asked for"), "{receipt}");
    assert_eq!(receipt.unmatched.closed, 0, "{receipt}");
}

#[test]
fn a_client_that_is_cut_short_after_it_was_known_has_failed() {
    let longer =
        [Client(b"one\n"), Server(b"ONE\n"), Client(b"more\n"), ClientCloses, ServerCloses];
    let script = script_of("text/line", &[&longer, &TWO]);
    let (receipt, ()) = serve_as(script, soon(), by_content(), |address| {
        talk(address, "one\n");
        talk(address, "two\n");
    });
    let outcomes: Vec<Outcome> = receipt.connections.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Verified], "{receipt}");
    assert_eq!(receipt.connections[0].missed, 1);
}

#[test]
fn a_client_cut_short_in_its_first_message_is_nobody() {
    let script = script_of("text/line", &[&ONE]);
    let (receipt, ()) = serve_as(script, soon(), by_content(), |address| drop(talk(address, "on")));
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.unmatched.closed, 1, "{receipt}");
}

#[test]
fn a_client_that_aborts_before_it_is_known_is_nobody() {
    let script = script_of("text/line", &[&ONE]);
    let (receipt, ()) = serve_as(script, soon(), by_content(), |address| {
        reset(dial(address));
        talk(address, "one\n");
    });
    assert_eq!(receipt.connections[0].outcome, Outcome::Verified, "{receipt}");
    assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1), "{receipt}");
}

#[test]
fn what_was_heard_before_it_was_known_whose_it_is_is_taken_down_once() {
    let kept = Kept::default();
    let sink: Box<dyn Sink + Send> = Box::new(kept.clone());
    let options = Options { record: Some(Arc::new(Recorder::new(sink))), ..Options::default() };
    let script = script_of("text/line", &[&ONE, &HI]);
    let (receipt, _) = serve_as(script, options, by_content(), |address| {
        (talk(address, "hi\n"), talk(address, "one\n"))
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert_eq!(kept.bytes(Side::Client), b"hi\none\n");
    assert_eq!(kept.bytes(Side::Server), b"hello\nONE\n");
}

#[test]
fn a_client_that_drips_is_not_waited_for_beyond_the_patience() {
    let long = [b'x'; 1000];
    let recorded = [Client(&long), Server(b"ok"), ClientCloses, ServerCloses];
    let closed = |address: SocketAddr| {
        let mut stream = dial(address);
        // Each byte comes well within the patience; all of them would take far more than it.
        (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(b"x").is_err()
        })
    };
    let (receipt, closed) = serve_as(script_of("raw", &[&recorded]), soon(), by_content(), closed);
    assert!(closed, "{receipt}");
    assert_eq!(receipt.outcome, Outcome::Failed);
}
