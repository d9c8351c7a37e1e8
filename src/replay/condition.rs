//! What the value of a message has to be for it to be chosen.

use std::str::FromStr;

use serde_json::Value as Json;

use super::document::Document;
use super::path::Path;
use crate::message::Message;
use crate::{Error, Result};

/// A condition on the JSON that `wirespool show --json` prints as a message's `value`, as RFC 9535 has it.
///
/// Either what a filter selector says after `?`, with the value as `@`: `@.humidity > 50 && @["1"] == 25`; or
/// a whole query, which begins with `$` and has to select something.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    query: Path,
    /// Whether the query is about a list that holds the value.
    is_filter: bool,
}

impl Condition {
    /// Whether it holds for what a message says; `None` of a message that has no value that could be looked
    /// into.
    pub fn holds(&self, message: &Message) -> Option<bool> {
        let value = message.body.as_ref().ok()?;
        let json = Document::of(&message.format, value).ok()?.json;
        let json = if self.is_filter { Json::Array(vec![json]) } else { json };
        Some(!self.query.select(&json).is_empty())
    }
}

impl FromStr for Condition {
    type Err = Error;

    fn from_str(spelling: &str) -> Result<Condition> {
        let spelling = spelling.trim();
        let is_filter = !spelling.starts_with('$');
        let query = if is_filter {
            Path::parse_query(&format!("{FILTER}{spelling})]"), spelling, FILTER.len())
        } else {
            Path::parse_query(spelling, spelling, 0)
        };
        let query = query.map_err(|reason| {
            let what = if is_filter { "filter" } else { "JSONPath" };
            Error::Usage(format!(
                "{spelling:?} is no condition: as a {what}, {reason}; write one such as \
                 '@.humidity > 50 && @.unit == \"%\"', where @ is the message's value, with ==, != and !, && \
                 and ||, true, false and null, or one such as '$.readings[?@.id == 7]'"
            ))
        })?;
        Ok(Condition { query, is_filter })
    }
}

/// What stands before a condition to make a query of it; the parenthesis keeps it one condition.
const FILTER: &str = "$[?(";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{ConnectionId, Side, Timestamp};
    use crate::wire::{Arrival, Decoder, Format, Split};

    fn message(spelling: &str, bytes: &[u8]) -> Message {
        let format: Format = spelling.parse().unwrap();
        let mut decoded = Vec::new();
        let mut decoder = Decoder::new(&format);
        decoder.push(Arrival::default(), bytes, &mut |one| decoded.push(one));
        decoder.end(&mut |one| decoded.push(one));
        let one = decoded.remove(0);
        Message {
            connection: ConnectionId(0),
            side: Side::Client,
            index: 0,
            time: Timestamp(0),
            offset: 0,
            frame: None,
            format: one.format,
            split: Split::Exact,
            raw: one.raw,
            body: one.body,
            unknown: None,
        }
    }

    fn holds(condition: &str, message: &Message) -> Option<bool> {
        condition.parse::<Condition>().unwrap().holds(message)
    }

    #[test]
    fn a_condition_is_a_filter_or_a_query() {
        let text =
            message("text/line", b"{\"humidity\": 51, \"1\": 25, \"list\": [{\"id\": 7}]}\n");
        for (condition, expected) in [
            ("@.humidity > 50", true),
            ("@.humidity > 51", false),
            ("@.humidity > 50 && @['1'] == 25", true),
            ("@['1'] == 26 || @.none", false),
            ("!@.none", true),
            ("$.list[?@.id == 7]", true),
            ("$.list[?@.id == 8]", false),
            ("$..id", true),
            ("length(@.list) == 1", true),
        ] {
            assert_eq!(holds(condition, &text), Some(expected), "{condition}");
        }
    }

    #[test]
    fn text_is_a_string() {
        let text = message("text/line", b"abc\n");
        assert_eq!(holds("@ == 'abc'", &text), Some(true));
        assert_eq!(holds("search(@, 'b')", &text), Some(true));
        assert_eq!(holds("match(@, 'b')", &text), Some(false));
    }

    #[test]
    fn what_has_no_value_is_not_judged() {
        let message = message("pickle", b"\x80\x04K");
        assert_eq!(holds("!@.anything", &message), None);
    }

    #[test]
    fn what_is_no_condition_is_refused_with_its_place() {
        for (given, reason) in [
            ("@.a >", "cannot be parsed"),
            ("", "empty"),
            ("humidity > 50", "position 8"),
            ("$.a[", "position 3"),
            ("@.a, ?@.b", "is no condition"),
            ("@.a][?@.b", "is no condition"),
        ] {
            let refused = given.parse::<Condition>().unwrap_err().to_string();
            assert!(refused.contains("is no condition") && refused.contains(reason), "{refused}");
        }
    }
}
