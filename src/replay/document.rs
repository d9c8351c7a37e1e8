//! A message's value as the JSON that paths lead into: what `show --json` prints under `value`.

use std::collections::HashMap;
use std::fmt;

use json_event_parser::{JsonEvent, LowLevelJsonParser};
use serde_json::{Map, Number, Value as Json};

use crate::wire::{Codec, Format, Value};

/// How deep a document may be nested: walking it recurses.
const DEEPEST: usize = 128;
/// How many nodes a document may have: a path that looks at any depth holds as many for each level.
pub(super) const NODES: usize = 200_000;
/// How many nodes may stand in place of references to containers that occur more than once, in any
/// document; a large one may have as many more as its JSON has bytes.
const UNROLLED: usize = 10_000;

/// A message's value as JSON. Containers that occur more than once stand in each place, as if they were
/// equal ones: what a value is does not depend on what of it is shared.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) json: Json,
    pub(super) dialect: Dialect,
}

/// What the JSON of a format means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// [Tagged JSON](crate::wire::json): objects with one key that begins with `$` are other things.
    Tagged,
    /// The proto3 mapping: wide integers are strings.
    Schema,
    /// JSON that was sent as text.
    Plain,
}

/// Why a value has no document, in words.
pub(super) type Unreadable = &'static str;

const TOO_MANY: Unreadable = "it has more than 200,000 parts";

impl Document {
    /// The value of a message of this format. Text that is a JSON object or array is that, any other text
    /// a string.
    pub(super) fn of(format: &Format, value: &Value) -> Result<Document, Unreadable> {
        match format.codec() {
            Codec::Text(_) => {
                let text = value.as_str(value.root()).unwrap_or_default();
                let json = match is_container(text).then(|| parse(text)) {
                    Some(Ok(json)) => json,
                    // It may well be JSON.
                    Some(Err(TOO_MANY)) => return Err(TOO_MANY),
                    _ => Json::from(text),
                };
                Ok(Document { json, dialect: Dialect::Plain })
            }
            // Keys are nodes of a value, and not of all documents.
            _ if value.len() > 2 * NODES => Err(TOO_MANY),
            Codec::Protobuf(Some(_)) => {
                let json = parse(&format.write_json(value))?;
                Ok(Document { json, dialect: Dialect::Schema })
            }
            Codec::Pickle | Codec::Protobuf(None) | Codec::Raw | Codec::Auto => {
                let text = crate::wire::json::to_string(value);
                let mut json = parse(&text)?;
                if text.contains("\"$ref\":") {
                    json = Unroller::new(text.len()).unroll(json, 0)?;
                }
                Ok(Document { json, dialect: Dialect::Tagged })
            }
        }
    }
}

impl Document {
    /// How many parts it has.
    pub(super) fn nodes(&self) -> usize {
        measure(&self.json).0
    }
}

/// Whether text is a JSON object or array that says nothing twice.
pub(super) fn is_json(text: &str) -> bool {
    is_container(text) && matches!(parse(text), Ok(_) | Err(TOO_MANY))
}

