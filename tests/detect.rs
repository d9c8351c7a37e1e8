//! `auto`: what bytes are found to be, and why.

use std::sync::Arc;

use wirespool::session::Timestamp;
use wirespool::wire::{Arrival, Decoder, Settings, Value, detect, encode, pickle};
use wirespool::{Format, wire};

/// What a side is found to be that sends these chunks and ends, and why.
fn found(chunks: &[&[u8]]) -> (String, String) {
    let mut decoder = Decoder::new(&Format::auto());
    for (index, chunk) in chunks.iter().enumerate() {
        let arrival = Arrival { at: Timestamp(index as i64), frame: None };
        decoder.push(arrival, chunk, &mut |_| {});
    }
    decoder.end(&mut |_| {});
    (decoder.format().to_string(), decoder.reason().unwrap_or("nothing was found").to_owned())
}

fn is(chunks: &[&[u8]], expected: &str, said: &str) {
    let (format, reason) = found(chunks);
    assert_eq!(format, expected, "{chunks:?}: {reason}");
    assert!(reason.contains(said), "{reason}");
}

fn value(spelling: &str, json: &str) -> Value {
    spelling.parse::<Format>().unwrap().read_value(json).unwrap()
}

/// Messages of a format, each of another value.
fn messages(spelling: &str, values: impl Iterator<Item = String>) -> Vec<Vec<u8>> {
    let format: Format = spelling.parse().unwrap();
    values.map(|json| encode(&format, &format.read_value(&json).unwrap()).unwrap()).collect()
}

