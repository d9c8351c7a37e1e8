//! Requests that somebody expects, by exact name.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use super::{Audit, Request, RequestKind};
use crate::{Error, Result};

/// Names that are expected in pickles. That one is says nothing about what calling it does.
#[derive(Clone, Debug, Default)]
pub struct ExpectedNames(HashMap<Box<str>, HashSet<Box<str>>>);

/// One name that is expected: `MODULE.NAME`, or `MODULE:NAME` where the name in the module has dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedName {
    module: Box<str>,
    name: Box<str>,
}

impl FromIterator<ExpectedName> for ExpectedNames {
    fn from_iter<I: IntoIterator<Item = ExpectedName>>(all: I) -> ExpectedNames {
        let mut names: HashMap<_, HashSet<_>> = HashMap::new();
        for ExpectedName { module, name } in all {
            names.entry(module).or_default().insert(name);
        }
        ExpectedNames(names)
    }
}

impl FromStr for ExpectedName {
    type Err = Error;

    fn from_str(given: &str) -> Result<ExpectedName> {
        let halves = given.split_once(':').or_else(|| given.rsplit_once('.'));
        let is_name = |text: &str| {
            let is_part = |part: &str| {
                !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_')
            };
            text.split('.').all(is_part)
        };
        match halves {
            Some((module, name)) if is_name(module) && is_name(name) => {
                Ok(ExpectedName { module: module.into(), name: name.into() })
            }
            _ => Err(Error::Usage(
                "write one exact name as MODULE.NAME, or MODULE:NAME if the name has dots"
                    .to_owned(),
            )),
        }
    }
}

impl Audit {
    /// Marks the requests that are expected: names, and calls of them, whose arguments, state and
    /// elements are plain data or expected themselves. What is computed, changes a global, has no name
    /// or stands after a fault never is.
    pub fn expect(&mut self, names: &ExpectedNames) {
        let mut expected: Vec<bool> =
            self.requests.iter().map(|request| self.is_named(request, names)).collect();
        // Each stands before those that it uses. What several use stands below the first only: a
        // pickle is as expected for that only if all of its requests are.
        for (place, request) in self.requests.iter().enumerate().rev() {
            if let (false, Some(parent)) = (expected[place], request.parent) {
                expected[parent] = false;
            }
        }
        for (request, expected) in self.requests.iter_mut().zip(expected) {
            request.expected = expected;
        }
    }

    /// Whether there are requests, all of them expected, and nothing is wrong.
    pub fn is_expected(&self) -> bool {
        self.fault.is_none()
            && self.unlisted == 0
            && !self.requests.is_empty()
            && self.requests.iter().all(|request| request.expected)
    }

    fn is_named(&self, request: &Request, names: &ExpectedNames) -> bool {
        matches!(request.kind, RequestKind::Call | RequestKind::Global)
            && !request.after_error
            && self.finding(request).is_none()
            && self.global(request).is_some_and(|(module, name)| {
                names.0.get(module).is_some_and(|names| names.contains(name))
            })
    }
}
