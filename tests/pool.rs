//! What all decoders hold together is bounded, and nothing is lost by it.

use std::sync::Arc;

use proptest::prelude::*;
use wirespool::Format;
use wirespool::wire::{Arrival, Decoded, Decoder, Fault, FaultKind, Limit, Pool, Settings};

/// Nobody else's pool.
fn settings(process: usize) -> Settings {
    Settings { process, pool: Arc::default(), ..Settings::default() }
}

fn format(spelling: &str, settings: &Settings) -> Format {
    let format: Format = spelling.parse().expect("a format");
    format.with_settings(&Arc::new(settings.clone()))
}

fn push(decoder: &mut Decoder, bytes: &[u8]) -> Vec<Decoded> {
    let mut said = Vec::new();
    decoder.push(Arrival::default(), bytes, &mut |message| said.push(message));
    said
}

fn end(decoder: &mut Decoder) -> Vec<Decoded> {
    let mut said = Vec::new();
    decoder.end(&mut |message| said.push(message));
    said
}

fn is_exhausted(fault: &Fault) -> bool {
    fault.kind == FaultKind::Limit && fault.message.ends_with("; limit process=N allows more")
}

/// `body` as one message, in each framing that cuts by itself.
fn framed(body: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let length = body.len() as u32;
    let mut pickle = b"\x80\x04B".to_vec();
    pickle.extend_from_slice(&length.to_le_bytes());
    [
        ("raw/u32be", [&length.to_be_bytes()[..], body].concat()),
        // As a varint of five bytes, of which the last are spelt out.
        ("raw/varint", [&[0x80 | length as u8, 0x80 | (length >> 7) as u8], &[0x80 | (length >> 14) as u8, 0x80 | (length >> 21) as u8, (length >> 28) as u8][..], body].concat()),
        ("raw/line", [body, b"\n"].concat()),
        ("pickle", [&pickle, body, b"."].concat()),
    ]
}

#[test]
fn a_thousand_connections_stay_within_what_is_allowed() {
    const ALL: usize = 32 << 20;
    let settings = settings(ALL);
    let format = format("pickle", &settings);
    let body = vec![b'x'; 1 << 20];
    let [.., (_, message)] = framed(&body);
    let mut decoders: Vec<Decoder> = (0..1000).map(|_| Decoder::new(&format)).collect();
    let (mut given, mut exhausted, mut most) = (vec![0; 1000], vec![false; 1000], 0);
    for chunk in message[..message.len() - 1].chunks(1 << 16) {
        for (index, decoder) in decoders.iter_mut().enumerate() {
            for piece in push(decoder, chunk) {
                given[index] += piece.raw.len();
                exhausted[index] |= is_exhausted(&piece.body.unwrap_err());
            }
            most = most.max(settings.pool.held());
        }
    }
    assert!(most > ALL / 2 && most <= ALL, "{most} of {ALL}");
    for (index, decoder) in decoders.iter_mut().enumerate() {
        // The end of that message, and one more: every side goes on.
        let said = push(decoder, b".\x80\x04K\x07.");
        let (last, before) = said.split_last().unwrap();
        assert!(last.body.is_ok() && last.raw.len() == 5);
        given[index] += before.iter().map(|piece| piece.raw.len()).sum::<usize>();
        assert_eq!(given[index], message.len());
        assert_eq!(last.offset, message.len() as u64);
    }
    let unsaid = exhausted.iter().filter(|exhausted| !**exhausted).count();
    assert!(unsaid <= ALL >> 20, "{unsaid} were held to their end");
    drop(decoders);
    assert_eq!(settings.pool.held(), 0);
}

