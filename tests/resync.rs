//! `resync`: after damaged or missing bytes the next pickle is found, and said to be guessed.

use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proptest::collection::vec;
use proptest::prelude::*;
use wirespool::Format;
use wirespool::wire::{Arrival, Decoded, Decoder, FaultKind, Settings, Split, pickle};

fn decoder() -> Decoder {
    decoder_of(64 << 20)
}

/// Of pickles that may have so many bytes.
fn decoder_of(bytes: usize) -> Decoder {
    let mut settings = Settings { resync: true, pool: Arc::default(), ..Settings::default() };
    settings.limits.bytes = bytes;
    Decoder::new(&Format::parse("pickle").unwrap().with_settings(&Arc::new(settings)))
}

/// What is said of bytes that come in chunks of these lengths, in turn.
fn said(bytes: &[u8], lengths: &[usize]) -> Vec<Decoded> {
    let (mut decoder, mut said) = (decoder(), Vec::new());
    push(&mut decoder, bytes, lengths, &mut said);
    decoder.end(&mut |message| said.push(message));
    check(&said, bytes);
    said
}

fn push(decoder: &mut Decoder, mut rest: &[u8], lengths: &[usize], said: &mut Vec<Decoded>) {
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let length = lengths.next().map_or(rest.len(), |length| rest.len().min(*length));
        decoder.push(Arrival::default(), &rest[..length], &mut |message| said.push(message));
        rest = &rest[length..];
    }
}

/// No byte is lost or out of place, and each fault is in its message.
fn check(said: &[Decoded], bytes: &[u8]) {
    let mut offset = 0;
    for message in said {
        assert_eq!(message.offset, offset as u64);
        assert_eq!(message.raw, bytes[offset..][..message.raw.len()]);
        assert!(message.body.as_ref().err().is_none_or(|fault| fault.at <= message.raw.len()));
        offset += message.raw.len();
    }
    assert_eq!(offset, bytes.len());
}

/// Where the pickles are that were decoded, how long, and whether that is known.
fn found(said: &[Decoded]) -> Vec<(u64, usize, Split)> {
    let pickles = said.iter().filter(|one| one.body.is_ok() && one.format.spelling() == "pickle");
    pickles.map(|one| (one.offset, one.raw.len(), one.split)).collect()
}

