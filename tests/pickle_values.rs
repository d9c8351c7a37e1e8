//! Values through pickles and back: the value tree, Rust types, and serde-pickle as the other opinion.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_pickle::{DeOptions, HashableValue, SerOptions, Value as Plain};
use wirespool::wire::pickle::{self, Limits};
use wirespool::wire::value::{Class, Items, Node, NodeId, Object, Value};
use wirespool::wire::{Fault, FaultKind};
use wirespool::{Error, Result};

fn decode(bytes: &[u8]) -> Value {
    pickle::decode(bytes, &Limits::default()).unwrap_or_else(|fault| panic!("{fault}: {bytes:?}"))
}

fn refusal<T>(result: Result<T>) -> String {
    match result.err().expect("an error") {
        Error::Value { format, reason } => {
            assert_eq!(format, "pickle");
            reason
        }
        other => panic!("{other:?}"),
    }
}

fn fault<T>(result: Result<T>) -> Fault {
    match result.err().expect("an error") {
        Error::Decode(fault) => fault,
        other => panic!("{other:?}"),
    }
}

/// A plain value as a tree, to be made an arena.
#[derive(Clone, Debug)]
enum Tree {
    None,
    Bool(bool),
    Int(i64),
    BigInt(BigInt),
    Float(f64),
    Str(String),
    /// Text after a lone surrogate.
    Surrogate(u16, String),
    Bytes(Vec<u8>),
    ByteArray(Vec<u8>),
    List(Vec<Tree>),
    Tuple(Vec<Tree>),
    Set(Vec<Tree>),
    FrozenSet(Vec<Tree>),
    Dict(Vec<(Tree, Tree)>),
    /// The same element twice: one node.
    Twice(Box<Tree>),
}

fn add(value: &mut Value, tree: &Tree) -> NodeId {
    fn all(value: &mut Value, trees: &[Tree]) -> Items {
        let items: Vec<_> = trees.iter().map(|tree| add(value, tree)).collect();
        value.store_items(&items)
    }
    let node = match tree {
        Tree::None => Node::None,
        Tree::Bool(truth) => Node::Bool(*truth),
        Tree::Int(integer) => Node::Int(*integer),
        Tree::BigInt(integer) => return value.add_integer(integer.clone()),
        Tree::Float(float) => Node::Float(*float),
        Tree::Str(text) => return value.add_str(text),
        Tree::Surrogate(low, text) => {
            let mut bytes = vec![0xed, 0xa0 | (low >> 6 & 0x1f) as u8, 0x80 | (low & 0x3f) as u8];
            bytes.extend(text.bytes());
            Node::Surrogates(value.store(&bytes))
        }
        Tree::Bytes(bytes) => return value.add_bytes(bytes),
        Tree::ByteArray(bytes) => Node::ByteArray(value.store(bytes)),
        Tree::List(items) => Node::List(all(value, items)),
        Tree::Tuple(items) => Node::Tuple(all(value, items)),
        Tree::Set(items) => Node::Set(all(value, items)),
        Tree::FrozenSet(items) => Node::FrozenSet(all(value, items)),
        Tree::Dict(entries) => {
            let pair = |(key, item): &(Tree, Tree)| (add(value, key), add(value, item));
            let entries: Vec<_> = entries.iter().map(pair).collect();
            Node::Dict(value.store_entries(entries))
        }
        Tree::Twice(tree) => {
            let node = add(value, tree);
            return value.add_list(&[node, node]);
        }
    };
    value.add(node)
}

fn arena(tree: &Tree) -> Value {
    let mut value = Value::new();
    let root = add(&mut value, tree);
    value.set_root(root);
    value
}

fn scalar() -> impl Strategy<Value = Tree> {
    prop_oneof![
        Just(Tree::None),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Int),
        (-70_000i64..70_000).prop_map(Tree::Int),
        proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Tree::BigInt(BigInt::from_signed_bytes_le(&bytes))),
        any::<f64>().prop_map(Tree::Float),
        any::<String>().prop_map(Tree::Str),
        (0u16..0x800, "[a\u{e9}\u{20ac}\u{1f980}]{0,3}")
            .prop_map(|(low, text)| Tree::Surrogate(low, text)),
        proptest::collection::vec(any::<u8>(), 0..300).prop_map(Tree::Bytes),
    ]
}