#[test]
fn a_message_for_which_there_is_no_room_is_given_in_pieces_and_the_next_is_read() {
    for (spelling, message) in framed(&[b'x'; 5000]) {
        let mut decoder = Decoder::new(&format(spelling, &settings(4096)));
        let next = &framed(b"next").into_iter().find(|one| one.0 == spelling).unwrap().1;
        let bytes = [&message[..], next, &message, next].concat();
        let mut said = Vec::new();
        for chunk in bytes.chunks(700) {
            said.extend(push(&mut decoder, chunk));
        }
        said.extend(end(&mut decoder));
        let whole: Vec<_> = said.iter().filter(|piece| piece.body.is_ok()).collect();
        assert_eq!(whole.len(), 2, "{spelling}");
        assert!(whole.iter().all(|piece| piece.raw == *next), "{spelling}");
        for piece in said.iter().filter(|piece| piece.body.is_err()) {
            let fault = piece.body.as_ref().unwrap_err();
            assert!(is_exhausted(fault) && fault.at <= piece.raw.len(), "{spelling}: {fault}");
        }
        let given: Vec<u8> = said.iter().flat_map(|piece| piece.raw.clone()).collect();
        assert_eq!(given, bytes, "{spelling}");
    }
}

#[test]
fn one_side_that_takes_all_the_room_leaves_small_messages_to_the_others() {
    let settings = settings(1 << 20);
    let mut greedy = Decoder::new(&format("raw/u32be", &settings));
    assert!(push(&mut greedy, &[&[0, 15, 255, 0][..], &[0; 1_000_000]].concat()).is_empty());
    assert!(settings.pool.held() > 1_000_000);
    let mut other = Decoder::new(&format("pickle", &settings));
    assert!(push(&mut other, b"\x80\x04K").is_empty());
    assert!(push(&mut other, b"\x07.")[0].body.is_ok());
}

#[test]
fn a_pickle_is_decoded_only_where_there_is_room_for_its_value() {
    let pickle = [&b"("[..], &b"K\x01".repeat(100_000), b"l."].concat();
    for (process, decodes) in [(100_000, false), (500_000, false), (64 << 20, true)] {
        let settings = settings(process);
        let mut decoder = Decoder::new(&format("pickle", &settings));
        let said = push(&mut decoder, &[&pickle[..], b"K\x01."].concat());
        assert_eq!(said[0].raw, pickle);
        match &said[0].body {
            Ok(value) => assert!(decodes && value.len() > 100_000),
            Err(fault) => assert!(!decodes && is_exhausted(fault), "{fault}"),
        }
        assert!(said[1].body.is_ok());
        assert_eq!(settings.pool.held(), 0);
    }
}

#[test]
fn the_room_of_a_process_is_shared_by_all_that_name_no_other_and_is_a_limit() {
    let mut settings = Settings::default();
    assert_eq!(settings.process, 1 << 30);
    assert!(Arc::ptr_eq(&settings.pool, &Pool::of_process()));
    let limit: Limit = "process=512MiB".parse().unwrap();
    settings.limit(limit).unwrap();
    assert_eq!(settings.process, 512 << 20);
}

const FORMATS: [&str; 9] = [
    "text",
    "text/line",
    "text/idle=5",
    "raw/u16be",
    "raw/varint",
    "pickle",
    "protobuf:pb.TempEvent",
    "protobuf/u32le",
    "auto",
];

proptest! {
    #[test]
    fn nothing_is_lost_however_little_room_there_is(
        spelling in proptest::sample::select(&FORMATS[..]),
        process in 0usize..20_000,
        chunks in prop::collection::vec((any::<u8>(), 0usize..6000), 0..12),
    ) {
        let settings = settings(process);
        let mut decoder = Decoder::new(&format(spelling, &settings));
        let (mut pushed, mut given) = (Vec::new(), Vec::new());
        let mut take = |said: Vec<Decoded>| {
            for piece in said {
                assert_eq!(piece.offset, given.len() as u64);
                assert!(piece.body.as_ref().err().is_none_or(|fault| fault.at <= piece.raw.len()));
                given.extend_from_slice(&piece.raw);
            }
        };
        for (byte, length) in chunks {
            let bytes = vec![byte; length];
            pushed.extend_from_slice(&bytes);
            take(push(&mut decoder, &bytes));
            prop_assert!(settings.pool.held() <= process);
        }
        take(end(&mut decoder));
        prop_assert_eq!(given, pushed);
        drop(decoder);
        prop_assert_eq!(settings.pool.held(), 0);
    }
}
