//! What holds for any bytes at all: tried here by chance; the targets under `fuzz/` search for what
//! breaks the same.

use proptest::prelude::*;
use proptest::sample::select;

mod detect;

mod by_number;
mod framing;
mod guess;
mod json;
mod machine;
mod packet;
mod reader;
mod reassembly;
mod splitter;
mod text;

proptest! {
    #[test]
    fn any_segments_give_the_bytes_that_they_have(
        policy in any::<u8>(),
        segments in proptest::collection::vec(any::<[u8; 8]>(), 0..60),
    ) {
        reassembly::holds(&[&[policy], &*segments.concat()].concat());
    }

    #[test]
    fn any_bytes_are_cut_alike_however_they_come(bytes in opcodes(40)) {
        splitter::holds(&bytes);
    }

    #[test]
    fn any_bytes_are_cut_alike_wherever_they_are_split(bytes in opcodes(24)) {
        splitter::holds_everywhere(&bytes);
    }

    #[test]
    fn any_bytes_are_a_pickle_that_survives_or_none(bytes in opcodes(40)) {
        machine::holds(&bytes);
    }

    #[test]
    fn a_pickle_of_any_opcodes_survives(pieces in proptest::collection::vec(piece(), 0..40)) {
        // What is left on the stack becomes a tuple, so that more of them are whole.
        machine::holds(&[b"(", &*pieces.concat(), b"t."].concat());
    }

    #[test]
    fn any_bytes_are_the_same_messages_however_they_come(
        format in any::<u8>(), seed in any::<u8>(), bytes in framed(),
    ) {
        framing::holds(&[&[format, seed], &*bytes].concat());
    }

    #[test]
    fn any_bytes_are_text_in_any_encoding_alike_however_they_come(
        bytes in any_encoded(),
        seed in any::<u8>(),
        number in any::<u8>(),
    ) {
        text::holds(&[&[seed, number], &bytes[..]].concat());
    }

    #[test]
    fn any_characters_survive_each_encoding_that_has_them(
        characters in "[ -~\\n\\rа-яё€ßあ漢한¥😀\u{feff}\u{80}-\u{ff}]{0,12}",
        seed in any::<u8>(),
    ) {
        for encoding in wirespool::wire::Encoding::all() {
            text::survives(encoding, &characters, seed);
            // Of most texts an encoding has some characters.
            let own = |c: &char| encoding_has(encoding, *c);
            text::survives(encoding, &characters.chars().filter(own).collect::<String>(), seed);
        }
    }

    #[test]
    fn any_side_is_read_as_what_it_is_found_to_be(
        how in any::<[u8; 2]>(),
        framing in 0usize..6,
        bodies in proptest::collection::vec(body(), 0..40),
        end in proptest::collection::vec(any::<u8>(), 0..3),
    ) {
        let messages = bodies.iter().map(|body| wrapped(framing, body));
        let side = [how.to_vec(), messages.collect::<Vec<_>>().concat(), end].concat();
        detect::holds(&side);
    }

    #[test]
    fn any_bytes_are_fields_by_number_that_are_written_back(bytes in fields()) {
        by_number::holds(&bytes);
    }

    #[test]
    fn any_bytes_are_guessed_apart_and_none_is_lost(seed in any::<u8>(), bytes in fields()) {
        guess::holds(&[&[seed], &*bytes].concat());
    }

    #[test]
    fn any_file_is_read_alike_however_it_comes(seed in any::<u8>(), file in capture_file()) {
        reader::holds(&[&[seed], &*file].concat());
    }

    #[test]
    fn any_frames_are_each_counted_as_one_thing_and_nothing_is_invented(
        link_type in any::<u8>(),
        frames in proptest::collection::vec(frame(), 0..6),
    ) {
        packet::holds(&[vec![link_type], frames.concat()].concat());
    }

    #[test]
    fn any_fragments_make_the_packet_unless_they_overlap(
        how in any::<[u8; 4]>(),
        data in proptest::collection::vec(any::<u8>(), 1..600),
    ) {
        packet::survives_fragments(&[&how[..], &data].concat());
    }

    #[test]
    fn any_text_is_json_that_survives_or_none(text in json_text()) {
        json::holds(&text);
    }
}

