//! Clients that nobody recorded: closed, or passed on.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use super::support::Line::*;
use super::support::playing::{script_of, serve_as};
use super::support::{
    Kept, dial, echo, half_close, limited, read_exactly, read_to_end, reset, server,
};
use super::{HI, exchange, soon, talk};
use wirespool::net::Recorder;
use wirespool::replay::{Matching, Miss, Options, Outcome, Serving};
use wirespool::session::{Side, Sink};

fn passing(address: std::net::SocketAddr) -> Serving {
    Serving { matching: Matching::Content, miss: Miss::Pass(address.into()), ..Serving::default() }
}

#[test]
fn a_client_that_nobody_recorded_is_closed_and_has_failed() {
    let serving = Serving { matching: Matching::Content, ..Serving::default() };
    let (receipt, heard) = serve_as(script_of("text/line", &[&HI]), soon(), serving, |address| {
        let mut stream = dial(address);
        stream.write_all(b"who\x1b[2J?\n").unwrap();
        let ended = stream.read(&mut [0]).map_err(|error| error.kind());
        (ended, talk(address, "hi\n"))
    });
    assert!(matches!(heard.0, Ok(0) | Err(ErrorKind::ConnectionReset)), "{heard:?}");
    assert_eq!(heard.1, "hello\n");
    assert_eq!(receipt.connections[0].outcome, Outcome::Verified, "{receipt}");
    assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1));
    assert!(receipt.to_string().contains("it said \"who"), "{receipt}");
    assert!(!receipt.to_string().contains('\x1b'), "{receipt}");
}

#[test]
fn one_more_client_than_recorded_is_closed_and_has_failed() {
    for matching in [Matching::Order, Matching::Content] {
        let serving = Serving { matching, ..Serving::default() };
        let (receipt, ()) = serve_as(script_of("text/line", &[&HI]), soon(), serving, |address| {
            let mut first = dial(address);
            first.write_all(b"hi\n").unwrap();
            read_exactly(&mut first, 6);
            let mut second = dial(address);
            assert_eq!(second.read(&mut [0]).unwrap(), 0);
        });
        assert_eq!(receipt.connections[0].outcome, Outcome::Verified, "{receipt}");
        assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1), "{receipt}");
    }
}

#[test]
fn a_server_that_stays_sees_who_comes_when_all_has_been_played() {
    let serving = Serving { stay: true, ..Serving::default() };
    let closing = serving.closing.clone();
    let (receipt, ()) = serve_as(script_of("text/line", &[&HI]), soon(), serving, move |address| {
        talk(address, "hi\n");
        let mut second = dial(address);
        assert_eq!(second.read(&mut [0]).unwrap(), 0);
        closing.request();
    });
    assert_eq!(receipt.connections[0].outcome, Outcome::Verified, "{receipt}");
    assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1), "{receipt}");
}

#[test]
fn whoever_has_connected_when_no_more_come_is_seen() {
    for _ in 0..20 {
        let serving = Serving { stay: true, ..Serving::default() };
        let closing = serving.closing.clone();
        let script = script_of("text/line", &[&HI]);
        let (receipt, _streams) = serve_as(script, soon(), serving, move |address| {
            let mut first = dial(address);
            let second = dial(address);
            closing.request();
            first.write_all(b"hi\n").unwrap();
            half_close(&first);
            read_to_end(&mut first);
            second
        });
        assert_eq!(receipt.connections[0].outcome, Outcome::Verified, "{receipt}");
        assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1), "{receipt}");
    }
}

#[test]
fn of_many_strangers_the_first_are_named_and_all_are_counted() {
    let serving = Serving { matching: Matching::Content, ..Serving::default() };
    let (receipt, ()) = serve_as(script_of("text/line", &[&HI]), soon(), serving, |address| {
        for number in 0..30 {
            let mut stream = dial(address);
            stream.write_all(format!("number {number}\n").as_bytes()).unwrap();
            let _ = stream.read(&mut [0]);
        }
        talk(address, "hi\n");
    });
    assert_eq!((receipt.unmatched.closed, receipt.unmatched.clients.len()), (30, 20));
    assert!(receipt.to_string().contains("10 more clients"), "{receipt}");
}

#[test]
fn a_client_that_nobody_recorded_is_passed_on_untouched() {
    let (elsewhere, serving) = server(|mut stream| {
        let heard = read_to_end(&mut stream);
        stream.write_all(b"from elsewhere").unwrap();
        heard
    });
    let (receipt, heard) =
        serve_as(script_of("text/line", &[&HI]), soon(), passing(elsewhere), |address| {
            (talk(address, "a stranger, \nhalf-closing"), talk(address, "hi\n"))
        });
    assert_eq!(heard, ("from elsewhere".to_owned(), "hello\n".to_owned()));
    assert_eq!(serving.join().unwrap(), b"a stranger, \nhalf-closing");
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let [stranger] = receipt.unmatched.clients.as_slice() else { panic!("{receipt}") };
    assert_eq!((receipt.unmatched.passed, receipt.unmatched.closed), (1, 0));
    assert_eq!((stranger.bytes_received, stranger.bytes_sent), (25, 14));
    assert!(receipt.to_string().contains(&format!("passed to {elsewhere}")), "{receipt}");
}

