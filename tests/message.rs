//! From events to messages: their order, numbers and ends.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::Line::{self, *};
use support::feed;
use wirespool::message::{Assembler, Output, Receive, event_to_json};
use wirespool::session::{ConnectionId, Event, Frame, Kind, Note, Side, Sink, Timestamp};
use wirespool::{Format, Message};

/// `device_id: 1`, and the same with `event_id: 2` behind it.
const DEVICE: &[u8] = b"\x08\x01";
const DEVICE_AND_EVENT: &[u8] = b"\x08\x01\x10\x02";

/// What an assembler gives of one connection whose lines are `step` apart, a line of JSON each.
fn assembled(format: &str, step: Duration, lines: &[Line<'_>]) -> Vec<serde_json::Value> {
    let mut given = Vec::new();
    let format = Format::parse(format).unwrap();
    let mut assembler = Assembler::new(format, |output: Output<'_>| {
        given.extend(match output {
            Output::Message(message) => Some(Message::to_json(&message)),
            Output::Event { event, offset } => event_to_json(event, offset),
        });
        Ok(())
    });
    feed(&mut assembler, 0, step, lines).unwrap();
    drop(assembler);
    given.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Who did what, in the order in which it was given.
fn in_short(given: &[serde_json::Value]) -> Vec<String> {
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or("").to_owned();
    let short = |one: &serde_json::Value| match one["index"].as_u64() {
        Some(index) => format!("{} {index}", text(one, "side")),
        None => format!("{} {}", text(one, "side"), text(one, "event")).trim().to_owned(),
    };
    given.iter().map(short).collect()
}

#[test]
fn a_guessed_question_stands_before_its_quick_answer() {
    // The answer comes within the 5 ms in which the question might go on.
    let lines = [Client(DEVICE), Server(DEVICE), ClientCloses, ServerCloses];
    let given = assembled("protobuf:pb.TempEvent", Duration::from_micros(100), &lines);
    let expected = ["open", "client 0", "server 1", "client eof", "server eof"];
    assert_eq!(in_short(&given), expected);
}

#[test]
fn a_message_that_goes_on_after_the_other_sides_comes_where_it_was_complete() {
    let (begun, rest) = DEVICE_AND_EVENT.split_at(2);
    let lines = [Client(begun), Server(DEVICE), Client(rest), ClientCloses, ServerCloses];
    let given = assembled("protobuf:pb.TempEvent", Duration::from_micros(100), &lines);
    let expected = ["open", "server 0", "client 1", "client eof", "server eof"];
    assert_eq!(in_short(&given), expected);
    assert_eq!(given[2]["value"], serde_json::json!({"device_id": 1, "event_id": 2}));
    assert_eq!(given[2]["split"], "guessed");
}

#[test]
fn a_gap_tells_where_it_is_and_offsets_go_on_behind_it() {
    let lines = [Client(b"one\n"), Gap(1448), Client(b"two\n"), Cut];
    let given = assembled("text/line", Duration::from_millis(1), &lines);
    assert_eq!(in_short(&given), ["open", "client 0", "client gap", "client 1", "cut"]);
    assert_eq!((&given[2]["offset"], &given[2]["length"]), (&4.into(), &1448.into()));
    assert_eq!(given[3]["offset"], 1452);
}

#[test]
fn what_an_open_connection_has_begun_is_given_at_the_end() {
    let mut given = Vec::new();
    let format = Format::parse("pickle").unwrap();
    let mut assembler = Assembler::new(format, |output: Output<'_>| {
        if let Output::Message(message) = output {
            given.push(message.body.map_err(|fault| fault.kind.name()).map(|_| ()));
        }
        Ok(())
    });
    feed(&mut assembler, 0, Duration::from_millis(1), &[Client(b"N.K")]).unwrap();
    assembler.tick(Timestamp(i64::MAX)).unwrap();
    assembler.finish().unwrap();
    drop(assembler);
    assert_eq!(given, [Ok(()), Err("truncated")]);
}

#[test]
fn what_was_read_late_but_came_in_time_still_belongs_to_its_message() {
    let mut values = Vec::new();
    let format = Format::parse("protobuf:pb.TempEvent").unwrap();
    let mut assembler = Assembler::new(format, |output: Output<'_>| {
        if let Output::Message(message) = output {
            values.push(message.format.write_json(&message.body.unwrap()));
        }
        Ok(())
    });
    let (begun, rest) = DEVICE_AND_EVENT.split_at(2);
    let start = Timestamp(1_700_000_000_000_000_000);
    let data = |at, bytes| {
        let kind = Kind::Data { side: Side::Client, bytes };
        Event { at, connection: ConnectionId(0), frame: None, kind }
    };
    assembler.event(&data(start, begun)).unwrap();
    // The window of 5 ms is over by the clock, but what came within it may not have been read yet.
    assembler.tick(start + Duration::from_millis(20)).unwrap();
    assembler.event(&data(start + Duration::from_millis(1), rest)).unwrap();
    // A silence as long as this is one.
    assembler.tick(start + Duration::from_millis(200)).unwrap();
    drop(assembler);
    assert_eq!(values, [r#"{"device_id":1,"event_id":2}"#]);
}

/// A line each: of messages who sent them and what they are, of what was found out what and why.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Receive for Heard {
    fn receive(&mut self, output: Output<'_>) -> wirespool::Result<()> {
        if let Output::Message(Message { side, format, raw, .. }) = output {
            self.0.lock().unwrap().push(format!("{side} {format} {}", raw.escape_ascii()));
        }
        Ok(())
    }

    fn found(&mut self, _: ConnectionId, side: Side, format: &Format, reason: &str) {
        self.0.lock().unwrap().push(format!("{side} found {format}: {reason}"));
    }
}