/// A pcap or a pcapng, of records that fit more often than chance would have it; compressed, or not.
fn capture_file() -> impl Strategy<Value = Vec<u8>> {
    use std::io::Write;

    let word = prop_oneof![
        6 => select(vec![0u32, 1, 2, 8, 12, 16, 20, 24, 28, 32, 40, 60]),
        1 => select(vec![0x0a0d_0d0a, 3, 5, 6, 9, 0x0bad, 0x1a2b_3c4d, 0x4d3c_2b1a, 101]),
        1 => any::<u32>(),
    ];
    let words = proptest::collection::vec(word, 0..12);
    let block = (select(vec![0x0a0d_0d0au32, 1, 2, 3, 4, 5, 6, 9, 0x0bad]), words.clone());
    let block = (block, 0u8..20).prop_map(|((kind, mut words), how)| {
        match kind {
            0x0a0d_0d0a => words.splice(0..0, [0x1a2b_3c4d, 1, u32::MAX, u32::MAX]).for_each(drop),
            1 => words.splice(0..0, [101, 0]).for_each(drop),
            _ => {}
        }
        let length = 12 + 4 * words.len() as u32;
        let end = if how == 0 { length ^ 16 } else { length };
        [&[kind, length], &*words, &[end]].concat()
    });
    let record = words.prop_map(|words| {
        let length = 4 * words.len() as u32;
        [&[1, 2, length, length], &*words].concat()
    });
    let pcapng = proptest::collection::vec(block, 0..12).prop_map(|blocks| {
        let begin =
            vec![0x0a0d_0d0a, 28, 0x1a2b_3c4d, 1, u32::MAX, u32::MAX, 28, 1, 20, 101, 0, 20];
        [begin, blocks.concat()].concat()
    });
    let magic = select(vec![0xa1b2_c3d4, 0xa1b2_3c4d, 0xa1b2_cd34, 0xd4c3_b2a1]);
    let pcap = (magic, proptest::collection::vec(record, 0..12)).prop_map(|(magic, records)| {
        [vec![magic, 0x0004_0002, 0, 0, 0, 101], records.concat()].concat()
    });
    (prop_oneof![pcapng, pcap], 0usize..4, 0u8..4).prop_map(|(words, less, how)| {
        let mut file: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        file.truncate(file.len() - less);
        match how {
            0 => zstd::encode_all(&*file, 1).expect("zstd"),
            1 => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&file).expect("memory");
                encoder.finish().expect("memory")
            }
            _ => file,
        }
    })
}

/// A frame behind its length, made of headers more often than chance would have it.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let ipv4 =
        |protocol| vec![0x45, 0, 0, 60, 0, 1, 0, 0, 64, protocol, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
    let ipv6 = |next| [&[0x60, 0, 0, 0, 0, 40, next, 64], &[3; 32][..]].concat();
    let udp = |port: u16| [&[0, 9][..], &port.to_be_bytes(), &[0, 40, 0, 0]].concat();
    let protocols = select(vec![4, 6, 17, 41, 43, 44, 47, 51, 60, 97, 137]);
    let ports = select(vec![53, 4789, 6081, 2152, 1701, 3544]);
    let headers = select(vec![
        &[0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 8, 0][..],
        &[0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0x81, 0],
        &[0, 5, 0x86, 0xdd],
        &[0, 0, 0x11, 64],
        &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0],
        &[0xff, 3, 0, 0x21],
        &[2, 0, 0, 0],
        &[8, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0x65, 0x58, 0, 0, 0, 0],
        &[0x30, 0xff, 0, 40, 0, 0, 0, 1],
        &[0x20, 0, 8, 0, 0, 0, 0, 1],
        &[6, 0, 0, 1, 0, 0, 0, 1],
        &[3, 232, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 4, 0, 0, 0, 0, 0],
    ]);
    let piece = prop_oneof![
        2 => protocols.clone().prop_map(ipv4),
        2 => protocols.prop_map(ipv6),
        1 => ports.prop_map(udp),
        4 => headers.prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ];
    (proptest::collection::vec(piece, 0..7), 0u8..3).prop_map(|(pieces, missing)| {
        let mut bytes = pieces.concat();
        bytes.truncate(255);
        [&[bytes.len() as u8, missing], &bytes[..]].concat()
    })
}

