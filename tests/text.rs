//! Text by chunks is a stream of characters: what is none of it is given with its place, and nothing dropped.

use proptest::prelude::*;
use wirespool::Format;
use wirespool::wire::{Arrival, Decoded, Decoder, FaultKind, Value};

fn decoder(spelling: &str) -> Decoder {
    let format: Format = spelling.parse().expect("a format");
    Decoder::new(&format)
}

fn push(decoder: &mut Decoder, chunks: &[&[u8]]) -> Vec<Decoded> {
    let mut said = Vec::new();
    for chunk in chunks {
        decoder.push(Arrival::default(), chunk, &mut |one| said.push(one));
    }
    said
}

/// Each message's offset, and its text or its fault's kind, place and words.
fn shown(said: &[Decoded]) -> Vec<(u64, String)> {
    let shown = |one: &Decoded| match &one.body {
        Ok(value) => (one.offset, value.as_str(value.root()).expect("text").to_owned()),
        Err(fault) => (one.offset, fault.to_string()),
    };
    said.iter().map(shown).collect()
}

fn items(items: &[(u64, &str)]) -> Vec<(u64, String)> {
    items.iter().map(|(offset, text)| (*offset, (*text).to_owned())).collect()
}

#[test]
fn invalid_bytes_are_a_message_of_their_own_between_the_text_before_and_behind_them() {
    let said = push(&mut decoder("text"), &[b"\xd0\xb4\xd0", b"\xb0\xff\xfe\xd0", b"!"]);
    assert_eq!(
        shown(&said),
        items(&[
            (0, "д"),
            (2, "а"),
            (4, "invalid_utf8 at byte 0: the 2 bytes from 0xff on are no UTF-8 text"),
            (6, "invalid_utf8 at byte 0: byte 0xd0 begins no UTF-8 character"),
            (7, "!"),
        ])
    );
}

#[test]
fn half_a_character_at_a_gap_or_the_end_is_truncated() {
    for spelling in ["text", "text:cp932", "text:utf-16le"] {
        let mut decoder = decoder(spelling);
        let mut said = push(&mut decoder, &[b"a\0", b"\xe3"]);
        decoder.gap(Some(3), &mut |one| said.push(one));
        said.extend(push(&mut decoder, &[b"b\0", b"\xe3"]));
        decoder.end(&mut |one| said.push(one));
        let kinds: Vec<_> =
            said.iter().map(|one| one.body.as_ref().err().map(|f| f.kind)).collect();
        let truncated = Some(FaultKind::Truncated);
        assert_eq!(kinds, [None, truncated, None, truncated], "{spelling}");
    }
}

#[test]
fn behind_missing_bytes_utf_16_goes_on_at_the_next_unit() {
    for spelling in ["text:utf-16le", "text:utf-16le/line"] {
        let mut decoder = decoder(spelling);
        let mut said = push(&mut decoder, &[b"a\0\n\0"]);
        decoder.gap(Some(3), &mut |one| said.push(one));
        said.extend(push(&mut decoder, &[b"\0b\0\n\0"]));
        decoder.end(&mut |one| said.push(one));
        let end = if spelling.ends_with("line") { "" } else { "\n" };
        assert_eq!(
            shown(&said),
            items(&[
                (0, &format!("a{end}")),
                (7, "truncated at byte 0: the beginning of this character is missing"),
                (8, &format!("b{end}")),
            ]),
            "{spelling}"
        );
    }
}

