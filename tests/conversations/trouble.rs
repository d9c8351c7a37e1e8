//! Other ends that are silent, slow, dead, or do not keep to the order.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use wirespool::Format;
use wirespool::replay::{Options, Outcome, Script, Speed};

use crate::support::Line::{self, *};
use crate::support::playing::{
    STEP, patience, play_to, replay_to, script, script_at, script_paced, serve_to,
};
use crate::support::{dial, feed, feed_at, half_close, limited, read_exactly, read_to_end};

const PATIENCE: Duration = Duration::from_millis(200);

const TWICE: [Line<'static>; 6] = [
    Client(b"one\n"),
    Server(b"ONE\n"),
    Client(b"two\n"),
    Server(b"TWO\n"),
    ClientCloses,
    ServerCloses,
];

/// The same session `count` times.
fn scripts(count: u64, lines: &[Line<'_>]) -> Arc<Script> {
    let format = Format::parse("text/line").unwrap();
    let each = |sink: &mut dyn wirespool::session::Sink| {
        (0..count).try_for_each(|connection| feed(sink, connection, STEP, lines))
    };
    Arc::new(Script::read(format, each).unwrap())
}

#[test]
fn a_silent_server_is_told_from_the_others_and_so_is_what_it_owed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        // Each connection on a thread: those that speak must not wait for the one that does not.
        let threads: Vec<_> = (0..3)
            .map(|_| limited(listener.accept().unwrap().0))
            .map(|mut stream| {
                std::thread::spawn(move || {
                    let name = read_exactly(&mut stream, 2);
                    stream.write_all(b"hello\n").unwrap();
                    if name == b"1\n" {
                        return drop(stream.read(&mut [0]));
                    }
                    stream.write_all(b"bye\n").unwrap();
                    read_to_end(&mut stream);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    let names: [&[u8]; 3] = [b"0\n", b"1\n", b"2\n"];
    let recorded = Script::read(Format::parse("text/line").unwrap(), |sink| {
        (0..).zip(names).try_for_each(|(connection, name)| {
            let lines =
                [Client(name), Server(b"hello\n"), Server(b"bye\n"), ClientCloses, ServerCloses];
            feed(sink, connection, STEP, &lines)
        })
    });
    let receipt = play_to(address, Arc::new(recorded.unwrap()), patience(PATIENCE));
    serving.join().unwrap();
    let outcomes: Vec<_> = receipt.connections.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Verified, Outcome::Failed, Outcome::Verified], "{receipt}");
    let [failure] = receipt.connections[1].failures.as_slice() else { panic!("{receipt}") };
    let (what, since) = failure.split_once(", since ").unwrap();
    assert!(what.starts_with("stalled: connection 1 waited "), "{failure}");
    assert!(
        since.contains(" for the server to send message 2 (4 bytes): 1 of 2 messages came"),
        "{failure}"
    );
}

#[test]
fn a_silent_client_is_told_with_what_it_owed() {
    let (receipt, ()) = serve_to(script("text/line", &TWICE), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"one\n").unwrap();
        assert_eq!(read_exactly(&mut stream, 4), b"ONE\n");
        let _ = stream.read(&mut [0]);
    });
    let [failure] = receipt.connections[0].failures.as_slice() else { panic!("{receipt}") };
    assert!(failure.starts_with("stalled: connection 0 waited "), "{failure}");
    assert!(
        failure.ends_with(" for the client to send message 2 (4 bytes): 1 of 2 messages came"),
        "{failure}"
    );
}

#[test]
fn a_peer_as_slow_as_when_it_was_recorded_is_no_stall_from_either_side() {
    // The recorded wait is four times the patience.
    let step = 4 * PATIENCE;
    let options = || Options { speed: Speed::Max, ..patience(PATIENCE) };
    let lines = [Client(b"x"), Server(b"y"), Client(b"z"), ClientCloses];
    let (receipt, ()) =
        replay_to(script_paced("raw", step, &lines), options(), move |mut stream| {
            read_exactly(&mut stream, 1);
            std::thread::sleep(step); // the recorded wait itself, not a condition
            stream.write_all(b"y").unwrap();
            assert_eq!(read_to_end(&mut stream), b"z");
        });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let (receipt, ()) = serve_to(script_paced("raw", step, &lines), options(), move |address| {
        let mut stream = dial(address);
        stream.write_all(b"x").unwrap();
        assert_eq!(read_exactly(&mut stream, 1), b"y");
        std::thread::sleep(step); // the recorded wait itself, not a condition
        stream.write_all(b"z").unwrap();
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn a_peer_that_hangs_up_at_once_has_missed_everything_from_either_side() {
    let (receipt, ()) = replay_to(script("text/line", &TWICE), patience(PATIENCE), drop);
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.connections[0].missed, 2, "{receipt}");
    let (receipt, ()) = serve_to(script("text/line", &TWICE), patience(PATIENCE), |address| {
        drop(dial(address));
    });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!((receipt.connections[0].sent, receipt.connections[0].missed), (0, 2), "{receipt}");
    assert!(receipt.to_string().contains("the client closed after 0 of 2 messages"), "{receipt}");
}

#[test]
fn answers_in_another_order_are_each_a_difference() {
    let pipelined = [
        Client(b"a\n"),
        Client(b"b\n"),
        Server(b"1\n"),
        Server(b"2\n"),
        ClientCloses,
        ServerCloses,
    ];
    for format in ["raw", "text/line"] {
        let (receipt, ()) =
            replay_to(script(format, &pipelined), patience(PATIENCE), |mut stream| {
                read_exactly(&mut stream, 4);
                stream.write_all(b"2\n1\n").unwrap();
                read_to_end(&mut stream);
            });
        assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
        assert_eq!(receipt.connections[0].differing, 2, "{receipt}");
        let (receipt, ()) = serve_to(script(format, &pipelined), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            stream.write_all(b"b\na\n").unwrap();
            assert_eq!(read_exactly(&mut stream, 4), b"1\n2\n");
            half_close(&stream);
            read_to_end(&mut stream);
        });
        assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
        assert_eq!(receipt.connections[0].differing, 2, "{receipt}");
    }
}

#[test]
fn a_peer_that_says_more_in_the_middle_has_failed_from_either_side() {
    let (receipt, ()) = replay_to(script("text/line", &TWICE), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 4);
        stream.write_all(b"ONE\nby the way\n").unwrap();
        read_exactly(&mut stream, 4);
        stream.write_all(b"TWO\n").unwrap();
        read_to_end(&mut stream);
    });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert!(receipt.to_string().contains("by the way"), "{receipt}");
    assert_eq!(receipt.connections[0].unexpected_bytes, 4, "{receipt}");
    let (receipt, ()) = serve_to(script("text/line", &TWICE), patience(PATIENCE), |address| {
        let mut stream = dial(address);
        stream.write_all(b"one\nby the way\ntwo\n").unwrap();
        half_close(&stream);
        let _ = stream.read_to_end(&mut Vec::new());
    });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert!(receipt.to_string().contains("by the way"), "{receipt}");
}

