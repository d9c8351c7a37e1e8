//! Pickles made to take memory, time or stack.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What it is, and how it is made: one at a time, or they would take the memory themselves.
pub type Input = (&'static str, fn() -> Vec<u8>);

const MILLION: usize = 1_000_000;

/// By how much what is made is smaller than the limits allow.
pub static SCALE: AtomicUsize = AtomicUsize::new(1);

fn scaled(count: usize) -> usize {
    count / SCALE.load(Ordering::Relaxed)
}

/// `start`, so often `middle`, `end`.
fn repeated(start: &[u8], middle: &[u8], count: usize, end: &[u8]) -> Vec<u8> {
    [start, &middle.repeat(count), end].concat()
}

/// A million times the beginning of something, and a million times its end.
fn nested(begin: &[u8], inner: &[u8], end: &[u8]) -> Vec<u8> {
    repeated(&begin.repeat(MILLION), inner, 1, &[&end.repeat(MILLION), &b"."[..]].concat())
}

/// A length as four bytes.
fn four(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("short").to_le_bytes()
}

/// So many numbers of four bytes, each after `before` and followed by `after`.
fn numbered(start: &[u8], before: &[u8], after: &[u8], count: usize, end: &[u8]) -> Vec<u8> {
    let mut bytes = start.to_vec();
    for number in 0..u32::try_from(count).expect("few") {
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(&number.wrapping_mul(0x9e37_79b1).to_le_bytes());
        bytes.extend_from_slice(after);
    }
    bytes.extend_from_slice(end);
    bytes
}

/// Long data as an argument of its own length.
fn long(opcode: u8, length: usize) -> Vec<u8> {
    repeated(&[&[opcode][..], &four(length)].concat(), b"\x7f", length, b".")
}

pub const INPUTS: &[Input] = &[
    // Nesting, a million deep, and as deep as it may be.
    ("lists in lists", || nested(b"]", b"", b"a")),
    ("lists in lists by MARK", || nested(b"(", b"", b"l")),
    ("tuples in tuples", || nested(b"", b")", b"\x85")),
    ("tuples in tuples by MARK", || nested(b"(", b"", b"t")),
    ("dicts in dicts", || nested(b"}K\x01", b"N", b"s")),
    ("dicts in dicts by MARK", || nested(b"(K\x01", b"N", b"d")),
    ("frozen sets in frozen sets", || nested(b"(", b"N", b"\x91")),
    ("sets of tuples of sets", || nested(b"\x8f(", b"N", b"\x85\x90")),
    ("sets by REDUCE", || nested(b"c__builtin__\nset\n(](", b"N", b"etR")),
    ("calls of calls", || nested(b"", b"ca\nb\n", b")R")),
    ("calls as arguments", || nested(b"ca\nb\n", b"N", b"\x85R")),
    ("NEWOBJ as arguments", || nested(b"ca\nb\n", b"N", b"\x85\x81")),
    ("NEWOBJ_EX as arguments", || nested(b"ca\nb\n", b"N", b"\x85}\x92")),
    ("INST as arguments", || nested(b"(", b"N", b"ia\nb\n")),
    ("OBJ as arguments", || nested(b"(ca\nb\n", b"N", b"o")),
    ("states of states", || nested(b"ca\nb\n)\x81", b"N", b"b")),
    ("BUILD after BUILD", || repeated(b"ca\nb\n)\x81", b"}b", MILLION, b".")),
    ("computed names of computed names", || nested(b"", b"ca\nb\n", b"N\x93")),
    ("persistent ids of persistent ids", || nested(b"", b"N", b"Q")),
    ("lists from the outside in", || {
        let mut bytes = b"]r\0\0\0\0".to_vec();
        for depth in 1..200_000u32 {
            bytes.extend_from_slice(b"]r");
            bytes.extend_from_slice(&depth.to_le_bytes());
            bytes.extend_from_slice(b"a0j");
            bytes.extend_from_slice(&depth.to_le_bytes());
        }
        bytes.push(b'.');
        bytes
    }),
    ("lists as deep as may be", || repeated(&b"]".repeat(512), b"a", 511, b".")),
    // Sharing.
    ("doubling tuples", || repeated(b"K\x01", b"2\x86", 500, b".")),
    ("tuples of the one before a hundred times", || {
        repeated(b"K\x01", &repeated(b"q\x000(", b"h\0", 100, b"t"), 500, b".")
    }),
    ("doubling tuples as a key", || repeated(b"}K\x01", b"2\x86", 60, b"Ns.")),
    ("doubling frozen sets as a key", || {
        // Each holds the one before in two tuples, which are not the same.
        repeated(b"}(N\x91", b"q\x000(h\0K\x01\x86h\0K\x02\x86\x91", 60, b"Ns.")
    }),
    ("many keys that share a large tuple", || {
        let tuple = repeated(b"}(", b"K\x01", 9_000, b"tq\x000(");
        [tuple, b"h\0N".repeat(MILLION), b"u.".to_vec()].concat()
    }),
    ("many keys that each hold a large frozen set", || {
        let set = numbered(b"}(", b"J", b"", 9_000, b"\x91q\x000(");
        [set, b"h\0\x85N".repeat(100_000), b"u.".to_vec()].concat()
    }),
    ("deep tuples as a key", || repeated(b"})", b"\x85", MILLION, b"Ns.")),
    ("a long text fetched a million times", || {
        let text = [&b"X"[..], &four(1 << 20), &[b'k'; 1 << 20], b"q\x000("].concat();
        [text, b"h\0".repeat(MILLION), b"t.".to_vec()].concat()
    }),
    ("a long text as a million keys", || {
        let text = [&b"X"[..], &four(1 << 20), &[b'k'; 1 << 20], b"q\x000}("].concat();
        [text, b"h\0N".repeat(MILLION), b"u.".to_vec()].concat()
    }),
    ("a list that holds itself a million times", || repeated(b"]q\0(", b"h\0", MILLION, b"e.")),
    // Floods.
    ("MARK", || b"(".repeat(scaled(64 << 20))),
    ("MARK and POP", || b"(0".repeat(scaled(30 << 20))),
    ("DUP", || repeated(b"N", b"2", scaled(60 << 20), b".")),
    ("DUP and TUPLE", || repeated(b"(N", b"2", scaled(3_900_000), b"t.")),
    ("None", || repeated(b"(", b"N", scaled(60 << 20), b"t.")),
    ("None, as many as may be", || repeated(b"(", b"N", scaled(3_999_000), b"l.")),
    ("EMPTY_LIST", || b"]".repeat(scaled(64 << 20))),
    ("EMPTY_LIST, as many as may be", || repeated(b"(", b"]", scaled(3_999_000), b"l.")),
    ("EMPTY_DICT, as many as may be", || repeated(b"(", b"}", scaled(3_999_000), b"l.")),
    ("EMPTY_SET, as many as may be", || repeated(b"(", b"\x8f", scaled(3_999_000), b"l.")),
    ("EMPTY_TUPLE, as many as may be", || repeated(b"(", b")", scaled(3_999_000), b"l.")),
    ("lists of one, as many as may be", || repeated(b"(", b"]Na", scaled(1_999_000), b"l.")),
    ("dicts of one, as many as may be", || repeated(b"(", b"}K\x01Ns", scaled(1_300_000), b"l.")),
    ("sets of one, as many as may be", || {
        repeated(b"(", b"\x8f(K\x01\x90", scaled(1_900_000), b"l.")
    }),
    ("tuples of one, as many as may be", || repeated(b"(", b"N\x85", scaled(1_999_000), b"l.")),
    ("calls, as many as may be", || repeated(b"(", b"ca\nb\n)R", scaled(990_000), b"l.")),
    ("INST, as many as may be", || repeated(b"(", b"(ia\nb\n", scaled(990_000), b"l.")),
    ("references, as many as may be", || repeated(b"(", b"ca\nb\n", scaled(990_000), b"l.")),
    ("EXT1, as many as may be", || repeated(b"(", b"\x82\x01", scaled(990_000), b"l.")),
    ("PERSID, as many as may be", || repeated(b"(", b"Pa\n", scaled(790_000), b"l.")),
    ("NEXT_BUFFER, as many as may be", || repeated(b"(", b"\x97", scaled(990_000), b"l.")),
    ("large integers, as many as may be", || {
        repeated(b"(", b"\x8a\x09\0\0\0\0\0\0\0\0\x01", scaled(3_999_000), b"l.")
    }),
    ("integers as a million keys", || numbered(b"}(", b"J", b"N", scaled(1_900_000), b"u.")),
    ("floats as a million keys", || {
        numbered(b"}(", b"G\x40\x01\x02\x03", b"N", scaled(1_900_000), b"u.")
    }),
    ("large integers as keys", || {
        numbered(b"}(", b"\x8a\x0a\x01\x01\x01\x01\x01", b"\x01N", scaled(1_900_000), b"u.")
    }),
    ("tuples as a million keys", || numbered(b"}(", b"J", b"\x85N", scaled(1_300_000), b"u.")),
    ("frozen sets as a million keys", || {
        numbered(b"}(", b"(J", b"\x91N", scaled(1_300_000), b"u.")
    }),
    ("members of a set", || numbered(b"\x8f(", b"J", b"", scaled(3_900_000), b"\x90.")),
    ("one pair after the other", || numbered(b"}", b"J", b"Ns", scaled(1_900_000), b".")),
    ("bytes as a million keys", || numbered(b"}(", b"C\x08aaaa", b"N", scaled(1_000_000), b"u.")),
    // The memo.
    ("far memo entries", || numbered(b"N", b"r", b"", scaled(1_000_001) + 1, b".")),
    ("far memo entries, as many as may be", || numbered(b"N", b"r", b"", scaled(999_999), b".")),
    ("MEMOIZE", || repeated(b"N", b"\x94", scaled(60 << 20), b".")),
    ("memo entries 64 bits away", || repeated(b"N", b"p18446744073709551615\n", MILLION, b".")),
    // Length.
    ("a line", || repeated(b"V", b"x", scaled(60 << 20), b"\n.")),
    ("long lines", || {
        repeated(b"(", &repeated(b"V", b"\xe9", scaled(1 << 20) - 1, b"\n"), 60, b"t.")
    }),
    ("digits", || repeated(b"I", b"9", scaled(60 << 20), b"\n.")),
    ("digits, as many as may be", || {
        repeated(b"(", &repeated(b"L", b"9", 4_300, b"L\n"), scaled(10_000), b"t.")
    }),
    ("LONG4 of nearly 64 MiB", || long(0x8b, scaled(64 << 20) - 6)),
    ("LONG4 as a key", || {
        [
            b"}".to_vec(),
            {
                let mut long = long(0x8b, scaled(60 << 20));
                long.pop();
                long
            },
            b"Ns.".to_vec(),
        ]
        .concat()
    }),
    ("bytes of nearly 64 MiB", || long(b'B', scaled(64 << 20) - 6)),
    ("text of nearly 64 MiB", || long(b'X', scaled(64 << 20) - 6)),
    ("surrogates of nearly 64 MiB", || {
        repeated(
            &[&b"X"[..], &four(scaled(63 << 20))].concat(),
            b"\xed\xa0\x80",
            scaled(21 << 20),
            b".",
        )
    }),
    ("a string of Python 2 of nearly 64 MiB", || long(b'T', scaled(64 << 20) - 6)),
    ("control characters of nearly 16 MiB", || {
        repeated(&[&b"X"[..], &four(scaled(16 << 20))].concat(), b"\x01", scaled(16 << 20), b".")
    }),
    ("_codecs.encode of nearly 64 MiB", || {
        let text = repeated(
            &[&b"c_codecs\nencode\nX"[..], &four(scaled(60 << 20))].concat(),
            "é".as_bytes(),
            scaled(30 << 20),
            b"",
        );
        [text, b"X\x06\0\0\0latin1\x86R.".to_vec()].concat()
    }),
    ("_codecs.encode again and again", || {
        let text = repeated(
            &[&b"c_codecs\nencode\nq\0X"[..], &four(2 << 20)].concat(),
            "é".as_bytes(),
            1 << 20,
            b"",
        );
        [text, b"X\x06\0\0\0latin1\x86q\x010(".to_vec(), b"h\0h\x01R".repeat(1000), b"t.".to_vec()]
            .concat()
    }),
    ("a bytearray again and again", || {
        let data = repeated(
            &[&b"c__builtin__\nbytearray\nq\0B"[..], &four(1 << 20)].concat(),
            b"x",
            1 << 20,
            b"\x85q\x010(",
        );
        [data, b"h\0h\x01R".repeat(120), b"t.".to_vec()].concat()
    }),
    ("names again and again", || {
        let names = repeated(b"c", b"m", 1_000_000, b"\nb\nq\x000(");
        [names, b"h\0)R".repeat(120), b"t.".to_vec()].concat()
    }),
    ("arguments again and again", || {
        let arguments = repeated(b"ca\nb\nq\0(", b"N", 100_000, b"tq\x010(");
        [arguments, b"h\0h\x01R".repeat(39), b"t.".to_vec()].concat()
    }),
    ("keywords again and again", || {
        let keywords = numbered(b"ca\nb\nq\0}(", b"\x8c\x04", b"N", 0, b"");
        let names = (0..40_000u32)
            .flat_map(|name| [&b"\x8c\x05"[..], format!("{name:05}").as_bytes(), b"N"].concat());
        [
            keywords,
            names.collect(),
            b"uq\x010(".to_vec(),
            b"h\0)h\x01\x92".repeat(40),
            b"t.".to_vec(),
        ]
        .concat()
    }),
    // Places where parsing may go wrong.
    ("frames of nothing", || {
        repeated(b"\x80\x04", b"\x95\0\0\0\0\0\0\0\0", scaled(7_000_000), b"N.")
    }),
    ("frames of one opcode", || {
        repeated(b"\x80\x04", b"\x95\x02\0\0\0\0\0\0\0N0", scaled(5_000_000), b"N.")
    }),
    ("protocols", || repeated(b"", b"\x80\x04", scaled(30 << 20), b"N.")),
    ("escapes", || repeated(b"V", b"\\u0001", 170_000, b"\n.")),
];