#[test]
fn a_byte_order_mark_says_how_all_that_follows_is_read_and_is_no_text() {
    let mut stream = decoder("text:utf-16");
    // Where the side begins; behind that it is a character.
    let said = push(&mut stream, &[b"\xfe", b"\xff\0a", b"\0b", b"\xfe\xff"]);
    assert_eq!(shown(&said), items(&[(0, "a"), (4, "b"), (6, "\u{feff}")]));
    let said = push(&mut decoder("text:utf-16"), &[b"a\0"]);
    assert_eq!(shown(&said), items(&[(0, "a")]), "little-endian where nothing says");
    // Each line and each framed message may have its own.
    let lines = b"\xfe\xff\0a\0\n\0b\0\n\xff\xfec\0\n\0d\0\n\0";
    for cut in 1..lines.len() {
        let (left, right) = lines.split_at(cut);
        let said = push(&mut decoder("text:utf-16/line"), &[left, right]);
        assert_eq!(shown(&said), items(&[(0, "a"), (6, "b"), (10, "c"), (16, "d")]), "{cut}");
    }
    let said = push(&mut decoder("text:utf-16/u8"), &[b"\x04\xfe\xff\0a\x02\0b"]);
    assert_eq!(shown(&said), items(&[(0, "a"), (5, "b")]));
}

#[test]
fn a_framed_message_keeps_its_frame_and_says_where_it_is_no_text() {
    for (spelling, bytes, at) in [
        ("text/line", &b"ab\xff\nc\n"[..], 2),
        ("text/u8", b"\x03ab\xff\x01c", 3),
        ("text:cp932/line", b"ab\xa0\nc\n", 2),
        ("text:utf-16le/line", b"a\0\0\xdc\n\0c\0\n\0", 2),
    ] {
        let said = push(&mut decoder(spelling), &[bytes]);
        assert_eq!(said.len(), 2, "{spelling}");
        let fault = said[0].body.as_ref().expect_err("no text");
        assert_eq!((fault.kind, fault.at), (FaultKind::InvalidUtf8, at), "{spelling}: {fault}");
        assert_eq!(said[1].body, Ok(Value::text("c")), "{spelling}");
    }
}

#[test]
fn bytes_that_are_hardly_text_make_no_message_each() {
    let noise = b"a\xff".repeat(32 << 10);
    for spelling in ["text", "text:gb18030", "text:ascii"] {
        let said = push(&mut decoder(spelling), &[&noise, b"text"]);
        let raw: Vec<u8> = said.iter().flat_map(|one| one.raw.clone()).collect();
        assert_eq!(raw, [&noise[..], b"text"].concat(), "{spelling}");
        assert!(said.len() < noise.len() / 100, "{spelling}: {}", said.len());
        // What was given up begins with a byte that is none, and the next chunk is read again.
        let [.., given_up, last] = &said[..] else { panic!("{spelling}: no messages") };
        assert_eq!(given_up.body.as_ref().unwrap_err().at, 0, "{spelling}");
        assert!(given_up.raw.starts_with(b"\xff"), "{spelling}");
        assert_eq!(last.body, Ok(Value::text("text")), "{spelling}");
    }
}

proptest! {
    #[test]
    fn text_is_what_the_tables_say_of_the_whole(
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
        lengths in proptest::collection::vec(1usize..5, 1..6),
    ) {
        for (name, table) in [
            ("cp1251", encoding_rs::WINDOWS_1251),
            ("cp932", encoding_rs::SHIFT_JIS),
            ("gb18030", encoding_rs::GB18030),
            ("euc-jp", encoding_rs::EUC_JP),
            ("utf-16le", encoding_rs::UTF_16LE),
            ("utf-16be", encoding_rs::UTF_16BE),
        ] {
            let whole = table.decode_without_bom_handling_and_without_replacement(&bytes);
            let mut decoder = decoder(&format!("text:{name}"));
            let mut chunks = Vec::new();
            let mut rest = &bytes[..];
            for length in lengths.iter().cycle() {
                let (chunk, others) = rest.split_at(rest.len().min(*length));
                chunks.push(chunk);
                rest = others;
                if rest.is_empty() {
                    break;
                }
            }
            let mut said = push(&mut decoder, &chunks);
            decoder.end(&mut |one| said.push(one));
            let text = |one: &Decoded| {
                let value = one.body.as_ref().ok()?;
                value.as_str(value.root()).map(str::to_owned)
            };
            let joined: Option<String> = said.iter().map(text).collect();
            prop_assert_eq!(joined, whole.map(|text| text.into_owned()), "{}", name);
        }
    }
}
