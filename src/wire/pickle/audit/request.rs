//! One request.

use crate::wire::pickle::opcode_name;
use crate::wire::value::{Class, NodeId, Object};

/// One thing that a pickle asks for beyond plain data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// What is asked for.
    pub kind: RequestKind,
    /// The opcode that asks for it.
    pub opcode: u8,
    /// Where the opcode stands, in bytes from the pickle's first.
    pub offset: usize,
    /// The request that uses this one's result, by its place in the list: the first one that does.
    pub parent: Option<usize>,
    /// How many requests this one stands below.
    pub depth: usize,
    /// Whether the result is part of the pickle's value; `None` where a fault leaves that open.
    pub kept: Option<bool>,
    /// Whether it stands after a fault, or is no more than a name found there. An unpickler that has
    /// the same objection comes no further than the fault; one with larger limits, or one that does
    /// not mind, does.
    pub after_error: bool,
    /// Whether somebody said that it is expected, as [`Audit::expect`](super::Audit::expect) has it.
    pub expected: bool,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Node(NodeId),
    /// The name with this number among those that were found after a fault.
    Name(usize),
    Unknown,
}

/// The kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestKind {
    /// Something is called, or an object is made.
    Call,
    /// A class, a function or another thing in a module is changed in place.
    Change,
    /// A module is imported and a name looked up in it; nothing is called.
    Global,
    /// The receiver's object of a persistent id.
    PersistentId,
    /// An entry of `copyreg`'s extension registry.
    Extension,
    /// A buffer that is not in the pickle.
    Buffer,
}

/// What to look at first, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The name to be looked up is itself computed by a call: nobody can say here which it is.
    ComputedName,
    /// What a module holds is changed for the whole process.
    ChangedGlobal,
}

impl RequestKind {
    pub(super) fn of(object: &Object) -> RequestKind {
        match object.class {
            _ if object.arguments.is_some() => RequestKind::Call,
            Class::Persistent(_) => RequestKind::PersistentId,
            Class::Buffer(_) => RequestKind::Buffer,
            _ if !object.is_reference() => RequestKind::Change,
            Class::Extension(_) => RequestKind::Extension,
            Class::Global { .. } | Class::Computed(_) => RequestKind::Global,
        }
    }

    /// The name used in JSON: `call`, `change`, `global`, `persistent_id`, `extension`, `buffer`.
    pub fn name(self) -> &'static str {
        match self {
            RequestKind::Call => "call",
            RequestKind::Change => "change",
            RequestKind::Global => "global",
            RequestKind::PersistentId => "persistent_id",
            RequestKind::Extension => "extension",
            RequestKind::Buffer => "buffer",
        }
    }
}

impl Finding {
    /// The name used in JSON: `computed_name`, `changed_global`.
    pub fn name(self) -> &'static str {
        match self {
            Finding::ComputedName => "computed_name",
            Finding::ChangedGlobal => "changed_global",
        }
    }
}

impl Request {
    /// The name of the opcode that asks for it.
    pub fn opcode_name(&self) -> &'static str {
        opcode_name(self.opcode).unwrap_or("?")
    }
}
