use super::*;
use crate::replay::rules::Rules;
use crate::wire::{Format, Value, json};

/// Compares two values of a pickle; each place as `path expected got`.
fn compared(rules: &Rules, expected: &str, got: &str) -> Vec<String> {
    let format = Format::parse("pickle").unwrap();
    compared_as(rules, &format, &json::parse(expected).unwrap(), &json::parse(got).unwrap())
}

fn compared_as(rules: &Rules, format: &Format, expected: &Value, got: &Value) -> Vec<String> {
    let documents = [expected, got].map(|value| Document::of(format, value).unwrap());
    let marks = [0, 1].map(|side| Marks::of(&documents[side], rules));
    let [expected, got] =
        [0, 1].map(|side| Marked { document: &documents[side], marks: &marks[side] });
    let (places, more) = differences(expected, got);
    assert_eq!(places.is_empty(), are_equal(expected, got));
    assert!(more == 0 || places.len() == SHOWN);
    let show = |text: Option<String>| text.unwrap_or_else(|| "nothing".to_owned());
    let places = places.into_iter().map(|place| {
        let path = place.path.unwrap_or_else(|| "all".to_owned());
        format!("{path} {} {}", show(place.expected), show(place.got))
    });
    places.collect()
}

fn ignoring(paths: &[&str]) -> Rules {
    Rules { ignore: paths.iter().map(|path| path.parse().unwrap()).collect(), ..Rules::default() }
}

fn tolerating(tolerances: &[&str]) -> Rules {
    let tolerance = tolerances.iter().map(|one| one.parse().unwrap()).collect();
    Rules { tolerance, ..Rules::default() }
}

fn unordered(paths: &[&str]) -> Rules {
    let unordered = paths.iter().map(|path| path.parse().unwrap()).collect();
    Rules { unordered, ..Rules::default() }
}

fn plainly(expected: &str, got: &str) -> Vec<String> {
    compared(&Rules::default(), expected, got)
}

