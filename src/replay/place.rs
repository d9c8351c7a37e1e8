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

/// A normalized path (RFC 9535, section 2.7); what could act on a terminal is escaped, too.
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
            Step::Name(name) => write!(f, "[{}]", quoted(name)),
        }
    }
}

/// A string as a path has it.
pub(super) fn quoted(text: &str) -> String {
    // The same escapes as in JSON, but for the quotes.
    let mut quoted = String::new();
    write_string(text, &mut quoted);
    let inner = quoted[1..quoted.len() - 1].replace("\\\"", "\"");
    format!("'{}'", inner.replace('\'', "\\'"))
}
