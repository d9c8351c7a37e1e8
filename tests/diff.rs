//! Two recorded sessions against each other.

mod support;

use std::time::Duration;

use support::Line::{self, *};
use support::feed;
use wirespool::Format;
use wirespool::replay::{Outcome, Receipt, Rules, Script, diff};
use wirespool::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
use wirespool::wire::{encode, json};

const STEP: Duration = Duration::from_millis(50);

fn session(format: &str, connections: &[&[Line<'_>]]) -> Script {
    let format = Format::parse(format).unwrap();
    let read = |sink: &mut dyn Sink| {
        (0..).zip(connections).try_for_each(|(number, lines)| feed(sink, number, STEP, lines))
    };
    Script::read(format, read).unwrap()
}

fn compared(format: &str, expected: &[Line<'_>], got: &[Line<'_>]) -> Receipt {
    diff(&session(format, &[expected]), &session(format, &[got]), &Rules::default())
}

fn message(format: &str, value: &str) -> Vec<u8> {
    encode(&Format::parse(format).unwrap(), &json::parse(value).unwrap()).unwrap()
}

#[test]
fn a_session_is_as_itself() {
    let lines = [Client(b"one\n"), Server(b"two\n"), ClientCloses, ServerCloses];
    for format in ["raw", "text", "text/line", "auto"] {
        let receipt = compared(format, &lines, &lines);
        assert_eq!(receipt.outcome, Outcome::Verified, "{format}: {receipt}");
        let one = &receipt.connections[0];
        assert_eq!((one.expected, one.matched, one.planned, one.sent), (2, 2, 0, 0));
        assert_eq!(receipt.role, "diff");
    }
}

#[test]
fn both_sides_are_compared() {
    let expected = [Client(b"one\n"), Server(b"two\n")];
    for (got, side) in [
        ([Client(b"ONE\n"), Server(b"two\n")], Side::Client),
        ([Client(b"one\n"), Server(b"TWO\n")], Side::Server),
    ] {
        let receipt = compared("text/line", &expected, &got);
        assert_eq!(receipt.outcome, Outcome::Failed);
        let differences = &receipt.connections[0].differences;
        assert_eq!(differences.len(), 1);
        assert_eq!(differences[0].side, side);
    }
}

#[test]
fn messages_that_only_silence_ended_are_compared_one_by_one() {
    let format = "protobuf:pb.TempEvent";
    let [one, two, other] = [
        r#"{"device_id":1,"temp_cel":1.5}"#,
        r#"{"device_id":1,"temp_cel":2.5}"#,
        r#"{"device_id":1,"temp_cel":3.5}"#,
    ]
    .map(|value| message(format, value));
    let expected = [Client(&one), Client(&two), Client(&one)];
    let receipt = compared(format, &expected, &[Client(&one), Client(&other), Client(&one)]);
    let connection = &receipt.connections[0];
    assert_eq!((connection.matched, connection.differing), (2, 1), "{receipt}");
    assert_eq!(connection.differences[0].path.as_deref(), Some("$.temp_cel"));
}

#[test]
fn how_the_bytes_were_cut_is_no_difference() {
    for format in ["raw", "text", "text/line", "pickle"] {
        let whole = [Client(b"N.N.")];
        let pieces = [Client(b"N"), Client(b".N"), Client(b".")];
        let receipt = compared(format, &whole, &pieces);
        assert_eq!(receipt.outcome, Outcome::Verified, "{format}: {receipt}");
        assert_eq!(compared(format, &pieces, &whole).outcome, Outcome::Verified, "{format}");
    }
}

#[test]
fn nothing_against_nothing_has_failed() {
    for lines in [&[][..], &[ClientCloses]] {
        assert_eq!(compared("raw", lines, lines).outcome, Outcome::Failed);
    }
    let none = session("raw", &[]);
    assert_eq!(diff(&none, &none, &Rules::default()).outcome, Outcome::Failed);
}

#[test]
fn a_connection_that_one_session_lacks_is_a_failure() {
    let lines: &[Line<'_>] = &[Client(b"one")];
    let (one, two) = (session("raw", &[lines]), session("raw", &[lines, lines]));
    let lacking = diff(&two, &one, &Rules::default());
    assert_eq!((lacking.outcome, lacking.connections[1].missed), (Outcome::Failed, 1));
    let surplus = diff(&one, &two, &Rules::default());
    assert_eq!((surplus.outcome, surplus.connections[1].unexpected_bytes), (Outcome::Failed, 3));
    assert_eq!(surplus.connections[1].missed, 0);
}

#[test]
fn a_close_is_no_reset() {
    let expected = [Client(b"one"), ClientCloses];
    let receipt = compared("raw", &expected, &[Client(b"one"), ClientResets]);
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert!(receipt.to_string().contains("reset the connection in the second"), "{receipt}");
    // An end that one of them does not show is none that is compared.
    let receipt = compared("raw", &expected, &[Client(b"one"), Cut]);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert!(receipt.tainted);
}

/// What the server said, with a gap.
fn lacking(before: &[u8], length: Option<u64>, after: &[u8]) -> Script {
    let format = Format::parse("text/line").unwrap();
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
    script.unwrap()
}

#[test]
fn what_a_capture_lacks_is_said() {
    let whole = session("text/line", &[&[Server(b"one\ntwo\nthree\n")]]);
    let gap = lacking(b"one\n", Some(4), b"three\n");
    let rules = Rules::default();
    for (expected, got) in [(&gap, &gap), (&gap, &whole)] {
        let receipt = diff(expected, got, &rules);
        assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
        assert!(!receipt.is_verified(), "{receipt}");
        assert_eq!(receipt.connections[0].matched, 2);
    }
    let receipt = diff(&whole, &gap, &rules);
    assert_eq!(receipt.outcome, Outcome::Failed);
    assert!(receipt.to_string().contains("lacks bytes of it from offset 4 on"), "{receipt}");
    let unknown = lacking(b"one\n", None, b"three\n");
    let receipt = diff(&unknown, &unknown, &rules);
    // What stands behind it is not compared: nothing says where it stands.
    assert_eq!((receipt.outcome, receipt.connections[0].compared), (Outcome::Delivered, 1));
    assert!(receipt.tainted);
}

#[test]
fn a_rule_that_one_side_needs_is_no_rule_for_nothing() {
    let lines = [Client(b"{\"a\":1,\"b\":2}\n"), Server(b"{\"c\":1}\n")];
    let both = [session("text/line", &[&lines]), session("text/line", &[&lines])];
    let ignore = ["a", "d"].map(|path| path.parse().unwrap()).to_vec();
    let receipt = diff(&both[0], &both[1], &Rules { ignore, ..Rules::default() });
    assert_eq!(receipt.outcome, Outcome::Verified);
    assert_eq!(receipt.notes, ["--ignore d applied to nothing"]);
}