/// What a message may hold: a pickle, fields, text, JSON, or anything.
fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        opcodes(12),
        any::<(u8, u8, u8)>().prop_map(|(a, b, c)| vec![8, a & 127, 16, b & 127, 29, c, 0, 0, 65]),
        "[a-zé\n]{0,20}".prop_map(String::into_bytes),
        json_text().prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..9),
    ]
}

/// The body behind its length, with an end, or as it is.
fn wrapped(framing: usize, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32).to_be_bytes();
    match framing {
        0 => [&length, body].concat(),
        1 => [&length[2..], body].concat(),
        2 => [&[body.len().min(127) as u8], &body[..body.len().min(127)]].concat(),
        3 => [body, b"\n"].concat(),
        _ => body.to_vec(),
    }
}

/// Bytes that look like a stream of pickles more often than chance would have it.
fn opcodes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    let noise = any::<u8>().prop_map(|code| vec![code]);
    let pieces = proptest::collection::vec(prop_oneof![30 => piece(), 1 => noise], 0..most);
    pieces.prop_map(|pieces| pieces.concat())
}

/// Bytes among which each encoding finds characters, halves of them and line ends.
fn any_encoded() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..4),
        "[a-zа-я漢😀]{1,4}".prop_map(String::into_bytes),
        select(vec![
            &b"\n"[..],
            b"\r\n",
            b"\n\0",
            b"\0\n",
            b"\r\0\n\0",
            b"\xff\xfe",
            b"\xfe\xff",
            b"a\0",
            b"\0a",
            b"\n\n",
            b"\x3d\xd8",
            b"\x00\xde",
            b"\xd8\x3d",
            b"\xde\x00",
            b"\x82\xa0",
            b"\x81\x30\x81\x30",
            b"\x8f\xa2\xaf",
            b"\xa4\xa2",
            b"\xed\xa0\x80",
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn encoding_has(encoding: wirespool::wire::Encoding, c: char) -> bool {
    let format = format!("text:{encoding}").parse().expect("a format");
    wirespool::wire::encode(&format, &wirespool::wire::Value::text(&c.to_string())).is_ok()
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let simple = b"(.012NQR]abdelosut})\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98";
    let leaf = b"N]})\x88\x89\x8f";
    let text = "[a-cé\u{1F980}$]{0,3}";
    let lines = [
        &b"I01\n"[..],
        b"I12\n",
        b"L-12L\n",
        b"Vab\\u00e9\n",
        b"V\\ud800\n",
        b"S'a\\x00'\n",
        b"F1.5\n",
        b"Fnan\n",
        b"g0\n",
        b"p1\n",
        b"cos\nsystem\n",
        b"c__builtin__\nset\n",
        b"c_codecs\nencode\n",
        b"icollections\ndeque\n",
        b"Ppid\n",
    ];
    let counted = [
        &b"\x8a\x01\xff"[..],
        b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x82\x05",
        b"\x80\x04",
        b"G\x3f\xf8\0\0\0\0\0\0",
        b"G\x7f\xf8\0\0\0\0\0\0",
        b"X\x03\0\0\0\xed\xa0\x80",
        b"C\x02\xff\0",
        b"\x96\x01\0\0\0\0\0\0\0a",
        b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff",
        b"T\xff\xff\xff\xff",
    ];
    prop_oneof![
        8 => select(&simple[..]).prop_map(|code| vec![code]),
        4 => select(&leaf[..]).prop_map(|code| vec![code]),
        4 => any::<u8>().prop_map(|number| vec![b'K', number]),
        2 => (0u8..4).prop_map(|index| vec![b'q', index]),
        2 => (0u8..4).prop_map(|index| vec![b'h', index]),
        3 => text.prop_map(|text| [&[0x8c, text.len() as u8], text.as_bytes()].concat()),
        1 => select(lines.to_vec()).prop_map(<[u8]>::to_vec),
        1 => select(counted.to_vec()).prop_map(<[u8]>::to_vec),
        1 => (0u8..12).prop_map(|size| vec![0x95, size, 0, 0, 0, 0, 0, 0, 0]),
    ]
}

/// Bytes in which lengths, lines and pickles are found more often than chance would have it.
fn framed() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0u8..60, 0usize..60)
            .prop_map(|(length, body)| [&[length], &*vec![b'a'; body]].concat()),
        2 => proptest::collection::vec(any::<u8>(), 0..8),
        2 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        2 => (1usize..8).prop_map(|zeros| vec![0; zeros]),
        2 => Just(b"\x80\x04K\x01.".to_vec()),
        1 => Just(b"\x08\x01\x10\x02".to_vec()),
        1 => Just(vec![0xff; 9]),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Text that is tagged JSON more often than chance would have it.
fn json_text() -> impl Strategy<Value = String> {
    let scalars = [
        "null",
        "true",
        "0",
        "-7",
        "1.5",
        "1e400",
        "9007199254740993",
        "\"a\"",
        "\"$a\"",
        "\"\\ud83e\"",
        r#"{"$ref":1}"#,
        r#"{"$float":"nan"}"#,
        r#"{"$int":"0x1F"}"#,
        r#"{"$bytes":"AP8="}"#,
        r#"{"$str":"Ye2ggGI="}"#,
        r#"{"$object":{"class":"m.Q"}}"#,
    ];
    let value =
        select(scalars.to_vec()).prop_map(str::to_owned).prop_recursive(4, 24, 4, |inner| {
            let list =
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| items.join(","));
            let tags = ["$tuple", "$set", "$frozenset", "$list", "$dict", "$ref", "$id"];
            prop_oneof![
                list.clone().prop_map(|items| format!("[{items}]")),
                (select(tags.to_vec()), list.clone())
                    .prop_map(|(tag, list)| format!("{{\"{tag}\":[{list}]}}")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("{{\"a\":{a},\"b\":{b}}}")),
                (inner.clone(), inner.clone())
                    .prop_map(|(a, b)| format!("{{\"$dict\":[[{a},{b}]]}}")),
                (0u8..3, inner.clone()).prop_map(|(n, v)| format!("{{\"$id\":{n},\"value\":{v}}}")),
                (list, inner).prop_map(|(args, state)| format!(
                    "{{\"$object\":{{\"class\":\"m.Q\",\"args\":[{args}],\"state\":{state}}}}}"
                )),
            ]
        });
    prop_oneof![8 => value, 1 => any::<String>()]
}

