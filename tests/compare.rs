//! Comparison of live bytes with recorded ones, without a socket: by value, by the rules, however the
//! bytes are cut.

mod support;

use std::time::Duration;

use proptest::prelude::*;
use support::Line::{self, *};
use support::feed;
use wirespool::Format;
use wirespool::net::Stop;
use wirespool::replay::{Compare, Comparison, Conversation, Rules, Script};
use wirespool::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
use wirespool::wire::{Arrival, encode, json, wrap};

const STEP: Duration = Duration::from_millis(50);

fn recorded(format: &str, lines: &[Line<'_>]) -> Conversation {
    let format = Format::parse(format).unwrap();
    let script = Script::read(format, |sink| feed(sink, 0, STEP, lines)).unwrap();
    script.conversations.into_iter().next().unwrap()
}

/// What the server said, one message after the other.
fn answers(format: &str, messages: &[Vec<u8>]) -> Conversation {
    let lines: Vec<_> = messages.iter().map(|message| Server(message)).collect();
    recorded(format, &lines)
}

fn message(format: &str, value: &str) -> Vec<u8> {
    encode(&Format::parse(format).unwrap(), &json::parse(value).unwrap()).unwrap()
}

fn messages(format: &str, values: &[&str]) -> Vec<Vec<u8>> {
    values.iter().map(|value| message(format, value)).collect()
}

/// Compares with what comes in these pieces, `STEP` apart.
fn compared<'a>(
    recorded: &'a Conversation,
    rules: &'a Rules,
    pieces: &[Vec<u8>],
) -> Comparison<'a> {
    let mut comparison = Comparison::new(recorded, Side::Server, rules);
    let mut at = Timestamp(1_700_000_000_000_000_000);
    for piece in pieces {
        comparison.take(Arrival { at, frame: None }, piece);
        at = at + STEP;
        comparison.expire(at);
    }
    comparison.end();
    comparison
}

fn rules(ignore: &[&str]) -> Rules {
    Rules { ignore: ignore.iter().map(|path| path.parse().unwrap()).collect(), ..Rules::default() }
}

/// arrived, compared, matched, differing, ignored, missed
fn counts(comparison: &Comparison<'_>) -> [u64; 6] {
    let Comparison { arrived, compared, matched, differing, ignored, .. } = comparison;
    [*arrived, *compared, *matched, *differing, *ignored, comparison.missed()]
}

const EVENTS: [&str; 3] = [
    r#"{"device_id":1,"event_id":1,"temp_cel":20.5}"#,
    r#"{"device_id":1,"event_id":2,"temp_cel":21.5}"#,
    r#"{"device_id":1,"event_id":3,"temp_cel":22.5}"#,
];

#[test]
fn equal_bytes_are_equal_however_they_are_cut() {
    for format in [
        "protobuf:pb.TempEvent",
        "protobuf:pb.TempEvent/chunk",
        "protobuf:pb.TempEvent/idle=20",
        "protobuf:pb.TempEvent/varint",
        "pickle",
        "pickle/chunk",
        "pickle/idle=20",
    ] {
        let sent = messages(format, &EVENTS);
        let recorded = answers(format, &sent);
        assert_eq!(recorded.messages(Side::Server), 3, "{format}");
        let whole = sent.concat();
        for size in 1..=whole.len() {
            let pieces: Vec<_> = whole.chunks(size).map(<[u8]>::to_vec).collect();
            let plain = Rules::default();
            let comparison = compared(&recorded, &plain, &pieces);
            assert_eq!(counts(&comparison), [3, 3, 3, 0, 0, 0], "{format} in pieces of {size}");
            let rules = rules(&["nothing", "$.event_id"]);
            let comparison = compared(&recorded, &rules, &pieces);
            assert_eq!(counts(&comparison), [3, 3, 3, 0, 0, 0], "{format} in pieces of {size}");
            assert_eq!(comparison.unused(), ["--ignore nothing"]);
        }
    }
}

