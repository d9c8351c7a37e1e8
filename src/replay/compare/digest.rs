//! A digest of what the rules leave of a node, so that what may be in any order is paired without
//! comparing everything with everything.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};

use serde_json::{Map, Value as Json};

use super::marks::Marks;
use crate::replay::document::Dialect;

/// Keyed anew each time, so that no peer can aim for a collision; two, so that none happens.
pub(super) struct Digests {
    keys: [RandomState; 2],
    dialect: Dialect,
}

pub(super) type Digest = [u64; 2];

impl Digests {
    pub(super) fn new(dialect: Dialect) -> Digests {
        Digests { keys: [RandomState::new(), RandomState::new()], dialect }
    }

    /// The digest of `node`: the same of nodes that are equal without any tolerance. Recurses as deep as
    /// the document, which is bounded.
    pub(super) fn of(&self, node: &Json, marks: &Marks) -> Digest {
        match node {
            Json::Null => self.hash(0, ()),
            Json::Bool(truth) => self.hash(1, truth),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => self.hash(2, i128::from(integer)),
                (_, Some(integer)) => self.hash(2, i128::from(integer)),
                _ => self.hash(3, number.as_str()),
            },
            Json::String(text) => self.hash(4, text),
            Json::Array(items) => self.list(items, marks, marks.is_unordered(node)),
            Json::Object(members) => self.object(members, marks),
        }
    }

    fn list(&self, items: &[Json], marks: &Marks, in_any_order: bool) -> Digest {
        let items = items.iter().filter(|item| !marks.is_ignored(item));
        let mut digests: Vec<Digest> = items.map(|item| self.of(item, marks)).collect();
        if in_any_order {
            digests.sort_unstable();
        }
        self.hash(5, (in_any_order, digests))
    }

    fn object(&self, members: &Map<String, Json>, marks: &Marks) -> Digest {
        let mut digests: Vec<Digest> = members
            .iter()
            .filter(|(_, member)| !marks.is_ignored(member))
            .map(|(name, member)| {
                let member = match member {
                    Json::Array(items) if self.is_any_order(name, members) => {
                        self.list(items, marks, true)
                    }
                    _ => self.of(member, marks),
                };
                self.hash(6, (name, member))
            })
            .collect();
        digests.sort_unstable();
        self.hash(7, digests)
    }

    /// Whether what stands behind this key is a set, or the pairs of a mapping.
    fn is_any_order(&self, name: &str, members: &Map<String, Json>) -> bool {
        self.dialect == Dialect::Tagged
            && members.len() == 1
            && matches!(name, "$set" | "$frozenset" | "$dict")
    }

    fn hash(&self, kind: u8, what: impl Hash) -> Digest {
        [0, 1].map(|place: usize| {
            let mut hasher = self.keys[place].build_hasher();
            kind.hash(&mut hasher);
            what.hash(&mut hasher);
            hasher.finish()
        })
    }
}