/// Bytes that are protobuf fields more often than chance would have it.
fn fields() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (1u8..7, 0u8..0x80).prop_map(|(number, bits)| vec![number << 3, bits]),
        2 => (1u8..7, any::<[u8; 4]>())
            .prop_map(|(number, bits)| [&[number << 3 | 5], &bits[..]].concat()),
        1 => (1u8..7, any::<[u8; 8]>())
            .prop_map(|(number, bits)| [&[number << 3 | 1], &bits[..]].concat()),
        1 => (1u8..4).prop_map(|number| vec![number << 3 | 3]),
        1 => (1u8..4).prop_map(|number| vec![number << 3 | 4]),
        1 => proptest::collection::vec(any::<u8>(), 0..3),
    ];
    let piece = piece.prop_recursive(4, 32, 4, |inner| {
        (1u8..7, any::<bool>(), proptest::collection::vec(inner, 0..4)).prop_map(
            |(number, is_group, parts)| {
                let content = parts.concat();
                if is_group {
                    return [&[number << 3 | 3], &*content, &[number << 3 | 4]].concat();
                }
                let mut bytes = vec![number << 3 | 2];
                prost::encoding::encode_varint(content.len() as u64, &mut bytes);
                bytes.extend(content);
                bytes
            },
        )
    });
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}
