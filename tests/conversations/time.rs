//! Recorded times that are long, that run backwards, or that belong to something that ended earlier.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wirespool::Format;
use wirespool::replay::{Options, Outcome, Pace, Script, Speed};
use wirespool::session::Side;

use crate::support::Line::{self, *};
use crate::support::actor::act;
use crate::support::playing::{patience, replay_to, script_at, serve_to};
use crate::support::{dial, feed_at, half_close, read_exactly, read_to_end};

const SECOND: i64 = 1_000_000;

/// A minute in which nothing happens: three times as long as any test may take.
const IDLE: [(i64, Line<'static>); 6] = [
    (0, Client(b"one\n")),
    (2_000, Server(b"ONE\n")),
    (60 * SECOND, Client(b"two\n")),
    (60 * SECOND + 2_000, Server(b"TWO\n")),
    (120 * SECOND, ClientCloses),
    (120 * SECOND + 2_000, ServerCloses),
];

fn answer(mut stream: std::net::TcpStream) {
    for answer in [b"ONE\n", b"TWO\n"] {
        read_exactly(&mut stream, 4);
        stream.write_all(answer).unwrap();
    }
    read_to_end(&mut stream);
}

fn ask(address: std::net::SocketAddr) {
    let mut stream = dial(address);
    for (question, answer) in [(b"one\n", b"ONE\n"), (b"two\n", b"TWO\n")] {
        stream.write_all(question).unwrap();
        assert_eq!(&read_exactly(&mut stream, 4), answer);
    }
    half_close(&stream);
    read_to_end(&mut stream);
}

#[test]
fn a_long_idle_recording_is_played_in_no_time_at_a_high_speed() {
    for speed in [Speed::Factor(1000.0), Speed::Max] {
        let options = || Options { speed, ..Options::default() };
        let (receipt, ()) = replay_to(script_at("text/line", &IDLE), options(), answer);
        assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
        let (receipt, ()) = serve_to(script_at("text/line", &IDLE), options(), ask);
        assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    }
}

#[test]
fn a_long_idle_recording_is_played_in_no_time_with_idle_times_capped() {
    let capped = || {
        let format = Format::parse("text/line").unwrap();
        let mut script = Script::read(format, |sink| feed_at(sink, 0, 0, &IDLE)).unwrap();
        script.cap_idle(Duration::from_millis(20));
        Arc::new(script)
    };
    let (receipt, ()) = replay_to(capped(), Options::default(), answer);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let (receipt, ()) = serve_to(capped(), Options::default(), ask);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn times_that_run_backwards_are_clamped_and_counted_and_change_no_order() {
    // The clock was set back by an hour, and later by ten milliseconds.
    let hour = 3600 * SECOND;
    let lines = [
        (hour, Client(b"one\n")),
        (2_000, Server(b"ONE\n")),
        (hour + 20_000, Client(b"two\n")),
        (hour + 10_000, Server(b"TWO\n")),
        (hour + 30_000, ClientCloses),
        (hour + 40_000, ServerCloses),
    ];
    let format = || Format::parse("text/line").unwrap();
    let read = || Arc::new(Script::read(format(), |sink| feed_at(sink, 0, hour, &lines)).unwrap());
    let script = read();
    let dues: Vec<_> = script.conversations[0].steps.iter().map(|step| step.due).collect();
    assert!(dues.is_sorted(), "{dues:?}");
    let (receipt, ()) = replay_to(script, Options::default(), answer);
    assert_eq!((receipt.outcome, receipt.connections[0].clamped), (Outcome::Verified, 2));
    assert!(receipt.to_string().contains("2 recorded times ran backwards"), "{receipt}");
    let (receipt, ()) = serve_to(read(), Options::default(), ask);
    assert_eq!((receipt.outcome, receipt.connections[0].clamped), (Outcome::Verified, 2));
}

#[test]
fn a_message_that_is_known_to_be_whole_only_later_stands_where_it_happened() {
    // `idle` takes a message for whole once a pause has followed it: the question is known to be one
    // only when the next question comes, long after its answer.
    let lines = [
        (10_000, Client(b"one?")),
        (15_000, Server(b"ONE!")),
        (200_000, Client(b"two?")),
        (205_000, Server(b"TWO!")),
        (400_000, ClientCloses),
        (400_100, ServerCloses),
    ];
    let script = || script_at("text/idle=50", &lines);
    let order: Vec<_> = script().conversations[0].steps.iter().map(|step| step.side).collect();
    assert_eq!(order, lines.map(|(_, line)| line.side()));
    let patient = || patience(Duration::from_secs(2));
    let (receipt, ()) = replay_to(script(), patient(), |mut stream| {
        for (question, answer) in [(b"one?", b"ONE!"), (b"two?", b"TWO!")] {
            assert_eq!(&read_exactly(&mut stream, 4), question);
            stream.write_all(answer).unwrap();
        }
        read_to_end(&mut stream);
    });
    assert_eq!(
        (receipt.outcome, receipt.connections[0].clamped),
        (Outcome::Verified, 0),
        "{receipt}"
    );
    let (receipt, ()) = serve_to(script(), patient(), |address| {
        let mut stream = dial(address);
        for (question, answer) in [(b"one?", b"ONE!"), (b"two?", b"TWO!")] {
            stream.write_all(question).unwrap();
            assert_eq!(&read_exactly(&mut stream, 4), answer);
        }
        half_close(&stream);
        read_to_end(&mut stream);
    });
    assert_eq!(
        (receipt.outcome, receipt.connections[0].clamped),
        (Outcome::Verified, 0),
        "{receipt}"
    );
}

#[test]
fn a_million_messages_are_each_due_as_recorded_from_the_start_and_not_from_the_one_before() {
    let start = Instant::now();
    for (factor, millionth) in [(1.0, 1.0), (0.5, 2.0), (3.0, 1.0 / 3.0)] {
        let pace = Pace::new(start, Speed::factor(factor).unwrap());
        for second in [1, 1_000, 1_000_000] {
            let due = pace.due(Duration::from_secs(second)) - start;
            let exact = second as f64 * millionth;
            assert!((due.as_secs_f64() - exact).abs() < 1e-6, "{second} at {factor}: {due:?}");
        }
    }
}

#[test]
fn a_guessed_message_stands_before_its_answer_however_soon_that_came() {
    // Each is known to be whole only when nothing has gone on with it for some milliseconds.
    let (question, answer) = (b"\x08\x7b\x10\x01", b"\x08\x7b\x10\x02");
    let lines = [
        (10_000, Client(question)),
        (11_500, Server(answer)),
        (13_000, Client(question)),
        (14_500, Server(answer)),
        (16_000, ClientCloses),
        (17_500, ServerCloses),
    ];
    let script = || script_at("protobuf:pb.TempEvent", &lines);
    let order: Vec<_> = script().conversations[0].steps.iter().map(|step| step.side).collect();
    assert_eq!(order, lines.map(|(_, line)| line.side()));
    let live = lines.map(|(_, line)| line);
    let (receipt, ()) = replay_to(script(), Options::default(), move |stream| {
        act(stream, Side::Server, &live);
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    let (receipt, ()) = serve_to(script(), Options::default(), move |address| {
        act(dial(address), Side::Client, &live);
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}
