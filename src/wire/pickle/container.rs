//! Containers, made and filled from the stack.

use super::keys::{self, Keyed};
use super::machine::Machine;
use crate::wire::Fault;
use crate::wire::value::{Items, Node, NodeId};

impl Machine<'_> {
    /// Replaces the stack from `from` on by a container of what was there.
    #[inline]
    pub(super) fn collect(
        &mut self,
        from: usize,
        node: fn(Items) -> Node,
    ) -> Result<NodeId, Fault> {
        self.spend_nodes(1)?;
        let elements = &self.stack[from..];
        let items = self.value.store_items(elements);
        let id = self.value.add(node(items));
        let depth = self.depths.container(id, elements);
        self.check_depth(depth)?;
        self.stack.truncate(from);
        self.check_room()?;
        self.stack.push(id);
        Ok(id)
    }

    #[inline]
    pub(super) fn collect_top(&mut self, count: usize) -> Result<(), Fault> {
        self.need(count)?;
        self.collect(self.stack.len() - count, Node::Tuple)?;
        Ok(())
    }

    /// What the stack has from `from` on goes into what is below it; nothing may go into anything, as
    /// in CPython.
    pub(super) fn target(&self, from: usize) -> Result<NodeId, Fault> {
        if from > self.fence { Ok(self.stack[from - 1]) } else { Err(self.underflow()) }
    }

    pub(super) fn append_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        if items.is_empty() {
            return Ok(());
        }
        match self.value.node_mut(target) {
            Node::List(list) => {
                let list = *list;
                let list = self.value.append_items(list, items);
                *self.value.node_mut(target) = Node::List(list);
            }
            Node::Object(object) => object.items.extend_from_slice(items),
            _ => return Err(self.wrong_target(target)),
        }
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        self.check_room()?;
        self.check_depth(depth)
    }

    pub(super) fn add_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        if items.is_empty() {
            return Ok(());
        }
        let compare = match self.value.node_mut(target) {
            Node::Set(set) => {
                let (set, fresh) = (*set, set.is_empty());
                let set = self.value.append_items(set, items);
                *self.value.node_mut(target) = Node::Set(set);
                !(fresh && keys::few_different(&self.value, items.iter().copied()))
            }
            Node::Object(object) => {
                object.items.extend_from_slice(items);
                false
            }
            _ => return Err(self.wrong_target(target)),
        };
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        self.check_room()?;
        if compare {
            self.compare_keys(target);
        }
        self.check_depth(depth)
    }

    pub(super) fn set_items(&mut self, from: usize) -> Result<(), Fault> {
        let target = self.target(from)?;
        let items = &self.stack[from..];
        if items.is_empty() {
            return Ok(());
        }
        let (pairs, []) = items.as_chunks::<2>() else {
            return Err(self.corrupt("a key without a value"));
        };
        let pairs = pairs.iter().map(|&[key, value]| (key, value));
        let compare = match self.value.node_mut(target) {
            Node::Dict(entries) => {
                let (entries, fresh) = (*entries, entries.is_empty());
                let entries = self.value.append_entries(entries, pairs);
                *self.value.node_mut(target) = Node::Dict(entries);
                let keys = items.iter().step_by(2).copied();
                // Records of one kind take their names from the memo: the same nodes each time.
                let known = fresh && self.different.iter().copied().eq(keys.clone());
                let different = known || fresh && keys::few_different(&self.value, keys.clone());
                if different && !known {
                    self.different.clear();
                    self.different.extend(keys);
                }
                !different
            }
            Node::Object(object) => {
                object.entries.extend(pairs);
                false
            }
            _ => return Err(self.wrong_target(target)),
        };
        let depth = self.depths.extend(target, items);
        self.stack.truncate(from);
        self.check_room()?;
        if compare {
            self.compare_keys(target);
        }
        self.check_depth(depth)
    }

    /// Has the members of a set compared that has just been made with them.
    pub(super) fn compare_members(&mut self, set: NodeId) {
        if let Node::Set(items) | Node::FrozenSet(items) = self.value.node(set)
            && !keys::few_different(&self.value, self.value.items(*items).iter().copied())
        {
            self.compare_keys(set);
        }
    }

    /// Has the keys of a mapping or set compared at the end.
    pub(super) fn compare_keys(&mut self, node: NodeId) {
        if self.keyed.last().is_none_or(|last| !last.is(node)) {
            self.keyed.push(Keyed::new(node, self.reader.at));
        }
    }
}