/// A pickle of a telemetry message.
fn telemetry(number: i32, video: &[u8], protocol: u8) -> Vec<u8> {
    let video = BASE64_STANDARD.encode(video);
    let json = format!(r#"{{"device":{number},"video":{{"$bytes":"{video}"}}}}"#);
    let value = Format::parse("pickle").unwrap().read_value(&json).unwrap();
    pickle::encode(&value, protocol).unwrap()
}

fn one(protocol: u8) -> Vec<u8> {
    telemetry(1, b"abc", protocol)
}

#[test]
fn after_damage_the_next_pickle_is_found_and_all_that_follows_is_guessed() {
    for protocol in 2..=5 {
        let pickle = one(protocol);
        let n = pickle.len();
        let bytes = [&pickle[..], b"\xff\xfe no pickle ", &pickle, &pickle].concat();
        let said = said(&bytes, &[]);
        let at = n as u64 + 13;
        assert_eq!(
            found(&said),
            [(0, n, Split::Exact), (at, n, Split::Guessed), (at + n as u64, n, Split::Guessed)]
        );
        assert_eq!(said[1].raw, b"\xff\xfe no pickle ");
        assert_eq!(said[1].body.as_ref().unwrap_err().kind, FaultKind::Corrupt);
    }
}

#[test]
fn nothing_is_looked_for_unless_it_is_asked_for() {
    let mut decoder = Decoder::new(&Format::parse("pickle").unwrap());
    let mut said = Vec::new();
    push(&mut decoder, &[b"\xff", &one(4)[..]].concat(), &[], &mut said);
    decoder.end(&mut |message| said.push(message));
    assert_eq!(found(&said), []);
}

#[test]
fn a_pickle_that_makes_no_sense_hides_none_of_those_behind_it() {
    // It splits, as if it were one with the next: the text's length was 3.
    let bytes = [&b"\x80\x04\x8c\x10abc."[..], &one(4), &one(4)].concat();
    let said = said(&bytes, &[]);
    assert_eq!(
        found(&said).iter().map(|one| one.0).collect::<Vec<_>>(),
        [8, 8 + one(4).len() as u64]
    );
}

#[test]
fn where_pickles_have_no_beginning_to_look_for_no_less_is_found_than_without() {
    let n = one(0).len();
    let bytes = [&one(0)[..], b"(I1\ns.", &one(0), &one(0)].concat();
    let after = n as u64 + 6;
    assert_eq!(
        found(&said(&bytes, &[])),
        [(0, n, Split::Exact), (after, n, Split::Guessed), (after + n as u64, n, Split::Guessed)]
    );
}

#[test]
fn what_waits_for_bytes_that_never_come_is_searched_where_the_side_ends_and_at_a_gap() {
    let swallowing = b"\x80\x04B\xff\xff\xff\x00";
    let bytes = [&swallowing[..], &one(4), &one(5)].concat();
    for is_gap in [false, true] {
        let (mut decoder, mut said) = (decoder(), Vec::new());
        push(&mut decoder, &bytes, &[10], &mut said);
        assert_eq!(said, []);
        match is_gap {
            true => decoder.gap(Some(7), &mut |message| said.push(message)),
            false => decoder.end(&mut |message| said.push(message)),
        }
        check(&said, &bytes);
        assert_eq!(said[0].body.as_ref().unwrap_err().kind, FaultKind::Truncated);
        assert_eq!(said[0].raw, swallowing);
        assert_eq!(found(&said).len(), 2);
    }
}

#[test]
fn after_a_gap_the_rest_of_a_cut_message_is_passed_over() {
    let pickle = telemetry(1, &[7; 100], 4);
    let (mut decoder, mut said) = (decoder(), Vec::new());
    push(&mut decoder, &pickle[..50], &[], &mut said);
    decoder.gap(Some(10), &mut |message| said.push(message));
    push(&mut decoder, &pickle[60..], &[7], &mut said);
    push(&mut decoder, &one(4), &[7], &mut said);
    decoder.end(&mut |message| said.push(message));
    assert_eq!(found(&said), [(pickle.len() as u64, one(4).len(), Split::Guessed)]);
    let fault = said[1].body.as_ref().unwrap_err();
    assert_eq!((fault.kind, fault.at), (FaultKind::Truncated, 0));
    assert_eq!(said[1].offset, 60);
    // Where a message begins with the first byte, it may be of protocol 0.
    decoder = self::decoder();
    said.clear();
    decoder.gap(None, &mut |_| panic!("nothing was held"));
    push(&mut decoder, b"(lp0\nI1\na.", &[], &mut said);
    assert_eq!(found(&said), [(0, 10, Split::Guessed)]);
}

#[test]
fn a_pickle_inside_a_pickle_is_not_taken_for_the_next() {
    let inner = one(4);
    let outer = telemetry(2, &[&inner[..], &inner].concat(), 4);
    let said = said(&[b"\xff", &outer[..], &inner].concat(), &[16]);
    let lengths: Vec<_> = found(&said).iter().map(|one| one.1).collect();
    assert_eq!(lengths, [outer.len(), inner.len()]);
}

#[test]
fn damage_that_runs_on_into_a_pickle_does_not_become_a_part_of_it() {
    for damage in [&b"\xff\x80\x02"[..], b"\xff\x80\x02N", b"\xff\x80\x04\x80\x05NN", b"\xff\x80"] {
        let said = said(&[damage, &one(4)].concat(), &[]);
        assert_eq!(found(&said), [(damage.len() as u64, one(4).len(), Split::Guessed)]);
    }
}

#[test]
fn hostile_bytes_full_of_beginnings_take_linear_work() {
    // Each of these would be split up to the end, if each place were tried to its end: hours.
    let size = 1 << 20;
    for unit in [
        &b"\x80\x04N"[..],
        b"\x80\x04\x95\xff\xff\xff\x01\0\0\0\0",
        b"\x80\x02B\xff\xff\xff\x01",
        b"\x80\x02I0",
        b"\x80\x04\x80\x04",
        b"\x80\x02NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN0",
    ] {
        let bytes = [b"\xff", &unit.repeat(size / unit.len())[..], &one(4)].concat();
        for length in [1448, usize::MAX] {
            let said = said(&bytes, &[length]);
            assert!(said.iter().all(|one| one.body.is_err()
                || one.format.spelling() == "raw"
                || one.split == Split::Guessed));
        }
    }
}

#[test]
fn places_that_were_not_all_tried_are_said_and_the_search_goes_on_behind_them() {
    let hostile = b"\x80\x04N".repeat(1 << 16);
    let (mut decoder, mut said) = (decoder_of(1 << 20), Vec::new());
    push(&mut decoder, b"\xff", &[], &mut said);
    // More than a pickle may have, again and again: none is ever whole.
    let mut pushed = 1;
    while !said
        .iter()
        .any(|one| one.body.as_ref().is_err_and(|f| f.message.contains("too many places")))
    {
        push(&mut decoder, &hostile, &[1 << 16], &mut said);
        pushed += hostile.len();
        assert!(pushed < 1 << 26);
    }
    let given: usize = said.iter().map(|one| one.raw.len()).sum();
    assert!(pushed - given <= 1 << 20);
    push(&mut decoder, &[&b"\xff".repeat(1 << 17)[..], &one(4)].concat(), &[], &mut said);
    decoder.end(&mut |message| said.push(message));
    assert!(said.last().unwrap().raw == one(4));
}

/// Damage: any bytes, with more of what pickles begin with than there would be by chance.
fn damage() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => vec(any::<u8>(), 1..20),
        1 => Just(b"\x80".to_vec()),
        1 => (2u8..=5).prop_map(|protocol| vec![0x80, protocol]),
        1 => Just(b"\x80\x04\x95".to_vec()),
        1 => Just(b".".to_vec()),
    ];
    vec(piece, 1..6).prop_map(|pieces| [&b"\xff"[..], &pieces.concat()].concat())
}