/// Keys that are different, as `name` and a number make them; Python's own equality is tested apart.
fn keys(count: usize) -> impl Strategy<Value = Vec<Tree>> {
    let kinds = proptest::collection::vec(0..5u8, count);
    kinds.prop_map(|kinds| {
        let key = |(index, kind): (usize, &u8)| match kind {
            0 => Tree::Str(format!("key {index}")),
            1 => Tree::Int(index as i64 * 1_000_003),
            2 => Tree::Bytes(format!("{index}").into_bytes()),
            3 => Tree::Tuple(vec![Tree::Int(index as i64), Tree::Str("é".into())]),
            _ => Tree::FrozenSet(vec![Tree::Float(index as f64 + 0.5)]),
        };
        kinds.iter().enumerate().map(key).collect()
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        scalar(),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Tree::ByteArray),
        (0..12usize).prop_flat_map(keys).prop_map(Tree::Set),
        (0..12usize).prop_flat_map(keys).prop_map(Tree::FrozenSet),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Tree::List),
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Tree::Tuple),
            proptest::collection::vec(inner.clone(), 0..12).prop_flat_map(|items| {
                keys(items.len())
                    .prop_map(move |keys| Tree::Dict(keys.into_iter().zip(items.clone()).collect()))
            }),
            inner.prop_map(|tree| Tree::Twice(Box::new(tree))),
        ]
    })
}

proptest! {
    #[test]
    fn a_plain_value_comes_back_at_each_protocol(tree in tree()) {
        let value = arena(&tree);
        for protocol in 0..=5 {
            let bytes = pickle::encode(&value, protocol).expect("plain data");
            prop_assert!(decode(&bytes) == value, "at {}: {:?}", protocol, bytes);
        }
    }
}

#[test]
fn the_original_programs_bytes_are_written() {
    let tree = Tree::Dict(vec![
        (Tree::Str("1".into()), Tree::Int(25)),
        (Tree::Str("2".into()), Tree::Int(60)),
    ]);
    let bytes = pickle::encode(&arena(&tree), pickle::DEFAULT_PROTOCOL).expect("plain data");
    let expected = b"\x80\x04\x95\x11\0\0\0\0\0\0\0}\x94(\x8c\x011\x94K\x19\x8c\x012\x94K<u.";
    assert_eq!(bytes, expected);
}

#[test]
fn what_is_no_plain_data_is_refused_with_the_reason() {
    let mut object = Value::new();
    object.add(Node::Object(Box::new(Object::reference(
        Class::Global { module: "os".into(), name: "system".into() },
        0,
    ))));
    assert!(refusal(pickle::encode(&object, 4)).contains("objects cannot be encoded"));
    let number = arena(&Tree::None);
    assert!(refusal(pickle::encode(&number, 6)).contains("no protocol 6"));
    assert!(refusal(pickle::encode(&Value::new(), 4)).contains("no value"));
    let key = Tree::Dict(vec![(Tree::Tuple(vec![Tree::List(vec![])]), Tree::None)]);
    assert!(refusal(pickle::encode(&arena(&key), 4)).contains("a list cannot be a key"));
    let large = arena(&Tree::BigInt(BigInt::from(10).pow(4_300)));
    assert!(refusal(pickle::encode(&large, 1)).contains("4300 digits"));
    assert!(decode(&pickle::encode(&large, 2).expect("LONG1 and LONG4 have no limit")) == large);
}

#[test]
fn a_tuple_that_holds_itself_directly_is_refused_and_through_a_list_written() {
    let mut value = Value::new();
    let tuple = value.add(Node::None);
    *value.node_mut(tuple) = Node::Tuple(value.store_items(&[tuple]));
    assert!(refusal(pickle::encode(&value, 4)).contains("cannot hold itself"));

    let mut value = Value::new();
    let lists: Vec<NodeId> = (0..5).map(|_| value.add_list(&[])).collect();
    let items = value.store_items(&lists);
    let tuple = value.add(Node::Tuple(items));
    for list in lists {
        *value.node_mut(list) = Node::List(value.store_items(&[tuple]));
    }
    value.set_root(tuple);
    for protocol in 0..=5 {
        let bytes = pickle::encode(&value, protocol).expect("a cycle");
        assert!(decode(&bytes) == value, "at {protocol}");
    }
}

