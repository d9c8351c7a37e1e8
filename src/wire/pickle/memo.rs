//! The memo: what a pickle put aside under a number, to be fetched again.

use std::collections::HashMap;

use super::hash::Seed;
use crate::wire::value::NodeId;

/// How far beyond the entries there are an index may be to get a place in the table.
const SLACK: usize = 1024;

/// Picklers number their entries from 0; a table serves them. An index far out of that order goes
/// into a map, so that eight bytes of `LONG_BINPUT` cannot claim gigabytes.
#[derive(Default)]
pub(super) struct Memo {
    table: Vec<Option<NodeId>>,
    sparse: HashMap<u64, NodeId, Seed>,
    entries: usize,
}

impl Memo {
    /// How many entries there are: the index that `MEMOIZE` uses next.
    pub(super) fn len(&self) -> usize {
        self.entries
    }

    #[inline]
    pub(super) fn get(&self, index: u64) -> Option<NodeId> {
        match self.table.get(index as usize) {
            Some(&Some(node)) => Some(node),
            _ => self.sparse.get(&index).copied(),
        }
    }

    #[inline]
    pub(super) fn put(&mut self, index: u64, node: NodeId) {
        if index == self.table.len() as u64 && self.sparse.is_empty() {
            self.table.push(Some(node));
            self.entries += 1;
            return;
        }
        self.put_out_of_order(index, node);
    }

    fn put_out_of_order(&mut self, index: u64, node: NodeId) {
        let reach = 2 * self.entries + SLACK;
        if index >= self.table.len() as u64 && index < reach as u64 {
            self.table.resize(index as usize + 1, None);
        }
        let known = match self.table.get_mut(index as usize) {
            Some(place) => place.replace(node).is_some() || self.sparse.remove(&index).is_some(),
            None => self.sparse.insert(index, node).is_some(),
        };
        self.entries += usize::from(!known);
    }
}