/// Whether text begins as a JSON object or array does.
fn is_container(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// JSON, read so that what differs in it stays different: integers that do not fit and keys that stand
/// twice are refused.
pub(super) fn parse(text: &str) -> Result<Json, Unreadable> {
    let mut parser = LowLevelJsonParser::new().with_max_stack_size(DEEPEST);
    let mut rest = text.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    let mut nodes = 0;
    loop {
        let parsed = parser.parse_next(rest, true);
        rest = &rest[parsed.consumed_bytes..];
        let done = match parsed.event {
            None => continue,
            Some(Err(_)) if open.len() + 1 >= DEEPEST => return Err("it is nested too deeply"),
            Some(Err(_)) => return Err("it is no JSON"),
            Some(Ok(JsonEvent::Eof)) => return root.ok_or("it is no JSON"),
            Some(Ok(JsonEvent::StartArray)) => {
                open.push(Open::Array(Vec::new()));
                None
            }
            Some(Ok(JsonEvent::StartObject)) => {
                open.push(Open::Object(Map::new(), String::new()));
                None
            }
            Some(Ok(JsonEvent::ObjectKey(name))) => {
                if let Some(Open::Object(members, key)) = open.last_mut() {
                    if members.contains_key(name.as_ref()) {
                        return Err("a key of it stands twice");
                    }
                    *key = name.into_owned();
                }
                None
            }
            Some(Ok(JsonEvent::EndArray | JsonEvent::EndObject)) => match open.pop() {
                Some(Open::Array(items)) => Some(Json::Array(items)),
                Some(Open::Object(members, _)) => Some(Json::Object(members)),
                None => None,
            },
            Some(Ok(JsonEvent::Null)) => Some(Json::Null),
            Some(Ok(JsonEvent::Boolean(truth))) => Some(Json::Bool(truth)),
            Some(Ok(JsonEvent::String(text))) => Some(Json::String(text.into_owned())),
            Some(Ok(JsonEvent::Number(digits))) => Some(Json::Number(number(&digits)?)),
        };
        if open.len() >= DEEPEST {
            return Err("it is nested too deeply");
        }
        nodes += usize::from(done.is_some());
        if nodes > NODES {
            return Err(TOO_MANY);
        }
        match (done, open.last_mut()) {
            (None, _) => {}
            (Some(done), None) => root = Some(done),
            (Some(done), Some(Open::Array(items))) => items.push(done),
            (Some(done), Some(Open::Object(members, key))) => {
                members.insert(std::mem::take(key), done);
            }
        }
    }
}

enum Open {
    Array(Vec<Json>),
    /// With the key whose value is read.
    Object(Map<String, Json>, String),
}

/// A number that a float does not hold keeps its digits: those of two that differ differ.
fn number(digits: &str) -> Result<Number, Unreadable> {
    if let Ok(integer) = digits.parse::<i64>()
        && digits != "-0"
    {
        return Ok(integer.into());
    }
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_integer && digits != "-0" {
        return Ok(Number::from_string_unchecked(digits.to_owned()));
    }
    let decimal = Decimal::of(digits).ok_or("a number of it is too large")?;
    let float = digits.parse().ok().and_then(Number::from_f64);
    match float {
        Some(float) if Decimal::of(&float.to_string()).as_ref() == Some(&decimal) => Ok(float),
        _ => Ok(Number::from_string_unchecked(decimal.to_string())),
    }
}

/// A number as it is written, but for zeros that say nothing.
#[derive(PartialEq)]
struct Decimal {
    is_negative: bool,
    /// Neither the first nor the last is a zero.
    digits: String,
    /// Of the point before the first digit.
    exponent: i64,
}

impl Decimal {
    /// `None` where the exponent is beyond all bounds.
    fn of(written: &str) -> Option<Decimal> {
        let (is_negative, written) = match written.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, written),
        };
        let (mantissa, exponent) = written.split_once(['e', 'E']).unwrap_or((written, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let zeros = all.len() - digits.len();
        let exponent = exponent.parse::<i64>().ok()?;
        let exponent = exponent.checked_add(whole.len() as i64)?.checked_sub(zeros as i64)?;
        let digits = digits.trim_end_matches('0').to_owned();
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Decimal { is_negative, digits, exponent })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        write!(f, "{sign}0.{}e{}", self.digits, self.exponent)
    }
}

/// Puts containers in the places that refer to them.
struct Unroller {
    /// What each `$id` is; `None` of one that is not closed yet.
    known: HashMap<u64, Option<Shared>>,
    /// How many more nodes may be added.
    left: usize,
}

struct Shared {
    value: Json,
    nodes: usize,
    height: usize,
}

impl Unroller {
    /// Of JSON that is so long.
    fn new(length: usize) -> Unroller {
        Unroller { known: HashMap::new(), left: (UNROLLED + length).min(NODES) }
    }

    /// Recurses as deep as the document, which is bounded.
    fn unroll(&mut self, json: Json, depth: usize) -> Result<Json, Unreadable> {
        match json {
            Json::Array(items) => {
                let items: Result<_, _> =
                    items.into_iter().map(|item| self.unroll(item, depth + 1)).collect();
                Ok(Json::Array(items?))
            }
            Json::Object(mut members) => {
                if let Some(number) = members.get("$ref").and_then(Json::as_u64) {
                    return self.copy(number, depth);
                }
                if let Some(number) = members.get("$id").and_then(Json::as_u64) {
                    self.known.insert(number, None);
                    let value = members.remove("value").unwrap_or_default();
                    let value = self.unroll(value, depth)?;
                    let (nodes, height) = measure(&value);
                    // What is kept to be copied takes as much room as a copy.
                    self.left = self.left.checked_sub(nodes).ok_or(SHARES)?;
                    self.known.insert(number, Some(Shared { value: value.clone(), nodes, height }));
                    return Ok(value);
                }
                for member in members.values_mut() {
                    *member = self.unroll(member.take(), depth + 1)?;
                }
                Ok(Json::Object(members))
            }
            scalar => Ok(scalar),
        }
    }