#[test]
fn what_differs_is_compared_by_value_where_message_ends_do_not_stand_in_the_bytes() {
    let live = [EVENTS[0], r#"{"device_id":1,"event_id":2,"temp_cel":30.5}"#, EVENTS[2]];
    for format in [
        "protobuf:pb.TempEvent",
        "protobuf:pb.TempEvent/chunk",
        "protobuf:pb.TempEvent/idle=20",
        "protobuf:pb.TempEvent/varint",
        "pickle",
        "pickle/chunk",
        "pickle/idle=20",
    ] {
        let recorded = answers(format, &messages(format, &EVENTS));
        let plain = Rules::default();
        let comparison = compared(&recorded, &plain, &messages(format, &live));
        assert_eq!(counts(&comparison), [3, 3, 2, 1, 0, 0], "{format}");
        let difference = &comparison.differences[0];
        assert_eq!(difference.path.as_deref(), Some("$.temp_cel"), "{format}: {difference}");
        assert_eq!(difference.expected.as_deref(), Some("21.5"), "{format}: {difference}");
        assert_eq!(difference.got.as_deref(), Some("30.5"), "{format}: {difference}");
        let tolerant =
            Rules { tolerance: vec!["temp_cel=10".parse().unwrap()], ..Rules::default() };
        let comparison = compared(&recorded, &tolerant, &messages(format, &live));
        assert_eq!(counts(&comparison), [3, 3, 3, 0, 0, 0], "{format}");
    }
}

#[test]
fn what_differs_and_what_follows_it_may_come_at_once() {
    let live = [r#"{"device_id":1,"event_id":9,"temp_cel":20.5}"#, EVENTS[1], EVENTS[2]];
    for format in ["protobuf:pb.TempEvent", "protobuf:pb.TempEvent/chunk", "pickle/chunk"] {
        let recorded = answers(format, &messages(format, &EVENTS));
        let plain = Rules::default();
        let comparison = compared(&recorded, &plain, &[messages(format, &live).concat()]);
        assert_eq!(counts(&comparison), [3, 3, 2, 1, 0, 0], "{format}");
    }
}

#[test]
fn a_message_that_is_over_only_by_silence_is_given_by_it() {
    let format = "protobuf:pb.TempEvent";
    let recorded = answers(format, &messages(format, &EVENTS[..1]));
    let plain = Rules::default();
    let mut comparison = Comparison::new(&recorded, Side::Server, &plain);
    assert_eq!(comparison.deadline(), None);
    let at = Timestamp(0);
    comparison.take(Arrival { at, frame: None }, &message(format, EVENTS[1]));
    assert_eq!(comparison.arrived, 0);
    let deadline = comparison.deadline().unwrap();
    comparison.expire(at);
    assert_eq!(comparison.arrived, 0);
    comparison.expire(deadline);
    assert_eq!((comparison.arrived, comparison.deadline()), (1, None));
}

#[test]
fn a_message_that_is_only_begun_is_what_came_at_the_end() {
    let pickle = &b"\x80\x04N."[..];
    for (format, answer) in [
        ("pickle/chunk", pickle),
        ("protobuf:pb.TempEvent", pickle),
        ("raw", pickle),
        ("text", b"answer"),
        ("text:utf-16le", b"a\0n\0s\0"),
    ] {
        let recorded = answers(format, &[answer.to_vec()]);
        let plain = Rules::default();
        let comparison = compared(&recorded, &plain, &[answer[..2].to_vec()]);
        assert_eq!((comparison.arrived, comparison.differing), (1, 1), "{format}");
    }
}

#[test]
fn bytes_are_compared_where_that_is_asked_for() {
    let bytes = Rules { compare: Compare::Bytes, ..Rules::default() };
    for format in ["pickle", "pickle/chunk"] {
        let same = [r#"{"a":{"$set":[1,2]}}"#, r#"{"a":{"$set":[2,1]}}"#];
        let recorded = answers(format, &messages(format, &same[..1]));
        let plain = Rules::default();
        let live = messages(format, &same[1..]);
        assert_eq!(counts(&compared(&recorded, &plain, &live)), [1, 1, 1, 0, 0, 0], "{format}");
        let comparison = compared(&recorded, &bytes, &live);
        assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 0], "{format}");
        assert_eq!(comparison.differences[0].path, None);
    }
}

#[test]
fn nothing_is_compared_where_that_is_asked_for() {
    let nothing = Rules { compare: Compare::None, ..Rules::default() };
    for format in ["pickle", "pickle/chunk", "protobuf:pb.TempEvent"] {
        let recorded = answers(format, &messages(format, &EVENTS[..2]));
        let comparison = compared(&recorded, &nothing, &messages(format, &EVENTS[1..]));
        assert_eq!(counts(&comparison), [2, 0, 0, 0, 0, 0], "{format}");
        assert!(comparison.differences.is_empty() && comparison.unexpected == 0, "{format}");
    }
    // A shorter answer is one as well, once nothing more comes.
    for format in ["raw", "text"] {
        let recorded = answers(format, &[b"a long answer".to_vec(), b"b".to_vec()]);
        let comparison = compared(&recorded, &nothing, &[b"short".to_vec()]);
        assert_eq!(comparison.arrived, 0, "{format}: more may come");
        let mut comparison = Comparison::new(&recorded, Side::Server, &nothing);
        comparison.take(Arrival { at: Timestamp(0), frame: None }, b"short");
        comparison.expire(comparison.deadline().unwrap());
        assert_eq!((comparison.arrived, comparison.deadline()), (1, None), "{format}");
        comparison.take(Arrival { at: Timestamp(0), frame: None }, b"b and more");
        assert_eq!(counts(&comparison), [2, 0, 0, 0, 0, 0], "{format}");
        assert_eq!(comparison.unexpected, 0);
    }
}

#[test]
fn what_the_rules_leave_nothing_of_is_not_compared() {
    let recorded =
        answers("pickle", &messages("pickle", &[r#"{"time":1}"#, r#"{"time":1,"a":2}"#]));
    let live = messages("pickle", &[r#"{"time":2}"#, r#"{"time":3,"a":2}"#]);
    let rules = rules(&["time"]);
    assert_eq!(counts(&compared(&recorded, &rules, &live)), [2, 1, 1, 0, 1, 0]);
    // Also where the bytes are equal.
    let everything = self::rules(&["$"]);
    let same = messages("pickle", &[r#"{"time":1}"#, r#"{"time":1,"a":2}"#]);
    assert_eq!(counts(&compared(&recorded, &everything, &same)), [2, 0, 0, 0, 2, 0]);
    for format in ["raw", "text", "text/line", "raw/line"] {
        let recorded = answers(format, &[b"a\n".to_vec()]);
        let comparison = compared(&recorded, &everything, &[b"b\n".to_vec()]);
        assert_eq!(counts(&comparison), [1, 0, 0, 0, 1, 0], "{format}");
    }
}

#[test]
fn rules_look_into_text_that_is_json() {
    let (one, other) = (br#"{"time": 1, "a": [1, 2]}"#, br#"{"a":[1,2],"time":2}"#);
    for (format, end) in [("text/line", "\n"), ("text", ""), ("text/u16be", "")] {
        let framed = |text: &[u8]| {
            let prefix: &[u8] =
                if format.ends_with("u16be") { &[0, text.len() as u8] } else { &[] };
            [prefix, text, end.as_bytes()].concat()
        };
        let recorded = answers(format, &[framed(one)]);
        let rules = rules(&["time"]);
        let comparison = compared(&recorded, &rules, &[framed(other)]);
        assert_eq!(counts(&comparison), [1, 1, 1, 0, 0, 0], "{format}");
        let plain = Rules::default();
        let comparison = compared(&recorded, &plain, &[framed(other)]);
        assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 0], "{format}: it is text");
    }
}

#[test]
fn a_last_line_without_its_end_is_a_difference() {
    let plain = Rules::default();
    for format in ["text/line", "raw/line"] {
        let recorded = answers(format, &[b"one\n".to_vec(), b"two\r\n".to_vec()]);
        for (live, equal) in [
            ("one\ntwo\r\n", 2),
            // The end of a line is framing, like the width of a length.
            ("one\r\ntwo\n", 2),
            ("one\ntwo", 1),
            ("one\ntwo\r", 1),
        ] {
            for rules in [&plain, &rules(&["nothing"])] {
                let comparison = compared(&recorded, rules, &[live.as_bytes().to_vec()]);
                let differing = 2 - equal;
                assert_eq!(
                    counts(&comparison),
                    [2, 2, equal, differing, 0, 0],
                    "{format} {live:?}"
                );
                if differing > 0 {
                    let note = comparison.differences[0].note.as_deref();
                    assert_eq!(note, Some("its line end is missing"), "{format} {live:?}");
                }
            }
        }
        let recorded = recorded_to_its_end(format, b"one");
        let comparison = compared(&recorded, &plain, &[b"one".to_vec()]);
        assert_eq!(counts(&comparison), [1, 1, 1, 0, 0, 0], "{format}");
        let comparison = compared(&recorded, &plain, &[b"one\n".to_vec()]);
        assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 0], "{format}");
    }
    let json = answers("text/line", &[b"{\"time\":1,\"a\":1}\n".to_vec()]);
    let rules = rules(&["time"]);
    let comparison = compared(&json, &rules, &[b"{\"time\":2,\"a\":1}".to_vec()]);
    assert_eq!(comparison.differences[0].note.as_deref(), Some("its line end is missing"));
}

/// A server that said this and closed.
fn recorded_to_its_end(format: &str, said: &[u8]) -> Conversation {
    recorded(format, &[Server(said), ServerCloses, ClientCloses])
}

#[test]
fn a_message_that_breaks_off_differs_in_every_framing() {
    let plain = Rules::default();
    for format in ["pickle", "pickle/u32be", "pickle/varint"] {
        let sent = message(format, EVENTS[0]);
        let recorded = recorded_to_its_end(format, &sent);
        for length in 1..sent.len() {
            let comparison = compared(&recorded, &plain, &[sent[..length].to_vec()]);
            assert_eq!((comparison.matched, comparison.differing), (0, 1), "{format} {length}");
        }
    }
}

#[test]
fn a_rule_changes_nothing_where_it_finds_nothing() {
    let recorded = answers(
        "text/line",
        &[b"{\"a\": 1, \"b\": 2}\n".to_vec(), b"{\"a\": 1, \"time\": 2}\n".to_vec()],
    );
    let live = [b"{\"b\":2,\"a\":1}\n".to_vec(), b"{\"time\":3,\"a\":1}\n".to_vec()];
    let plain = Rules::default();
    assert_eq!(counts(&compared(&recorded, &plain, &live)), [2, 2, 0, 2, 0, 0]);
    let nowhere = Rules {
        tolerance: vec!["no=1".parse().unwrap()],
        unordered: vec!["such".parse().unwrap()],
        carry: vec!["server:thing->client:thing".parse().unwrap()],
        ..rules(&["nosuch"])
    };
    assert_eq!(counts(&compared(&recorded, &nowhere, &live)), [2, 2, 0, 2, 0, 0]);
    // Of the second one it leaves something out, of the first one it does not.
    let rules = rules(&["time"]);
    assert_eq!(counts(&compared(&recorded, &rules, &live)), [2, 2, 1, 1, 0, 0]);
    // Enough that it does so in one of the two.
    let recorded = answers("text/line", &[b"{\"a\": 1}\n".to_vec()]);
    let comparison = compared(&recorded, &rules, &live[1..]);
    assert_eq!(counts(&comparison), [1, 1, 1, 0, 0, 0]);
}

#[test]
fn json_that_is_sent_as_text_may_be_cut_and_come_at_once() {
    let recorded = answers(
        "text",
        &[br#"{"id":1,"a":[1,"}"]}"#.to_vec(), b"{\"id\":2}\n".to_vec(), b"bye".to_vec()],
    );
    let live = b"{\"id\":8,\"a\":[1,\"}\"]}{\"id\":9}\nbye";
    let rules = rules(&["id"]);
    for size in 1..=live.len() {
        let pieces: Vec<_> = live.chunks(size).map(<[u8]>::to_vec).collect();
        let comparison = compared(&recorded, &rules, &pieces);
        // The second one is nothing but what is ignored.
        assert_eq!(counts(&comparison), [3, 2, 2, 0, 1, 0], "in pieces of {size}");
    }
    for live in ["{\"id\":8", "{]", "8", "x", "{\"id\":8,\"a\":[1]}"] {
        let comparison = compared(&recorded, &rules, &[live.as_bytes().to_vec()]);
        assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 2], "{live}");
    }
}

#[test]
fn what_comes_too_much_is_placed_where_it_came() {
    for format in ["pickle", "pickle/chunk", "raw"] {
        let sent = messages("pickle", &["1", "2"]);
        let recorded = answers(format, &sent[..1]);
        let plain = Rules::default();
        let live = [message("pickle", "3"), message("pickle", "4")].concat();
        let comparison = compared(&recorded, &plain, &[live]);
        let surplus = comparison.differences.last().unwrap();
        assert_eq!((surplus.index, surplus.offset), (None, sent[0].len() as u64), "{format}");
        assert_eq!(comparison.unexpected, sent[1].len() as u64, "{format}");
    }
}

#[test]
fn rules_that_find_nothing_are_named() {
    let recorded = answers("pickle", &messages("pickle", &[r#"{"a":1}"#, r#"{"b":1,"c":[]}"#]));
    let rules = Rules {
        ignore: vec!["a".parse().unwrap(), "b".parse().unwrap(), "x".parse().unwrap()],
        tolerance: vec!["c=1".parse().unwrap(), "$.b=2".parse().unwrap()],
        unordered: vec!["a".parse().unwrap(), "c".parse().unwrap()],
        ..Rules::default()
    };
    // Only the first message came; the second is looked at all the same.
    let comparison = compared(&recorded, &rules, &messages("pickle", &[r#"{"a":1}"#]));
    assert_eq!(comparison.unused(), ["--ignore x", "--tolerance c=1", "--unordered a"]);
}

#[test]
fn answers_in_another_order_are_recognised() {
    let values = [r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#];
    let recorded = answers("pickle", &messages("pickle", &values));
    let plain = Rules::default();
    let live = messages("pickle", &[values[1], values[0], values[2]]);
    let comparison = compared(&recorded, &plain, &live);
    assert_eq!(counts(&comparison), [3, 3, 1, 2, 0, 0]);
    let notes: Vec<_> =
        comparison.differences.iter().map(|difference| difference.note.as_deref()).collect();
    assert_eq!(
        notes,
        [
            Some("the whole message is the same as recorded message 1"),
            Some("the whole message is the same as recorded message 0")
        ]
    );
}

#[test]
fn an_answer_that_comes_twice_is_recognised_once() {
    let sent = |values: &[&str]| messages("pickle", values);
    let recorded = answers("pickle", &sent(&[r#"{"a":1,"b":1}"#, r#"{"a":2,"b":2}"#, "3"]));
    let plain = Rules::default();
    let live = sent(&[r#"{"a":1,"b":1}"#, r#"{"a":1,"b":1}"#, "4", "3", "5"]);
    let comparison = compared(&recorded, &plain, &live);
    let notes: Vec<_> =
        comparison.differences.iter().map(|one| (one.index, one.note.as_deref())).collect();
    assert_eq!(
        notes,
        [
            (Some(1), Some("the whole message is the same as recorded message 0")),
            (Some(1), None),
            (Some(2), None),
            (None, Some("the same as recorded message 2")),
            (None, None),
        ]
    );
    let words: Vec<_> = comparison.differences.iter().map(ToString::to_string).collect();
    let offset = live[..4].concat().len();
    assert_eq!(words[4], format!("after message 2, offset {offset}: not expected: 5"));
}

#[test]
fn differences_say_whose_they_are_and_are_few() {
    let many = |value: u32| format!("{{\"a\":[{}]}}", vec![value.to_string(); 50].join(","));
    let all = |value| vec![message("pickle", &many(value)); 30];
    let recorded = answers("pickle", &all(1));
    let plain = Rules::default();
    let comparison = compared(&recorded, &plain, &all(2));
    assert_eq!(counts(&comparison), [30, 30, 0, 30, 0, 0]);
    assert_eq!(comparison.differences.len(), 20 * 8);
    assert_eq!(
        comparison.differences[7].note.as_deref(),
        Some("and 42 more places of this message")
    );
    assert!(comparison.differences.iter().all(|one| one.side == Side::Server));
}

#[test]
fn fields_that_the_schema_does_not_know_are_compared() {
    let format = "protobuf:pb.TempEvent/u8";
    // Field 15, a varint: 1, then 2.
    let known = message("protobuf:pb.TempEvent", EVENTS[0]);
    let framed = |extra: &[u8]| [&[(known.len() + extra.len()) as u8], &known[..], extra].concat();
    let recorded = answers(format, &[framed(&[0x78, 1])]);
    let plain = Rules::default();
    let comparison = compared(&recorded, &plain, &[framed(&[0x78, 2])]);
    assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 0]);
    assert!(comparison.differences[0].note.as_ref().unwrap().contains("does not know"));
    assert_eq!(counts(&compared(&recorded, &plain, &[framed(&[0x78, 1])])), [1, 1, 1, 0, 0, 0]);
}

#[test]
fn what_is_nested_too_deeply_for_paths_is_compared_whole() {
    let deep = |inner: &str| {
        let value = format!("{{\"a\":{}{inner}{}}}", "[".repeat(300), "]".repeat(300));
        message("pickle", &value)
    };
    let recorded = answers("pickle", &[deep("1"), deep("1")]);
    let rules = rules(&["a"]);
    let comparison = compared(&recorded, &rules, &[deep("1"), deep("2")]);
    assert_eq!(counts(&comparison), [2, 2, 1, 1, 0, 0]);
    assert!(comparison.differences[0].note.as_ref().unwrap().contains("too deeply"));
}

/// The server's bytes with a gap between them.
fn with_gap(format: &str, before: &[u8], length: Option<u64>, after: &[u8]) -> Conversation {
    let format = Format::parse(format).unwrap();
    let script = Script::read(format, |sink: &mut dyn Sink| {
        feed(sink, 0, STEP, &[Server(before)])?;
        let mut at = Timestamp(1_700_000_001_000_000_000);
        for kind in [
            Kind::Gap { side: Side::Server, length },
            Kind::Data { side: Side::Server, bytes: after },
        ] {
            at = at + STEP;
            sink.event(&Event { at, connection: ConnectionId(0), frame: None, kind })?;
        }
        Ok(())
    });
    script.unwrap().conversations.into_iter().next().unwrap()
}

#[test]
fn live_bytes_in_a_gap_of_the_recording_are_not_compared() {
    for format in ["raw", "text/line", "text"] {
        let recorded = with_gap(format, b"one\n", Some(4), b"three\n");
        let plain = Rules::default();
        for size in 1..14 {
            let pieces: Vec<_> = b"one\ntwo\nthree\n".chunks(size).map(<[u8]>::to_vec).collect();
            let comparison = compared(&recorded, &plain, &pieces);
            assert_eq!(counts(&comparison), [2, 2, 2, 0, 0, 0], "{format} in pieces of {size}");
            assert_eq!((comparison.bytes, comparison.unexpected), (14, 0));
        }
        let comparison = compared(&recorded, &plain, &[b"one\nxxxxthrue\n".to_vec()]);
        assert_eq!(counts(&comparison), [2, 2, 1, 1, 0, 0], "{format}");
    }
}

#[test]
fn a_gap_in_a_message_leaves_what_is_before_and_after_it() {
    let whole = messages("pickle/u32be", &EVENTS).concat();
    let (from, to) = (whole.len() / 2, whole.len() / 2 + 3);
    let recorded = with_gap("pickle/u32be", &whole[..from], Some((to - from) as u64), &whole[to..]);
    let plain = Rules::default();
    let comparison = compared(&recorded, &plain, std::slice::from_ref(&whole));
    assert_eq!((comparison.differing, comparison.unexpected, comparison.missed()), (0, 0, 0));
    assert!(comparison.matched >= 2);
}

#[test]
fn after_a_gap_of_unknown_length_nothing_is_compared() {
    for format in ["raw", "text/line"] {
        let recorded = with_gap(format, b"one\n", None, b"three\n");
        let plain = Rules::default();
        let comparison = compared(&recorded, &plain, &[b"one\ntwo\nthree\n".to_vec()]);
        assert_eq!(counts(&comparison), [2, 1, 1, 0, 0, 0], "{format}");
        assert_eq!(comparison.unexpected, 0);
    }
}

#[test]
fn what_no_format_can_cut_is_compared_however_it_comes() {
    let garbage: Vec<u8> = (0..200_u8).map(|byte| byte.wrapping_mul(37) | 0x80).collect();
    for format in ["pickle", "protobuf:pb.TempEvent/varint", "auto"] {
        let recorded = recorded(format, &[Server(&garbage[..150]), Server(&garbage[150..])]);
        for size in [1, 7, 50, 149, 151, 200] {
            let pieces: Vec<_> = garbage.chunks(size).map(<[u8]>::to_vec).collect();
            let plain = Rules::default();
            let comparison = compared(&recorded, &plain, &pieces);
            let all = recorded.messages(Side::Server);
            assert_eq!(counts(&comparison), [all, all, all, 0, 0, 0], "{format} {size}");
        }
    }
}

mod carrying {
    use super::*;

    fn carrying(carry: &str) -> Rules {
        Rules { carry: vec![carry.parse().unwrap()], ..Rules::default() }
    }

    /// What is sent in place of the recorded client's last message when the server says this.
    fn sent(format: &str, carry: &str, lines: &[Line<'_>], live: &[u8]) -> Result<Vec<u8>, String> {
        let recorded = recorded(format, lines);
        let rules = carrying(carry);
        let mut comparison = Comparison::new(&recorded, Side::Server, &rules);
        comparison.take(Arrival { at: Timestamp(0), frame: None }, live);
        if let Some(deadline) = comparison.deadline() {
            comparison.expire(deadline);
        }
        assert_eq!(comparison.arrived, 1, "{format}");
        let ours = recorded.steps.iter().rev().find_map(|step| step.message_of(Side::Client));
        comparison.outgoing(ours.unwrap()).map(|bytes| bytes.into_owned())
    }

    #[test]
    fn a_live_token_is_sent_in_place_of_the_recorded_one() {
        let carry = "server:$.token→client:$.token";
        for format in ["pickle", "pickle/u16be", "pickle/varint", "pickle/chunk"] {
            let [challenge, live, answer, wanted] = [
                r#"{"token":"abc","n":1}"#,
                r#"{"token":"a much longer one","n":1}"#,
                r#"{"user":{"$tuple":[1,{"$bytes":"AA=="}]},"token":"abc"}"#,
                r#"{"user":{"$tuple":[1,{"$bytes":"AA=="}]},"token":"a much longer one"}"#,
            ]
            .map(|value| message(format, value));
            let lines = [Server(&challenge), Client(&answer)];
            assert_eq!(sent(format, carry, &lines, &live).unwrap(), wanted, "{format}");
            // Where the live token is the recorded one, and where ours says another, nothing changes.
            assert_eq!(sent(format, carry, &lines, &challenge).unwrap(), answer, "{format}");
            let lines = [Server(&live), Client(&answer)];
            assert_eq!(sent(format, carry, &lines, &challenge).unwrap(), answer, "{format}");
        }
    }

    #[test]
    fn text_that_is_json_keeps_its_other_characters() {
        let carry = "server:$.id->client:$..session";
        let sent = |format, answer: &[u8]| {
            let lines = [Server(b"{\"id\": 17}\n"), Client(answer)];
            sent(format, carry, &lines, b"{\"id\":18}\n").unwrap()
        };
        assert_eq!(
            sent("text/line", b"{ \"a\":1.50,\"s\":[{\"session\" : 17}] }\r\n"),
            b"{ \"a\":1.50,\"s\":[{\"session\" : 18}] }\r\n"
        );
        assert_eq!(sent("text", b"{\"session\":17}\n"), b"{\"session\":18}\n");
        assert_eq!(sent("text", b"{\"session\":\"17\"}\n"), b"{\"session\":\"17\"}\n");
    }

    #[test]
    fn a_text_may_be_the_token_itself() {
        let carry = "server:$->client:$";
        let lines = [Server(b"token\n"), Client(b"token\n")];
        assert_eq!(sent("text/line", carry, &lines, b"other\n").unwrap(), b"other\n");
    }

    #[test]
    fn a_protobuf_field_takes_what_another_says() {
        let format = "protobuf:pb.TempEvent/varint";
        let carry = "server:$.event_id->client:$.device_id";
        let [challenge, live, answer, wanted] = [
            r#"{"device_id":1,"event_id":5}"#,
            r#"{"device_id":1,"event_id":70000}"#,
            r#"{"device_id":5,"event_id":5,"temp_cel":1.5}"#,
            r#"{"device_id":70000,"event_id":5,"temp_cel":1.5}"#,
        ]
        .map(|value| message(format, value));
        let lines = [Server(&challenge), Client(&answer)];
        assert_eq!(sent(format, carry, &lines, &live).unwrap(), wanted);
        // A float does not fit there.
        let carry = "server:$.temp_cel->client:$.temp_cel";
        let answer = message(format, r#"{"device_id":5,"temp_cel":1.5}"#);
        let [challenge, live] =
            [r#"{"temp_cel":1.5}"#, r#"{"temp_cel":2.25}"#].map(|value| message(format, value));
        let lines = [Server(&challenge), Client(&answer)];
        let wanted = message(format, r#"{"device_id":5,"temp_cel":2.25}"#);
        assert_eq!(sent(format, carry, &lines, &live).unwrap(), wanted);
    }

    #[test]
    fn fields_that_the_schema_does_not_know_are_sent_along() {
        let format = "protobuf:pb.TempEvent/u8";
        let carry = "server:$.device_id->client:$.device_id";
        let [challenge, live] =
            [r#"{"device_id":5}"#, r#"{"device_id":70000}"#].map(|value| message(format, value));
        let lines = [Server(&challenge), Client(b"\x06\x08\x05\x48\x07\x52\0")];
        let wanted = b"\x08\x08\xf0\xa2\x04\x48\x07\x52\0";
        assert_eq!(sent(format, carry, &lines, &live).unwrap(), wanted);
    }

    #[test]
    fn a_pickle_keeps_its_protocol_and_what_it_shares() {
        let value = |token| {
            json::parse(&format!(r#"[{{"$id":1,"value":["{token}"]}},{{"$ref":1}}]"#)).unwrap()
        };
        let challenge = message("pickle", r#""old""#);
        for protocol in [0, 2, 3, 4, 5] {
            let answer = wirespool::wire::pickle::encode(&value("old"), protocol).unwrap();
            let wanted = wirespool::wire::pickle::encode(&value("new"), protocol).unwrap();
            let lines = [Server(&challenge), Client(&answer)];
            let live = message("pickle", r#""new""#);
            let sent = sent("pickle", "server:$->client:$[1][0]", &lines, &live).unwrap();
            assert_eq!(sent, wanted, "protocol {protocol}");
        }
    }

    #[test]
    fn what_cannot_be_encoded_is_said() {
        let challenge = message("pickle", r#"{"token":"abc"}"#);
        let live = message("pickle", r#"{"token":"new"}"#);
        // {"token": "abc", "o": collections.OrderedDict}
        let answer = b"\x80\x02}(X\x05\x00\x00\x00tokenX\x03\x00\x00\x00abcX\x01\x00\x00\x00occollections\nOrderedDict\nu.";
        let lines = [Server(&challenge), Client(answer)];
        let refused = sent("pickle", "server:token->client:token", &lines, &live).unwrap_err();
        assert!(refused.contains("objects cannot be encoded"), "{refused}");
        assert!(refused.contains("message 1"), "{refused}");
    }

    #[test]
    fn a_token_that_did_not_come_is_a_difference() {
        let [token, answer] =
            [r#"{"token":"abc","n":1}"#, r#"{"token":"abc"}"#].map(|one| message("pickle", one));
        let recorded = recorded("pickle", &[Server(&token), Client(&answer)]);
        let rules = carrying("server:$.token->client:$.token");
        let comparison = compared(&recorded, &rules, &messages("pickle", &[r#"{"n":1}"#]));
        assert_eq!(counts(&comparison), [1, 1, 0, 1, 0, 0]);
        assert_eq!(comparison.differences[0].path.as_deref(), Some("$.token"));
        assert_eq!(comparison.unused(), [""; 0]);
    }

    #[test]
    fn what_is_not_sent_later_is_compared() {
        let [first, ours, second, live_first, live_second] = [
            r#"{"token":"abc","n":1}"#,
            r#"{"token":"abc"}"#,
            r#"{"token":"xyz","n":1}"#,
            r#"{"token":"new","n":1}"#,
            r#"{"token":"newer","n":1}"#,
        ]
        .map(|one| message("pickle", one));
        // The second token is sent by nobody; neither is the first one, once it was sent.
        let lines = [Server(&first), Client(&ours), Server(&second), Server(&first)];
        let recorded = recorded("pickle", &lines);
        let rules = carrying("server:token->client:token");
        let live = [live_first.clone(), live_second, live_first];
        let mut comparison = compared(&recorded, &rules, &live);
        assert_eq!(counts(&comparison), [3, 3, 1, 2, 0, 0]);
        assert_eq!(comparison.differences[0].path.as_deref(), Some("$.token"));
        let ours = recorded.steps.iter().find_map(|step| step.message_of(Side::Client)).unwrap();
        assert_eq!(*comparison.outgoing(ours).unwrap(), message("pickle", r#"{"token":"new"}"#));
        let carriage = &comparison.carriages()[0];
        assert_eq!((carriage.read, carriage.sent), (3, 1));
        // A target that leads nowhere leaves nothing out.
        let nowhere = carrying("server:token->client:tokne");
        let comparison = compared(&recorded, &nowhere, &live);
        assert_eq!(comparison.differing, 3);
        let carriage = &comparison.carriages()[0];
        assert_eq!((carriage.read, carriage.sent), (3, 0));
    }

    #[test]
    fn bytes_are_carried_whole_or_compared() {
        let rules = carrying("server:$->client:$");
        let lines = [Client(b"hello"), Server(b"world"), Client(b"bye"), Server(b"world")];
        let recorded_bytes = recorded("raw", &lines);
        let comparison = compared(&recorded_bytes, &rules, &[b"earthearth".to_vec()]);
        assert_eq!(counts(&comparison), [2, 2, 0, 2, 0, 0]);
        let lines = [Server(b"nonce"), Client(b"nonce"), Server(b"world")];
        let recorded_bytes = recorded("raw", &lines);
        let mut comparison =
            compared(&recorded_bytes, &rules, &[b"other".to_vec(), b"world".to_vec()]);
        assert_eq!(counts(&comparison), [2, 1, 1, 0, 1, 0]);
        let ours = recorded_bytes.steps.iter().find_map(|step| step.message_of(Side::Client));
        assert_eq!(*comparison.outgoing(ours.unwrap()).unwrap(), *b"other");
    }

    #[test]
    fn carries_are_spelled_with_an_arrow_between_two_sides() {
        for given in ["server:$.a→client:b", "client:a -> server:$..b"] {
            let carry: wirespool::replay::Carry = given.parse().unwrap();
            assert_eq!(carry, carry.to_string().parse().unwrap());
        }
        for given in ["", "a->b", "server:a->server:b", "server:->client:a", "peer:a->client:b"] {
            assert!(given.parse::<wirespool::replay::Carry>().is_err(), "{given}");
        }
    }
}

proptest! {
    /// Whatever comes, in whatever pieces: nothing panics, and the counts add up.
    #[test]
    fn any_bytes_may_come(
        format in prop::sample::select(vec![
            "raw", "text", "text/line", "pickle", "pickle/chunk", "pickle/u16be", "protobuf",
            "protobuf:pb.TempEvent", "protobuf:pb.TempEvent/varint", "protobuf:pb.TempEvent/idle=20",
            "auto",
        ]),
        compare in prop::sample::select(Compare::ALL.to_vec()),
        ignore in prop::sample::select(vec![vec![], vec!["a"], vec!["$"], vec!["$..*"]]),
        recorded in prop::collection::vec(prop::collection::vec(0_u8..130, 1..12), 1..5),
        change in 0_usize..20,
        size in 1_usize..20,
    ) {
        let conversation = answers(format, &recorded);
        let rules = Rules { compare, ..rules(&ignore) };
        let mut live = recorded.concat();
        if let Some(byte) = live.get_mut(change) {
            *byte ^= 1;
        }
        let pieces: Vec<_> = live.chunks(size).map(<[u8]>::to_vec).collect();
        let comparison = compared(&conversation, &rules, &pieces);
        let [arrived, compared, matched, differing, ignored, missed] = counts(&comparison);
        prop_assert_eq!(compared, matched + differing);
        prop_assert!(compared + ignored <= arrived);
        prop_assert_eq!(arrived + missed, conversation.messages(Side::Server));
        let changed = change < live.len();
        if compare == Compare::Bytes {
            prop_assert_eq!(
                changed,
                differing + missed + comparison.unexpected > 0
            );
        }
        if compare == Compare::None {
            prop_assert_eq!(compared + comparison.unexpected, 0);
        }
        if !changed && compare == Compare::Values {
            prop_assert_eq!(differing + missed + comparison.unexpected, 0);
        }
    }
}

/// Values of few kinds, so that recorded and live ones are often the same.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        (0_u32..3).prop_map(|number| number.to_string()),
        (0_u32..3, 0_u32..3).prop_map(|(a, b)| format!(r#"{{"a":{a},"b":[{b},{a}]}}"#)),
        (0_u32..3).prop_map(|a| format!(r#"{{"$set":[{a},"x"]}}"#)),
    ]
}

proptest! {
    /// Where the codec knows its end, in whatever pieces messages come: the findings are the same.
    #[test]
    fn pieces_make_no_difference(
        format in prop::sample::select(vec!["pickle", "pickle/chunk", "pickle/idle=20", "pickle/varint"]),
        ignore in prop::sample::select(vec![vec![], vec!["a"], vec!["$.b[0]"]]),
        recorded in prop::collection::vec(value(), 1..8),
        live in prop::collection::vec(value(), 1..8),
        cuts in prop::collection::vec(1_usize..30, 1..20),
    ) {
        let bytes = |values: &[String]| -> Vec<Vec<u8>> {
            values.iter().map(|value| message(format, value)).collect()
        };
        let conversation = answers(format, &bytes(&recorded));
        let rules = rules(&ignore);
        let live = bytes(&live);
        let whole = live.concat();
        let mut rest = &whole[..];
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at(rest.len().min(*cut));
            pieces.push(piece.to_vec());
            rest = more;
        }
        let by_message = compared(&conversation, &rules, &live);
        let by_piece = compared(&conversation, &rules, &pieces);
        prop_assert_eq!(counts(&by_message), counts(&by_piece));
        prop_assert_eq!(by_message.unexpected, by_piece.unexpected);
        prop_assert_eq!(&by_message.differences, &by_piece.differences);
    }

    /// What is put into a message is all that changes in it, or it is not sent.
    #[test]
    fn carrying_changes_nothing_else(
        format in prop::sample::select(vec!["pickle", "pickle/varint", "text/line", "text"]),
        ours in value(),
        tokens in prop::collection::vec(value(), 2),
    ) {
        let encoded = |value: &str| match format {
            "text/line" => format!("{value}\n").into_bytes(),
            "text" => value.as_bytes().to_vec(),
            _ => message(format, value),
        };
        let [token, live] = [&tokens[0], &tokens[1]].map(|token| format!(r#"{{"t":{token}}}"#));
        let ours = format!(r#"{{"x":{ours},"t":{}}}"#, tokens[0]);
        let wanted = ours.replace(&format!(r#""t":{}"#, tokens[0]), &format!(r#""t":{}"#, tokens[1]));
        let (token, live, ours) = (encoded(&token), encoded(&live), encoded(&ours));
        let conversation = recorded(format, &[Server(&token), Client(&ours)]);
        let rules = Rules {
            carry: vec!["server:$.t->client:$.t".parse().unwrap()],
            ..Rules::default()
        };
        let mut comparison = compared(&conversation, &rules, &[live]);
        let sent = conversation.steps.iter().find_map(|step| step.message_of(Side::Client)).unwrap();
        prop_assert_eq!(comparison.outgoing(sent).unwrap(), encoded(&wanted));
    }
}

/// A pickle of 149 bytes that is 2^18 lists once nothing is shared.
fn shared_with_itself() -> Vec<u8> {
    let mut bytes = b"\x80\x04]\x94".to_vec();
    for level in 0..18 {
        bytes.extend_from_slice(&[b']', b'(', b'h', level, b'h', level, b'e', 0x94]);
    }
    bytes.push(b'.');
    bytes
}

#[test]
fn what_shares_with_itself_without_end_is_compared_whole() {
    let expected = messages("pickle", &["[1]"]);
    let recorded = answers("pickle", &[expected.concat(), shared_with_itself()]);
    let rules = rules(&["nothing"]);
    let comparison = compared(&recorded, &rules, &[shared_with_itself(), shared_with_itself()]);
    assert_eq!(counts(&comparison), [2, 2, 1, 1, 0, 0]);
    let note = comparison.differences[0].note.as_deref().unwrap();
    assert!(note.contains("compared as a whole: it shares too much with itself"), "{note}");
    assert!(note.contains("the same as recorded message 1"), "{note}");
}

#[test]
fn nothing_more_is_compared_once_an_end_is_asked_for() {
    for format in ["pickle", "pickle/chunk"] {
        let recorded = answers(format, &messages(format, &EVENTS));
        let plain = Rules::default();
        let mut comparison = Comparison::new(&recorded, Side::Server, &plain);
        let stop = Stop::new();
        comparison.stop_with(stop.clone());
        let live = messages(format, &[EVENTS[0], EVENTS[2], EVENTS[1]]);
        comparison.take(Arrival::default(), &live[0]);
        stop.request();
        comparison.take(Arrival::default(), &live[1..].concat());
        comparison.end();
        assert_eq!(counts(&comparison), [1, 1, 1, 0, 0, 2], "{format}");
    }
}

#[test]
fn without_a_schema_a_number_in_another_wire_type_differs() {
    let varint = b"\x08\x05\x10\x06".to_vec();
    let in_other_order = b"\x10\x06\x08\x05".to_vec();
    let fixed32 = b"\x10\x06\x0d\x05\0\0\0".to_vec();
    let fixed64 = b"\x10\x06\x09\x05\0\0\0\0\0\0\0".to_vec();
    for framing in ["chunk", "u32be", "varint"] {
        let format = format!("protobuf/{framing}");
        let wrap = |body: &Vec<u8>| wrap(&Format::parse(&format).unwrap(), body.clone()).unwrap();
        let recorded = answers(&format, &[wrap(&varint)]);
        for (rules, notices) in [
            (rules(&[]), true),
            (rules(&["nothing"]), true),
            (rules(&["$['2']"]), true),
            (rules(&["$['1']"]), false),
        ] {
            for (live, differs) in
                [(&varint, false), (&in_other_order, false), (&fixed32, true), (&fixed64, true)]
            {
                let comparison = compared(&recorded, &rules, &[wrap(live)]);
                let differing = u64::from(differs && notices);
                assert_eq!(comparison.differing, differing, "{format} {:?} {live:?}", rules.ignore);
                assert_eq!(comparison.compared, 1, "{format}");
                if differing > 0 {
                    let difference = &comparison.differences[0];
                    assert_eq!(difference.path.as_deref(), Some("$[\"1\"]"), "{format}");
                    assert_ne!(difference.expected, difference.got, "{format}");
                }
            }
        }
    }
    // A group has its own fields.
    let [recorded, live] =
        [b"\x0b\x08\x05\x0c".as_slice(), b"\x0b\x0d\x05\0\0\0\x0c"].map(<[u8]>::to_vec);
    let recorded = answers("protobuf", &[recorded]);
    assert_eq!(compared(&recorded, &Rules::default(), &[live]).differing, 1);
}