#[test]
fn a_conversation_that_is_passed_on_goes_both_ways_and_is_taken_down() {
    let (elsewhere, _echo) = server(echo);
    let kept = Kept::default();
    let sink: Box<dyn Sink + Send> = Box::new(kept.clone());
    let options = Options { record: Some(Arc::new(Recorder::new(sink))), ..soon() };
    let (receipt, ()) =
        serve_as(script_of("text/line", &[&HI]), options, passing(elsewhere), |address| {
            let mut stream = dial(address);
            for said in [&b"ping\n"[..], b"pong\n"] {
                stream.write_all(said).unwrap();
                assert_eq!(read_exactly(&mut stream, 5), said);
            }
            half_close(&stream);
            assert!(read_to_end(&mut stream).is_empty());
            talk(address, "hi\n");
        });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert_eq!(kept.bytes(Side::Client), b"ping\npong\nhi\n");
    assert_eq!(kept.bytes(Side::Server), b"ping\npong\nhello\n");
}

#[test]
fn a_stranger_that_waits_to_be_greeted_is_passed_on_when_its_time_is_over() {
    let (elsewhere, _greeting) = server(|mut stream| {
        stream.write_all(b"welcome").unwrap();
        read_to_end(&mut stream)
    });
    let script = script_of("text/line", &[&HI]);
    let (receipt, ()) = serve_as(script, soon(), passing(elsewhere), |address| {
        let mut stream = dial(address);
        assert_eq!(read_exactly(&mut stream, 7), b"welcome");
        talk(address, "hi\n");
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert!(receipt.to_string().contains("it said nothing"), "{receipt}");
}

#[test]
fn a_reset_is_passed_on_in_both_directions() {
    let (said, heard) = std::sync::mpsc::channel();
    let (elsewhere, serving) = server(move |mut stream| {
        said.send(read_exactly(&mut stream, 6)).unwrap();
        stream.read(&mut [0]).map_err(|error| error.kind())
    });
    let (_, ()) =
        serve_as(script_of("text/line", &[&HI]), soon(), passing(elsewhere), move |address| {
            let mut stream = dial(address);
            stream.write_all(b"reset\n").unwrap();
            heard.recv().unwrap();
            reset(stream);
            talk(address, "hi\n");
        });
    assert_eq!(serving.join().unwrap(), Err(ErrorKind::ConnectionReset));
    let (elsewhere, _resetting) = server(|mut stream| {
        read_exactly(&mut stream, 6);
        reset(stream);
    });
    let (receipt, ended) =
        serve_as(script_of("text/line", &[&HI]), soon(), passing(elsewhere), |address| {
            let mut stream = dial(address);
            stream.write_all(b"reset\n").unwrap();
            let ended = stream.read(&mut [0]).map_err(|error| error.kind());
            talk(address, "hi\n");
            ended
        });
    assert_eq!(ended, Err(ErrorKind::ConnectionReset), "{receipt}");
}

#[test]
fn a_client_that_cannot_be_passed_on_has_failed() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (receipt, ended) =
        serve_as(script_of("text/line", &[&HI]), soon(), passing(nobody), |address| {
            let mut stream = dial(address);
            stream.write_all(b"stranger\n").unwrap();
            let ended = stream.read(&mut [0]).map_err(|error| error.kind());
            talk(address, "hi\n");
            ended
        });
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    assert_eq!((receipt.outcome, receipt.unmatched.closed), (Outcome::Failed, 1), "{receipt}");
    assert!(receipt.to_string().contains("could not be passed on"), "{receipt}");
}

#[test]
fn a_stranger_that_stays_for_ever_does_not_keep_the_verdict() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = listener.local_addr().unwrap();
    let (receipt, _streams) =
        serve_as(script_of("text/line", &[&HI]), soon(), passing(elsewhere), move |address| {
            let mut staying = dial(address);
            staying.write_all(b"stranger\n").unwrap();
            let mut passed = limited(listener.accept().unwrap().0);
            read_exactly(&mut passed, 9);
            talk(address, "hi\n");
            (staying, passed)
        });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert!(receipt.to_string().contains("cut off at the end"), "{receipt}");
    assert_eq!(receipt.unmatched.clients[0].bytes_received, 9);
}

#[test]
fn only_strangers_are_nothing_played() {
    let (elsewhere, _echo) = server(echo);
    let other = exchange!(b"other\n", b"yes\n");
    let serving = passing(elsewhere);
    let closing = serving.closing.clone();
    let (receipt, ()) =
        serve_as(script_of("text/line", &[&HI, &other]), soon(), serving, move |address| {
            talk(address, "stranger\n");
            closing.request();
        });
    assert_eq!((receipt.outcome, receipt.unmatched.passed), (Outcome::Failed, 1), "{receipt}");
}
