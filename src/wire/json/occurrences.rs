//! What is written once and referred to.

use std::collections::HashMap;

use crate::wire::Value;
use crate::wire::value::{Class, Node, NodeId};

/// What is shorter is written again each time it occurs: a `$ref` is no shorter.
const SHORT: usize = 16;
/// What may be written again, in bytes, before longer leaves are written once and referred to. A few
/// bytes of a pickle fetch a text of megabytes from the memo as often as they like.
const REPEATED: usize = 16 << 20;

/// Which nodes are written once and referred to.
#[derive(Default)]
pub(super) struct Occurrences {
    /// Of containers, and of leaves that are not short.
    marks: Vec<Occurs>,
    /// Whether leaves are, too.
    pub(super) share_leaves: bool,
}

impl Occurrences {
    /// Of all that can be reached from `roots`, but through nothing that another thing stands for.
    pub(super) fn of(
        value: &Value,
        roots: impl IntoIterator<Item = NodeId>,
        stand_ins: Option<&HashMap<NodeId, usize>>,
    ) -> Occurrences {
        let mut found = Occurrences::default();
        let mut roots = roots.into_iter().peekable();
        // A leaf alone occurs once, and short leaves may occur as often as they like: the ordinary
        // message is a record of such.
        let is_short = |id: NodeId| {
            let node = value.node(id);
            !has_identity(node) && leaf_size(node) <= SHORT
        };
        let is_flat =
            |&root: &NodeId| !has_identity(value.node(root)) || value.children(root).all(is_short);
        if roots.peek().is_none_or(|root| stand_ins.is_none() && is_flat(root)) {
            return found;
        }
        found.marks = vec![Occurs::Never; value.len()];
        let mut repeated = 0usize;
        let mut waiting = Vec::new();
        let mut visit = |id: NodeId, waiting: &mut Vec<NodeId>| {
            let node = value.node(id);
            let has_identity = has_identity(node);
            let size = if has_identity { 0 } else { leaf_size(node) };
            if !has_identity && size <= SHORT
                || stand_ins.is_some_and(|stand_ins| stand_ins.contains_key(&id))
            {
                return;
            }
            let mark = &mut found.marks[id.index()];
            if *mark != Occurs::Never {
                *mark = Occurs::Often;
                repeated = repeated.saturating_add(size);
                return;
            }
            *mark = Occurs::Once;
            if has_identity {
                waiting.push(id);
            }
        };
        roots.for_each(|root| visit(root, &mut waiting));
        while let Some(id) = waiting.pop() {
            value.children(id).for_each(|child| visit(child, &mut waiting));
        }
        found.share_leaves = repeated > REPEATED;
        found
    }

    /// Whether a node is written with an `$id`.
    pub(super) fn is_identified(&self, value: &Value, id: NodeId) -> bool {
        self.marks.get(id.index()) == Some(&Occurs::Often)
            && (self.share_leaves || has_identity(value.node(id)))
    }
}

/// How often a node occurs in what is written.
#[derive(Clone, Copy, PartialEq)]
enum Occurs {
    Never,
    Once,
    Often,
}

/// Whether it matters that a node is the same one: a bare reference to a class is as good as another,
/// but what is put into a bytearray is in it wherever that stands.
fn has_identity(node: &Node) -> bool {
    match node {
        Node::List(_) | Node::Tuple(_) | Node::Set(_) | Node::FrozenSet(_) | Node::Dict(_) => true,
        Node::ByteArray(_) => true,
        Node::Object(object) => object.arguments.is_some() || object.has_children(),
        _ => false,
    }
}

/// About how many bytes writing a leaf takes.
fn leaf_size(node: &Node) -> usize {
    match node {
        Node::Str(span) | Node::Surrogates(span) | Node::Bytes(span) => span.len(),
        Node::BigInt(integer) => (integer.bits() / 4) as usize,
        Node::Object(object) => match &object.class {
            Class::Global { module, name } => module.len() + name.len(),
            _ => 0,
        },
        _ => 0,
    }
}
