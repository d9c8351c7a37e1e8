//! Where two documents differ.
//!
//! Everything here recurses as deep as the documents, which is bounded.

mod any_order;

use serde_json::{Map, Value as Json};

use super::difference::excerpts;
use super::digest::Digests;
use super::marks::Marks;
use super::number::Number;
use super::show;
use crate::replay::document::{Dialect, Document};
use crate::replay::place::{Step, quoted};

/// How many places of one message are shown.
pub(super) const SHOWN: usize = 8;

/// A place at which two messages differ.
#[derive(Debug)]
pub(super) struct Place {
    /// Where; `None` of a message that is shown whole.
    pub(super) path: Option<String>,
    pub(super) expected: Option<String>,
    pub(super) got: Option<String>,
    pub(super) note: Option<String>,
}

/// A document, and what the rules say of it.
#[derive(Clone, Copy)]
pub(super) struct Marked<'d> {
    pub(super) document: &'d Document,
    pub(super) marks: &'d Marks,
}

/// The places at which two documents differ: the first few, and how many more there are.
pub(super) fn differences(expected: Marked<'_>, got: Marked<'_>) -> (Vec<Place>, usize) {
    let mut walk = Walk::new(expected, got);
    walk.any(Some(&expected.document.json), Some(&got.document.json));
    (walk.places, walk.more)
}

/// Whether the rules find no difference.
pub(super) fn are_equal(expected: Marked<'_>, got: Marked<'_>) -> bool {
    let mut walk = Walk::new(expected, got);
    walk.any(Some(&expected.document.json), Some(&got.document.json));
    walk.is_equal()
}

struct Walk<'d> {
    expected: &'d Marks,
    got: &'d Marks,
    dialect: Dialect,
    digests: Digests,
    path: Vec<Way<'d>>,
    places: Vec<Place>,
    more: usize,
    /// Whether only that there is a difference matters.
    quiet: bool,
    tried: usize,
}

/// A step to a node, borrowed from the document.
#[derive(Clone, Copy)]
enum Way<'d> {
    Name(&'d str),
    Index(usize),
    /// To a pair of a mapping, with its key.
    Pair(usize, Option<&'d Json>),
}

/// An element with its place in its list.
type Element<'d> = (usize, &'d Json);

