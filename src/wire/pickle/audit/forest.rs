//! Which objects of a value are requests, and which of them uses which: a forest of them all.

use std::collections::HashSet;

use crate::wire::pickle::is_plain_constructor;
use crate::wire::value::{Class, Node, NodeId, Value};

/// A request's place in the forest.
pub(super) struct Place {
    pub(super) node: NodeId,
    /// By its place in the list.
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
}

/// The requests of a value, reachable or not, each before those it uses. What several use stands below
/// the first one. Takes time and memory in proportion to the value, whatever is shared or cyclic.
pub(super) fn grow(value: &Value, has_root: bool) -> Vec<Place> {
    // The usual case: nothing but data.
    if !value.ids().any(|id| matches!(value.node(id), Node::Object(_))) {
        return Vec::new();
    }
    let requests = requests(value, has_root);
    let used = used(value, &requests);
    let mut forest = Forest { value, placed: vec![false; value.len()], places: Vec::new() };
    for &node in requests.iter().filter(|node| !used[node.index()]) {
        forest.plant(node);
    }
    // What is left uses itself in a circle: it begins with whichever was asked for first.
    for &node in &requests {
        forest.plant(node);
    }
    forest.places
}

/// For each node whether it is part of the value that begins at the root.
pub(super) fn reached_from_root(value: &Value) -> Vec<bool> {
    let mut reached = vec![false; value.len()];
    if !value.is_empty() {
        reach(value, vec![value.root()], &mut reached, |_| true);
    }
    reached
}

/// The objects that are requests by themselves: not the names that calls and plain data stand for.
fn requests(value: &Value, has_root: bool) -> Vec<NodeId> {
    let mut referred = vec![false; value.len()];
    let mut called = HashSet::new();
    for id in value.ids() {
        if !value.node(id).is_container() {
            continue;
        }
        value.children(id).for_each(|child| referred[child.index()] = true);
        if let Node::Object(object) = value.node(id)
            && object.arguments.is_some()
        {
            called.insert(name(&object.class));
        }
    }
    if has_root && !value.is_empty() {
        referred[value.root().index()] = true;
    }
    let is_request = |&id: &NodeId| {
        let Node::Object(object) = value.node(id) else { return false };
        if !object.is_reference() || referred[id.index()] {
            return true;
        }
        match &object.class {
            // A call that names it says as much and more.
            class @ (Class::Global { .. } | Class::Extension(_)) => {
                !is_plain_constructor(class) && !called.contains(&name(class))
            }
            _ => true,
        }
    };
    let mut requests: Vec<NodeId> = value.ids().filter(is_request).collect();
    requests.sort_by_key(|&id| match value.node(id) {
        Node::Object(object) => object.offset,
        _ => 0,
    });
    requests
}

#[derive(PartialEq, Eq, Hash)]
enum Name<'v> {
    Global(&'v str, &'v str),
    Extension(i64),
    Other,
}

fn name(class: &Class) -> Name<'_> {
    match class {
        Class::Global { module, name } => Name::Global(module, name),
        Class::Extension(code) => Name::Extension(*code),
        Class::Computed(_) | Class::Persistent(_) | Class::Buffer(_) => Name::Other,
    }
}

/// For each node whether a request uses it.
fn used(value: &Value, requests: &[NodeId]) -> Vec<bool> {
    let mut used = vec![false; value.len()];
    for &request in requests {
        let mut begin = Vec::new();
        for child in value.children(request) {
            if !used[child.index()] {
                begin.push(child);
            }
        }
        // Requests are where others begin: nobody needs to go through them.
        reach(value, begin, &mut used, |node| !matches!(node, Node::Object(_)));
    }
    used
}

/// Marks what can be reached from these nodes, going on only through some.
fn reach(
    value: &Value,
    mut waiting: Vec<NodeId>,
    reached: &mut [bool],
    goes_on: impl Fn(&Node) -> bool,
) {
    waiting.iter().for_each(|id| reached[id.index()] = true);
    while let Some(id) = waiting.pop() {
        let node = value.node(id);
        if !node.is_container() || !goes_on(node) {
            continue;
        }
        for child in value.children(id) {
            if !std::mem::replace(&mut reached[child.index()], true) {
                waiting.push(child);
            }
        }
    }
}

struct Forest<'v> {
    value: &'v Value,
    placed: Vec<bool>,
    places: Vec<Place>,
}

impl Forest<'_> {
    /// Places a request and all that it uses, unless it has its place.
    fn plant(&mut self, root: NodeId) {
        if std::mem::replace(&mut self.placed[root.index()], true) {
            return;
        }
        let mut waiting: Vec<(NodeId, Option<usize>)> = vec![(root, None)];
        while let Some((id, mut parent)) = waiting.pop() {
            if let Node::Object(_) = self.value.node(id) {
                let depth = parent.map_or(0, |parent| self.places[parent].depth + 1);
                self.places.push(Place { node: id, parent, depth });
                parent = Some(self.places.len() - 1);
            }
            let before = waiting.len();
            for child in self.value.children(id) {
                let new = self.value.node(child).is_container() && !self.placed[child.index()];
                if new {
                    self.placed[child.index()] = true;
                    waiting.push((child, parent));
                }
            }
            // What comes first is taken first.
            waiting[before..].reverse();
        }
    }
}
