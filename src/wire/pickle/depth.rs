//! How deep a value is nested, found without recursion.

use crate::wire::value::{NodeId, Value};

/// The container was put into another one.
const HELD: u16 = 1 << 15;
/// Depths above this are not told apart.
const DEEPEST: usize = (HELD - 1) as usize;

/// The depth of each node while a value is being built: 0 for what holds nothing, 1 for a container,
/// one more than its deepest element's for a container with elements.
#[derive(Default)]
pub(super) struct Depths {
    /// By node, as far as the last container.
    depths: Vec<u16>,
    /// Whether a container grew deeper after it was put into another: then these depths are not
    /// exact any more, and [`exceeds`] has to look. CPython's pickler does this for cycles only.
    pub(super) inexact: bool,
}

impl Depths {
    /// The node is a container of `elements`, and has just been added.
    #[inline]
    pub(super) fn container(&mut self, node: NodeId, elements: &[NodeId]) -> usize {
        let depth = 1 + self.deepest(elements);
        self.depths.resize(node.index(), 0);
        self.depths.push(depth.min(DEEPEST) as u16);
        depth
    }

    /// `container` gets `elements`; returns its depth now.
    #[inline]
    pub(super) fn extend(&mut self, container: NodeId, elements: &[NodeId]) -> usize {
        let depth = 1 + self.deepest(elements);
        let known = &mut self.depths[container.index()];
        if depth > usize::from(*known & !HELD) {
            self.inexact |= *known & HELD != 0;
            *known = *known & HELD | depth.min(DEEPEST) as u16;
        }
        depth
    }

    #[inline]
    fn deepest(&mut self, elements: &[NodeId]) -> usize {
        let mut deepest = 0;
        for element in elements {
            if let Some(depth) = self.depths.get_mut(element.index())
                && *depth != 0
            {
                *depth |= HELD;
                deepest = deepest.max(*depth & !HELD);
            }
        }
        usize::from(deepest)
    }
}

/// Whether `value` is nested deeper than `limit`, following each path until it closes.
pub(super) fn exceeds(value: &Value, limit: usize) -> bool {
    // 0 is "not seen", 1 "on the path", else its depth and 2.
    let mut known = vec![0u32; value.len()];
    let mut path = Vec::new();
    let mut next = Some(value.root());
    loop {
        if let Some(node) = next.take() {
            known[node.index()] = 1;
            path.push((node, value.children(node), 0u32));
        }
        let depth_here = path.len();
        let Some((node, children, deepest)) = path.last_mut() else { return false };
        match children.next() {
            Some(child) => match known[child.index()] {
                0 => next = Some(child),
                1 => {}
                depth => *deepest = (*deepest).max(depth - 2),
            },
            None => {
                let holds = value.node(*node).is_container();
                let depth = *deepest + u32::from(holds);
                // The path down to here, without this node, and what hangs below it.
                if depth_here - 1 + depth as usize > limit {
                    return true;
                }
                known[node.index()] = depth + 2;
                path.pop();
                if let Some((_, _, deepest)) = path.last_mut() {
                    *deepest = (*deepest).max(depth);
                }
            }
        }
        // A path longer than the limit is too deep already; this bounds the path's memory.
        if path.len() > limit + 1 {
            return true;
        }
    }
}