fn said(side: Side, milliseconds: i64, bytes: &[u8]) -> Event<'_> {
    let at = Timestamp(1_700_000_000_000_000_000 + milliseconds * 1_000_000);
    Event { at, connection: ConnectionId(0), frame: None, kind: Kind::Data { side, bytes } }
}

fn in_frame(frame: u64, event: Event<'_>) -> Event<'_> {
    Event { frame: Some(Frame::alone(frame)), ..event }
}

#[test]
fn questions_stand_before_their_answers_though_nobody_said_what_they_are() {
    let (ask, answer) = (b"\x80\x04K\x01.", b"ok\n");
    let lines = [
        Client(ask),
        Server(answer),
        Client(ask),
        Server(b"o"),
        Server(b"k\n"),
        Client(ask),
        ClientCloses,
        Server(answer),
        ServerCloses,
    ];
    let given = assembled("auto", Duration::from_secs(2), &lines);
    let expected = [
        "open",
        "client 0",
        "server 1",
        "client 2",
        "server 3",
        "client 4",
        "client eof",
        "server 5",
        "server eof",
    ];
    assert_eq!(in_short(&given), expected);
    assert_eq!((&given[1]["format"], &given[2]["format"]), (&"pickle".into(), &"text/line".into()));
    assert_eq!(given[4]["time"], "2023-11-14T22:13:30.000000000Z", "when its last byte came");
}

#[test]
fn a_clock_that_was_set_back_does_not_change_the_order_of_what_was_kept() {
    let heard = Heard::default();
    let mut assembler = Assembler::new(Format::auto(), heard.clone());
    let events = [
        said(Side::Client, 5000, b"one\n"),
        said(Side::Server, 0, b"1\n"),
        said(Side::Client, 1, b"two\n"),
        said(Side::Server, 1, b"2\n"),
    ];
    for (frame, event) in (1..).zip(events) {
        assembler.event(&in_frame(frame, event)).unwrap();
    }
    assembler.finish().unwrap();
    let messages: Vec<String> =
        heard.take().into_iter().filter(|line| !line.contains("found")).collect();
    let expected = ["client text/line one", "server text/line 1", "client text/line two"];
    assert_eq!(messages.len(), 4);
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.starts_with(expected), "{messages:?}");
    }
}

#[test]
fn what_was_handed_on_or_noted_meanwhile_does_not_change_the_order_of_what_was_kept() {
    let heard = Heard::default();
    let mut assembler = Assembler::new(Format::auto(), heard.clone());
    let turns = [
        (Side::Server, 0, b"hello\n" as &[u8]),
        (Side::Client, 1000, b"asks 1\n"),
        (Side::Server, 1010, b"says 2\n"),
    ];
    for (side, at, bytes) in turns {
        let event = said(side, at, bytes);
        assembler.event(&event).unwrap();
        let delivered = Kind::Delivered { side, length: 7 };
        for kind in [delivered, Kind::Note(Note::Retransmission { side, length: 7 })] {
            let at = event.at + Duration::from_millis(1);
            assembler.event(&Event { at, kind, ..event }).unwrap();
        }
        // What the server speaks is known then, and what the client does is not before the end.
        assembler.tick(said(side, 500, b"").at).unwrap();
    }
    assembler.finish().unwrap();
    let given = heard.take();
    let messages: Vec<&String> = given.iter().filter(|line| !line.contains("found")).collect();
    let expected = ["server text/line hello", "client text/line asks", "server text/line says"];
    assert_eq!(messages.len(), 3);
    for (message, expected) in messages.iter().zip(expected) {
        assert!(message.starts_with(expected), "{given:?}");
    }
}

#[test]
fn a_live_side_that_is_silent_is_decided_and_one_in_a_file_is_not() {
    let heard = Heard::default();
    let mut assembler = Assembler::new(Format::auto(), heard.clone());
    let start = said(Side::Client, 0, b"hello\n");
    assembler.event(&start).unwrap();
    assembler.event(&said(Side::Client, 60_000, b"again\n")).unwrap();
    assert_eq!(heard.take(), [""; 0], "a file may have more");
    assembler.tick(start.at + Duration::from_secs(60)).unwrap();
    assert_eq!(
        heard.take(),
        [
            "client found text/line: 2 lines of UTF-8 text; chunks end with a line",
            "client text/line hello\\n",
            "client text/line again\\n"
        ]
    );
    assembler.event(&said(Side::Client, 60_001, b"more\n")).unwrap();
    assert_eq!(heard.take(), ["client text/line more\\n"], "it is known now");
}

#[test]
fn what_waits_for_a_side_that_is_not_known_is_bounded() {
    let heard = Heard::default();
    let mut assembler = Assembler::new(Format::auto(), heard.clone());
    assembler.event(&said(Side::Client, 0, b"subscribe\n")).unwrap();
    let pushed = [b'x'; 1000];
    for at in 1..1000 {
        assembler.event(&said(Side::Server, at, &pushed)).unwrap();
    }
    assert!(heard.take().len() > 900, "the client says nothing more, and is not waited for");
}

#[test]
fn a_capture_that_ends_within_a_message_does_not_make_it_raw_but_an_end_does() {
    let pickles = b"\x80\x04K\x01.\x80\x04K\x02.\x80\x04K";
    for (end, expected) in [(Cut, "pickle"), (ClientResets, "pickle"), (ClientCloses, "raw")] {
        let given = assembled("auto", Duration::from_millis(1), &[Client(pickles), end]);
        assert_eq!(given[1]["format"], expected, "{end:?}");
    }
}
