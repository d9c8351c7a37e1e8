//! Framings: no byte is lost, and where message ends stand in the bytes, chunks do not matter.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;
use wirespool::Format;
use wirespool::session::{Frame, Timestamp};
use wirespool::wire::{Arrival, Decoded, Decoder, FaultKind, Settings, Split, Value, encode};

const FORMATS: [&str; 31] = [
    "auto",
    "text",
    "text:utf-16",
    "text:utf-16be/line",
    "text:gb18030",
    "text:cp1251/line",
    "text:cp932/u8",
    "text/line",
    "text/u8",
    "text/u16be",
    "text/u16le",
    "text/u32be",
    "text/u32le",
    "text/u64be",
    "text/u64le",
    "text/varint",
    "text/idle=5",
    "pickle",
    "pickle/chunk",
    "pickle/u32be",
    "pickle/varint",
    "protobuf",
    "protobuf/u8",
    "protobuf/varint",
    "protobuf:pb.TempEvent",
    "protobuf:pb.TempEvent/chunk",
    "protobuf:pb.TempEvent/varint",
    "raw",
    "raw/line",
    "raw/u16be",
    "raw/idle=5",
];

/// What happens to a decoder.
#[derive(Clone, Debug)]
enum Step {
    Push { pause: i64, bytes: Vec<u8> },
    Wait(i64),
    Gap(Option<u64>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0i64..12, bytes()).prop_map(|(pause, bytes)| Step::Push { pause, bytes }),
        1 => (0i64..12).prop_map(Step::Wait),
        1 => proptest::option::of(0u64..100).prop_map(Step::Gap),
    ]
}

/// Bytes among which the formats find much that is theirs.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..4),
        Just(b"\n".to_vec()),
        Just(b"\x80\x04K\x01.".to_vec()),
        Just(b"(lp0\nI1\na.".to_vec()),
        Just(b"\x08\x01\x10\x02".to_vec()),
        Just(b"\x1d\0\0\x70\x42".to_vec()),
        Just(b"\x2a\x03abc".to_vec()),
        Just(b"\x4b\x50\x01\x4c".to_vec()),
        Just(b"\0\0\0\x02hi".to_vec()),
        Just(b"\x03abc".to_vec()),
        Just("Д€😀".as_bytes().to_vec()),
        Just(b"\xd0".to_vec()),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Pushes bytes in chunks of these lengths, in turn, all at one time.
fn decode(format: &Format, bytes: &[u8], lengths: &[usize]) -> Vec<Decoded> {
    let mut decoder = Decoder::new(format);
    let mut said = Vec::new();
    let mut rest = bytes;
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().map_or(rest.len(), |length| rest.len().min(*length));
        decoder.push(Arrival::default(), &rest[..length], &mut |message| said.push(message));
        rest = &rest[length..];
    }
    decoder.end(&mut |message| said.push(message));
    said
}

fn format(spelling: &str) -> Format {
    spelling.parse().expect("a format")
}

/// Values that a format of this spelling carries.
fn values(spelling: &'static str) -> BoxedStrategy<Vec<Value>> {
    let value = match spelling.split(['/', ':']).next() {
        Some("text") => "[^\r\n]{0,20}".prop_map(|text| Value::text(&text)).boxed(),
        Some("raw") => vec(32u8..=255, 0..20).prop_map(|bytes| Value::bytes(&bytes)).boxed(),
        _ => (any::<i32>(), any::<i32>(), vec(any::<u8>(), 0..20))
            .prop_map(|(device, event, video)| {
                let mut value = Value::new();
                let mut entry = |key: &str, node| {
                    let item = value.add(node);
                    (value.add_str(key), item)
                };
                use wirespool::wire::value::Node;
                let mut entries = vec![
                    entry("device_id", Node::Int(device.into())),
                    entry("event_id", Node::Int(event.into())),
                ];
                entries.push((value.add_str("video_data"), value.add_bytes(&video)));
                let root = value.add_dict(&entries);
                value.set_root(root);
                value
            })
            .boxed(),
    };
    vec(value, 0..12).boxed()
}