fn readings() -> impl Iterator<Item = String> {
    (1..).map(|id| format!(r#"{{"device_id":{id},"event_id":{},"humidity":60.5}}"#, id * 77))
}

fn as_chunks(messages: &[Vec<u8>]) -> Vec<&[u8]> {
    messages.iter().map(Vec::as_slice).collect()
}

#[test]
fn pickles_of_every_protocol_are_found_alone_and_behind_any_length() {
    let carbon = value("pickle", r#"[["a.b",[1700000000,1.5]],{"c":null}]"#);
    for protocol in 0..=5 {
        let one = pickle::encode(&carbon, protocol).unwrap();
        let stream = one.repeat(4);
        is(&[&stream], "pickle", "4 whole pickles");
        is(&[&stream[..50], &stream[50..]], "pickle", "one after the other");
        for framing in ["u16be", "u16le", "u32be", "u32le", "u64be", "u64le"] {
            let format: Format = format!("raw/{framing}").parse().unwrap();
            let framed = wire::wrap(&format, one.clone()).unwrap().repeat(12);
            let said = "12 messages, each a whole pickle behind its length";
            is(&[&framed], &format!("pickle/{framing}"), said);
        }
    }
}

#[test]
fn a_length_of_one_byte_and_a_varint_are_a_tie_until_a_length_tells_them_apart() {
    let short = messages("pickle/u8", (0..3).map(|n| format!("[{n},\"abc\"]"))).concat();
    is(&[&short], "raw", "more than one format explains every byte: pickle/u8 (");
    let long = messages("pickle/varint", (0..3).map(|n| format!("[{n},\"{}\"]", "a".repeat(200))));
    is(&as_chunks(&long), "pickle/varint", "3 messages");
}

#[test]
fn protocol_buffers_are_found_by_fields_that_come_again_and_never_by_a_schema() {
    for framing in ["varint", "u16be", "u32be", "u32le", "u64be"] {
        let spelling = format!("protobuf:pb.TempEvent/{framing}");
        let sent = messages(&spelling, readings().take(5));
        is(&as_chunks(&sent), &format!("protobuf/{framing}"), "5 messages");
        is(&[&sent.concat()], &format!("protobuf/{framing}"), "numbered 1, 2, 3");
        let one = messages(&spelling, readings().take(1));
        is(&as_chunks(&one), "raw", "");
    }
    let unframed = messages("protobuf:pb.TempEvent", readings().take(5));
    is(&as_chunks(&unframed), "raw", "-f protobuf:MESSAGE");
}

#[test]
fn fields_whose_types_change_or_go_backwards_are_none() {
    let sent = messages("protobuf:pb.TempEvent/varint", readings().take(9)).concat();
    is(&[&sent], "protobuf/varint", "");
    is(&[&sent, b"\x02\x10\x01\x02\x09\x01"], "raw", "");
    is(&[&sent, b"\x04\x10\x01\x08\x01"], "raw", "");
    is(&[&sent, b"\x02\x08"], "raw", "");
}

#[test]
fn text_is_in_lines_where_they_end_and_comes_as_it_does_where_they_do_not() {
    is(&[b"one\n", b"two\r\n"], "text/line", "2 lines of UTF-8 text");
    is(&[b"one\n", b"two"], "text/line", "2 lines of UTF-8 text; chunks end with a line");
    is(&[b"on", b"e\ntw", b"o\n"], "text/line", "what was said ends with one");
    is(&["Привет".as_bytes(), "мир\nмир".as_bytes()], "text", "no chunk ends where a line does");
    is(&[&"Привет".as_bytes()[..3], &"Привет".as_bytes()[3..]], "text", "without a line's end");
    is(&[b"*1\r\n$4\r\n", b"PING\r\n"], "text/line", "");
    is(&[b"{\"a\":1}\n{\"a\"", b":2}\n{\"a\":3"], "text", "no chunk ends");
    is(&[b"{\"a\":1}\n{\"a\"", b":2}\n{\"a\":3}"], "text/line", "each a JSON value");
    is(&[b"{\"a\":1}", b"{\"a\":2}"], "text", "");
    is(&[b"{\"a\":1,", b"\"b\":2}"], "raw", "a JSON value across chunks");
}

#[test]
fn text_behind_lengths_is_found_where_the_lengths_are_no_text() {
    for framing in ["u16be", "u32be", "u32le", "u64le"] {
        let spelling = format!("text/{framing}");
        let sent = messages(&spelling, ["hello", "мир", "{}"].map(str::to_owned).into_iter());
        is(&as_chunks(&sent), &spelling, "3 messages, each UTF-8 text behind its length");
        let sent = messages(&spelling, (0..3).map(|n| format!("{{\"a\":{n}}}")));
        is(&as_chunks(&sent), &spelling, "each a JSON value");
    }
    is(&[b"\0\0\0\x05hello"], "raw", "");
    let printable = messages("text/u8", (0..9).map(|n| format!("{n}{}", "a".repeat(40)))).concat();
    is(&[&printable], "text", "");
}

#[test]
fn what_is_text_and_fields_at_once_is_a_tie() {
    let message = [&b"\"\n "[..], &[b'a'; 32]].concat();
    let sent = [message.repeat(8), b"".to_vec()].concat();
    is(&[&sent], "raw", "more than one format explains every byte: text (");
    is(&[&sent], "raw", "protobuf/varint (8 messages");
}

#[test]
fn what_no_format_explains_is_raw_with_the_reason() {
    is(&[b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"], "raw", "no lengths lead");
    is(&[b"HTTP/1.1 200 OK\r\n\r\n", b"\x89PNG\r\n\x1a\n\0\0"], "raw", "byte 19 is not UTF-8");
    is(&[b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"], "raw", "byte 1 is not UTF-8");
    let utf16: Vec<u8> = "Hello, world\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    is(&[&utf16], "raw", "it looks like UTF-16");
    is(&[b"\x80"], "raw", "");
    is(&[b"\x80\x04K\x01.oh"], "raw", "byte 5 begins no pickle");
    is(&[b"\x80\x04K\x01.\x80\x04K"], "raw", "the pickle that begins at byte 5 is not whole");
    is(&[b"N."], "raw", "more than one format");
    // The length before a string: more than is allowed, and no reason to take it for a pickle.
    is(&[b"\0\x06X\xff\xff\xff\xff.\0\x06X\xff\xff\xff\xf0."], "raw", "");
    assert_eq!(found(&[]).1, "nothing was found");
}

#[test]
fn a_sample_may_end_within_a_message_where_the_side_goes_on() {
    let pickles = messages("pickle/u32be", (0..3).map(|n| n.to_string())).concat();
    let fields = messages("protobuf:pb.TempEvent/varint", readings().take(6)).concat();
    for (sent, expected) in [(pickles, "pickle/u32be"), (fields, "protobuf/varint")] {
        for cut in [1, 2, 6] {
            let (format, reason) = detect(&[&sent[..sent.len() - cut]]);
            assert_eq!(format.spelling(), expected, "{cut} bytes less: {reason}");
        }
    }
}

#[test]
fn a_side_is_decided_by_its_first_bytes_and_what_follows_is_read_so() {
    let mut decoder = Decoder::new(&Format::auto());
    let (mut given, mut pushed) = (0, 0);
    while decoder.is_undecided() {
        decoder.push(Arrival::default(), &[b'a'; 1000], &mut |one| given += one.raw.len());
        pushed += 1000;
        assert!(pushed <= 70_000, "64 KiB are enough");
    }
    assert_eq!((given, decoder.format().spelling()), (pushed, "text"));
    decoder.push(Arrival::default(), b"\xff", &mut |one| assert!(one.body.is_err()));
}

#[test]
fn many_sides_that_are_not_known_yet_leave_room_for_messages() {
    let settings =
        Arc::new(Settings { process: 1 << 20, pool: Arc::default(), ..Settings::default() });
    let format = Format::auto().with_settings(&settings);
    let mut sides: Vec<Decoder> = (0..1000).map(|_| Decoder::new(&format)).collect();
    for side in &mut sides {
        side.push(Arrival::default(), b"hello\n", &mut |_| {});
    }
    assert_eq!(settings.pool.held(), 0, "so little is not counted");
    for side in &mut sides {
        side.push(Arrival::default(), &b"four\n".repeat(800), &mut |_| {});
    }
    assert!(settings.pool.held() <= settings.process / 2 + 8192);
    assert!(sides.iter().any(|side| !side.is_undecided()));
}

#[test]
fn what_follows_missing_bytes_is_marked_as_if_the_format_had_been_named() {
    let sent = messages("pickle/u32be", (0..3).map(|n| n.to_string())).concat();
    let mut decoder = Decoder::new(&Format::auto());
    decoder.gap(Some(100), &mut |_| {});
    let mut splits = Vec::new();
    decoder.push(Arrival::default(), &sent, &mut |_| panic!("kept"));
    decoder.end(&mut |one| splits.push((one.offset, one.split)));
    assert_eq!(splits[0].0, 100);
    assert!(splits.iter().all(|(_, split)| *split == wire::Split::Guessed));
}