#[test]
fn equal_connections_are_each_played_once_from_either_side() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        for _ in 0..5 {
            let mut stream = limited(listener.accept().unwrap().0);
            for (question, answer) in [(b"one\n", b"ONE\n"), (b"two\n", b"TWO\n")] {
                assert_eq!(read_exactly(&mut stream, 4), question);
                stream.write_all(answer).unwrap();
            }
            read_to_end(&mut stream);
        }
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "a sixth connection came");
    });
    let receipt = play_to(address, scripts(5, &TWICE), Options::default());
    serving.join().unwrap();
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert!(receipt.connections.iter().all(|one| one.matched == 2), "{receipt}");

    let (receipt, ()) = serve_to(scripts(5, &TWICE), Options::default(), |address| {
        // All are open before any speaks, and the last one is the first to.
        let streams: Vec<_> = (0..5).map(|_| dial(address)).collect();
        for mut stream in streams.into_iter().rev() {
            stream.write_all(b"one\n").unwrap();
            assert_eq!(read_exactly(&mut stream, 4), b"ONE\n");
            stream.write_all(b"two\n").unwrap();
            half_close(&stream);
            assert_eq!(read_to_end(&mut stream), b"TWO\n");
        }
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert!(receipt.connections.iter().all(|one| one.matched == 2), "{receipt}");
}

#[test]
fn half_a_message_is_not_the_message_whoever_sends_it() {
    for format in ["raw", "text/line"] {
        let (receipt, ()) = replay_to(script(format, &TWICE), patience(PATIENCE), |mut stream| {
            read_exactly(&mut stream, 4);
            stream.write_all(b"ON").unwrap();
            half_close(&stream);
            read_to_end(&mut stream);
        });
        assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
        assert_eq!(receipt.connections[0].matched, 0, "{receipt}");
        let (receipt, ()) = serve_to(script(format, &TWICE), patience(PATIENCE), |address| {
            let mut stream = dial(address);
            stream.write_all(b"on").unwrap();
            half_close(&stream);
            let _ = stream.read(&mut [0]);
        });
        assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
        assert_eq!(receipt.connections[0].matched, 0, "{receipt}");
    }
}

#[test]
fn an_answer_slower_than_recorded_by_more_than_the_patience_is_a_stall() {
    let lines = [(1_000, Client(b"x")), (2_000, Server(b"y")), (9_000_000, ClientCloses)];
    let (receipt, ()) = replay_to(script_at("raw", &lines), patience(PATIENCE), |mut stream| {
        read_exactly(&mut stream, 1);
        // The client gives up before this one answers.
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
        let _ = stream.write_all(b"y");
    });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.connections[0].stalls, 1, "{receipt}");
}

#[test]
fn connections_are_dialled_in_the_order_in_which_they_were_recorded() {
    // Twenty at nearly the same time, each of which says something else: who serves by order notices.
    let words: Vec<String> = (0..20).map(|number| format!("connection {number}\n")).collect();
    let script = || {
        let read = Script::read(Format::parse("text/line").unwrap(), |sink| {
            (0..).zip(&words).try_for_each(|(number, word)| {
                let opened = i64::try_from(number).unwrap() * 5;
                let word = word.as_bytes();
                let lines = [
                    (opened + 10_000, Client(word)),
                    (opened + 20_000, Server(word)),
                    (opened + 30_000, ClientCloses),
                    (opened + 40_000, ServerCloses),
                ];
                feed_at(sink, number, opened, &lines)
            })
        });
        Arc::new(read.unwrap())
    };
    for speed in [Speed::RECORDED, Speed::Max] {
        let options = move || Options { speed, ..Options::default() };
        let client = script();
        let (served, replayed) =
            serve_to(script(), options(), move |address| play_to(address, client, options()));
        assert_eq!(replayed.outcome, Outcome::Verified, "{speed:?}: {replayed}");
        assert_eq!(served.outcome, Outcome::Verified, "{speed:?}: {served}");
    }
}