const DELIMITED: [&str; 15] = [
    "text/line",
    "text:utf-16le/line",
    "text:utf-16be/line",
    "text/u8",
    "text/u16be",
    "text/u16le",
    "text/u32be",
    "text/u32le",
    "text/u64be",
    "text/u64le",
    "text/varint",
    "raw/line",
    "raw/u16be",
    "protobuf:pb.TempEvent/u32be",
    "protobuf:pb.TempEvent/varint",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_byte_is_lost_whatever_comes(
        format in proptest::sample::select(&FORMATS[..]).prop_map(format),
        steps in vec(step(), 0..12),
    ) {
        let mut decoder = Decoder::new(&format);
        let mut said = Vec::new();
        let (mut now, mut pushed, mut offset) = (0, Vec::new(), 0);
        // Where each byte stands in the side's bytes: a gap leaves a hole.
        let mut places = Vec::new();
        for (frame, step) in (1..).zip(steps) {
            let out = &mut |message| said.push(message);
            match step {
                Step::Push { pause, bytes } => {
                    now += pause * 1_000_000;
                    decoder.push(Arrival { at: Timestamp(now), frame: Some(Frame::alone(frame)) }, &bytes, out);
                    places.extend(offset..offset + bytes.len() as u64);
                    offset += bytes.len() as u64;
                    pushed.extend(bytes);
                }
                Step::Wait(pause) => {
                    now += pause * 1_000_000;
                    decoder.expire(Timestamp(now), out);
                    if let Some(deadline) = decoder.deadline() {
                        prop_assert!(deadline > Timestamp(now));
                    }
                }
                Step::Gap(length) => {
                    decoder.gap(length, out);
                    offset += length.unwrap_or(0);
                    prop_assert_eq!(decoder.deadline(), None);
                }
            }
        }
        decoder.end(&mut |message| said.push(message));
        prop_assert_eq!(decoder.deadline(), None);
        let mut given = 0;
        for message in &said {
            prop_assert_eq!(message.offset, places[given]);
            given += message.raw.len();
            if let Err(fault) = &message.body {
                prop_assert!(fault.at <= message.raw.len(), "{:?}", message);
            }
        }
        let raw: Vec<u8> = said.iter().flat_map(|message| message.raw.clone()).collect();
        prop_assert_eq!(raw, pushed);
        prop_assert!(said.windows(2).all(|pair| pair[0].arrival.frame <= pair[1].arrival.frame));
    }

    #[test]
    fn delimited_messages_are_the_same_in_any_chunks(
        (spelling, values) in proptest::sample::select(&DELIMITED[..])
            .prop_flat_map(|spelling| (Just(spelling), values(spelling))),
        lengths in vec(1usize..9, 1..6),
    ) {
        let format = format(spelling);
        let frames: Vec<_> = values.iter().map(|value| encode(&format, value).unwrap()).collect();
        let said = decode(&format, &frames.concat(), &lengths);
        let raw: Vec<_> = said.iter().map(|message| message.raw.clone()).collect();
        prop_assert_eq!(&raw, &frames);
        for (message, value) in said.iter().zip(&values) {
            prop_assert_eq!(message.split, Split::Exact);
            if spelling.starts_with("protobuf") {
                // Fields that are zero are left out.
                let again = encode(&format, message.body.as_ref().unwrap()).unwrap();
                prop_assert_eq!(&again, &message.raw);
            } else {
                prop_assert_eq!(message.body.as_ref(), Ok(value));
            }
        }
        prop_assert_eq!(said, decode(&format, &frames.concat(), &[usize::MAX]));
    }

    #[test]
    fn delimited_messages_are_the_same_in_any_chunks_even_of_damaged_bytes(
        format in proptest::sample::select(&DELIMITED[..]).prop_map(format),
        bytes in vec(bytes(), 0..6).prop_map(|pieces| pieces.concat()),
        lengths in vec(1usize..9, 1..6),
    ) {
        // Up to where the messages are given up: what is faulty there depends on what had come.
        let whole = |messages: Vec<Decoded>| {
            let lost = messages.iter().position(|message| {
                let kind = message.body.as_ref().err().map(|fault| fault.kind);
                matches!(kind, Some(FaultKind::Limit | FaultKind::Corrupt))
            });
            messages.into_iter().take(lost.unwrap_or(usize::MAX)).collect::<Vec<_>>()
        };
        prop_assert_eq!(
            whole(decode(&format, &bytes, &lengths)),
            whole(decode(&format, &bytes, &[usize::MAX]))
        );
    }

    #[test]
    fn text_is_the_same_in_any_chunks(text in "\\PC{0,40}", lengths in vec(1usize..5, 1..6)) {
        let said = decode(&format("text"), text.as_bytes(), &lengths);
        let mut joined = String::new();
        for message in &said {
            let value = message.body.as_ref().unwrap();
            joined.push_str(value.as_str(value.root()).unwrap());
        }
        prop_assert_eq!(joined, text);
    }
}