#[test]
fn deep_values_are_written_without_recursion() {
    let mut value = Value::new();
    let mut inner = value.add(Node::None);
    for depth in 0..300_000 {
        let items = value.store_items(&[inner]);
        inner = value.add(if depth % 2 == 0 { Node::List(items) } else { Node::Tuple(items) });
    }
    value.set_root(inner);
    let thread = std::thread::Builder::new().stack_size(512 << 10);
    let written = thread.spawn(move || pickle::encode(&value, 4).map(|bytes| bytes.len()));
    assert!(written.expect("a thread").join().expect("no overflow").expect("plain") > 300_000);
}

// Rust types.

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading {
    device_id: u64,
    temperature: f64,
    label: Option<String>,
    tags: Vec<String>,
    kind: Kind,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Scaled(i32),
}

#[test]
fn a_struct_comes_back() {
    let reading = Reading {
        device_id: i64::MAX as u64,
        temperature: 21.5,
        label: Some("kitchen".into()),
        tags: vec!["a".into(), "é".into()],
        kind: Kind::Scaled(-3),
    };
    let bytes = pickle::to_vec(&reading).expect("plain data");
    assert_eq!(pickle::from_slice::<Reading>(&bytes).expect("a reading"), reading);
    let none = pickle::to_vec(&Kind::Plain).expect("plain data");
    assert_eq!(pickle::from_slice::<Kind>(&none).expect("a kind"), Kind::Plain);
}

#[test]
fn shared_containers_make_a_rust_value_where_serde_pickle_alone_does_not() {
    let bytes = b"\x80\x02]q\0(}q\x01X\x01\0\0\0xq\x02K\x01sh\x01e.";
    let records: Vec<BTreeMap<String, i32>> = pickle::from_slice(bytes).expect("two records");
    assert_eq!(records.len(), 2);
    assert_eq!(records[0], records[1]);
    assert!(serde_pickle::from_slice::<Plain>(bytes, DeOptions::new()).is_err());
}

#[test]
fn what_is_no_rust_value_says_why() {
    let no_number = fault(pickle::from_slice::<i32>(b"\x8c\x01a."));
    assert_eq!(no_number.kind, FaultKind::Schema);
    let call = fault(pickle::from_slice::<i32>(b"cos\nsystem\nS'id'\n\x85R."));
    assert_eq!((call.kind, call.at), (FaultKind::Schema, 18));
    assert!(call.message.contains("os.system"), "{call}");
    let cycle = fault(pickle::from_slice::<Plain>(b"]q\0h\0a."));
    assert_eq!(cycle.kind, FaultKind::Limit);
    let surrogate = fault(pickle::from_slice::<String>(b"\x8c\x03\xed\xa0\x80."));
    assert_eq!(surrogate.kind, FaultKind::InvalidUtf8);
    let large = pickle::to_vec(&u64::MAX).expect("plain data");
    assert_eq!(fault(pickle::from_slice::<u64>(&large)).kind, FaultKind::Schema);
    assert_eq!(fault(pickle::from_slice::<i32>(b"K\x01")).kind, FaultKind::Truncated);
}

#[test]
fn a_rust_value_is_bounded_in_depth_and_in_size_written_out() {
    let on_a_small_stack = |bytes: Vec<u8>| {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        let read = move || pickle::from_slice::<serde_json::Value>(&bytes).map(drop);
        thread.spawn(read).expect("a thread").join().expect("no overflow")
    };
    let lists = |depth: usize| [b"]".repeat(depth), b"a".repeat(depth - 1), b".".to_vec()].concat();
    on_a_small_stack(lists(128)).expect("as deep as may be");
    assert_eq!(fault(on_a_small_stack(lists(129))).kind, FaultKind::Limit);
    let tuples = [b"N".to_vec(), b"\x85".repeat(128), b".".to_vec()].concat();
    on_a_small_stack(tuples).expect("as deep as may be");
    let bomb = [b"K\x01".to_vec(), b"2\x86".repeat(60), b".".to_vec()].concat();
    assert_eq!(fault(on_a_small_stack(bomb)).kind, FaultKind::Limit);
    let text = [&b"X\0\0\x10\0"[..], &[b'x'; 1 << 20], b"q\x000(", &b"h\0".repeat(1000), b"t."];
    assert_eq!(fault(on_a_small_stack(text.concat())).kind, FaultKind::Limit);
}

