//! What may be in any order: sets, mappings that are written as pairs, lists by a rule.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Element, Walk, Way, left_in};
use crate::replay::compare::digest::Digest;
use crate::replay::compare::show;

/// How many pairs of elements are tried at most, where numbers may differ.
const TRIED: usize = 100_000;

impl<'d> Walk<'d> {
    /// Pairs what is equal; what is left over differs.
    pub(super) fn in_any_order(&mut self, ours: &'d [Json], theirs: &'d [Json]) {
        let ours = left_in(ours, self.expected);
        let theirs = left_in(theirs, self.got);
        let mut waiting: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (place, (_, node)) in theirs.iter().enumerate().rev() {
            waiting.entry(self.digests.of(node, self.got)).or_default().push(place);
        }
        let mut taken = vec![false; theirs.len()];
        let mut ours: Vec<Element<'d>> = ours;
        ours.retain(|(_, node)| {
            match waiting.get_mut(&self.digests.of(node, self.expected)).and_then(Vec::pop) {
                Some(place) => {
                    taken[place] = true;
                    false
                }
                None => true,
            }
        });
        let mut theirs: Vec<Element<'d>> = theirs
            .into_iter()
            .zip(taken)
            .filter_map(|(element, taken)| (!taken).then_some(element))
            .collect();
        ours.retain(|(_, left)| {
            let near = theirs.iter().position(|(_, right)| self.is_near(left, right));
            match near {
                Some(place) => {
                    theirs.remove(place);
                    false
                }
                None => true,
            }
        });
        match (&ours[..], &theirs[..]) {
            ([], []) => {}
            // One for one: what of it differs can be said.
            (&[(index, left)], &[(_, right)]) => {
                self.path.push(Way::Index(index));
                self.both(left, right);
                self.path.pop();
            }
            (ours, theirs) => self.place(show::list(ours), show::list(theirs)),
        }
    }

    /// Whether two nodes are equal by the tolerances below them; not tried without end.
    fn is_near(&mut self, left: &'d Json, right: &'d Json) -> bool {
        if self.tried >= TRIED {
            return false;
        }
        self.tried += 1;
        let (before, quiet) = (self.more, std::mem::replace(&mut self.quiet, true));
        self.any(Some(left), Some(right));
        let near = self.more == before;
        (self.more, self.quiet) = (before, quiet);
        near
    }

    /// Compares mappings that are written as pairs, by their keys.
    pub(super) fn pairs(&mut self, ours: &'d [Json], theirs: &'d [Json]) {
        let ours = left_in(ours, self.expected);
        let mut theirs: Vec<Option<Element<'d>>> =
            left_in(theirs, self.got).into_iter().map(Some).collect();
        let mut waiting: HashMap<Digest, Vec<usize>> = HashMap::new();
        for (place, element) in theirs.iter().enumerate().rev() {
            if let Some(key) = element.and_then(|(_, pair)| pair.get(0)) {
                waiting.entry(self.digests.of(key, self.got)).or_default().push(place);
            }
        }
        for (index, pair) in ours {
            let key = pair.get(0).map(|key| self.digests.of(key, self.expected));
            let found = key.and_then(|key| waiting.get_mut(&key)).and_then(Vec::pop);
            let other = found.and_then(|place| theirs[place].take()).map(|(_, pair)| pair);
            self.path.push(Way::Pair(index, pair.get(0)));
            match other {
                Some(other) => {
                    self.path.push(Way::Index(1));
                    self.any(pair.get(1), other.get(1));
                    self.path.pop();
                }
                None => self.differ(Some(pair), None),
            }
            self.path.pop();
        }
        for (index, pair) in theirs.into_iter().flatten() {
            self.path.push(Way::Pair(index, pair.get(0)));
            self.differ(None, Some(pair));
            self.path.pop();
        }
    }
}
