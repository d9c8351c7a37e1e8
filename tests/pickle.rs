//! Pickle as a peer sees it: where one ends, what it says, and that nothing hostile gets far.

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

// Hostile pickles. Each must end quickly, on a small stack, with an error or a small value.

/// Decodes on a thread with 512 KB of stack, and drops there too.
fn on_a_small_stack(bytes: Vec<u8>) -> Result<usize, FaultKind> {
    let started = std::time::Instant::now();
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let result = thread.spawn(move || match decode(&bytes) {
        Ok(value) => Ok(value.len()),
        Err(fault) => Err(fault.kind),
    });
    let result = result.expect("a thread").join().expect("no panic, no overflow");
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    result
}

fn repeated(start: &[u8], middle: &[u8], count: usize, end: &[u8]) -> Vec<u8> {
    [start, &middle.repeat(count), end].concat()
}

#[test]
fn nesting_is_read_up_to_its_limit_and_refused_beyond() {
    let lists = |depth| repeated(b"", b"]", depth, &repeated(b"", b"a", depth - 1, b"."));
    assert_eq!(on_a_small_stack(lists(450)), Ok(450));
    assert_eq!(on_a_small_stack(lists(512)), Ok(512));
    assert_eq!(on_a_small_stack(lists(513)), Err(FaultKind::Limit));
    assert_eq!(on_a_small_stack(lists(8_000)), Err(FaultKind::Limit));
    assert_eq!(on_a_small_stack(repeated(b"N", b"\x85", 1_000_000, b".")), Err(FaultKind::Limit));
    // Dicts in dicts, by protocol 0's way.
    let dicts = repeated(b"", b"(dI1\n", 600, &repeated(b"N", b"s", 600, b"."));
    assert_eq!(on_a_small_stack(dicts), Err(FaultKind::Limit));
}

#[test]
fn nesting_built_from_the_outside_in_is_measured_too() {
    // ]q0 ]q1 h0 h1 a 0 ... : each list goes into one that is held already.
    let mut bytes = b"]p0\n".to_vec();
    for depth in 1..2_000 {
        bytes.extend(format!("]p{depth}\n0g{}\ng{depth}\na0", depth - 1).bytes());
    }
    bytes.extend(b"g0\n.");
    assert_eq!(on_a_small_stack(bytes), Err(FaultKind::Limit));
}

#[test]
fn bombs_of_shared_tuples_stay_small() {
    assert_eq!(on_a_small_stack(repeated(b"K\x01", b"2\x86", 60, b".")), Ok(61));
    // As a key such a tuple has 2^30 nodes for whoever hashes it by walking.
    let key = repeated(b"}K\x01", b"2\x86", 30, b"Ns.");
    assert_eq!(on_a_small_stack(key), Err(FaultKind::Limit));
    let deep = repeated(b"}N", b"\x85", 500, b"Ns.");
    assert_eq!(on_a_small_stack(deep), Err(FaultKind::Limit));
}

#[test]
fn marks_and_duplicates_without_end_are_refused() {
    assert_eq!(on_a_small_stack(repeated(b"", b"(", 1 << 20, b".")), Err(FaultKind::Limit));
    assert_eq!(on_a_small_stack(repeated(b"N", b"2", 5 << 20, b".")), Err(FaultKind::Limit));
    assert_eq!(on_a_small_stack(repeated(b"", b"]", 5 << 20, b".")), Err(FaultKind::Limit));
}

#[test]
fn far_memo_entries_take_no_table() {
    assert_eq!(on_a_small_stack(b"Nr\xff\xff\xff\x7f0j\xff\xff\xff\x7f.".to_vec()), Ok(1));
    assert_eq!(on_a_small_stack(b"Np18446744073709551615\n.".to_vec()), Ok(1));
    assert_eq!(on_a_small_stack(b"h\x05.".to_vec()), Err(FaultKind::Corrupt));
    let many = (0..1_000_001u32).flat_map(|index| {
        let far = index.wrapping_mul(0x9e37_79b1).to_le_bytes();
        [b'r', far[0], far[1], far[2], far[3]]
    });
    let many = [b"N".to_vec(), many.collect(), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(many), Err(FaultKind::Limit));
}