impl<'d> Walk<'d> {
    fn new(expected: Marked<'d>, got: Marked<'d>) -> Walk<'d> {
        // Of two formats only what both mean is meant.
        let dialect = match (expected.document.dialect, got.document.dialect) {
            (left, right) if left == right => left,
            _ => Dialect::Plain,
        };
        Walk {
            expected: expected.marks,
            got: got.marks,
            dialect,
            digests: Digests::new(dialect),
            path: Vec::new(),
            places: Vec::new(),
            more: 0,
            quiet: false,
            tried: 0,
        }
    }

    fn is_equal(&self) -> bool {
        self.places.is_empty() && self.more == 0
    }

    /// Compares what is there on either side; what is ignored is not there.
    fn any(&mut self, left: Option<&'d Json>, right: Option<&'d Json>) {
        let left = left.filter(|node| !self.expected.is_ignored(node));
        let right = right.filter(|node| !self.got.is_ignored(node));
        match (left, right) {
            (Some(left), Some(right)) => self.both(left, right),
            (None, None) => {}
            (left, right) => self.differ(left, right),
        }
    }

    fn both(&mut self, left: &'d Json, right: &'d Json) {
        if let Some(amount) = self.expected.tolerance(left).max_of(self.got.tolerance(right))
            && let (Some(one), Some(other)) =
                (Number::of(left, self.dialect), Number::of(right, self.dialect))
            && one.is_near(&other, amount)
        {
            return;
        }
        match (left, right) {
            (Json::Object(ours), Json::Object(theirs)) => match self.tag(ours, theirs) {
                Some((name @ ("$set" | "$frozenset"), Json::Array(ours), Json::Array(theirs))) => {
                    self.path.push(Way::Name(name));
                    self.in_any_order(ours, theirs);
                    self.path.pop();
                }
                Some((name @ "$dict", Json::Array(ours), Json::Array(theirs))) => {
                    self.path.push(Way::Name(name));
                    self.pairs(ours, theirs);
                    self.path.pop();
                }
                Some((_, Json::String(ours), Json::String(theirs))) if ours != theirs => {
                    self.differ(Some(left), Some(right));
                }
                None if self.are_other_things(ours, theirs) => {
                    self.differ(Some(left), Some(right));
                }
                _ => self.members(ours, theirs),
            },
            (Json::Array(ours), Json::Array(theirs)) => {
                if self.expected.is_unordered(left) || self.got.is_unordered(right) {
                    self.in_any_order(ours, theirs);
                } else {
                    self.list(ours, theirs);
                }
            }
            _ if self.digests.of(left, self.expected) == self.digests.of(right, self.got) => {}
            _ => self.differ(Some(left), Some(right)),
        }
    }

    /// The one tag of two objects, and what stands behind it, if the rules leave it.
    fn tag(
        &self,
        ours: &'d Map<String, Json>,
        theirs: &'d Map<String, Json>,
    ) -> Option<(&'d str, &'d Json, &'d Json)> {
        if self.dialect != Dialect::Tagged || ours.len() != 1 || theirs.len() != 1 {
            return None;
        }
        let ((name, left), (other, right)) = (ours.iter().next()?, theirs.iter().next()?);
        let left_out = self.expected.is_ignored(left) || self.got.is_ignored(right);
        (name == other && name.starts_with('$') && !left_out).then_some((name, left, right))
    }

    /// Whether two objects stand for values of different types.
    fn are_other_things(&self, ours: &Map<String, Json>, theirs: &Map<String, Json>) -> bool {
        let tag = |members: &Map<String, Json>| {
            let name = members.keys().next().filter(|name| name.starts_with('$'));
            name.filter(|_| members.len() == 1).cloned()
        };
        self.dialect == Dialect::Tagged && tag(ours) != tag(theirs)
    }

    fn members(&mut self, ours: &'d Map<String, Json>, theirs: &'d Map<String, Json>) {
        let added = theirs.iter().filter(|(name, _)| !ours.contains_key(*name));
        let added = added.map(|(name, member)| (name, None, Some(member)));
        let ours = ours.iter().map(|(name, member)| (name, Some(member), theirs.get(name)));
        for (name, left, right) in ours.chain(added) {
            self.path.push(Way::Name(name));
            self.any(left, right);
            self.path.pop();
        }
    }

    fn list(&mut self, ours: &'d [Json], theirs: &'d [Json]) {
        let ours = left_in(ours, self.expected);
        let theirs = left_in(theirs, self.got);
        // Where elements were added or left out, the ends that are the same are not shown as different.
        let mut tail = 0;
        if ours.len() != theirs.len() {
            let ends = ours.iter().rev().zip(theirs.iter().rev());
            tail = ends.take_while(|((_, left), (_, right))| self.same(left, right)).count();
            let head = ours.iter().zip(&theirs);
            let head = head.take_while(|((_, left), (_, right))| self.same(left, right)).count();
            tail = tail.min(ours.len().min(theirs.len()) - head);
        }
        let (ours, theirs) = (&ours[..ours.len() - tail], &theirs[..theirs.len() - tail]);
        for place in 0..ours.len().max(theirs.len()) {
            let (left, right) = (ours.get(place), theirs.get(place));
            let index = left.or(right).map_or(place, |&(index, _)| index);
            self.path.push(Way::Index(index));
            self.any(left.map(|&(_, node)| node), right.map(|&(_, node)| node));
            self.path.pop();
        }
    }

    fn same(&self, left: &Json, right: &Json) -> bool {
        self.digests.of(left, self.expected) == self.digests.of(right, self.got)
    }

    fn differ(&mut self, left: Option<&Json>, right: Option<&Json>) {
        if self.is_enough() {
            self.more += 1;
            return;
        }
        self.place(left.map(show::text), right.map(show::text));
    }

    fn is_enough(&self) -> bool {
        self.quiet || self.places.len() >= SHOWN
    }

    fn place(&mut self, expected: Option<String>, got: Option<String>) {
        if self.is_enough() {
            self.more += 1;
            return;
        }
        let path = (!self.path.is_empty()).then(|| path_to(&self.path));
        let (expected, got) = match (expected, got) {
            (Some(expected), Some(got)) => {
                let (expected, got) = excerpts(&expected, &got);
                (Some(expected), Some(got))
            }
            (expected, got) => {
                let shorten = |text: String| excerpts(&text, "").0;
                (expected.map(shorten), got.map(shorten))
            }
        };
        self.places.push(Place { path, expected, got, note: None });
    }
}

/// A path that selects the place in either document.
fn path_to(ways: &[Way<'_>]) -> String {
    let mut path = "$".to_owned();
    for way in ways {
        path.push_str(&match *way {
            Way::Name(name) => Step::Name(name.to_owned()).to_string(),
            Way::Index(index) => Step::Index(index).to_string(),
            // Pairs may be in any order: their place says nothing.
            Way::Pair(_, Some(Json::String(key))) => format!("[?@[0]=={}]", quoted(key)),
            Way::Pair(_, Some(key @ (Json::Null | Json::Bool(_) | Json::Number(_)))) => {
                format!("[?@[0]=={key}]")
            }
            Way::Pair(index, _) => Step::Index(index).to_string(),
        });
    }
    path
}

trait MaxOf {
    fn max_of(self, other: Self) -> Self;
}

impl MaxOf for Option<f64> {
    /// The larger of those that are there.
    fn max_of(self, other: Option<f64>) -> Option<f64> {
        match (self, other) {
            (Some(left), Some(right)) => Some(left.max(right)),
            (left, right) => left.or(right),
        }
    }
}

/// The elements of a list that are not ignored.
fn left_in<'d>(items: &'d [Json], marks: &Marks) -> Vec<Element<'d>> {
    items.iter().enumerate().filter(|(_, item)| !marks.is_ignored(item)).collect()
}

#[cfg(test)]
mod tests;
