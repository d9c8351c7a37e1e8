//! What the rules say of the nodes of a document.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

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

/// A number, whatever it is written as.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number that a node is.
    pub(super) fn of(node: &Json, dialect: Dialect) -> Option<Number> {
        match (node, dialect) {
            (Json::Number(number), _) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => Some(Number::Integer(integer.into())),
                (_, Some(integer)) => Some(Number::Integer(integer.into())),
                _ => number.as_f64().map(Number::Float),
            },
            (Json::Object(members), Dialect::Tagged) if members.len() == 1 => {
                let tagged = |tag| members.get(tag).and_then(Json::as_str);
                let integer = tagged("$int").and_then(Number::integer);
                integer.or_else(|| {
                    tagged("$float").and_then(|text| Some(Number::Float(text.parse().ok()?)))
                })
            }
            (Json::String(text), Dialect::Schema) => match text.as_str() {
                "NaN" | "Infinity" | "-Infinity" => text.parse().ok().map(Number::Float),
                _ => text.parse().ok().map(Number::Integer),
            },
            _ => None,
        }
    }

    fn integer(text: &str) -> Option<Number> {
        match text.parse() {
            Ok(integer) => Some(Number::Integer(integer)),
            // Too large for exactness to matter beside a tolerance that is a float.
            Err(_) => text.parse().ok().map(Number::Float),
        }
    }

    /// Whether two numbers are no further apart than `amount`.
    pub(super) fn is_near(self, other: Number, amount: f64) -> bool {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => left
                .checked_sub(right)
                .is_some_and(|apart| apart == 0 || apart.unsigned_abs() as f64 <= amount),
            _ => {
                let (left, right) = (self.float(), other.float());
                left == right || left.is_nan() && right.is_nan() || (left - right).abs() <= amount
            }
        }
    }

    fn float(self) -> f64 {
        match self {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        }
    }
}