#[test]
fn lengths_beyond_all_bounds_are_refused_before_anything_is_taken() {
    for (bytes, kind) in [
        (&b"X\xff\xff\xff\xff"[..], FaultKind::Limit),
        (b"B\0\0\0\x80", FaultKind::Limit),
        (b"T\xff\xff\xff\xff", FaultKind::Corrupt),
        (b"\x8b\0\0\0\x80", FaultKind::Corrupt),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", FaultKind::Limit),
        (b"\x8e\0\0\0\0\0\0\0\x80", FaultKind::Limit),
        (b"\x96\xff\xff\xff\xff\xff\xff\xff\x7f", FaultKind::Limit),
        (b"\x95\xff\xff\xff\xff\xff\xff\xff\xff", FaultKind::Limit),
        (b"\x80\x06", FaultKind::Corrupt),
        (b"\xff", FaultKind::Corrupt),
    ] {
        assert_eq!(decode(bytes).expect_err("a fault").kind, kind, "{bytes:?}");
        assert!(matches!(split(bytes, &[]), Progress::Failed(fault) if fault.kind == kind));
    }
}

#[test]
fn a_length_that_straddles_a_frames_end_is_no_length_wherever_it_is_cut() {
    let bytes = b"\x95\x03\0\0\0\0\0\0\x000T\xff\xff\xff\xff";
    let whole = split(bytes, &[]);
    assert!(matches!(&whole, Progress::Failed(fault) if fault.message.contains("its frame")));
    assert!((0..bytes.len()).all(|at| split(bytes, &[at]) == whole));
}

#[test]
fn text_without_end_is_refused_at_the_line_limit() {
    let line = repeated(b"V", b"x", (1 << 20) + 1, b"\n.");
    assert_eq!(decode(&line).expect_err("a fault").kind, FaultKind::Limit);
    assert!(matches!(split(&line, &[700, 9000]), Progress::Failed(fault) if fault.at == 0));
    assert!(decode(&repeated(b"V", b"x", 1 << 20, b"\n.")).is_ok());
    assert_eq!(fault(&repeated(b"I", b"9", 4_301, b"\n.")), (FaultKind::Limit, 0));
    assert!(decode(&repeated(b"L", b"9", 4_300, b"L\n.")).is_ok());
}

#[test]
fn a_pickle_longer_than_the_limit_is_refused_by_both() {
    let mut limits = Limits::default();
    limits.bytes = 10;
    for bytes in [&b"C\x08abcdefgh."[..], b"NNNNNNNNNN.", b"\x8c\xff", b"I1234567890\n."] {
        let mut splitter = Splitter::new(&limits);
        let fault = pickle::decode(bytes, &limits).expect_err("too long");
        assert_eq!(fault.kind, FaultKind::Limit, "{bytes:?}");
        assert_eq!(splitter.feed(bytes), Progress::Failed(fault.clone()));
        assert_eq!(splitter.feed(b"more"), Progress::Failed(fault));
    }
    assert!(pickle::decode(b"C\x07abcdefg.", &limits).is_ok());
}

#[test]
fn the_same_key_a_million_times_is_not_quadratic() {
    let same = repeated(b"}X\x40\0\0\0", b"k", 64, b"q\x000(");
    let same = [same, b"h\0N".repeat(1_000_000), b"u.".to_vec()].concat();
    let value = decode(&same).expect("a dict of one");
    assert_eq!(elements(&value, value.root()).len(), 2);
    // A long text is hashed once, however often it is a key.
    let mut long = repeated(b"}X\0\0\x20\0", b"k", 2 << 20, b"q\x000(");
    long.extend(b"h\0N".repeat(100_000));
    long.extend(b"u.");
    assert_eq!(on_a_small_stack(long), Ok(100_002));
    // One pair after the other.
    let pairs = [b"}q\0".to_vec(), b"K\x01Ns".repeat(300_000), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(pairs), Ok(600_001));
    let sets =
        (0..50_000u32).flat_map(|member| [&b"(J"[..], &member.to_le_bytes(), b"\x90"].concat());
    let sets = [b"\x8f".to_vec(), sets.collect(), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(sets), Ok(50_001));
}