proptest! {
    #[test]
    fn each_pickle_after_damage_is_found_whatever_the_chunks_are(
        before in vec((any::<i32>(), vec(any::<u8>(), 0..40), 0u8..=5), 0..4),
        damage in damage(),
        after in vec((any::<i32>(), vec(any::<u8>(), 0..40), 2u8..=5), 2..6),
        lengths in vec(1usize..50, 0..5),
    ) {
        let encode = |messages: &[(i32, Vec<u8>, u8)]| -> Vec<Vec<u8>> {
            messages.iter().map(|(number, video, protocol)| telemetry(*number, video, *protocol)).collect()
        };
        let (before, after) = (encode(&before), encode(&after));
        let bytes = [before.concat(), damage.clone(), after.concat()].concat();
        let at_once = found(&said(&bytes, &[]));
        prop_assert_eq!(&at_once, &found(&said(&bytes, &lengths)));
        // The first one may be taken for an argument of the damage before it.
        let mut offset = before.concat().len() + damage.len() + after[0].len();
        for pickle in &after[1..] {
            prop_assert!(at_once.contains(&(offset as u64, pickle.len(), Split::Guessed)), "{:?}", at_once);
            offset += pickle.len();
        }
        let mut offset = 0;
        for pickle in &before {
            prop_assert!(at_once.contains(&(offset, pickle.len(), Split::Exact)));
            offset += pickle.len() as u64;
        }
    }

    #[test]
    fn any_bytes_are_given_back_whatever_the_chunks_are(
        bytes in vec(prop_oneof![any::<u8>(), Just(0x80), Just(4), Just(b'.'), Just(b'N')], 0..400),
        lengths in vec(1usize..50, 0..5),
    ) {
        prop_assert_eq!(found(&said(&bytes, &[])), found(&said(&bytes, &lengths)));
    }
}
