//! The machine's stack, its marks and its memo, and what they may take.

use super::machine::Machine;
use super::opcode::describe;
use crate::wire::Fault;
use crate::wire::value::{Node, NodeId};

impl Machine<'_> {
    /// The opcode needs so many things above the last mark.
    #[inline(always)]
    pub(super) fn need(&self, count: usize) -> Result<(), Fault> {
        if self.stack.len() - self.fence >= count { Ok(()) } else { Err(self.underflow()) }
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Result<NodeId, Fault> {
        if self.stack.len() > self.fence
            && let Some(top) = self.stack.pop()
        {
            return Ok(top);
        }
        Err(self.underflow())
    }

    #[inline]
    pub(super) fn top(&self) -> Result<NodeId, Fault> {
        match self.stack[self.fence..].last() {
            Some(&top) => Ok(top),
            None => Err(self.underflow()),
        }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, node: Node) -> Result<NodeId, Fault> {
        self.spend_nodes(1)?;
        Ok(self.value.add(node))
    }

    #[inline(always)]
    pub(super) fn spend_nodes(&mut self, count: usize) -> Result<(), Fault> {
        match self.nodes_left.checked_sub(count) {
            Some(left) => self.nodes_left = left,
            None => {
                return Err(self.limit(format!("more than {} nodes", self.limits.nodes), "nodes"));
            }
        }
        Ok(())
    }

    /// What containers hold is bounded, too: a few bytes of a pickle put the same node into them again
    /// and again.
    #[inline]
    pub(super) fn check_room(&self) -> Result<(), Fault> {
        if self.value.room_of_containers() <= self.room { Ok(()) } else { Err(self.too_full()) }
    }

    #[cold]
    fn too_full(&self) -> Fault {
        let found = format!("containers of more than {} elements in all", self.room);
        self.limit(found, "nodes")
    }

    /// Copying so many bytes and node ids is still allowed.
    pub(super) fn spend_copies(&mut self, bytes: usize, ids: usize) -> Result<(), Fault> {
        match (self.bytes_left.checked_sub(bytes), self.copies_left.checked_sub(ids)) {
            (Some(bytes), Some(ids)) => {
                self.bytes_left = bytes;
                self.copies_left = ids;
                Ok(())
            }
            (left, _) => {
                let name = if left.is_none() { "bytes" } else { "nodes" };
                Err(self.limit("the same data is copied again and again".to_owned(), name))
            }
        }
    }

    #[inline(always)]
    pub(super) fn push_leaf(&mut self, node: Node) -> Result<(), Fault> {
        let id = self.add(node)?;
        self.stack.push(id);
        Ok(())
    }

    /// Pushes a container of `elements`.
    #[inline]
    pub(super) fn push_container(&mut self, node: Node, elements: &[NodeId]) -> Result<(), Fault> {
        let id = self.add(node)?;
        let depth = self.depths.container(id, elements);
        self.check_depth(depth)?;
        self.stack.push(id);
        Ok(())
    }

    /// Pushes what has a node already.
    #[inline]
    pub(super) fn push_again(&mut self, node: NodeId) -> Result<(), Fault> {
        if self.stack.len() >= self.limits.nodes {
            return Err(
                self.limit(format!("more than {} things on the stack", self.limits.nodes), "nodes")
            );
        }
        self.stack.push(node);
        Ok(())
    }

    #[inline]
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Fault> {
        if depth <= self.limits.depth { Ok(()) } else { Err(self.too_deep()) }
    }

    #[inline]
    pub(super) fn mark(&mut self) -> Result<(), Fault> {
        // Whatever marks are for closes a container; nested deeper, that would be too deep.
        if self.marks.len() > 4 * self.limits.depth {
            return Err(self.limit(format!("more than {} marks", 4 * self.limits.depth), "depth"));
        }
        // The fence before; the stack is bounded far below 2^32.
        self.marks.push(self.fence as u32);
        self.fence = self.stack.len();
        Ok(())
    }

    /// Takes the last mark away; returns where on the stack it was.
    #[inline]
    pub(super) fn take_mark(&mut self) -> Result<usize, Fault> {
        let Some(before) = self.marks.pop() else {
            return Err(self.corrupt(format!("{} without a MARK", describe(self.reader.opcode()))));
        };
        Ok(std::mem::replace(&mut self.fence, before as usize))
    }

    // The memo.

    #[inline(always)]
    pub(super) fn get(&mut self, index: u64) -> Result<(), Fault> {
        match self.memo.get(index) {
            Some(node) => self.push_again(node),
            None => Err(self.corrupt(format!("nothing was put into the memo at {index}"))),
        }
    }

    #[inline(always)]
    pub(super) fn put(&mut self, index: u64) -> Result<(), Fault> {
        let top = self.top()?;
        if self.memo.len() >= self.limits.memo && self.memo.get(index).is_none() {
            return Err(self.limit(format!("more than {} memo entries", self.limits.memo), "memo"));
        }
        self.memo.put(index, top);
        Ok(())
    }

    pub(super) fn index_line(&mut self) -> Result<u64, Fault> {
        let line = self.reader.line()?;
        let text = std::str::from_utf8(line).ok();
        text.and_then(|text| text.trim_ascii().parse().ok())
            .ok_or_else(|| self.corrupt("the text is no index of the memo"))
    }
}
