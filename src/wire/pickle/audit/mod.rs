//! What a pickle asks for, without doing it.
//!
//! A pickle is *plain data only* where that can be proved: it names nothing but what CPython's pickler
//! names for plain data, calls nothing, and refers to nothing outside itself. Anything else is a list
//! of requests, each with the place of the opcode that makes it. Nothing is judged: no list of names
//! says what is harmful, and none of what is harmless. A pickle that turns out to be broken has asked
//! for all that stands before the fault, as whoever loads it has done that by then.

mod count;
mod describe;
mod expect;
mod forest;
mod json;
mod note;
mod request;
mod scan;

pub use count::Counts;
pub use describe::SHOWN;
pub use expect::{ExpectedName, ExpectedNames};
pub use note::{Note, note};
pub use request::{Finding, Request, RequestKind};

use std::collections::HashSet;

use super::{Limits, opcode, salvage};
use crate::wire::value::{Class, Node, Object, Value};
use crate::wire::{Fault, FaultKind};
use request::What;

/// Looks into one pickle, whole or not, well-formed or not. Nothing is imported or called.
///
/// Bytes after the pickle's end are a fault, and are looked through as those after any other.
pub fn audit(bytes: &[u8], limits: &Limits) -> Audit {
    let (mut value, fault) = salvage(bytes, limits);
    let mut ended = fault.is_none();
    // An unpickler does not mind what follows STOP: of what stands before, all is known.
    if let Some(at) = fault.as_ref().map(|fault| fault.at)
        && at < bytes.len()
        && bytes[..at].last() == Some(&opcode::STOP)
        && let (whole, None) = salvage(&bytes[..at], limits)
    {
        value = whole;
        ended = true;
    }
    let (requests, names) = (Vec::new(), Vec::new());
    let mut audit = Audit { value, requests, names, fault, ended, unlisted: 0 };
    audit.list(bytes, limits);
    audit
}

/// What one pickle asks for.
#[derive(Clone, Debug)]
pub struct Audit {
    value: Value,
    /// Each before those that it uses, otherwise in the order of their opcodes; those found after a
    /// fault come last.
    requests: Vec<Request>,
    /// The names that were found after a fault.
    names: Vec<(Box<str>, Box<str>)>,
    fault: Option<Fault>,
    /// Whether the value is complete, so that it shows what of the results is kept.
    ended: bool,
    /// How many more were found after a fault.
    unlisted: usize,
}

/// What can be said of a pickle in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is plain data and nothing else.
    PlainData,
    /// It asks for something beyond plain data; it may be broken as well.
    Requests,
    /// It is no pickle, or a broken one that asks for nothing before it breaks.
    Unreadable,
}

impl Audit {
    /// In a word.
    pub fn verdict(&self) -> Verdict {
        match (&self.fault, self.requests.is_empty()) {
            (_, false) => Verdict::Requests,
            (None, true) => Verdict::PlainData,
            (Some(_), true) => Verdict::Unreadable,
        }
    }

    /// All that it asks for.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// What is wrong with the pickle, if anything is.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// Says that the bytes were cut out of something broken: what its framing found wrong counts for
    /// more than that the bytes end too soon.
    pub fn blame(&mut self, fault: Fault) {
        if self.fault.as_ref().is_none_or(|known| known.kind == FaultKind::Truncated) {
            self.fault = Some(fault);
        }
    }

    /// How many more names than are listed were found after the fault.
    pub fn unlisted(&self) -> usize {
        self.unlisted
    }

    /// The module and the name of what is asked for; `None` where it is not named.
    pub fn global(&self, request: &Request) -> Option<(&str, &str)> {
        match request.what {
            What::Name(number) => self.names.get(number).map(|(module, name)| (&**module, &**name)),
            _ => match &self.object(request)?.class {
                Class::Global { module, name } => Some((module, name)),
                _ => None,
            },
        }
    }

    /// What to look at first about a request.
    pub fn finding(&self, request: &Request) -> Option<Finding> {
        let Some(object) = self.object(request) else {
            let computed = request.what == What::Unknown && request.opcode == opcode::STACK_GLOBAL;
            return computed.then_some(Finding::ComputedName);
        };
        match &object.class {
            Class::Computed(_) if request.opcode == opcode::STACK_GLOBAL => {
                Some(Finding::ComputedName)
            }
            Class::Global { .. } | Class::Extension(_) if request.kind == RequestKind::Change => {
                Some(Finding::ChangedGlobal)
            }
            _ => None,
        }
    }

    /// What is known of what it asks for.
    pub fn note(&self, request: &Request) -> Option<Note> {
        self.global(request).and_then(|(module, name)| note(module, name))
    }

    fn object(&self, request: &Request) -> Option<&Object> {
        let What::Node(node) = request.what else { return None };
        match self.value.node(node) {
            Node::Object(object) => Some(object),
            _ => None,
        }
    }

    fn list(&mut self, bytes: &[u8], limits: &Limits) {
        let broken_at = self.fault.as_ref().map_or(usize::MAX, |fault| fault.at);
        let places = forest::grow(&self.value, self.ended);
        let looked_for = self.ended && !places.is_empty();
        let kept = looked_for.then(|| forest::reached_from_root(&self.value));
        for place in places {
            let Node::Object(object) = self.value.node(place.node) else { continue };
            self.requests.push(Request {
                kind: RequestKind::of(object),
                opcode: bytes.get(object.offset).copied().unwrap_or_default(),
                offset: object.offset,
                parent: place.parent,
                depth: place.depth,
                kept: kept.as_ref().map(|kept| kept[place.node.index()]),
                // Keys are compared last: then there are requests after a fault.
                after_error: object.offset > broken_at,
                expected: false,
                what: What::Node(place.node),
            });
        }
        if let Some(fault) = &self.fault
            && (fault.at > 0 || bytes.first().is_some_and(|&code| is_opcode(code)))
        {
            self.list_after(bytes, broken_at, limits);
        }
    }

    /// Adds what the opcodes after a fault ask for.
    fn list_after(&mut self, bytes: &[u8], broken_at: usize, limits: &Limits) {
        let known: HashSet<usize> = (self.value.ids())
            .filter_map(|id| match self.value.node(id) {
                Node::Object(object) if object.offset >= broken_at => Some(object.offset),
                _ => None,
            })
            .collect();
        let (found, unlisted) = scan::after(bytes, broken_at, limits);
        self.unlisted = unlisted;
        for found in found.into_iter().filter(|found| !known.contains(&found.offset)) {
            let what = match found.name {
                Some(name) => {
                    self.names.push(name);
                    What::Name(self.names.len() - 1)
                }
                None => What::Unknown,
            };
            self.requests.push(Request {
                kind: found.kind,
                opcode: found.opcode,
                offset: found.offset,
                parent: None,
                depth: 0,
                kept: None,
                after_error: true,
                expected: false,
                what,
            });
        }
    }
}

impl Verdict {
    /// The name used in JSON: `plain_data`, `requests`, `unreadable`.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::PlainData => "plain_data",
            Verdict::Requests => "requests",
            Verdict::Unreadable => "unreadable",
        }
    }
}

fn is_opcode(code: u8) -> bool {
    super::opcode_name(code).is_some()
}