#[test]
fn each_differing_place_is_named_by_a_path() {
    assert_eq!(
        plainly(r#"{"a":[1,{"b":2}],"c":3,"d":4}"#, r#"{"d":4,"a":[1,{"b":5}],"e":6}"#),
        ["$.a[1].b 2 5", "$.c 3 nothing", "$.e nothing 6"]
    );
    assert_eq!(plainly("1", "2"), ["all 1 2"]);
}

#[test]
fn a_path_that_is_shown_can_be_given_to_ignore() {
    for name in ["a b", "it's", "q\\\"", "\u{1b}[31m", "й\n", "\u{202e}", "😀", ""] {
        let key = serde_json::to_string(name).unwrap();
        let (expected, got) = (format!("{{{key}:1}}"), format!("{{{key}:2}}"));
        let shown = plainly(&expected, &got).remove(0);
        let path = shown.strip_suffix(" 1 2").unwrap();
        assert!(path.chars().all(|shown| !shown.is_control() && shown != '\u{202e}'), "{path}");
        assert_eq!(compared(&ignoring(&[path]), &expected, &got), [""; 0], "{path}");
    }
}

#[test]
fn pairs_are_found_by_their_keys_wherever_they_stand() {
    for key in ["1", "-1.5", "null", "true", r#""it's \"$\" \n""#] {
        let pairs = |value: u32, more: [&str; 2]| {
            format!(r#"{{"$dict":[{}[{key},{value}]{}]}}"#, more[0], more[1])
        };
        let (expected, got) = (pairs(5, ["[7,8],", ""]), pairs(6, ["", ",[7,8]"]));
        let shown = plainly(&expected, &got).remove(0);
        let path = shown.strip_suffix(" 5 6").unwrap();
        assert_eq!(compared(&ignoring(&[path]), &expected, &got), [""; 0], "{path}");
    }
}

#[test]
fn types_are_part_of_a_value() {
    for (expected, got) in [
        ("1", "1.0"),
        ("1", "\"1\""),
        ("true", "1"),
        ("null", "false"),
        ("0.0", "-0.0"),
        ("[1]", r#"{"$tuple":[1]}"#),
        (r#"{"$set":[1]}"#, r#"{"$frozenset":[1]}"#),
        (r#"{"$bytes":"YQ=="}"#, r#"{"$bytearray":"YQ=="}"#),
        (r#"{"$bytes":"YQ=="}"#, "\"a\""),
        (r#"{"$float":"inf"}"#, r#"{"$float":"-inf"}"#),
    ] {
        assert_eq!(plainly(expected, got), [format!("all {expected} {got}")]);
        assert_eq!(plainly(expected, expected), [""; 0]);
    }
}

#[test]
fn what_has_no_order_is_compared_without() {
    for (expected, got) in [
        (r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#),
        (r#"{"$set":[1,"a",{"$tuple":[2]}]}"#, r#"{"$set":[{"$tuple":[2]},1,"a"]}"#),
        (
            r#"{"$dict":[[1,2],[{"$frozenset":[1,2]},4]]}"#,
            r#"{"$dict":[[{"$frozenset":[2,1]},4],[1,2]]}"#,
        ),
        (r#"[{"$id":1,"value":[5]},{"$ref":1}]"#, "[[5],[5]]"),
    ] {
        assert_eq!(plainly(expected, got), [""; 0]);
    }
    assert_eq!(
        plainly(r#"{"$dict":[[1,2],[3,4]]}"#, r#"{"$dict":[[3,5],[6,2]]}"#),
        [
            r#"$["$dict"][?@[0]==1] [1,2] nothing"#,
            r#"$["$dict"][?@[0]==3][1] 4 5"#,
            r#"$["$dict"][?@[0]==6] nothing [6,2]"#
        ]
    );
    assert_eq!(plainly(r#"{"$set":[1,2]}"#, r#"{"$set":[2,3]}"#), [r#"$["$set"][0] 1 3"#]);
    assert_eq!(plainly(r#"{"$set":[1,2]}"#, r#"{"$set":[2]}"#), [r#"$["$set"] [1] nothing"#]);
}

#[test]
fn an_element_more_or_less_does_not_make_all_that_follow_differ() {
    assert_eq!(plainly("[1,2,3,4]", "[1,3,4]"), ["$[1] 2 nothing"]);
    assert_eq!(plainly("[1,1]", "[1,1,1]"), ["$[2] nothing 1"]);
    assert_eq!(plainly("[]", "[1]"), ["$[0] nothing 1"]);
}

#[test]
fn what_is_ignored_is_not_there() {
    let rules = ignoring(&["time", "$.items[*].id"]);
    assert_eq!(
        compared(
            &rules,
            r#"{"time":1,"items":[{"id":1,"v":2}],"a":{"time":3}}"#,
            r#"{"items":[{"id":9,"v":2}],"a":{"time":4}}"#
        ),
        [""; 0]
    );
    // Nothing but that.
    assert_eq!(compared(&rules, r#"{"a":{},"time":1}"#, r#"{"time":1}"#), ["$.a {} nothing"]);
    assert_eq!(compared(&ignoring(&["$[0]"]), "[1,2,3]", "[7,2,4]"), ["$[2] 3 4"]);
    assert_eq!(compared(&ignoring(&["$"]), "1", "[2]"), [""; 0]);
}

#[test]
fn a_tolerance_is_for_numbers_of_any_kind_where_it_leads() {
    let rules = tolerating(&["t=0.5"]);
    for (expected, got) in [
        (r#"{"t":1}"#, r#"{"t":1.5}"#),
        (r#"{"t":{"$float":"nan"}}"#, r#"{"t":{"$float":"nan"}}"#),
        (r#"{"t":{"$float":"inf"}}"#, r#"{"t":{"$float":"inf"}}"#),
        (r#"{"t":{"$int":"9007199254740993"}}"#, r#"{"t":{"$int":"9007199254740993"}}"#),
    ] {
        assert_eq!(compared(&rules, expected, got), [""; 0]);
    }
    for (expected, got) in [
        (r#"{"t":1}"#, r#"{"t":1.75}"#),
        (r#"{"t":1}"#, r#"{"t":"1"}"#),
        (r#"{"t":1}"#, r#"{"t":true}"#),
        (r#"{"u":1}"#, r#"{"u":1.5}"#),
        (r#"{"t":[1]}"#, r#"{"t":[1.5]}"#),
        (r#"{"t":{"$float":"nan"}}"#, r#"{"t":1.0}"#),
        (r#"{"t":{"$float":"inf"}}"#, r#"{"t":{"$float":"-inf"}}"#),
        (r#"{"t":{"$int":"9007199254740993"}}"#, r#"{"t":{"$int":"9007199254740994"}}"#),
    ] {
        assert_eq!(compared(&rules, expected, got).len(), 1, "{expected} {got}");
    }
}

#[test]
fn the_largest_integers_differ_by_what_they_differ() {
    let rules = tolerating(&["$=1"]);
    let (low, high) = (r#"{"$int":"-9223372036854775808"}"#, r#"{"$int":"9223372036854775807"}"#);
    assert_eq!(compared(&rules, low, high).len(), 1);
    assert_eq!(compared(&rules, high, r#"{"$int":"9223372036854775806"}"#), [""; 0]);
}

#[test]
fn lists_that_are_unordered_are_compared_as_multisets() {
    let rules = unordered(&["items"]);
    assert_eq!(compared(&rules, r#"{"items":[1,2,2]}"#, r#"{"items":[2,1,2]}"#), [""; 0]);
    assert_eq!(
        compared(&rules, r#"{"items":{"$tuple":[1,2]}}"#, r#"{"items":{"$tuple":[2,1]}}"#),
        [""; 0]
    );
    assert_eq!(
        compared(&rules, r#"{"items":[1,2,2]}"#, r#"{"items":[1,1,2]}"#),
        ["$.items[2] 2 1"]
    );
    assert_eq!(compared(&rules, r#"{"other":[1,2]}"#, r#"{"other":[2,1]}"#).len(), 2);
    assert_eq!(
        compared(
            &rules,
            r#"{"items":[{"k":1,"v":[1,2]},{"k":2}]}"#,
            r#"{"items":[{"k":2},{"k":1,"v":[1,3]}]}"#
        ),
        ["$.items[0].v[1] 2 3"]
    );
}

#[test]
fn what_is_unordered_and_tolerated_is_paired() {
    let rules = Rules { unordered: unordered(&["$"]).unordered, ..tolerating(&["t=1"]) };
    assert_eq!(compared(&rules, r#"[{"t":1},{"t":10},5]"#, r#"[5,{"t":10.5},{"t":1.5}]"#), [""; 0]);
    assert_eq!(compared(&rules, r#"[{"t":1},{"t":10}]"#, r#"[{"t":12},{"t":1.5}]"#).len(), 1);
}

#[test]
fn wide_integers_of_protobuf_are_numbers() {
    let of = |text: &str| Document { json: document_of(text), dialect: Dialect::Schema };
    let (left, right) = (of(r#"{"time":"5","name":"5"}"#), of(r#"{"time":"6","name":"5"}"#));
    let rules = tolerating(&["time=1"]);
    let marks = [&left, &right].map(|one| Marks::of(one, &rules));
    assert!(are_equal(
        Marked { document: &left, marks: &marks[0] },
        Marked { document: &right, marks: &marks[1] }
    ));
}

fn document_of(text: &str) -> Json {
    crate::replay::document::parse(text).unwrap()
}

#[test]
fn many_differences_are_counted_and_few_are_shown() {
    let many = |value: u32| format!("[{}]", vec![value.to_string(); 100].join(","));
    assert_eq!(plainly(&many(1), &many(2)).len(), SHOWN);
}

#[test]
fn deep_values_need_little_stack() {
    let nested = |inner: &str| {
        let open: String = (0..60).map(|_| r#"[{"a":"#).collect();
        format!("{open}{inner}{}", "}]".repeat(60))
    };
    let sets = |inner: &str| {
        let open: String = (0..60).map(|_| r#"{"$set":["#).collect();
        format!("{open}{inner}{}", "]}".repeat(60))
    };
    let work = move || {
        let rules = Rules { ignore: vec!["$..x".parse().unwrap()], ..tolerating(&["$..*=0.5"]) };
        assert_eq!(compared(&rules, &nested("1"), &nested("2")).len(), 1);
        assert_eq!(compared(&rules, &sets("1"), &sets("2")).len(), 1);
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(work);
    thread.unwrap().join().unwrap();
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    /// Tagged JSON of values as peers send them, without text, which is not what is tested.
    fn value() -> impl Strategy<Value = Json> {
        let scalar = prop_oneof![
            (0..3_i64).prop_map(Json::from),
            (0..3_i64).prop_map(|number| Json::from(number as f64)),
            Just(Json::Null),
            "[a-c]".prop_map(Json::from),
        ];
        scalar.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| serde_json::json!({ "$tuple": items })),
                prop::collection::btree_map("[a-d]", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    fn rules() -> impl Strategy<Value = Rules> {
        let path = prop_oneof![
            Just("a"),
            Just("$.b"),
            Just("$[0]"),
            Just("$..*"),
            Just("$[?@.a == 1]"),
            Just("$")
        ];
        (prop::collection::vec(path, 0..3), 0..3).prop_map(|(paths, kind)| match kind {
            0 => ignoring(&paths),
            1 => unordered(&paths),
            _ => tolerating(
                &paths
                    .iter()
                    .map(|path| format!("{path}=1"))
                    .collect::<Vec<_>>()
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>(),
            ),
        })
    }

    proptest! {
        #[test]
        fn comparing_is_reflexive(value in value(), rules in rules()) {
            let text = value.to_string();
            prop_assert_eq!(compared(&rules, &text, &text), [""; 0]);
        }

        #[test]
        fn comparing_is_symmetric(left in value(), right in value(), rules in rules()) {
            let (left, right) = (left.to_string(), right.to_string());
            prop_assert_eq!(
                compared(&rules, &left, &right).is_empty(),
                compared(&rules, &right, &left).is_empty()
            );
        }

        #[test]
        fn without_rules_it_is_equality(left in value(), right in value()) {
            // Lists and plain members only: their order in JSON is that of the value.
            let (one, other) = (left.to_string(), right.to_string());
            prop_assert_eq!(plainly(&one, &other).is_empty(), left == right);
        }

        #[test]
        fn rules_that_lead_elsewhere_change_nothing(left in value(), right in value()) {
            let elsewhere = Rules {
                tolerance: tolerating(&["z=9"]).tolerance,
                unordered: unordered(&["z"]).unordered,
                ..ignoring(&["z", "$.y"])
            };
            let (one, other) = (left.to_string(), right.to_string());
            prop_assert_eq!(compared(&elsewhere, &one, &other).is_empty(), left == right);
        }
    }
}

#[test]
fn as_many_as_can_be_are_paired_where_numbers_may_differ() {
    let rules = |path: &str| Rules {
        tolerance: vec![format!("{path}=0.35").parse().unwrap()],
        ..unordered(&["$"])
    };
    assert_eq!(compared(&rules("$[*]"), "[1.0,1.4]", "[1.3,0.7]"), [""; 0]);
    assert_eq!(compared(&rules("$[*]"), "[1.0,1.4,9.5]", "[9.0,1.3,0.7]"), ["$[2] 9.5 9.0"]);
    let list = |from: f64| {
        let numbers: Vec<_> =
            (0..300).rev().map(|one| format!("{:?}", from + f64::from(one))).collect();
        format!("[{}]", numbers.join(","))
    };
    // Of more than can be tried the smallest are paired first.
    assert_eq!(compared(&rules("$[*]"), &list(0.5), &list(0.75)), [""; 0]);
}

#[test]
fn numbers_are_not_rounded_before_they_are_compared() {
    let rules = tolerating(&["$=0.5"]);
    let large = |last: &str| format!(r#"{{"$int":"1{}{last}"}}"#, "0".repeat(400));
    for (left, right, is_equal) in [
        (large("0"), large("5"), false),
        (large("0"), large("00"), false),
        (large("0"), large("0"), true),
        (r#"{"$int":"9007199254740993"}"#.to_owned(), "9007199254740992.0".to_owned(), false),
        (large("0"), r#"{"$float":"inf"}"#.to_owned(), false),
    ] {
        assert_eq!(compared(&rules, &left, &right).is_empty(), is_equal, "{left} {right}");
    }
    let text = Format::parse("text").unwrap();
    for (left, right) in [
        ("[9007199254740993.0]", "[9007199254740992.0]"),
        ("[1e-400]", "[0.0]"),
        ("[1e400]", "[1e401]"),
        ("[18446744073709551616]", "[18446744073709551617]"),
    ] {
        let (left, right) = (Value::text(left), Value::text(right));
        assert_eq!(compared_as(&ignoring(&["zzz"]), &text, &left, &right).len(), 1);
    }
}
