//! Bytes that end too early are `truncated`, bytes that no sender writes are `corrupt`: everywhere the same.

use wirespool::Format;
use wirespool::wire::pickle::{self, Limits, Progress, Splitter};
use wirespool::wire::{Arrival, Decoded, Decoder, FaultKind};

/// Pickles of all protocols, with every way in which an argument is written.
fn pickles() -> Vec<Vec<u8>> {
    let json = r#"{"a":[1,-2,70000,1.5,true,null,"d\u00e9j\u00e0"],"b":{"$bytes":"AAECAw=="},
        "c":{"$tuple":[1,{"$int":"123456789012345678901234567890"}]},"d":{"$bytearray":"AAE="},
        "e":{"$set":[1,2]}}"#;
    let format = Format::parse("pickle").unwrap();
    let value = format.read_value(&json.replace('\n', "")).unwrap();
    let mut all: Vec<_> =
        (0..=5).map(|protocol| pickle::encode(&value, protocol).unwrap()).collect();
    all.push(b"(imodule\nName\np0\n.".to_vec());
    all.push(b"\x80\x02\x84\x01\x00\x00\x00.".to_vec());
    all.push(b"\x80\x04\x8c\x01m\x8c\x01Q\x93)\x81}b.".to_vec());
    all.push(b"T\x03\x00\x00\x00abc.".to_vec());
    all
}

/// What each part of wirespool says of bytes that are one message, or a part of it.
fn kinds(bytes: &[u8]) -> Vec<(&'static str, Option<FaultKind>)> {
    let mut splitter = Splitter::new(&Limits::default());
    let split = match splitter.feed(bytes) {
        Progress::NeedMore => Some(FaultKind::Truncated),
        Progress::Complete { .. } => None,
        Progress::Failed(fault) => Some(fault.kind),
    };
    let mut by_byte = Splitter::new(&Limits::default());
    let by_byte = bytes.iter().map(|byte| by_byte.feed(&[*byte])).last();
    let by_byte = match by_byte {
        Some(Progress::NeedMore) | None => Some(FaultKind::Truncated),
        Some(Progress::Complete { .. }) => None,
        Some(Progress::Failed(fault)) => Some(fault.kind),
    };
    let kind = |said: Vec<Decoded>| said[0].body.as_ref().err().map(|fault| fault.kind);
    let ended = |spelling: &str, bytes: &[u8], is_gap: bool| {
        let (mut decoder, mut said) = (Decoder::new(&spelling.parse().unwrap()), Vec::new());
        let mut out = |message| said.push(message);
        decoder.push(Arrival::default(), bytes, &mut out);
        match is_gap {
            true => decoder.gap(None, &mut out),
            false => decoder.end(&mut out),
        }
        kind(said)
    };
    let prefixed = [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    vec![
        ("splitter", split),
        ("splitter, byte by byte", by_byte),
        ("machine", pickle::decode(bytes, &Limits::default()).err().map(|fault| fault.kind)),
        ("salvage", pickle::salvage(bytes, &Limits::default()).1.map(|fault| fault.kind)),
        ("end of side", ended("pickle", bytes, false)),
        ("gap", ended("pickle", bytes, true)),
        ("chunk", ended("pickle/chunk", bytes, false)),
        ("u32be", ended("pickle/u32be", &prefixed, false)),
    ]
}

#[test]
fn each_pickle_cut_anywhere_is_truncated_and_whole_it_is_fine() {
    for pickle in pickles() {
        for (who, kind) in kinds(&pickle) {
            assert_eq!(kind, None, "{who}: {}", pickle.escape_ascii());
        }
        for cut in 1..pickle.len() {
            for (who, kind) in kinds(&pickle[..cut]) {
                let bytes = pickle[..cut].escape_ascii();
                assert_eq!(kind, Some(FaultKind::Truncated), "{who}: {bytes}");
            }
        }
    }
}

#[test]
fn what_no_sender_writes_is_corrupt_however_the_bytes_end() {
    for bytes in [
        &b"\xff"[..],
        b"\xff.",
        b"\x80\x06",
        b"\x80\x04\xff",
        b"\x80\x04K\x01\xff\xff",
        b"\x80\x04\x95\x04\0\0\0\0\0\0\0K\x01\x8c\x05ab",
        b"\x80\x04\x95\x04\0\0\0\0\0\0\0K\x01.",
        b"\x80\x04\x95\x05\0\0\0\0\0\0\0\x95",
        b"\x80\x02T\xff\xff\xff\xffabc",
    ] {
        let said = kinds(bytes);
        let wrong = said.iter().find(|(_, kind)| *kind != Some(FaultKind::Corrupt));
        assert_eq!(wrong, None, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_prefix_that_announces_more_than_comes_is_truncated_at_the_end_of_what_came() {
    for (spelling, bytes) in [
        ("pickle/u32be", &b"\0\0\0\x09\x80\x04K"[..]),
        ("pickle/u32be", b"\0\0"),
        ("raw/varint", b"\x05abc"),
        ("raw/varint", b"\x80"),
        ("raw/u64le", b"\x05\0\0\0\0\0\0\0abc"),
    ] {
        let (mut decoder, mut said) = (Decoder::new(&spelling.parse().unwrap()), Vec::new());
        decoder.push(Arrival::default(), bytes, &mut |message| said.push(message));
        decoder.end(&mut |message| said.push(message));
        let fault = said[0].body.as_ref().unwrap_err();
        assert_eq!((fault.kind, fault.at), (FaultKind::Truncated, bytes.len()), "{spelling}");
    }
}
