//! A request as a line of the tree, and many in one line.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::super::printer::{DIM, FAULT};
use crate::wire::pickle::{Audit, Request};
use crate::wire::visible;

/// How many names are counted of the requests that are not listed.
const NAMES: usize = 20;
/// How much of each, in bytes.
const NAME_SHOWN: usize = 80;
/// How far a tree is indented, in levels.
const LEVELS: usize = 20;

/// One request.
pub(super) fn request_line(audit: &Audit, request: &Request, header: usize) -> String {
    let indent = "  ".repeat(request.depth.min(LEVELS) + 1);
    let deep = match request.depth {
        0..=LEVELS => String::new(),
        depth => format!("({depth} deep) "),
    };
    let shown = audit.describe(request);
    let (opcode, at) = (request.opcode_name(), header + request.offset);
    let result = match request.kept {
        _ if request.after_error => ", after the error",
        Some(true) => ", kept",
        Some(false) => ", discarded",
        None => ", before the error",
    };
    let expected = if request.expected { ", expected" } else { "" };
    let mut line =
        format!("{indent}{deep}{shown}  {DIM}{opcode} at byte {at}{result}{expected}{DIM:#}");
    if let Some(finding) = audit.describe_finding(request) {
        let _ = write!(line, "; {FAULT}{finding}{FAULT:#}");
    }
    if let Some(note) = audit.note(request) {
        let style = if note.gadget { FAULT } else { DIM };
        let _ = write!(line, "; {style}{}{style:#}", note.text);
    }
    line
}

/// The names of the requests that are not listed, what is known from harm first.
pub(super) fn rest_line(audit: &Audit, rest: &[Request]) -> String {
    let mut names: HashMap<_, (usize, &Request)> = HashMap::new();
    for request in rest {
        let key = (audit.global(request), request.kind, audit.finding(request).is_some());
        names.entry(key).or_insert((0, request)).0 += 1;
    }
    let mut names: Vec<_> = names.into_iter().collect();
    // What is known of a name is looked up, which comparing is to do but once for each.
    names.sort_by_cached_key(|&((_, _, finding), (count, first))| {
        let gadget = audit.note(first).is_some_and(|note| note.gadget);
        (!finding, !gadget, std::cmp::Reverse(count), first.offset)
    });
    let listed = names.iter().take(NAMES).map(|&((global, kind, finding), (count, _))| {
        let name = match global {
            Some((module, name)) => visible(&format!("{module}.{name}")).into_owned(),
            None if finding => "a computed name".to_owned(),
            None => kind.name().replace('_', " "),
        };
        let end = name.floor_char_boundary(NAME_SHOWN);
        format!("{} {count}", &name[..end])
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(", and {more} more names"),
    };
    format!("  and {} more: {listed}{more}", rest.len())
}
