//! From events to messages: their order, numbers and ends.

mod support;

use std::time::Duration;

use support::Line::{self, *};
use support::feed;
use wirespool::message::{Assembler, Output, event_to_json};
use wirespool::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
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
