//! What the rules say of the nodes of a document.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::number::Number;
use crate::replay::document::{Dialect, Document};
use crate::replay::path::Path;
use crate::replay::rules::Rules;

/// What the rules say of the nodes of one document, as long as that is borrowed: a node is known by where
/// it is in memory.
pub(super) struct Marks {
    ignored: HashSet<usize>,
    tolerance: HashMap<usize, f64>,
    unordered: HashSet<usize>,
    /// Whether something is carried from here.
    takes: bool,
    /// Which rules found something here.
    pub(super) used: Used,
}

/// Which rules have found something to do.
#[derive(Clone, Debug, Default)]
pub(super) struct Used {
    ignore: Vec<bool>,
    tolerance: Vec<bool>,
    unordered: Vec<bool>,
}

impl Marks {
    /// What `rules` say of a message, but for what is carried from it.
    pub(super) fn of(document: &Document, rules: &Rules) -> Marks {
        let mut marks = Marks {
            ignored: HashSet::new(),
            tolerance: HashMap::new(),
            unordered: HashSet::new(),
            takes: false,
            used: Used::none(rules),
        };
        let select = |path: &Path| path.select(&document.json);
        for (rule, used) in rules.ignore.iter().zip(&mut marks.used.ignore) {
            let nodes = select(rule);
            *used = !nodes.is_empty();
            marks.ignored.extend(nodes.into_iter().map(address));
        }
        for (rule, used) in rules.tolerance.iter().zip(&mut marks.used.tolerance) {
            for node in select(&rule.path) {
                *used |= Number::of(node, document.dialect).is_some();
                let amount = marks.tolerance.entry(address(node)).or_insert(0.0);
                *amount = amount.max(rule.amount);
            }
        }
        for (rule, used) in rules.unordered.iter().zip(&mut marks.used.unordered) {
            for node in select(rule) {
                let Some(list) = list_of(node, document.dialect) else { continue };
                *used = true;
                marks.unordered.insert(address(list));
            }
        }
        marks
    }

    /// Leaves out what is carried.
    pub(super) fn take(&mut self, nodes: Vec<&Json>) {
        self.takes |= !nodes.is_empty();
        self.ignored.extend(nodes.into_iter().map(address));
    }

    /// Whether any rule found something here.
    pub(super) fn touch(&self) -> bool {
        let Used { ignore, tolerance, unordered } = &self.used;
        self.takes || [ignore, tolerance, unordered].into_iter().flatten().any(|used| *used)
    }

    /// Whether anything is left out.
    pub(super) fn ignores(&self) -> bool {
        !self.ignored.is_empty()
    }

    pub(super) fn is_ignored(&self, node: &Json) -> bool {
        self.ignored.contains(&address(node))
    }

    pub(super) fn is_unordered(&self, node: &Json) -> bool {
        self.unordered.contains(&address(node))
    }

    /// By how much a number may differ.
    pub(super) fn tolerance(&self, node: &Json) -> Option<f64> {
        self.tolerance.get(&address(node)).copied()
    }

    /// Whether any scalar is left of a node. Recurses as deep as the document, which is bounded.
    pub(super) fn leaves_anything(&self, node: &Json) -> bool {
        !self.is_ignored(node)
            && match node {
                Json::Array(items) => items.iter().any(|item| self.leaves_anything(item)),
                Json::Object(members) => members.values().any(|item| self.leaves_anything(item)),
                _ => true,
            }
    }
}

impl Used {
    pub(super) fn none(rules: &Rules) -> Used {
        Used {
            ignore: vec![false; rules.ignore.len()],
            tolerance: vec![false; rules.tolerance.len()],
            unordered: vec![false; rules.unordered.len()],
        }
    }

    pub(super) fn merge(&mut self, other: &Used) {
        let lists = [
            (&mut self.ignore, &other.ignore),
            (&mut self.tolerance, &other.tolerance),
            (&mut self.unordered, &other.unordered),
        ];
        for (ours, theirs) in lists {
            ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours |= theirs);
        }
    }

    /// The rules that found nothing, as they were given.
    pub(super) fn unused(&self, rules: &Rules) -> Vec<String> {
        let mut unused = Vec::new();
        let mut add = |option: &str, rule: String, used: &bool| {
            if !used {
                unused.push(format!("{option} {rule}"));
            }
        };
        for (rule, used) in rules.ignore.iter().zip(&self.ignore) {
            add("--ignore", rule.to_string(), used);
        }
        for (rule, used) in rules.tolerance.iter().zip(&self.tolerance) {
            add("--tolerance", rule.to_string(), used);
        }
        for (rule, used) in rules.unordered.iter().zip(&self.unordered) {
            add("--unordered", rule.to_string(), used);
        }
        unused
    }
}

fn address(node: &Json) -> usize {
    std::ptr::from_ref(node).addr()
}

/// The elements that a node is made of: its own, or of a tuple or a set those behind the tag.
fn list_of(node: &Json, dialect: Dialect) -> Option<&Json> {
    match node {
        Json::Array(_) => Some(node),
        Json::Object(members) if dialect == Dialect::Tagged && members.len() == 1 => {
            ["$tuple", "$set", "$frozenset"]
                .into_iter()
                .find_map(|tag| members.get(tag))
                .filter(|inner| inner.is_array())
        }
        _ => None,
    }
}
