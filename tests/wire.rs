//! Formats, and what a decoder makes of chunks.

use std::sync::Arc;
use std::time::Duration;

use wirespool::session::{Frame, Timestamp};
use wirespool::wire::{
    Arrival, Decoded, Decoder, FaultKind, Settings, Split, Value, detect, encode,
};
use wirespool::{Error, Format};

fn format(spelling: &str) -> Format {
    spelling.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// At so many milliseconds, in the frame of the same number.
fn at(milliseconds: i64) -> Arrival {
    Arrival {
        at: Timestamp(milliseconds * 1_000_000),
        frame: Some(Frame::alone(milliseconds as u64)),
    }
}

/// What one decoder says, step by step.
struct Run {
    decoder: Decoder,
    said: Vec<Decoded>,
}

impl Run {
    fn new(spelling: &str) -> Run {
        Run { decoder: Decoder::new(&format(spelling)), said: Vec::new() }
    }

    fn push(mut self, milliseconds: i64, bytes: &[u8]) -> Run {
        self.decoder.push(at(milliseconds), bytes, &mut |message| self.said.push(message));
        self
    }

    fn gap(mut self, length: Option<u64>) -> Run {
        self.decoder.gap(length, &mut |message| self.said.push(message));
        self
    }

    fn end(mut self) -> Vec<Decoded> {
        self.decoder.end(&mut |message| self.said.push(message));
        self.said
    }
}

fn texts(messages: &[Decoded]) -> Vec<&str> {
    messages.iter().map(text).collect()
}

fn text(message: &Decoded) -> &str {
    message.body.as_ref().ok().and_then(|value| value.as_str(value.root())).unwrap_or("(fault)")
}

fn fault(message: &Decoded) -> (FaultKind, usize) {
    match &message.body {
        Err(fault) => (fault.kind, fault.at),
        Ok(value) => panic!("{value:?} is no fault"),
    }
}

#[test]
fn a_format_is_spelled_as_short_as_it_can_be() {
    for (given, shortest) in [
        ("text", "text"),
        ("text/chunk", "text"),
        ("text/line", "text/line"),
        ("pickle/self", "pickle"),
        ("pickle/u32be", "pickle/u32be"),
        ("protobuf/chunk", "protobuf"),
        ("protobuf:pb.TempEvent/guess", "protobuf:pb.TempEvent"),
        ("protobuf:pb.TempEvent/varint", "protobuf:pb.TempEvent/varint"),
        ("raw/chunk", "raw"),
        ("raw/idle=50", "raw/idle=50"),
        ("auto", "auto"),
    ] {
        assert_eq!(format(given).to_string(), shortest);
        assert_eq!(format(given), format(shortest));
    }
}

#[test]
fn a_format_that_makes_no_sense_is_refused_with_what_would() {
    for (given, hint) in [
        ("json", "text/line"),
        ("yaml", "text, pickle, protobuf"),
        ("text/self", "chunk, line, u8"),
        ("pickle/guess", "chunk, u8"),
        ("pickle/line", "varint, self"),
        ("protobuf/guess", "guess if a message is named"),
        ("protobuf:TempEvent", "pb.TempEvent"),
        ("text:pb.TempEvent", "only protobuf"),
        ("text/u24be", "u16be, u16le, u32be"),
        ("text/idle=0", "1 to 3600000"),
        ("auto/line", "leave it out"),
        ("", "CODEC[:MESSAGE]"),
    ] {
        match Format::parse(given) {
            Err(Error::Format { given: named, reason }) => {
                assert_eq!(named, given);
                assert!(reason.contains(hint), "{given}: {reason}");
            }
            other => panic!("{given}: {other:?}"),
        }
    }
}

#[test]
fn a_character_cut_by_a_chunks_end_is_carried_over() {
    let bytes = "Дa€".as_bytes();
    let said =
        Run::new("text").push(1, &bytes[..1]).push(2, &bytes[1..5]).push(3, &bytes[5..]).end();
    assert_eq!(texts(&said), ["Дa", "€"]);
    assert_eq!((said[1].offset, said[1].raw.len(), said[1].arrival), (3, 3, at(3)));
    assert!(said.iter().all(|message| message.split == Split::Exact));
}

#[test]
fn invalid_bytes_are_a_fault_and_the_text_goes_on_after() {
    let said = Run::new("text").push(1, b"ab\xff\xd0").push(2, b"\x94").push(3, b"c\xe2").end();
    assert_eq!(text(&said[0]), "ab");
    assert_eq!(fault(&said[1]), (FaultKind::InvalidUtf8, 0));
    assert_eq!((said[1].offset, &said[1].raw[..]), (2, &b"\xff"[..]));
    assert_eq!(text(&said[2]), "Д");
    assert_eq!(text(&said[3]), "c");
    assert_eq!(fault(&said[4]), (FaultKind::Truncated, 1));
    assert_eq!(said.len(), 5);
}

#[test]
fn a_line_has_no_terminator_in_its_value_and_the_last_one_needs_none() {
    let said = Run::new("text/line").push(1, b"a\r").push(2, b"\n\nb\n").push(3, b"c").end();
    assert_eq!(texts(&said), ["a", "", "b", "c"]);
    let sizes: Vec<_> = said.iter().map(|message| (message.offset, message.raw.len())).collect();
    assert_eq!(sizes, [(0, 3), (3, 1), (4, 2), (6, 1)]);
    assert_eq!((said[0].arrival, said[3].arrival), (at(2), at(3)));
}

#[test]
fn a_prefix_is_part_of_the_message_and_of_where_its_fault_is() {
    let said = Run::new("text/u16le").push(1, b"\x02\x00hi\x00\x00\x03\x00h\xffi").end();
    assert_eq!(text(&said[0]), "hi");
    assert_eq!(text(&said[1]), "");
    assert_eq!(fault(&said[2]), (FaultKind::InvalidUtf8, 3));
    assert_eq!((said[1].offset, &said[1].raw[..]), (4, &b"\x00\x00"[..]));
}

#[test]
fn a_prefix_beyond_the_limit_ends_the_messages_and_the_rest_is_raw() {
    let said = Run::new("text/u32be").push(1, b"\0\0\0\x01a\xff\xff\xff\xffxy").push(2, b"z").end();
    assert_eq!(text(&said[0]), "a");
    assert_eq!(fault(&said[1]), (FaultKind::Limit, 0));
    assert_eq!(said[1].raw, b"\xff\xff\xff\xffxy");
    assert_eq!(said[2].format, Format::raw());
    assert_eq!(said[2].body, Ok(Value::bytes(b"z")));
}

#[test]
fn what_an_end_or_a_gap_cuts_off_is_given_as_truncated() {
    let said = Run::new("text/u8").push(1, b"\x03ab").gap(Some(10)).push(2, b"\x01c\x02d").end();
    assert_eq!(fault(&said[0]).0, FaultKind::Truncated);
    assert_eq!(said[0].split, Split::Exact);
    assert_eq!((text(&said[1]), said[1].offset, said[1].split), ("c", 13, Split::Guessed));
    assert_eq!((fault(&said[2]).0, said[2].offset), (FaultKind::Truncated, 15));
}

#[test]
fn lines_find_themselves_after_a_gap() {
    let said = Run::new("text/line").push(1, b"a\nb").gap(None).push(2, b"c\nd\n").end();
    assert_eq!(texts(&said), ["a", "(fault)", "c", "d"]);
    let splits: Vec<_> = said.iter().map(|message| message.split).collect();
    assert_eq!(splits, [Split::Exact, Split::Exact, Split::Guessed, Split::Exact]);
}

#[test]
fn idle_messages_end_where_nothing_comes_for_so_long() {
    let mut run = Run::new("text/idle=10").push(0, b"a").push(9, b"b").push(19, b"c");
    assert_eq!(run.decoder.deadline(), Some(at(29).at));
    run.decoder.expire(at(28).at, &mut |_| panic!("too early"));
    run.decoder.expire(at(29).at, &mut |message| run.said.push(message));
    assert_eq!(texts(&run.end()), ["ab", "c"]);
}

#[test]
fn pickles_that_come_together_are_told_apart_and_after_damage_the_rest_is_raw() {
    let bytes = b"\x80\x04K\x01.\x80\x04K\x02.";
    let said = Run::new("pickle").push(1, &bytes[..7]).push(2, &bytes[7..]).end();
    let values: Vec<_> =
        said.iter().map(|m| m.format.write_json(m.body.as_ref().unwrap())).collect();
    assert_eq!(values, ["1", "2"]);

    let said = Run::new("pickle").push(1, b"\x80\x04K\x01.\xffno").push(2, b"rest").end();
    assert_eq!(fault(&said[1]).0, FaultKind::Corrupt);
    assert_eq!((said[1].offset, &said[1].raw[..]), (5, &b"\xffno"[..]));
    assert_eq!((said[2].format.spelling(), &said[2].raw[..]), ("raw", &b"rest"[..]));
}

#[test]
fn a_pickle_is_a_stream_a_chunk_or_framed() {
    let value = format("pickle").read_value(r#"{"1":25,"2":[60.0,{"$tuple":[null]}]}"#).unwrap();
    for spelling in ["pickle", "pickle/chunk", "pickle/u32be", "pickle/varint", "pickle/idle=5"] {
        let bytes = encode(&format(spelling), &value).unwrap();
        let said = Run::new(spelling).push(0, &bytes).push(9, &bytes).end();
        assert_eq!(said.len(), 2, "{spelling}");
        assert!(said.iter().all(|m| m.body.as_ref() == Ok(&value) && m.raw == bytes), "{spelling}");
    }
}

#[test]
fn a_value_is_encoded_as_it_is_decoded() {
    let hello = Value::text("Привет");
    for (spelling, prefix, suffix) in [
        ("text", &b""[..], &b""[..]),
        ("text/line", b"", b"\n"),
        ("text/u8", b"\x0c", b""),
        ("text/u16be", b"\0\x0c", b""),
        ("text/u32le", b"\x0c\0\0\0", b""),
        ("text/u64be", b"\0\0\0\0\0\0\0\x0c", b""),
        ("text/varint", b"\x0c", b""),
    ] {
        let bytes = encode(&format(spelling), &hello).unwrap();
        assert_eq!(bytes, [prefix, "Привет".as_bytes(), suffix].concat(), "{spelling}");
        let said = Run::new(spelling).push(1, &bytes).end();
        assert_eq!(texts(&said), ["Привет"], "{spelling}");
    }
}

#[test]
fn a_value_that_would_be_read_back_as_another_is_refused() {
    let refuse = |spelling: &str, value: &Value| match encode(&format(spelling), value) {
        Err(Error::Value { reason, .. }) => reason,
        other => panic!("{spelling}: {other:?}"),
    };
    assert!(refuse("text/line", &Value::text("a\nb")).contains("line feed at byte 1"));
    assert!(refuse("text/line", &Value::text("a\r")).contains("carriage return"));
    assert!(refuse("text/u8", &Value::text(&"a".repeat(256))).contains("more than u8"));
    assert!(refuse("text", &Value::bytes(b"a")).contains("not bytes"));
    assert!(refuse("raw", &Value::text("a")).contains("not a string"));
    assert!(matches!(encode(&format("auto"), &Value::text("a")), Err(Error::Format { .. })));
}

#[test]
fn a_value_on_the_command_line_is_text_base64_or_json() {
    assert_eq!(format("text/line").read_value("{}").unwrap(), Value::text("{}"));
    assert_eq!(format("raw").read_value("AQI=").unwrap(), Value::bytes(b"\x01\x02"));
    assert_eq!(format("pickle").read_value("\"a\"").unwrap(), Value::text("a"));
    for (spelling, text) in [("raw", "!"), ("pickle", "{"), ("protobuf:pb.TempEvent", "[1,")] {
        let error = format(spelling).read_value(text).unwrap_err();
        assert!(error.to_string().starts_with(&format!("cannot encode as {spelling}")), "{error}");
    }
}

#[test]
fn the_format_is_found_out_from_what_explains_every_byte() {
    for (chunks, found) in [
        (&[&b"\x80\x04K\x01."[..]][..], "pickle"),
        (&[b"\x80\x04K\x01.\x80\x04K"], "pickle"),
        (&[b"\x80\x04", b"K\x01."], "pickle"),
        (&[b"\x80\x04K\x01.oh"], "raw"),
        (&[b"a\n", b"b\r\n"], "text/line"),
        (&[b"a\n", b"b"], "text/line"),
        (&[b"a\nb", b"c"], "text"),
        (&["Д".as_bytes()], "text"),
        (&[&"aД".as_bytes()[..2]], "text"),
        (&[b"\x00\x00\x00\x05hello"], "raw"),
        (&[b"\xd0"], "raw"),
        (&[], "raw"),
    ] {
        let (format, reason) = detect(chunks);
        assert_eq!(format.spelling(), found, "{chunks:?}: {reason}");
        assert!(!reason.is_empty());
    }
}

#[test]
fn auto_keeps_to_what_it_has_found_out() {
    let mut run = Run::new("auto").push(1, b"a\nb\n").push(2, b"c\n");
    assert!(run.decoder.is_undecided() && run.said.is_empty());
    assert_eq!(run.decoder.pending_since(), Some(at(1)));
    run.decoder.decide(&mut |message| run.said.push(message));
    assert_eq!(run.decoder.format().spelling(), "text/line");
    assert!(run.decoder.reason().is_some_and(|reason| reason.contains("3 lines")));
    let said = run.push(3, b"d\xff").end();
    assert_eq!(texts(&said), ["a", "b", "c", "(fault)"]);
    assert_eq!(said.iter().map(|one| one.arrival).collect::<Vec<_>>(), [1, 1, 2, 3].map(at));
    assert!(said.iter().all(|message| message.format.spelling() == "text/line"));
}

#[test]
fn the_guess_window_is_an_option() {
    let mut settings = Settings::default();
    assert_eq!(settings.guess_window, Duration::from_millis(5));
    settings.guess_window = Duration::from_millis(50);
    let format = format("protobuf:pb.TempEvent").with_settings(&Arc::new(settings));
    let mut decoder = Decoder::new(&format);
    decoder.push(at(0), b"\x08\x01", &mut |_| panic!("may go on"));
    assert_eq!(decoder.deadline(), Some(at(50).at));
}
