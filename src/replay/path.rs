//! Which places of a message a rule is about: JSONPath, as RFC 9535 has it.

mod bound;

use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

use super::place::{Place, Step};
use crate::{Error, Result};

/// The longest path, in bytes: the parser recurses on what is nested in it.
const LONGEST: usize = 1000;
/// How deep brackets may be nested in it.
const DEEPEST: usize = 20;

/// Places in the JSON that `wirespool show --json` prints as a message's `value`.
///
/// Either a JSONPath (RFC 9535), such as `$.readings[*].time`, or a bare name of letters, digits, `_`
/// and `-`, which is the field of that name at any depth: `time` is `$..time`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    spelling: String,
    query: JsonPath,
}

impl Path {
    /// The path of this spelling.
    ///
    /// # Errors
    /// [`Error::Usage`] with the spelling and what is wrong with it.
    pub fn parse(spelling: &str) -> Result<Path> {
        let refuse = |reason: String| {
            Err(Error::Usage(format!(
                "{spelling:?} is no path: {reason}; write a JSONPath such as $.readings[0].time, or \
                 the bare name of a field"
            )))
        };
        let trimmed = spelling.trim();
        let parsed = if !trimmed.is_empty() && trimmed.chars().all(is_of_name) {
            Path::parse_query(&format!("$..['{trimmed}']"), trimmed, 0)
        } else if trimmed.starts_with('$') || trimmed.is_empty() {
            Path::parse_query(trimmed, trimmed, 0)
        } else {
            return refuse("it does not begin with $".to_owned());
        };
        parsed.or_else(refuse)
    }

    /// The query that `spelling` was made into, `shift` bytes behind its beginning.
    ///
    /// # Errors
    /// What is wrong with it, and where in `spelling`, in words.
    pub(super) fn parse_query(
        query: &str,
        spelling: &str,
        shift: usize,
    ) -> std::result::Result<Path, String> {
        if spelling.is_empty() {
            return Err("it is empty".to_owned());
        }
        if spelling.len() > LONGEST || depth(spelling) > DEEPEST {
            return Err(format!(
                "it is too long; {LONGEST} bytes and {DEEPEST} nested brackets are the most"
            ));
        }
        bound::check(query)?;
        match JsonPath::parse(query) {
            Ok(query) => Ok(Path { spelling: spelling.to_owned(), query }),
            // Of what stands in a filter no place is known but where the filter begins.
            Err(error) if error.position() < shift => Err("it cannot be parsed".to_owned()),
            Err(error) => {
                let place = (error.position() - shift).min(spelling.len());
                Err(format!("at position {place}, {}", error.message()))
            }
        }
    }

    /// The nodes of `document` that it selects.
    pub(super) fn select<'d>(&self, document: &'d Json) -> Vec<&'d Json> {
        self.query.query(document).all()
    }

    /// The nodes of `document` that it selects, and where each is.
    pub(super) fn locate<'d>(&self, document: &'d Json) -> Vec<(Place, &'d Json)> {
        let located = self.query.query_located(document);
        let place = |path: &NormalizedPath<'_>| {
            let steps = path.iter().map(|step| match step {
                PathElement::Name(name) => Step::Name((*name).to_owned()),
                PathElement::Index(index) => Step::Index(*index),
            });
            steps.collect::<Place>()
        };
        located.iter().map(|node| (place(node.location()), node.node())).collect()
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

/// How deep brackets are nested at most; those in quoted names count as well.
fn depth(path: &str) -> usize {
    let mut open: usize = 0;
    let mut deepest = 0;
    for byte in path.bytes() {
        match byte {
            b'[' | b'(' => open += 1,
            b']' | b')' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// As it was spelled.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.spelling)
    }
}

impl FromStr for Path {
    type Err = Error;

    fn from_str(spelling: &str) -> Result<Path> {
        Path::parse(spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(path: &str, document: &str) -> Vec<String> {
        let document: Json = serde_json::from_str(document).unwrap();
        Path::parse(path).unwrap().select(&document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_bare_name_is_that_field_at_any_depth() {
        let document = r#"{"time":1,"a":[{"time":2}],"b":{"time":3},"times":4}"#;
        assert_eq!(selected("time", document), ["1", "2", "3"]);
        assert_eq!(selected("$.time", document), ["1"]);
        assert_eq!(selected("$.a[?@.time > 1].time", document), ["2"]);
        assert_eq!(selected("темп-1", r#"{"темп-1":5}"#), ["5"]);
    }

    #[test]
    fn what_is_no_path_is_refused_with_the_reason() {
        for (path, reason) in [
            ("", "empty"),
            ("a.b", "does not begin with $"),
            ("$.a[", "position"),
            ("$.a b", "position"),
            ("$.é'", "position"),
        ] {
            let refused = Path::parse(path).unwrap_err().to_string();
            assert!(refused.contains(reason) && refused.contains("is no path"), "{refused}");
        }
        let nested = format!("$[?{}@{}]", "(".repeat(400), ")".repeat(400));
        assert!(Path::parse(&nested).unwrap_err().to_string().contains("too long"));
    }

    #[test]
    fn it_keeps_its_spelling() {
        assert_eq!(Path::parse(" $..['a b'] ").unwrap().to_string(), "$..['a b']");
    }
}
