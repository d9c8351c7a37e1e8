//! JSON text with other values in some places: all else keeps its very characters.

use std::ops::Range;

use json_event_parser::{JsonEvent, LowLevelJsonParser};
use serde_json::Value as Json;

use crate::replay::place::{Place, Step};

/// The text with these values in these places, none of which lies within another; `None` if a place is
/// not there.
pub(super) fn into(text: &str, changes: &[(Place, &Json)]) -> Option<String> {
    let places: Vec<&Place> = changes.iter().map(|(place, _)| place).collect();
    let mut spans = spans(text, &places)?;
    // From the end, so that what stands before stays where it is.
    spans.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut changed = text.to_owned();
    for (span, change) in spans {
        changed.replace_range(span, &changes[change].1.to_string());
    }
    Some(changed)
}

/// Where in the text each place is.
fn spans(text: &str, places: &[&Place]) -> Option<Vec<(Range<usize>, usize)>> {
    let mut parser = LowLevelJsonParser::new();
    let mut here = Place::default();
    let mut found: Vec<(Range<usize>, usize)> = Vec::new();
    // The containers that are looked for and not closed: where they begin, and how deep.
    let mut begun: Vec<(usize, usize, usize)> = Vec::new();
    let mut at = 0;
    loop {
        let before = at;
        let parsed = parser.parse_next(&text.as_bytes()[at..], true);
        at += parsed.consumed_bytes;
        let event = match parsed.event {
            None => continue,
            Some(event) => event.ok()?,
        };
        let gap =
            text[before..].find(|c: char| !c.is_ascii_whitespace() && !matches!(c, ',' | ':'));
        let start = before + gap.unwrap_or(0);
        let wanted = || places.iter().position(|place| **place == here);
        match event {
            JsonEvent::Eof => break,
            JsonEvent::ObjectKey(name) => {
                here.replace_last(Step::Name(name.into_owned()));
            }
            JsonEvent::StartArray | JsonEvent::StartObject => {
                if let Some(place) = wanted() {
                    begun.push((start, here.len(), place));
                }
                here.push(match event {
                    JsonEvent::StartArray => Step::Index(0),
                    _ => Step::Name(String::new()),
                });
            }
            JsonEvent::EndArray | JsonEvent::EndObject => {
                here.pop();
                if let Some(&(start, depth, place)) = begun.last()
                    && depth == here.len()
                {
                    begun.pop();
                    found.push((start..at, place));
                }
                here.next_index();
            }
            JsonEvent::Null
            | JsonEvent::Boolean(_)
            | JsonEvent::Number(_)
            | JsonEvent::String(_) => {
                if let Some(place) = wanted() {
                    found.push((start..at, place));
                }
                here.next_index();
            }
        }
    }
    (found.len() == places.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::path::Path;

    fn changed(text: &str, path: &str, live: &str) -> Option<String> {
        let document: Json = serde_json::from_str(text).unwrap();
        let live: Json = serde_json::from_str(live).unwrap();
        let path = Path::parse(path).unwrap();
        let places = path.locate(&document).into_iter();
        into(text, &places.map(|(place, _)| (place, &live)).collect::<Vec<_>>())
    }

    #[test]
    fn all_else_keeps_its_characters() {
        let text = r#" { "a" : [1.50, {"token" :"x\"y"} , 3] ,"token": {"b":[1]}, "e":[] }"#;
        assert_eq!(
            changed(text, "token", "\"é\"").unwrap(),
            r#" { "a" : [1.50, {"token" :"é"} , 3] ,"token": "é", "e":[] }"#
        );
        assert_eq!(
            changed(text, "$.a[0]", "7").unwrap(),
            r#" { "a" : [7, {"token" :"x\"y"} , 3] ,"token": {"b":[1]}, "e":[] }"#
        );
        assert_eq!(changed("[1, 2,12]", "$[2]", "null").unwrap(), "[1, 2,null]");
        assert_eq!(changed("[1]", "$", "\"a\"").unwrap(), "\"a\"");
    }
}
