//! Protocol Buffers without a schema: what is read says how it was written, and is written back.

use proptest::collection::vec;
use proptest::prelude::*;
use wirespool::Format;
use wirespool::wire::{Arrival, Decoder, Fault, FaultKind, Value, encode, json};

fn format() -> Format {
    "protobuf/chunk".parse().expect("a format")
}

fn decode(bytes: &[u8]) -> Result<Value, Fault> {
    let mut framed = Vec::new();
    prost::encoding::encode_varint(bytes.len() as u64, &mut framed);
    framed.extend_from_slice(bytes);
    let mut said = Vec::new();
    let mut decoder = Decoder::new(&"protobuf/varint".parse().expect("a format"));
    decoder.push(Arrival::default(), &framed, &mut |message| said.push(message));
    said.remove(0).body
}

fn read(bytes: &[u8]) -> String {
    json::to_string(&decode(bytes).unwrap_or_else(|fault| panic!("{fault}")))
}

fn write(text: &str) -> Result<Vec<u8>, String> {
    let value = format().read_value(text).map_err(|error| error.to_string())?;
    encode(&format(), &value).map_err(|error| error.to_string())
}

/// A length-delimited field 1 around these bytes.
fn around(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x0a];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn a_field_says_how_it_is_written() {
    for (bytes, text) in [
        (&b"\x08\x96\x01"[..], r#"{"1":150}"#),
        (
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            r#"{"1":{"$int":"18446744073709551615"}}"#,
        ),
        (b"\x0d\0\0\xc0\x3f", r#"{"1":{"fixed32":1069547520,"float":1.5}}"#),
        (b"\x0d\0\0\0\0", r#"{"1":{"fixed32":0,"float":0.0}}"#),
        // A denormal number, an infinity and what is no number are more likely integers.
        (b"\x0d\x05\0\0\0", r#"{"1":{"fixed32":5}}"#),
        (b"\x0d\0\0\x80\x7f", r#"{"1":{"fixed32":2139095040}}"#),
        (b"\x09\x05\0\0\0\0\0\0\0", r#"{"1":{"fixed64":5}}"#),
        (
            b"\x09\0\0\0\0\0\0\xf8\x3f",
            r#"{"1":{"fixed64":{"$int":"4609434218613702656"},"double":1.5}}"#,
        ),
        (b"\x0b\x08\x05\x0c", r#"{"1":{"group":{"1":5}}}"#),
        (b"\x0a\x02hi", r#"{"1":{"guess":"hi"}}"#),
        (b"\x0a\x00", r#"{"1":{"guess":""}}"#),
        (b"\x0a\x02\x08\x05", r#"{"1":{"guess":{"1":5}}}"#),
        (b"\x0a\x02\0\x01", r#"{"1":{"$bytes":"AAE="}}"#),
        (b"\x0a\x05\x0b\x0a\x01a\x0c", r#"{"1":{"guess":{"1":{"group":{"1":{"guess":"a"}}}}}}"#),
        (b"\x10\x01\x08\x02\x08\x03", r#"{"2":1,"1":[2,3]}"#),
        (b"", "{}"),
    ] {
        assert_eq!(read(bytes), text);
        assert_eq!(write(text).unwrap(), bytes, "{text}");
    }
}

#[test]
fn what_would_be_written_otherwise_is_no_message() {
    for content in [
        // A varint, a tag and a length that are longer than they need be.
        &b"\x08\x85\x00"[..],
        b"\x88\x00\x05",
        b"\x0a\x81\x00a",
        // Occurrences with another field between them, also in a group.
        b"\x08\x01\x10\x01\x08\x01",
        b"\x0b\x08\x01\x10\x01\x08\x01\x0c",
        // Groups that do not end, or have not begun.
        b"\x0b\x08\x01",
        b"\x0c",
        b"\x0b\x14",
        b"\x08",
    ] {
        let text = read(&around(content));
        assert!(text.starts_with(r#"{"1":{"$bytes":"#), "{text}");
        assert_eq!(write(&text).unwrap(), around(content));
    }
}

#[test]
fn of_the_outermost_message_only_the_order_of_repeats_and_spare_bytes_are_lost() {
    assert_eq!(write(&read(b"\x08\x01\x10\x01\x08\x02")).unwrap(), b"\x08\x01\x08\x02\x10\x01");
    assert_eq!(write(&read(b"\x88\x00\x85\x00")).unwrap(), b"\x08\x05");
}

#[test]
fn what_people_write_by_hand_is_accepted() {
    for (text, bytes) in [
        (r#"{"1":"hi"}"#, &b"\x0a\x02hi"[..]),
        (r#"{"1":true}"#, b"\x08\x01"),
        (r#"{"1":-1}"#, b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        (r#"{"1":{"2":3}}"#, b"\x0a\x02\x10\x03"),
        (r#"{"1":{}}"#, b"\x0a\x00"),
        (r#"{"1":{"float":1.5}}"#, b"\x0d\0\0\xc0\x3f"),
        (r#"{"1":{"double":1}}"#, b"\x09\0\0\0\0\0\0\xf0\x3f"),
        // The bits count.
        (r#"{"1":{"float":7.5,"fixed32":5}}"#, b"\x0d\x05\0\0\0"),
        (r#"{"1":{"guess":{"$bytes":"AAE="}}}"#, b"\x0a\x02\0\x01"),
        (r#"{"$dict":[[2,1],[1,{"$bytearray":"AAE="}]]}"#, b"\x10\x01\x0a\x02\0\x01"),
    ] {
        assert_eq!(write(text).unwrap(), bytes, "{text}");
    }
}

#[test]
fn what_is_no_field_is_refused_by_its_number() {
    for (text, reason) in [
        (r#"{"device_id":1}"#, "\"device_id\" is no field number"),
        (r#"{"536870912":1}"#, "is no field number"),
        (r#"{"1":1.5}"#, "field 1: without a schema a float cannot be written; a float is"),
        (r#"{"1":{"fixed32":4294967296}}"#, "field 1: fixed32 is an integer from 0 to 4294967295"),
        (r#"{"1":{"fixed64":-1}}"#, "field 1: fixed64 is an integer from 0"),
        (r#"{"1":{"float":1e39}}"#, "field 1: 1e39 is beyond what a float can be"),
        (r#"{"1":{"double":"x"}}"#, "field 1: double is a number, not a string"),
        (r#"{"1":{"group":5}}"#, "a message is a mapping"),
        (r#"{"1":{"guess":5}}"#, "field 1: a guess is a string or a mapping, not an integer"),
        (r#"{"1":{"varint":5}}"#, "field 1: \"varint\" is neither a field number nor one of"),
        (r#"{"1":[[1]]}"#, "field 1: without a schema a list cannot be written"),
        ("[]", "a message is a mapping from field numbers to values, not a list"),
    ] {
        let refused = write(text).unwrap_err();
        assert!(refused.contains(reason), "{text}: {refused}");
    }
}

#[test]
fn what_is_shared_again_and_again_does_not_fill_the_memory() {
    let mut text = format!(r#"{{"1":"{}"}}"#, "a".repeat(1 << 18));
    for level in 1..60 {
        text = format!(r#"{{"1":{{"$id":{level},"value":{text}}},"2":{{"$ref":{level}}}}}"#);
    }
    assert!(write(&text).unwrap_err().contains("takes more than"));
}

#[test]
fn nesting_is_bounded_and_bytes_stay_bytes_below_it() {
    let nest = |depth| (0..depth).fold(b"\x08\x01".to_vec(), |bytes, _| around(&bytes));
    let work = move || {
        for depth in [1, 99, 100, 101, 150] {
            let text = read(&nest(depth));
            let guesses = text.matches("guess").count();
            assert_eq!((guesses, text.contains("$bytes")), (depth.min(100), depth > 100));
            assert_eq!(write(&text).unwrap(), nest(depth));
            let groups = [b"\x0b".repeat(depth), b"\x0c".repeat(depth)].concat();
            match decode(&groups) {
                Ok(value) => assert_eq!(encode(&format(), &value).unwrap(), groups),
                Err(fault) => assert_eq!((fault.kind, depth > 100), (FaultKind::Limit, true)),
            }
            // A group inside what is guessed counts as well.
            let both = (0..50).fold(groups, |bytes, _| around(&bytes));
            assert_eq!(write(&read(&both)).unwrap(), both);
        }
    };
    std::thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn much_that_is_nearly_text_is_nested_at_every_level() {
    // Text with lengths of whole characters, up to a byte that is none, a hundred times around itself.
    let mut text = "é".repeat(1 << 19).into_bytes();
    text.push(0xff);
    let mut nested = text;
    for _ in 0..100 {
        nested = around(&nested);
    }
    assert_eq!(write(&read(&nested)).unwrap(), nested);
}

#[test]
fn a_message_of_many_small_values_is_refused() {
    assert_eq!(decode(&b"\x0a\x00".repeat(3 << 20)).unwrap_err().kind, FaultKind::Limit);
    assert_eq!(decode(&around(&b"\x08\x01".repeat(6 << 20))).unwrap_err().kind, FaultKind::Limit);
}

/// Bytes that are often a message: canonical fields, nested, with now and then anything else.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let scalar = prop_oneof![
        (1u32..6, any::<u64>()).prop_map(|(number, bits)| {
            let mut bytes = vec![(number << 3) as u8];
            prost::encoding::encode_varint(bits, &mut bytes);
            bytes
        }),
        (1u32..6, any::<[u8; 4]>()).prop_map(|(number, bits)| [
            vec![(number << 3 | 5) as u8],
            bits.to_vec()
        ]
        .concat()),
        (1u32..6, any::<[u8; 8]>()).prop_map(|(number, bits)| [
            vec![(number << 3 | 1) as u8],
            bits.to_vec()
        ]
        .concat()),
        (1u32..6, vec(any::<u8>(), 0..6)).prop_map(|(number, content)| {
            [vec![(number << 3 | 2) as u8, content.len() as u8], content].concat()
        }),
        vec(any::<u8>(), 0..4),
    ];
    scalar.prop_recursive(6, 64, 5, |inner| {
        (1u32..6, any::<bool>(), vec(inner, 0..5)).prop_map(|(number, is_group, fields)| {
            let content = fields.concat();
            if is_group {
                return [vec![(number << 3 | 3) as u8], content, vec![(number << 3 | 4) as u8]]
                    .concat();
            }
            let mut bytes = vec![(number << 3 | 2) as u8];
            prost::encoding::encode_varint(content.len() as u64, &mut bytes);
            bytes.extend(content);
            bytes
        })
    })
}

/// The fields of a message, each as it stands: what may change their order but nothing in them.
fn sorted_fields(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut one = rest;
        let mut skipped = prost_fields(&mut one);
        std::mem::swap(&mut skipped, &mut rest);
        fields.push(skipped[..skipped.len() - rest.len()].to_vec());
    }
    fields.sort();
    fields
}

fn prost_fields<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (number, wire) = prost::encoding::decode_key(rest).expect("a tag");
    prost::encoding::skip_field(wire, number, rest, Default::default()).expect("a field");
    rest
}

proptest! {
    #[test]
    fn what_is_read_is_written_back(fields in vec(message(), 0..6)) {
        let bytes = fields.concat();
        if let Ok(value) = decode(&bytes) {
            let written = encode(&format(), &value).unwrap();
            // In a length-delimited field nothing at all may have changed.
            let inside = around(&bytes);
            prop_assert_eq!(&encode(&format(), &decode(&inside).unwrap()).unwrap(), &inside);
            // Once written, it stays as it is; and JSON says all of it.
            let again = decode(&written).unwrap();
            prop_assert_eq!(&encode(&format(), &again).unwrap(), &written);
            prop_assert_eq!(&write(&json::to_string(&value)).unwrap(), &written);
            prop_assert!(again == value);
            if written.len() == bytes.len() && !has_group(&bytes) {
                prop_assert_eq!(sorted_fields(&written), sorted_fields(&bytes));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in vec(any::<u8>(), 0..64)) {
        let inside = around(&bytes);
        prop_assert_eq!(write(&read(&inside)).unwrap(), inside);
        let _ = decode(&bytes);
    }

    #[test]
    fn any_value_is_written_or_refused_without_a_panic(text in "[\\[{]?[\"a-z0-9:,.{}\\[\\]-]{0,30}") {
        let _ = write(&text);
    }
}

/// Whether any field of the outermost message is a group, in which fields may change places, too.
fn has_group(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let (number, wire) = prost::encoding::decode_key(&mut rest).expect("a tag");
        if wire == prost::encoding::WireType::StartGroup {
            return true;
        }
        prost::encoding::skip_field(wire, number, &mut rest, Default::default()).expect("a field");
    }
    false
}
