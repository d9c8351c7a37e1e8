//! Which other messages say the same as one that came in the wrong place.

use super::digest::{Digest, Digests};
use super::live::Live;
use super::marks::Marks;
use super::walk::{self, Marked};
use crate::message::Message;
use crate::replay::document::{Document, Unreadable};
use crate::replay::rules::{Compare, Rules};
use crate::replay::same::{Digester, same};
use crate::wire::Value;

/// How many nodes a document may have to be walked against each of the others, where numbers may differ.
const WALKED: usize = 1_000;

/// What a live message is like: found out once, for many that it is held against.
pub(super) struct Likeness<'l> {
    rules: &'l Rules,
    got: &'l Live<'l>,
    /// By the rules, where they lead into the message.
    ruled: Option<Ruled>,
    /// Of the value and the fields that the schema does not know.
    digester: Digester,
    digests: [Option<[u64; 2]>; 2],
}

struct Ruled {
    document: Document,
    marks: Marks,
    digests: Digests,
    digest: Digest,
    is_small: bool,
}

impl<'l> Likeness<'l> {
    pub(super) fn new(rules: &'l Rules, has_paths: bool, got: &'l Live<'l>) -> Likeness<'l> {
        let by_value = rules.compare == Compare::Values;
        let ruled = match document(got).filter(|_| by_value && has_paths) {
            Some(Ok(document)) => {
                let (marks, digests) =
                    (Marks::of(&document, rules), Digests::new(document.dialect));
                let digest = digests.of(&document.json, &marks);
                let is_small = document.nodes() <= WALKED;
                Some(Ruled { document, marks, digests, digest, is_small })
            }
            _ => None,
        };
        let digester = Digester::new();
        let digests =
            [got.value, got.unknown].map(|value| digester.of(value.filter(|_| by_value)?));
        Likeness { rules, got, ruled, digester, digests }
    }

    /// Whether a recorded message says the same, and that means something.
    pub(super) fn is_of(&self, message: &Message) -> bool {
        self.ruled.as_ref().and_then(|ruled| self.is_by_rules(ruled, message)).unwrap_or_else(
            || {
                self.got.repeats(message)
                    || self.rules.compare == Compare::Values
                        && message.body.is_ok()
                        && self.has_value(message.body.as_ref().ok(), 0)
                        && self.has_value(message.unknown.as_ref(), 1)
            },
        )
    }

    /// The same by the rules; `None` where they find nothing.
    fn is_by_rules(&self, ruled: &Ruled, message: &Message) -> Option<bool> {
        let document = document(&Live::of(message))?.ok()?;
        let marks = Marks::of(&document, self.rules);
        if !marks.touch() && !ruled.marks.touch() {
            return None;
        }
        let is_equal = ruled.digests.of(&document.json, &marks) == ruled.digest
            || !self.rules.tolerance.is_empty()
                && ruled.is_small
                && document.nodes() <= WALKED
                && walk::are_equal(
                    Marked { document: &document, marks: &marks },
                    Marked { document: &ruled.document, marks: &ruled.marks },
                );
        Some(
            is_equal
                && document.dialect == ruled.document.dialect
                && marks.leaves_anything(&document.json)
                && self.has_value(message.unknown.as_ref(), 1),
        )
    }

    fn has_value(&self, value: Option<&Value>, which: usize) -> bool {
        match (value, [self.got.value, self.got.unknown][which]) {
            (None, None) => true,
            // What contains itself has no digest.
            (Some(left), Some(right)) => match (self.digester.of(left), self.digests[which]) {
                (Some(left), Some(right)) => left == right,
                (None, None) => left == right,
                _ => false,
            },
            _ => false,
        }
    }
}

pub(super) fn are_same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => same(left, right),
        (left, right) => left.is_none() && right.is_none(),
    }
}

/// A message as paths lead into it; `None` of one that could not be decoded.
pub(super) fn document(live: &Live<'_>) -> Option<Result<Document, Unreadable>> {
    live.value.map(|value| Document::of(live.format, value))
}
