//! Tagged JSON: every value has one form, and is read back from it as it was.

use num_bigint::BigInt;
use proptest::prelude::*;
use wirespool::Error;
use wirespool::wire::value::{Class, Node, NodeId, Object};
use wirespool::wire::{Value, json};

/// A value of one node.
fn scalar(node: Node) -> Value {
    let mut value = Value::new();
    value.add(node);
    value
}

fn refusal(text: &str) -> String {
    match json::parse(text) {
        Err(Error::Value { reason, .. }) => reason,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn plain_data_is_plain_json() {
    for text in [
        "null",
        "true",
        "false",
        "0",
        "-9007199254740992",
        "25.0",
        "-0.0",
        "1e100",
        "1e-7",
        "0.1",
        r#""Привет\n\"\\""#,
        "[]",
        "{}",
        r#"{"1":25,"2":60}"#,
        r#"[[1,[2.5,null]],{"a":{"b":[]}}]"#,
    ] {
        assert_eq!(json::to_string(&json::parse(text).unwrap()), text);
    }
}

#[test]
fn what_json_has_not_is_tagged() {
    for text in [
        r#"{"$tuple":[1,{"$tuple":[]}]}"#,
        r#"{"$set":[1]}"#,
        r#"{"$frozenset":["a"]}"#,
        r#"{"$bytes":"AP8="}"#,
        r#"{"$bytearray":""}"#,
        r#"{"$int":"9007199254740993"}"#,
        r#"{"$int":"-123456789012345678901234567890"}"#,
        r#"{"$float":"nan"}"#,
        r#"{"$float":"inf"}"#,
        r#"{"$float":"-inf"}"#,
        r#"{"$str":"Ye2ggGI="}"#,
        r#"{"$dict":[[1,"a"],[{"$tuple":[1,2]},"b"]]}"#,
        r#"{"$dict":[["$a",1]]}"#,
        r#"{"$object":{"class":"decimal.Decimal","args":["1.5"]}}"#,
        r#"{"$object":{"class":"collections.OrderedDict"}}"#,
        r#"{"$object":{"class":"a.b.C.D","module":"a.b","args":[],"kwargs":[["x",1]],"state":{"y":2},"items":[3],"entries":[["z",4]]}}"#,
        r#"{"$object":{"computed":{"$object":{"class":"m.f","args":[]}},"args":[]}}"#,
        r#"{"$object":{"persistent":{"$tuple":["id",7]}}}"#,
        r#"{"$object":{"extension":240,"args":[]}}"#,
        r#"{"$object":{"buffer":0}}"#,
        r#"{"$id":1,"value":[{"$ref":1}]}"#,
        r#"[{"$id":1,"value":{"$bytearray":"AQ=="}},{"$ref":1}]"#,
        r#"[{"$id":1,"value":{"a":1}},{"$ref":1},{"$id":2,"value":{"$tuple":[{"$ref":1}]}},{"$ref":2}]"#,
    ] {
        assert_eq!(json::to_string(&json::parse(text).unwrap()), text);
    }
}

#[test]
fn more_forms_are_read_than_written() {
    for (text, written) in [
        (" [ 1 , 2 ] ", "[1,2]"),
        ("1E2", "100.0"),
        ("-0", "0"),
        (r#""\u0041\ud83d\ude00""#, "\"A😀\""),
        ("9007199254740993", r#"{"$int":"9007199254740993"}"#),
        (r#"{"$int":"5"}"#, "5"),
        (r#"{"$int":"0xff"}"#, "255"),
        (r#"{"$dict":[["a",1]]}"#, r#"{"a":1}"#),
        (r#"{"$id":1,"value":[]}"#, "[]"),
        (r#"{"$id":1,"value":"a"}"#, "\"a\""),
        (r#"{"$str":"YQ=="}"#, "\"a\""),
    ] {
        assert_eq!(json::to_string(&json::parse(text).unwrap()), written);
    }
}

#[test]
fn what_is_no_value_is_refused_with_the_place() {
    for (text, place, reason) in [
        (r#"{"a":1,"a":2}"#, "$.a", "stands twice"),
        (r#"{"a":[{"b":1,"$x":2}]}"#, "$.a[0].b", "$dict"),
        (r#"[0,{"$tupel":[]}]"#, "$[1]", "there is no tag"),
        (r#"{"$tuple":[],"x":1}"#, "$.$tuple", "alone"),
        (r#"{"$tuple":{}}"#, "$.$tuple", "an array must stand here"),
        (r#"{"$bytes":"x"}"#, "$.$bytes", "base64"),
        (r#"{"$bytes":5}"#, "$.$bytes", "base64"),
        (r#"{"$int":"1.5"}"#, "$.$int", "no integer"),
        (r#"{"$int":"+5"}"#, "$.$int", "no integer"),
        (r#"{"$float":"NaN"}"#, "$.$float", "nan"),
        (r#"{"$str":"/w=="}"#, "$.$str", "UTF-8"),
        (r#"{"$dict":[[1]]}"#, "$.$dict[0]", "two elements"),
        (r#"{"$dict":[[1,2,3]]}"#, "$.$dict[0]", "two elements"),
        (r#"{"$dict":[1]}"#, "$.$dict[0]", "a pair"),
        (r#"{"a b":{"$ref":1}}"#, "$[\"a b\"].$ref", "does not stand before"),
        (r#"[{"$id":1,"value":[]},{"$id":1,"value":[]}]"#, "$[1]", "given twice"),
        (r#"{"$id":1}"#, "$", "needs a value"),
        (r#"{"$id":1,"other":2}"#, "$", "\"value\" follows"),
        (r#"[{"$id":1,"value":[]},{"$id":2,"value":{"$ref":1}}]"#, "$[1]", "$ref"),
        (r#"{"$object":{"args":[]}}"#, "$.$object", "needs a class"),
        (r#"{"$object":{"class":"X"}}"#, "$.$object", "module.Name"),
        (r#"{"$object":{"class":"m.X","clas":1}}"#, "$.$object", "has no \"clas\""),
        (r#"{"$object":{"class":"m.X","buffer":1}}"#, "$.$object", "says again"),
        ("1e999", "$", "beyond what a float"),
    ] {
        let refused = refusal(text);
        assert!(refused.starts_with(&format!("at {place}")), "{text}: {refused}");
        assert!(refused.contains(reason), "{text}: {refused}");
    }
    for text in ["", "[1,]", "{\"a\"}", "[1] 2", "nul", "\"\\ud800\"", "[", "{'a':1}"] {
        let refused = refusal(text);
        assert!(refused.contains("line 1 column"), "{text}: {refused}");
    }
}

#[test]
fn what_could_act_on_a_terminal_is_escaped() {
    let text = Value::text("\u{1b}[31m\u{9b}\u{202e}\u{2066}\u{2028}\u{7f}é😀");
    assert_eq!(json::to_string(&text), r#""\u001b[31m\u009b\u202e\u2066\u2028\u007fé😀""#);
    assert!(json::parse(&json::to_string(&text)).unwrap() == text);
}

#[test]
fn a_huge_integer_is_written_in_hex_in_linear_time() {
    let huge: BigInt = -(BigInt::from(1) << 40_000_000_u32);
    let value = scalar(Node::BigInt(Box::new(huge)));
    let text = json::to_string(&value);
    assert!(text.starts_with(r#"{"$int":"-0x1000"#));
    assert!(json::parse(&text).unwrap() == value);
}

#[test]
fn nesting_a_million_deep_is_written_and_read_without_recursion() {
    let mut value = Value::new();
    let mut inner = value.add(Node::None);
    for depth in 0..1_000_000 {
        let items = value.store_items(&[inner]);
        inner = value.add(if depth % 2 == 0 { Node::List(items) } else { Node::Tuple(items) });
    }
    value.set_root(inner);
    assert!(json::parse(&json::to_string(&value)).unwrap() == value);
}

#[test]
fn a_value_that_doubles_in_each_step_is_written_once() {
    let mut value = Value::new();
    let mut inner = value.add_list(&[]);
    for _ in 0..1_000 {
        let items = value.store_items(&[inner, inner]);
        inner = value.add(Node::Tuple(items));
    }
    value.set_root(inner);
    let text = json::to_string(&value);
    assert!(text.len() < 100_000);
    // Comparing unrolls no more than writing does.
    assert!(json::parse(&text).unwrap() == value);
}

#[test]
fn a_mapping_whose_keys_are_not_apart_is_no_object() {
    let mut value = Value::new();
    let keys = [value.add_str("a"), value.add_str("a")];
    let item = value.add(Node::Int(1));
    let root = value.add_dict(&[(keys[0], item), (keys[1], item)]);
    value.set_root(root);
    let text = json::to_string(&value);
    assert_eq!(text, r#"{"$dict":[["a",1],["a",1]]}"#);
    assert!(json::parse(&text).unwrap() == value);
}

/// How one more node is added to a value; indices choose among the nodes that are there.
#[derive(Clone, Debug)]
enum Step {
    Scalar(Node),
    Text(String),
    Surrogates,
    Bytes(Vec<u8>, bool),
    Big(Vec<u8>, bool),
    Sequence(u8, Vec<usize>),
    Dict(Vec<(usize, usize)>),
    Plain(Vec<(String, usize)>),
    Object(u8, Option<Vec<usize>>, Vec<(usize, usize)>, Option<usize>, Vec<usize>),
    /// Puts a reference to any node, a later one too, in an earlier list: a cycle.
    Link(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<usize>;
    let indices = || proptest::collection::vec(any::<usize>(), 0..4);
    let pairs = || proptest::collection::vec((any::<usize>(), any::<usize>()), 0..3);
    prop_oneof![
        Just(Step::Scalar(Node::None)),
        any::<bool>().prop_map(|truth| Step::Scalar(Node::Bool(truth))),
        any::<i64>().prop_map(|integer| Step::Scalar(Node::Int(integer))),
        (-9i64..9).prop_map(|integer| Step::Scalar(Node::Int(integer))),
        any::<f64>().prop_map(|f| Step::Scalar(Node::Float(if f.is_nan() { f64::NAN } else { f }))),
        any::<String>().prop_map(Step::Text),
        Just(Step::Surrogates),
        (any::<Vec<u8>>(), any::<bool>()).prop_map(|(bytes, array)| Step::Bytes(bytes, array)),
        (any::<Vec<u8>>(), any::<bool>()).prop_map(|(bytes, minus)| Step::Big(bytes, minus)),
        (0u8..4, indices()).prop_map(|(kind, items)| Step::Sequence(kind, items)),
        pairs().prop_map(Step::Dict),
        proptest::collection::vec(("[a-c$]{0,2}", index()), 0..12).prop_map(Step::Plain),
        (
            0u8..6,
            proptest::option::of(indices()),
            pairs(),
            proptest::option::of(index()),
            indices()
        )
            .prop_map(|(class, args, pairs, state, items)| {
                Step::Object(class, args, pairs, state, items)
            }),
        (index(), index()).prop_map(|(list, node)| Step::Link(list, node)),
    ]
}

fn build(steps: Vec<Step>) -> Value {
    let mut value = Value::new();
    let mut ids: Vec<NodeId> = vec![value.add_list(&[])];
    for step in steps {
        let pick = |index: usize| ids[index % ids.len()];
        let all = |indices: Vec<usize>| indices.into_iter().map(pick).collect::<Vec<_>>();
        let pairs = |pairs: Vec<(usize, usize)>| {
            pairs.into_iter().map(|(key, item)| (pick(key), pick(item))).collect::<Vec<_>>()
        };
        let node = match step {
            Step::Scalar(node) => node,
            Step::Text(text) => Node::Str(value.store(text.as_bytes())),
            Step::Surrogates => Node::Surrogates(value.store(b"a\xed\xa0\x80\xed\xb0\x80\xd0\x94")),
            Step::Bytes(bytes, false) => Node::Bytes(value.store(&bytes)),
            Step::Bytes(bytes, true) => Node::ByteArray(value.store(&bytes)),
            Step::Big(bytes, minus) => {
                let magnitude = BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes);
                let integer = if minus { -magnitude } else { magnitude };
                ids.push(value.add_integer(integer));
                continue;
            }
            Step::Sequence(0, items) => Node::List(value.store_items(&all(items))),
            Step::Sequence(1, items) => Node::Tuple(value.store_items(&all(items))),
            Step::Sequence(2, items) => Node::Set(value.store_items(&all(items))),
            Step::Sequence(_, items) => Node::FrozenSet(value.store_items(&all(items))),
            Step::Dict(entries) => Node::Dict(value.store_entries(pairs(entries))),
            Step::Plain(entries) => {
                let items: Vec<_> = entries.iter().map(|(_, item)| pick(*item)).collect();
                let keys: Vec<_> = entries.iter().map(|(key, _)| value.add_str(key)).collect();
                Node::Dict(value.store_entries(keys.into_iter().zip(items)))
            }
            Step::Object(class, arguments, entries, state, items) => {
                Node::Object(Box::new(Object {
                    class: match class {
                        0 => Class::Global { module: "a.b".into(), name: "C".into() },
                        1 => Class::Global { module: "a.b".into(), name: "C.d".into() },
                        2 => Class::Computed(pick(items.len())),
                        3 => Class::Persistent(pick(entries.len())),
                        4 => Class::Extension(-7),
                        _ => Class::Buffer(3),
                    },
                    arguments: arguments.map(all),
                    uninitialized: false,
                    keywords: pairs(entries.clone()),
                    state: state.map(pick),
                    items: all(items),
                    entries: pairs(entries),
                    offset: 9,
                }))
            }
            Step::Link(list, node) => {
                let (list, node) = (pick(list), pick(node));
                if let &Node::List(items) = value.node(list) {
                    *value.node_mut(list) = Node::List(value.append_items(items, &[node]));
                }
                continue;
            }
        };
        ids.push(value.add(node));
    }
    value.set_root(ids[ids.len() - 1]);
    value
}

proptest! {
    #[test]
    fn every_value_is_read_back_as_it_was(steps in proptest::collection::vec(step(), 0..40)) {
        let value = build(steps);
        let text = json::to_string(&value);
        let read = json::parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        prop_assert!(read == value, "{}", text);
        prop_assert_eq!(json::to_string(&read), text);
    }

    #[test]
    fn reading_what_is_no_json_does_not_panic(text in r#"[\[\]{}:,"$0-9a-z. -]{0,40}"#) {
        let _ = json::parse(&text);
    }

    #[test]
    fn reading_tags_in_any_order_does_not_panic(
        parts in proptest::collection::vec(prop_oneof![
            Just("{"), Just("}"), Just("["), Just("]"), Just(","), Just(":"), Just("1"),
            Just("\"$id\""), Just("\"$ref\""), Just("\"value\""), Just("\"$dict\""), Just("\"a\""),
            Just("\"$object\""), Just("\"class\""), Just("\"args\""), Just("\"$tuple\""),
            Just("{\"$id\":1,\"value\":"), Just("{\"$ref\":1}"), Just("{\"$object\":{"),
        ], 0..24)
    ) {
        let _ = json::parse(&parts.concat());
    }
}

#[test]
fn a_text_fetched_again_and_again_is_written_once_where_it_would_fill_memory() {
    let list_of = |times: usize, key: bool| {
        let mut value = Value::new();
        let text = value.add_str(&"x".repeat(100_000));
        let items = (0..times).map(|_| match key {
            true => {
                let none = value.add(Node::None);
                value.add_dict(&[(text, none)])
            }
            false => text,
        });
        let items: Vec<_> = items.collect();
        let list = value.add_list(&items);
        value.set_root(list);
        value
    };
    for key in [false, true] {
        // Ten of them are plain; a thousand would take 100 MB.
        assert!(!json::to_string(&list_of(10, key)).contains("$ref"));
        let many = list_of(1000, key);
        let written = json::to_string(&many);
        assert!(written.len() < 200_000, "{}", written.len());
        assert!(json::parse(&written).expect("our own JSON") == many);
    }
}
