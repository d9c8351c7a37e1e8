//! What may be in any order: sets, mappings that are written as pairs, lists by a rule.

mod matching;

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Element, Walk, Way, left_in};
use crate::replay::compare::digest::Digest;
use crate::replay::compare::number::Number;
use crate::replay::compare::show;
use crate::replay::document::Dialect;

/// How many pairs of elements are tried at most, where numbers may differ.
const TRIED: usize = 100_000;
/// Of how many elements as many as can be are paired.
const MATCHED: usize = 200;

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
        self.pair_near(&mut ours, &mut theirs);
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

    /// Takes out what is equal by the tolerances below it: as many pairs as there are, of not too many
    /// elements; of more each takes the first that is left, numbers the smallest.
    fn pair_near(&mut self, ours: &mut Vec<Element<'d>>, theirs: &mut Vec<Element<'d>>) {
        let pairs = if ours.len().max(theirs.len()) <= MATCHED {
            let near = |one: usize, other: usize| self.is_near(ours[one].1, theirs[other].1);
            matching::most_pairs(ours.len(), theirs.len(), near)
        } else {
            let mut left = by_size(ours, self.dialect);
            let mut right = by_size(theirs, self.dialect);
            let mut pairs = Vec::new();
            left.retain(|&one| {
                let near =
                    right.iter().position(|&other| self.is_near(ours[one].1, theirs[other].1));
                near.is_none_or(|place| {
                    pairs.push((one, right.remove(place)));
                    false
                })
            });
            pairs
        };
        let (mut left, mut right) = (vec![true; ours.len()], vec![true; theirs.len()]);
        for (one, other) in pairs {
            (left[one], right[other]) = (false, false);
        }
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        ours.retain(|_| left.next().unwrap_or(true));
        theirs.retain(|_| right.next().unwrap_or(true));
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

/// The places of the elements, those of numbers in the order of these.
fn by_size(elements: &[Element<'_>], dialect: Dialect) -> Vec<usize> {
    let sizes: Vec<f64> = elements
        .iter()
        .map(|(_, node)| Number::of(node, dialect).map_or(f64::INFINITY, |number| number.size()))
        .collect();
    let mut places: Vec<usize> = (0..elements.len()).collect();
    places.sort_by(|&left, &right| sizes[left].total_cmp(&sizes[right]));
    places
}