#[test]
fn asking_for_copies_again_and_again_is_refused() {
    // A megabyte as bytearray, as a set, as arguments: some bytes of pickle each.
    let mut data =
        repeated(b"c__builtin__\nbytearray\nq\0B\0\0\x10\0", b"x", 1 << 20, b"\x85q\x01");
    data.extend(b"h\0h\x01R0".repeat(1000));
    data.push(b'.');
    assert_eq!(on_a_small_stack(data), Err(FaultKind::Limit));
    let list = repeated(b"c__builtin__\nset\nq\0](", b"K\x01", 100_000, b"e\x85q\x01");
    let sets = [list, b"h\0h\x01R0".repeat(1000), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(sets), Err(FaultKind::Limit));
    let list = repeated(b"ca\nb\nq\0(", b"N", 100_000, b"tq\x01");
    let calls = [list, b"h\0h\x01R0".repeat(1000), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(calls), Err(FaultKind::Limit));
    let names = repeated(b"c", b"m", 1_000_000, b"\nb\nq\0");
    let names = [names, b"h\0)R0".repeat(1000), b".".to_vec()].concat();
    assert_eq!(on_a_small_stack(names), Err(FaultKind::Limit));
}

#[test]
fn states_upon_states_are_all_kept_and_nested_no_deeper_than_the_limit() {
    // A second BUILD may run what the first one set: the way of `__setstate__`.
    let twice = b"cm\nC\n)\x81}S'__setstate__'\ncos\nsystem\nsbS'id'\nb.";
    let value = decode(twice).expect("an object");
    let Node::Object(outer) = value.node(value.root()) else { panic!("no object") };
    assert_eq!(outer.state.and_then(|state| value.as_str(state)), Some("id"));
    let Class::Computed(inner) = outer.class else { panic!("{outer:?}") };
    let Node::Object(inner) = value.node(inner) else { panic!("no object") };
    assert!(inner.state.is_some());
    assert_eq!(
        on_a_small_stack(repeated(b"cm\nC\n)\x81", b"}b", 600, b".")),
        Err(FaultKind::Limit)
    );
}

#[test]
fn a_fault_later_does_not_hide_what_was_asked_for_before() {
    let bytes = b"cos\nsystem\nS'id'\n\x85R0\xff";
    let (value, fault) = pickle::salvage(bytes, &Limits::default());
    assert_eq!(
        fault.map(|fault| (fault.kind, fault.at)),
        Some((FaultKind::Corrupt, bytes.len() - 1))
    );
    let calls = value
        .ids()
        .filter(|&id| matches!(value.node(id), Node::Object(object) if object.arguments.is_some()));
    assert_eq!(calls.count(), 1);
}

// Small rules of the format.

#[test]
fn a_key_that_comes_again_keeps_its_place_and_gets_the_last_value() {
    let value = decode(b"}(K\x01K\x0aK\x02K\x0bI01\nK\x0cu.").expect("a dict");
    let entries = elements(&value, value.root());
    let [first, replaced, second, _] = entries[..] else { panic!("{value:?}") };
    assert_eq!(value.node(first), &Node::Int(1));
    assert_eq!(value.node(replaced), &Node::Int(12));
    assert_eq!(value.node(second), &Node::Int(2));
    // Tuples by their elements, frozen sets in any order; not-a-number never.
    let keys = |bytes: &[u8]| {
        let value = decode(bytes).expect("a dict");
        elements(&value, value.root()).len() / 2
    };
    assert_eq!(keys(b"}(K\x01K\x02\x86NK\x01K\x02\x86Nu."), 1);
    assert_eq!(keys(b"}((K\x01K\x02\x91N(K\x02K\x01\x91Nu."), 1);
    assert_eq!(keys(b"}(K\x01NG\x3f\xf0\0\0\0\0\0\0Nu."), 1);
    assert_eq!(keys(b"}(G\x7f\xf8\0\0\0\0\0\0NG\x7f\xf8\0\0\0\0\0\0Nu."), 2);
    assert_eq!(keys(b"}(C\x01aN\x8c\x01aNu."), 2);
    assert_eq!(fault(b"}(]Nu."), (FaultKind::Corrupt, 4));
    assert_eq!(fault(b"}(]\x85Nu."), (FaultKind::Corrupt, 5));
}

