//! Who is who, where the recorded server is played: clients in any order, beside each other, again and
//! again, and clients that nobody recorded.

mod support;

#[path = "serve/content.rs"]
mod content;
#[path = "serve/repeat.rs"]
mod repeat;
#[path = "serve/strangers.rs"]
mod strangers;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use support::Line::{self, *};
use support::playing::{patience, script_of, serve_as, serve_to};
use support::{dial, half_close, read_to_end};
use wirespool::net::Stop;
use wirespool::replay::{Options, Outcome, Serving};

/// A connection on which the client says one line and the server another.
macro_rules! exchange {
    ($said:literal, $answer:literal) => {
        [Client($said), Server($answer), ClientCloses, ServerCloses]
    };
}
pub(crate) use exchange;

pub(crate) const HI: [Line<'_>; 4] = exchange!(b"hi\n", b"hello\n");

/// Says something on a connection of its own, and returns all that comes back.
pub(crate) fn talk(address: SocketAddr, said: &str) -> String {
    let mut stream = dial(address);
    stream.write_all(said.as_bytes()).unwrap();
    half_close(&stream);
    String::from_utf8(read_to_end(&mut stream)).unwrap()
}

/// Time enough for a busy machine, but not for a test to pass by waiting.
pub(crate) fn soon() -> Options {
    patience(Duration::from_millis(300))
}

#[test]
fn nobody_within_the_wait_is_a_failure_in_words() {
    let serving = Serving { wait: Some(Duration::from_millis(50)), ..Serving::default() };
    let (receipt, ()) = serve_as(script_of("raw", &[&HI]), Options::default(), serving, |_| ());
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert!(receipt.to_string().contains("stalled: no client came for it within 0."), "{receipt}");
}

#[test]
fn one_patience_is_enough_to_miss_all_who_do_not_come() {
    let begun = std::time::Instant::now();
    let (receipt, heard) =
        serve_to(script_of("raw", &[&HI[..]; 50]), soon(), |address| talk(address, "hi\n"));
    assert_eq!(heard, "hello\n");
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert_eq!(receipt.connections.iter().filter(|one| one.plays == 1).count(), 1);
    assert_eq!(receipt.to_string().matches("no client came for it").count(), 49, "{receipt}");
    assert!(begun.elapsed() < 50 * Duration::from_millis(300));
}

#[test]
fn a_client_who_takes_its_time_does_not_make_the_next_one_late() {
    let slow = [Client(b"a"), Client(b"b"), Client(b"c"), ClientCloses, ServerCloses];
    let script = script_of("raw", &[&slow, &HI]);
    let (receipt, ()) = serve_to(script, soon(), |address| {
        let mut stream = dial(address);
        for said in [b"a", b"b", b"c"] {
            stream.write_all(said).unwrap();
            std::thread::sleep(Duration::from_millis(150)); // the slowness itself
        }
        half_close(&stream);
        read_to_end(&mut stream);
        talk(address, "hi\n");
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn what_was_begun_when_no_more_clients_come_is_played_to_the_end() {
    let serving = Serving::default();
    let closing: Stop = serving.closing.clone();
    let (receipt, heard) =
        serve_as(script_of("raw", &[&HI, &HI]), Options::default(), serving, move |address| {
            let mut stream = dial(address);
            closing.request();
            stream.write_all(b"hi\n").unwrap();
            half_close(&stream);
            read_to_end(&mut stream)
        });
    assert_eq!(heard, b"hello\n");
    let [played, missing] = receipt.connections.as_slice() else { panic!("{receipt}") };
    assert_eq!(
        (played.outcome, missing.outcome),
        (Outcome::Verified, Outcome::Failed),
        "{receipt}"
    );
    assert!(missing.failures[0].contains("no client came"), "{receipt}");
}
