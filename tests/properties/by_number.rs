//! Any bytes are fields by number, or none; in a length-delimited field nothing of them is changed.

use wirespool::Format;
use wirespool::wire::{Arrival, Decoder, Value, encode, json};

/// The bytes of one message, or of none.
pub fn holds(bytes: &[u8]) {
    if let Some(value) = decode(bytes) {
        let written = write(&value);
        // Once written it stays as it is, and JSON says all of it.
        let again = decode(&written).expect("what was written is a message");
        assert!(again == value);
        assert_eq!(write(&again), written);
        let read =
            format().read_value(&json::to_string(&value)).expect("what was shown is a value");
        assert_eq!(write(&read), written);
    }
    let mut inside = vec![0x0a];
    prost::encoding::encode_varint(bytes.len() as u64, &mut inside);
    inside.extend_from_slice(bytes);
    if let Some(value) = decode(&inside) {
        assert_eq!(write(&value), inside);
    }
}

fn format() -> Format {
    "protobuf/varint".parse().expect("a format")
}

fn decode(body: &[u8]) -> Option<Value> {
    let mut framed = Vec::new();
    prost::encoding::encode_varint(body.len() as u64, &mut framed);
    framed.extend_from_slice(body);
    let mut said = Vec::new();
    Decoder::new(&format()).push(Arrival::default(), &framed, &mut |one| said.push(one));
    said.pop()?.body.ok()
}

fn write(value: &Value) -> Vec<u8> {
    let format = "protobuf/chunk".parse().expect("a format");
    encode(&format, value).expect("what was read can be written")
}