    fn copy(&mut self, number: u64, depth: usize) -> Result<Json, Unreadable> {
        match self.known.get(&number) {
            Some(Some(shared)) => {
                self.left = self.left.checked_sub(shared.nodes).ok_or(SHARES)?;
                if depth + shared.height > DEEPEST {
                    return Err(SHARES);
                }
                Ok(shared.value.clone())
            }
            _ => Err("it contains itself"),
        }
    }
}

const SHARES: Unreadable = "it shares too much with itself";

/// How many nodes there are, and how deep they are nested.
fn measure(json: &Json) -> (usize, usize) {
    let all = |parts: &mut dyn Iterator<Item = &Json>| {
        let (nodes, height) = parts
            .map(measure)
            .fold((0, 0), |(nodes, height), part| (nodes + part.0, height.max(part.1)));
        (nodes + 1, height + 1)
    };
    match json {
        Json::Array(items) => all(&mut items.iter()),
        Json::Object(members) => all(&mut members.values()),
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::json;

    fn pickled(text: &str) -> Result<Document, Unreadable> {
        Document::of(&Format::parse("pickle").unwrap(), &json::parse(text).unwrap())
    }

    #[test]
    fn what_is_shared_is_as_if_it_were_not() {
        let shared = pickled(r#"[{"$id":1,"value":[1]},{"$ref":1}]"#).unwrap();
        assert_eq!(shared.json, pickled("[[1],[1]]").unwrap().json);
        assert!(pickled(r#"{"$id":1,"value":[{"$ref":1}]}"#).unwrap_err().contains("itself"));
    }

    #[test]
    fn what_doubles_at_every_level_is_refused() {
        let mut text = "[]".to_owned();
        for level in 1..60 {
            text = format!(r#"[{{"$id":{level},"value":{text}}},{{"$ref":{level}}}]"#);
            // Of a small message a few thousand parts are made, not more.
            assert_eq!(pickled(&text).is_ok(), level <= 11, "{level}");
        }
        assert!(pickled(&text).unwrap_err().contains("shares"));
    }

    #[test]
    fn what_has_more_parts_than_paths_are_led_into_is_refused_as_such() {
        let many = |count: usize| format!("[{}0]", "0,".repeat(count));
        let text = |text: &str| Document::of(&"text".parse().unwrap(), &Value::text(text));
        assert!(pickled(&many(100_000)).is_ok() && text(&many(100_000)).is_ok());
        assert_eq!(pickled(&many(NODES)).unwrap_err(), TOO_MANY);
        // Not as if it were no JSON.
        assert_eq!(text(&many(NODES)).unwrap_err(), TOO_MANY);
        assert!(is_json(&many(NODES)));
    }

    #[test]
    fn numbers_that_differ_stay_different() {
        let parsed = parse("[1,1.0,-0,0,0.1,18446744073709551615,9007199254740993]").unwrap();
        assert_eq!(parsed.to_string(), "[1,1.0,-0.0,0,0.1,18446744073709551615,9007199254740993]");
        for (text, same) in [
            ("18446744073709551616", "18446744073709551616"),
            ("9007199254740993.0", "90071992547409930e-1"),
            ("9007199254740992.0", "9007199254740992.00"),
            ("1e400", "10.0E399"),
            ("-1e-400", "-0.001e-397"),
            ("0.1", "0.10"),
            ("0.10000000000000001", "1.0000000000000001e-1"),
            ("0.0", "0e-7"),
            ("0.1", "0.1e+0"),
        ] {
            assert_eq!(parse(text), parse(same), "{text}");
            // What is written is read back as the same.
            assert_eq!(parse(&parse(text).unwrap().to_string()), parse(text), "{text}");
        }
        for (text, other) in [
            ("18446744073709551616", "18446744073709551617"),
            ("9007199254740993.0", "9007199254740992.0"),
            ("1e400", "1e401"),
            ("1e-400", "0.0"),
            ("1e-400", "-1e-400"),
            ("1", "1.0"),
        ] {
            assert_ne!(parse(text), parse(other), "{text}");
        }
        for text in ["1e99999999999999999999", r#"{"a":1,"a":2}"#, "[1", "01"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(&nested(100)).is_ok());
        for depth in [DEEPEST, 100_000] {
            assert_eq!(parse(&nested(depth)).unwrap_err(), "it is nested too deeply");
        }
    }

    #[test]
    fn text_is_looked_into_where_it_is_an_object_or_an_array() {
        assert!(is_json(" {\"a\": [1]}"));
        for text in ["\"a\"", "1", "{a", "", "[1] x"] {
            assert!(!is_json(text), "{text}");
        }
    }
}