#[test]
fn what_cannot_be_a_key_is_refused_when_written() {
    let map = BTreeMap::from([(vec![1], 2)]);
    assert!(refusal(pickle::to_vec(&map)).contains("a list cannot be a key"));
}

// serde-pickle as the other opinion, on the plain data that it reads and writes.

/// What serde-pickle has of a tree; `None` where it has no such thing.
fn plain(tree: &Tree) -> Option<Plain> {
    let all = |trees: &[Tree]| trees.iter().map(plain).collect::<Option<Vec<_>>>();
    let key = |tree: &Tree| plain(tree)?.into_hashable().ok();
    Some(match tree {
        Tree::None => Plain::None,
        Tree::Bool(truth) => Plain::Bool(*truth),
        Tree::Int(integer) => Plain::I64(*integer),
        Tree::BigInt(integer) => match i64::try_from(integer) {
            Ok(small) => Plain::I64(small),
            Err(_) => Plain::Int(integer.clone()),
        },
        Tree::Float(float) => Plain::F64(*float),
        Tree::Str(text) => Plain::String(text.clone()),
        Tree::Surrogate(..) | Tree::ByteArray(_) | Tree::Twice(_) => return None,
        Tree::Bytes(bytes) => Plain::Bytes(bytes.clone()),
        Tree::List(items) => Plain::List(all(items)?),
        Tree::Tuple(items) => Plain::Tuple(all(items)?),
        Tree::Set(items) => Plain::Set(items.iter().map(key).collect::<Option<_>>()?),
        Tree::FrozenSet(items) => Plain::FrozenSet(items.iter().map(key).collect::<Option<_>>()?),
        Tree::Dict(entries) => Plain::Dict(
            entries
                .iter()
                .map(|(name, item)| Some((key(name)?, plain(item)?)))
                .collect::<Option<BTreeMap<HashableValue, Plain>>>()?,
        ),
    })
}

/// Floats by their bits: serde-pickle's `==` has not-a-number unequal to itself.
fn shown(plain: &Plain) -> String {
    format!("{plain:?}")
}

proptest! {
    #[test]
    fn serde_pickle_reads_what_we_write(tree in tree()) {
        let Some(expected) = plain(&tree) else { return Ok(()) };
        for protocol in 0..=5 {
            let bytes = pickle::encode(&arena(&tree), protocol).expect("plain data");
            // Below protocol 3 it does not read empty bytes.
            let read = serde_pickle::value_from_slice(&bytes, DeOptions::new());
            if let Ok(read) = read {
                prop_assert_eq!(shown(&read), shown(&expected), "at {}", protocol);
            } else {
                prop_assert!(protocol < 3, "{:?}", read);
            }
        }
    }

    #[test]
    fn we_read_what_serde_pickle_writes(tree in tree()) {
        let Some(expected) = plain(&tree) else { return Ok(()) };
        for options in [SerOptions::new(), SerOptions::new().proto_v2()] {
            let bytes = serde_pickle::value_to_vec(&expected, options).expect("its own value");
            // Through our machine into its value: the same again.
            let read: Plain = from_slice_of(&bytes);
            prop_assert_eq!(shown(&read), shown(&expected));
        }
    }
}

/// serde-pickle's own value is no `Deserialize` type that keeps tuples and sets apart; compare what
/// it reads of our bytes instead.
fn from_slice_of(bytes: &[u8]) -> Plain {
    let ours = pickle::encode(&decode(bytes), 3).expect("plain data");
    serde_pickle::value_from_slice(&ours, DeOptions::new()).expect("plain data")
}
