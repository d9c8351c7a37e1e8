//! One place in a document.

use std::fmt;

use serde_json::Value as Json;

use crate::wire::json::write_string;

/// The way from a document's root to one of its nodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Place(Vec<Step>);

/// One step of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// To the member of this name.
    Name(String),
    /// To the element of this index.
    Index(usize),
}

impl Place {
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is `other`, or lies within it.
    pub(super) fn starts_with(&self, other: &Place) -> bool {
        self.0.starts_with(&other.0)
    }

    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    pub(super) fn pop(&mut self) {
        self.0.pop();
    }

    pub(super) fn replace_last(&mut self, step: Step) {
        self.0.pop();
        self.0.push(step);
    }

    /// Goes on to the next element, in a list.
    pub(super) fn next_index(&mut self) {
        if let Some(Step::Index(index)) = self.0.last_mut() {
            *index += 1;
        }
    }

    /// The place as a JSON pointer (RFC 6901).
    pub(super) fn pointer(&self) -> String {
        self.0.iter().map(Step::pointer).collect()
    }

    /// The place as a pointer into tagged JSON in which what occurs more than once stands once.
    pub(super) fn pointer_with_references(&self, document: &Json) -> Option<String> {
        let mut pointer = String::new();
        let mut node = document;
        let mut steps = self.0.iter();
        loop {
            // A step leads through the `value` of an `$id`, and from a `$ref` to where that is.
            while let Json::Object(members) = node {
                if let (Some(_), Some(value)) = (members.get("$id"), members.get("value")) {
                    node = value;
                    pointer.push_str("/value");
                } else if let Some(number) = members.get("$ref").filter(|_| members.len() == 1) {
                    pointer = identified(document, number)?;
                    node = document.pointer(&pointer)?;
                } else {
                    break;
                }
            }
            let Some(step) = steps.next() else { return Some(pointer) };
            pointer.push_str(&step.pointer());
            node = match step {
                Step::Name(name) => node.get(name)?,
                Step::Index(index) => node.get(index)?,
            };
        }
    }
}

/// Where the `$id` of this number stands. Recurses as deep as the document, which is bounded.
fn identified(node: &Json, number: &Json) -> Option<String> {
    match node {
        Json::Object(members) if members.get("$id") == Some(number) => Some(String::new()),
        Json::Object(members) => members.iter().find_map(|(name, member)| {
            let rest = identified(member, number)?;
            Some(Step::Name(name.clone()).pointer() + &rest)
        }),
        Json::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            Some(Step::Index(index).pointer() + &identified(item, number)?)
        }),
        _ => None,
    }
}

impl Step {
    fn pointer(&self) -> String {
        match self {
            Step::Name(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => format!("/{index}"),
        }
    }
}

impl FromIterator<Step> for Place {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Place {
        Place(steps.into_iter().collect())
    }
}

/// A path (RFC 9535) as people write it, which a shell leaves alone between single quotes; what could
/// act on a terminal is escaped.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Name(name) if is_identifier(name) => write!(f, ".{name}"),
            Step::Name(name) => write!(f, "[{}]", quoted(name)),
        }
    }
}

/// Whether a name may stand behind a dot: no more than letters, digits and `_` need be allowed there.
fn is_identifier(name: &str) -> bool {
    let begins = name.chars().next().is_some_and(|first| first == '_' || first.is_alphabetic());
    // Digits that are not ASCII are allowed, and no help to anybody.
    let is_of_name = |c: char| c == '_' || c.is_alphabetic() || c.is_ascii_digit();
    begins && name.chars().all(is_of_name)
}

/// A string as a path has it. No single quote is in it: those are for the shell.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    write_string(text, &mut quoted);
    quoted.replace('\'', "\\u0027")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::path::Path;

    #[test]
    fn a_printed_path_leads_to_its_place_and_stands_between_single_quotes() {
        for (name, printed) in [
            ("name", "$[1].name"),
            ("_a1", "$[1]._a1"),
            ("темп", "$[1].темп"),
            ("1a", "$[1][\"1a\"]"),
            ("", "$[1][\"\"]"),
            ("odd name", "$[1][\"odd name\"]"),
            ("a-b", "$[1][\"a-b\"]"),
            ("$set", "$[1][\"$set\"]"),
            ("it's \"so\\", r#"$[1]["it\u0027s \"so\\"]"#),
            ("\u{1b}[0m\n\u{202e}", ""),
            ("a\u{301}", ""),
            ("٣", "$[1][\"٣\"]"),
            ("a٣", "$[1][\"a٣\"]"),
        ] {
            let place: Place = [Step::Index(1), Step::Name(name.to_owned())].into_iter().collect();
            let path = place.to_string();
            assert!(printed.is_empty() || path == printed, "{path}");
            assert!(!path.contains(['\'', '\n', '\u{1b}', '\u{202e}']), "{path}");
            let document = serde_json::json!([0, { name: 7 }]);
            assert_eq!(Path::parse(&path).unwrap().select(&document), [&Json::from(7)], "{path}");
        }
    }
}