#[test]
fn python_2_strings_are_text_where_they_are_ascii() {
    let node = |bytes: &[u8]| {
        let value = decode(bytes).expect("a string");
        match value.node(value.root()) {
            Node::Str(span) => ("text", value.span(*span).to_vec()),
            Node::Bytes(span) => ("bytes", value.span(*span).to_vec()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(node(b"U\x02ab."), ("text", b"ab".to_vec()));
    assert_eq!(node(b"U\x01\xff."), ("bytes", b"\xff".to_vec()));
    assert_eq!(node(b"S'a\\x00\\'\\q\\101'\n."), ("text", b"a\0'\\qA".to_vec()));
    assert_eq!(node(b"S\"\\xff\"\n."), ("bytes", b"\xff".to_vec()));
    assert_eq!(fault(b"Sab\n."), (FaultKind::Corrupt, 0));
    assert_eq!(fault(b"S'\\x1'\n."), (FaultKind::Corrupt, 0));
}

#[test]
fn text_that_is_no_utf_8_is_said_where() {
    assert_eq!(fault(b"N0\x8c\x03ab\xff."), (FaultKind::InvalidUtf8, 6));
    assert_eq!(fault(b"c\xff\nb\n."), (FaultKind::InvalidUtf8, 1));
    let value = decode(b"\x8c\x04a\xed\xa0\x80.").expect("a lone surrogate");
    assert!(matches!(value.node(value.root()), Node::Surrogates(_)));
}

#[test]
fn bytes_after_stop_are_a_fault_at_their_offset() {
    let fault = decode(b"N.N.").expect_err("two pickles");
    assert_eq!((fault.kind, fault.at), (FaultKind::Corrupt, 2));
    assert!(fault.message.starts_with("2 more bytes"), "{fault}");
}

#[test]
fn names_that_a_call_computes_are_kept() {
    let value = decode(b"S'os'\ncoperator\nadd\n(S'sys'\nS'tem'\ntR\x93S'id'\n\x85R.");
    let value = value.expect("an object");
    let Node::Object(call) = value.node(value.root()) else { panic!("no object") };
    let Class::Computed(reference) = call.class else { panic!("{call:?}") };
    let Node::Object(reference) = value.node(reference) else { panic!("no object") };
    let Class::Computed(names) = reference.class else { panic!("{reference:?}") };
    assert!(matches!(value.node(names), Node::Tuple(names) if names.len() == 2));
}

#[test]
fn a_reader_is_told_what_the_value_does_not_say() {
    let limits = Limits::default();
    let read = |bytes: &[u8]| pickle::decode_with_provenance(bytes, &limits).expect("a pickle");
    let (value, provenance) = read(b"(S'a'\nU\x01\xff\x8c\x01at.");
    let Node::Tuple(items) = value.node(value.root()) else { panic!("a tuple") };
    assert_eq!(provenance.python2_strings, value.items(*items)[..2]);
    assert_eq!(provenance.read_only_buffers, []);
    let (value, provenance) = read(b"\x80\x05\x97\x97\x98\x98\x86.");
    let Node::Tuple(items) = value.node(value.root()) else { panic!("a tuple") };
    assert_eq!(provenance.read_only_buffers, value.items(*items)[1..]);
}

#[test]
fn an_instance_that_is_not_initialized_is_told_from_a_call() {
    let asked = |bytes: &[u8]| {
        let value = decode(bytes).expect("a pickle");
        match value.node(value.root()) {
            Node::Object(object) => object.uninitialized,
            node => panic!("{node:?}"),
        }
    };
    assert!(asked(b"\x80\x02cm\nC\n)\x81."), "NEWOBJ");
    assert!(asked(b"\x80\x04cm\nC\n)}\x92."), "NEWOBJ_EX");
    assert!(asked(b"(im\nC\n."), "INST without arguments");
    assert!(asked(b"(cm\nC\no."), "OBJ without arguments");
    assert!(!asked(b"(K\x01im\nC\n."), "INST");
    assert!(!asked(b"(cm\nC\nK\x01o."), "OBJ");
    assert!(!asked(b"cm\nC\n)R."), "REDUCE");
    assert!(!asked(b"cm\nC\n."), "a reference");
}
