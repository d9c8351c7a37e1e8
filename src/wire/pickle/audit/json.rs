//! Audits as JSON.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::request::What;
use super::{Audit, Request};
use crate::Result;
use crate::wire::json::{self, Pieces};
use crate::wire::value::{Class, NodeId};

/// So much is written at once, in bytes.
const BATCH: usize = 1 << 16;

impl Audit {
    /// Hands the members of the audit's JSON object to `write`, piece by piece: `"verdict":…`,
    /// `"requests":[…]` and, where there is one, `"error":{…}`. Offsets count from `header` bytes before
    /// the pickle.
    ///
    /// A request is known by its place in the list, and stands as `{"$request":n}` where another one uses
    /// it. Other values are tagged JSON, in which `$id` and `$ref` hold for all of the list.
    ///
    /// # Errors
    /// What `write` says.
    pub fn write_json(
        &self,
        header: usize,
        write: &mut dyn FnMut(&str) -> Result<()>,
    ) -> Result<()> {
        let mut line = format!(r#""verdict":"{}","requests":["#, self.verdict().name());
        let numbers: HashMap<NodeId, usize> = self
            .requests
            .iter()
            .enumerate()
            .filter_map(|(number, request)| match request.what {
                What::Node(node) => Some((node, number)),
                _ => None,
            })
            .collect();
        let mut pieces = Pieces::new(&self.value, &numbers);
        for (number, request) in self.requests.iter().enumerate() {
            if number > 0 {
                line.push(',');
            }
            self.request(number, request, header, &mut pieces, &mut line);
            if line.len() >= BATCH {
                write(&line)?;
                line.clear();
            }
        }
        line.push(']');
        if self.unlisted > 0 {
            let _ = write!(line, r#","unlisted":{}"#, self.unlisted);
        }
        if let Some(fault) = &self.fault {
            let (kind, at) = (fault.kind.name(), header + fault.at);
            let _ = write!(line, r#","error":{{"kind":"{kind}","at":{at},"message":"#);
            json::write_string(&fault.message, &mut line);
            line.push('}');
        }
        write(&line)
    }

    fn request<'a>(
        &'a self,
        number: usize,
        request: &Request,
        header: usize,
        pieces: &mut Pieces<'a>,
        line: &mut String,
    ) {
        let _ = write!(line, r#"{{"id":{number},"kind":"{}""#, request.kind.name());
        if let Some(parent) = request.parent {
            let _ = write!(line, r#","parent":{parent}"#);
        }
        if let Some((module, name)) = self.global(request) {
            line.push_str(r#","module":"#);
            json::write_string(module, line);
            line.push_str(r#","name":"#);
            json::write_string(name, line);
        }
        let offset = header + request.offset;
        let _ = write!(line, r#","opcode":"{}","offset":{offset}"#, request.opcode_name());
        if let Some(object) = self.object(request) {
            match &object.class {
                Class::Computed(node) => pieces.member("computed", *node, line),
                Class::Persistent(node) => pieces.member("persistent", *node, line),
                Class::Extension(code) => {
                    let _ = write!(line, r#","extension":{code}"#);
                }
                Class::Buffer(order) => {
                    let _ = write!(line, r#","buffer":{order}"#);
                }
                Class::Global { .. } => {}
            }
            if let Some(arguments) = &object.arguments {
                pieces.items("arguments", arguments, line);
            }
            if !object.keywords.is_empty() {
                pieces.pairs("keywords", &object.keywords, line);
            }
            if let Some(state) = object.state {
                pieces.member("state", state, line);
            }
            if !object.items.is_empty() {
                pieces.items("items", &object.items, line);
            }
            if !object.entries.is_empty() {
                pieces.pairs("entries", &object.entries, line);
            }
        }
        let result = match request.kept {
            Some(true) => "kept",
            Some(false) => "discarded",
            None => "unknown",
        };
        let _ = write!(line, r#","result":"{result}""#);
        if self.fault.is_some() {
            let when = if request.after_error { "after" } else { "before" };
            let _ = write!(line, r#","when":"{when}_error""#);
        }
        if request.expected {
            line.push_str(r#","expected":true"#);
        }
        if let Some(finding) = self.finding(request) {
            let _ = write!(line, r#","finding":"{}""#, finding.name());
        }
        if let Some(note) = self.note(request) {
            line.push_str(r#","note":"#);
            json::write_string(note.text, line);
            if note.gadget {
                line.push_str(r#","gadget":true"#);
            }
        }
        line.push('}');
    }
}