#[test]
fn a_message_that_comes_byte_by_byte_takes_linear_time() {
    let size = 1 << 20;
    let line = [vec![b'a'; size], b"\n".to_vec()].concat();
    let prefixed = [&(size as u32).to_be_bytes()[..], &vec![b'a'; size]].concat();
    let pickle = [b"\x80\x04B", &(size as u32).to_le_bytes()[..], &vec![b'a'; size], b"."].concat();
    let field = [b"\x2a\x80\x80\x40", &vec![b'a'; size][..]].concat();
    let groups = [b"\x33", &b"\x08\x01".repeat(size / 2)[..], b"\x34"].concat();
    for (spelling, bytes) in [
        ("text/line", &line),
        ("text/u32be", &prefixed),
        ("pickle", &pickle),
        ("protobuf:pb.TempEvent", &field),
        ("protobuf:pb.TempEvent", &groups),
    ] {
        let begun = Instant::now();
        let said = decode(&format(spelling), bytes, &[1]);
        assert_eq!(said.len(), 1, "{spelling}");
        assert!(said[0].body.is_ok(), "{spelling}: {:?}", said[0].body.as_ref().err());
        assert!(begun.elapsed() < Duration::from_secs(20), "{spelling}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_line_longer_than_the_limit_is_given_in_pieces_and_lines_go_on_after() {
    let format = format("raw/line");
    let mut decoder = Decoder::new(&format);
    let mut said = Vec::new();
    let chunk = vec![b'a'; 1 << 20];
    for _ in 0..65 {
        decoder.push(Arrival::default(), &chunk, &mut |message| said.push(message));
    }
    decoder.push(Arrival::default(), b"b\nc\n", &mut |message| said.push(message));
    let faults: Vec<_> = said.iter().map(|m| m.body.as_ref().err().map(|f| f.kind)).collect();
    assert_eq!(faults, [Some(FaultKind::Limit), Some(FaultKind::Limit), None]);
    assert_eq!(said[0].raw.len(), 65 << 20);
    assert_eq!(said[1].raw, b"b\n");
    assert_eq!(said[2].body, Ok(Value::bytes(b"c")));
}

/// The messages of chunks of which each comes a second after the one before.
fn decode_chunks(format: &Format, chunks: &[&[u8]]) -> Vec<Decoded> {
    let mut decoder = Decoder::new(format);
    let mut said = Vec::new();
    for (second, chunk) in (0..).zip(chunks) {
        let arrival = Arrival { at: Timestamp(second * 1_000_000_000), frame: None };
        decoder.push(arrival, chunk, &mut |message| said.push(message));
    }
    decoder.end(&mut |message| said.push(message));
    said
}

/// A format, chunks, and the length and the kind of each message.
type Case = (&'static str, &'static [&'static [u8]], &'static [(usize, &'static str)]);

#[test]
fn a_message_longer_than_the_limit_is_a_fault_in_each_framing_and_what_follows_is_read_if_it_can_be()
 {
    let mut settings = Settings::default();
    settings.limits.set("bytes", 8).unwrap();
    let settings = Arc::new(settings);
    // What comes, and how long what is given is and whether it is over the limit, whole, or as it came.
    const OVER: &str = "limit";
    const WHOLE: &str = "value";
    const LOST: &str = "raw";
    let cases: [Case; 15] = [
        ("text", &[b"123456789", b"12345678"], &[(9, OVER), (8, WHOLE)]),
        ("text:utf-16le", &[b"1\x002\x003\x004\x005\x00", b"1\0"], &[(10, OVER), (2, WHOLE)]),
        ("raw", &[b"123456789", b"12345678"], &[(9, OVER), (8, WHOLE)]),
        ("protobuf", &[b"\x0a\x07abcdefg", b"\x08\x01"], &[(9, OVER), (2, WHOLE)]),
        ("text/line", &[b"12345678\n1234567\n"], &[(9, OVER), (8, WHOLE)]),
        ("text/line", &[b"123456789", b"1\n1\n"], &[(9, OVER), (2, OVER), (2, WHOLE)]),
        // A line feed that lies on both sides of where the beginning was given away.
        (
            "text:utf-16le/line",
            &[b"1\x002\x003\x004\x00\n", b"\x001\0\n\0"],
            &[(8, OVER), (2, OVER), (4, WHOLE)],
        ),
        ("raw/idle=5", &[b"123456789", b"1"], &[(9, OVER), (1, WHOLE)]),
        (
            "text/u8",
            &[b"\x08", b"12345678", b"\x09", b"123456789"],
            &[(9, WHOLE), (1, OVER), (9, LOST)],
        ),
        ("text/u32be", &[b"\0\0\0\x09123456789"], &[(13, OVER)]),
        ("text/u64le", &[b"\x09\0\0\0\0\0\0\x80", b"1"], &[(8, OVER), (1, LOST)]),
        ("raw/varint", &[b"\x01a\x09", b"123456789"], &[(2, WHOLE), (1, OVER), (9, LOST)]),
        ("pickle/chunk", &[b"\x80\x04U\x06abcdef.", b"N."], &[(11, OVER), (2, WHOLE)]),
        ("pickle", &[b"N.", b"\x80\x04U\x06abcdef.", b"N."], &[(2, WHOLE), (11, OVER), (2, LOST)]),
        (
            "protobuf:pb.TempEvent",
            &[b"\x08\x01\x2a\x06abcdef", b"\x08\x01"],
            &[(10, OVER), (2, WHOLE)],
        ),
    ];
    for (spelling, chunks, expected) in cases {
        let format = format(spelling).with_settings(&settings);
        let said = decode_chunks(&format, chunks);
        let given: Vec<_> = said
            .iter()
            .map(|message| match &message.body {
                Err(fault) => {
                    assert!(fault.message.contains("bytes=N"), "{spelling}: {fault}");
                    (message.raw.len(), fault.kind.name())
                }
                Ok(_) if message.format == Format::raw() => (message.raw.len(), LOST),
                Ok(_) => (message.raw.len(), WHOLE),
            })
            .collect();
        assert_eq!(given, expected, "{spelling}");
        let raw: Vec<u8> = said.iter().flat_map(|message| message.raw.clone()).collect();
        assert_eq!(raw, chunks.concat(), "{spelling}");
    }
}
