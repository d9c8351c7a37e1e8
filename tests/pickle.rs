//! Pickle as a peer sees it: where one ends, what it says, and that nothing hostile gets far.

use proptest::prelude::*;
use wirespool::wire::pickle::{self, Limits, Progress, Splitter};
use wirespool::wire::value::{Class, Node, NodeId, Value};
use wirespool::wire::{Fault, FaultKind};

fn decode(bytes: &[u8]) -> Result<Value, Fault> {
    pickle::decode(bytes, &Limits::default())
}

fn fault(bytes: &[u8]) -> (FaultKind, usize) {
    let fault = decode(bytes).expect_err("a fault");
    (fault.kind, fault.at)
}

fn elements(value: &Value, id: NodeId) -> Vec<NodeId> {
    value.children(id).collect()
}

/// Feeds pieces of the given lengths, then the rest; what the splitter says in the end, counted from
/// the first byte.
fn split(bytes: &[u8], lengths: &[usize]) -> Progress {
    let mut splitter = Splitter::new(&Limits::default());
    let (mut before, mut rest) = (0, bytes);
    for &length in lengths.iter().chain([&usize::MAX]) {
        let (piece, others) = rest.split_at(length.min(rest.len()));
        match splitter.feed(piece) {
            Progress::NeedMore => before += piece.len(),
            Progress::Complete { consumed } => {
                return Progress::Complete { consumed: before + consumed };
            }
            failed => return failed,
        }
        rest = others;
    }
    Progress::NeedMore
}

/// What splitter and machine owe each other.
fn assert_agreement(bytes: &[u8]) {
    let decoded = decode(bytes);
    match split(bytes, &[]) {
        Progress::Complete { consumed } if consumed == bytes.len() => {
            if let Err(fault) = decoded {
                assert_ne!(fault.kind, FaultKind::Truncated, "{fault}");
            }
        }
        Progress::Complete { consumed } => {
            let fault = decoded.expect_err("bytes after the end");
            assert!(fault.at <= consumed, "{fault} after {consumed}");
        }
        Progress::NeedMore => {
            let fault = decoded.expect_err("no end");
            assert!(fault.kind != FaultKind::Truncated || fault.at == bytes.len(), "{fault}");
        }
        Progress::Failed(expected) => {
            let fault = decoded.expect_err("no pickle");
            assert_ne!(fault.kind, FaultKind::Truncated, "{fault}, not {expected}");
            if fault != expected {
                // Something was wrong before, for which one has to know what the stack holds.
                assert!(fault.at <= expected.at, "{fault}, not {expected}");
            }
        }
    }
}

#[test]
fn the_original_programs_dict_is_read() {
    let value = decode(b"\x80\x04\x95\x11\0\0\0\0\0\0\0}\x94(\x8c\x011\x94K\x19\x8c\x012\x94K<u.");
    let value = value.expect("a dict");
    let [key, first, _, second] = elements(&value, value.root())[..] else { panic!("{value:?}") };
    assert_eq!(value.as_str(key), Some("1"));
    assert_eq!(value.node(first), &Node::Int(25));
    assert_eq!(value.node(second), &Node::Int(60));
}

#[test]
fn several_pickles_in_one_chunk_are_cut_where_each_ends() {
    let stream = b"K\x01.\x80\x02]q\0.\x80\x04N.K";
    let mut splitter = Splitter::new(&Limits::default());
    let mut rest = &stream[..];
    let mut lengths = Vec::new();
    while let Progress::Complete { consumed } = splitter.feed(rest) {
        lengths.push(consumed);
        rest = &rest[consumed..];
    }
    assert_eq!(lengths, [3, 6, 4]);
    assert_eq!(splitter.position(), 1);
}

#[test]
fn a_global_is_kept_as_the_request_it_is() {
    let value = decode(b"cos\nsystem\n(S'id'\ntR.").expect("an object");
    let Node::Object(object) = value.node(value.root()) else { panic!("{value:?}") };
    assert_eq!(object.class, Class::Global { module: "os".into(), name: "system".into() });
    assert_eq!(object.arguments.as_ref().map(Vec::len), Some(1));
    assert_eq!(object.offset, 19);
}

#[test]
fn frames_are_held_to_pep_3154() {
    // No argument straddles a frame's end, no frame is in a frame, STOP ends the last frame.
    assert_eq!(fault(b"\x80\x04\x95\x04\0\0\0\0\0\0\0J\x01\0\0\0."), (FaultKind::Corrupt, 11));
    assert_eq!(
        fault(b"\x80\x04\x95\x0a\0\0\0\0\0\0\0\x95\x01\0\0\0\0\0\0\0."),
        (FaultKind::Corrupt, 11)
    );
    assert_eq!(fault(b"\x80\x04\x95\x09\0\0\0\0\0\0\0N."), (FaultKind::Corrupt, 12));
    assert_eq!(fault(b"\x80\x04\x95\x03\0\0\0\0\0\0\0I12\n."), (FaultKind::Corrupt, 11));
    // CPython's pickler leaves a last piece of less than four bytes without a frame.
    assert!(decode(b"\x80\x04\x95\x04\0\0\0\0\0\0\0I12\n.").is_ok());
    assert!(decode(b"\x80\x04\x95\x05\0\0\0\0\0\0\0I12\n.").is_ok());
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_splitter_and_machine_agree(
        bytes in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        assert_agreement(&bytes);
    }

    #[test]
    fn arbitrary_opcodes_never_panic_and_splitter_and_machine_agree(bytes in opcodes()) {
        assert_agreement(&bytes);
    }

    #[test]
    fn every_split_point_yields_the_same(bytes in opcodes()) {
        let whole = split(&bytes, &[]);
        for at in 0..bytes.len() {
            prop_assert_eq!(&split(&bytes, &[at]), &whole);
        }
        prop_assert_eq!(split(&bytes, &vec![1; bytes.len()]), whole);
    }
}

/// Bytes that look like a pickle more often than chance would have it.
fn opcodes() -> impl Strategy<Value = Vec<u8>> {
    let simple = b"(.012NQR]abdelosut})\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98";
    let text = "[a-c]{0,3}";
    let piece = prop_oneof![
        8 => proptest::sample::select(&simple[..]).prop_map(|code| vec![code]),
        4 => any::<u8>().prop_map(|number| vec![b'K', number]),
        2 => (0u8..4).prop_map(|index| vec![b'q', index]),
        2 => (0u8..4).prop_map(|index| vec![b'h', index]),
        2 => text.prop_map(|text| [&[0x8c, text.len() as u8], text.as_bytes()].concat()),
        1 => text.prop_map(|text| [&[b'X', text.len() as u8, 0, 0, 0], text.as_bytes()].concat()),
        1 => proptest::sample::select(vec![
            &b"I01\n"[..], b"I12\n", b"L12L\n", b"Vab\\u00e9\n", b"S'a\\x00'\n", b"F1.5\n", b"g0\n",
            b"p1\n", b"cos\nsystem\n", b"c__builtin__\nset\n", b"icollections\ndeque\n", b"Ppid\n",
            b"\x8a\x01\xff", b"\x82\x05", b"G\0\0\0\0\0\0\0\0", b"\x80\x04",
            b"\x96\x01\0\0\0\0\0\0\0a", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", b"T\xff\xff\xff\xff",
        ]).prop_map(<[u8]>::to_vec),
        1 => (0u8..12).prop_map(|size| vec![0x95, size, 0, 0, 0, 0, 0, 0, 0]),
        1 => any::<u8>().prop_map(|code| vec![code]),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
