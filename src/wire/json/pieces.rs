//! Pieces of one value, written one after the other.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::occurrences::Occurrences;
use super::writer::{Parts, Writer};
use crate::wire::Value;
use crate::wire::value::NodeId;

/// Writes the parts of some objects, in which what they share stands once. The objects themselves are
/// not written but stand as `{"$request":n}`: so however much is shared, all pieces together take no more
/// than the value would.
pub struct Pieces<'v> {
    value: &'v Value,
    occurrences: Occurrences,
    ids: HashMap<NodeId, usize>,
    stand_ins: &'v HashMap<NodeId, usize>,
}

impl<'v> Pieces<'v> {
    /// For these objects, each with the number that stands for it.
    pub fn new(value: &'v Value, stand_ins: &'v HashMap<NodeId, usize>) -> Pieces<'v> {
        let parts = stand_ins.keys().flat_map(|&object| value.children(object));
        let occurrences = Occurrences::of(value, parts, Some(stand_ins));
        Pieces { value, occurrences, ids: HashMap::new(), stand_ins }
    }

    /// Appends `,"name":` and the node.
    pub fn member(&mut self, name: &str, node: NodeId, json: &mut String) {
        self.write(name, json, |writer| writer.node(node));
    }

    /// Appends `,"name":[…]`.
    pub fn items(&mut self, name: &str, items: &'v [NodeId], json: &mut String) {
        self.write(name, json, |writer| writer.begin("[", Parts::Items(items), "]", false));
    }

    /// Appends `,"name":[[…,…],…]`.
    pub fn pairs(&mut self, name: &str, pairs: &'v [(NodeId, NodeId)], json: &mut String) {
        self.write(name, json, |writer| writer.begin("[", Parts::Pairs(pairs), "]", false));
    }

    fn write(&mut self, name: &str, json: &mut String, begin: impl FnOnce(&mut Writer<'v, '_>)) {
        // Writing to a String cannot fail.
        let _ = write!(json, ",\"{name}\":");
        let mut writer = Writer {
            value: self.value,
            json,
            occurrences: std::mem::take(&mut self.occurrences),
            ids: std::mem::take(&mut self.ids),
            open: Vec::new(),
            stand_ins: Some(self.stand_ins),
        };
        begin(&mut writer);
        while writer.step() {}
        (self.occurrences, self.ids) = (writer.occurrences, writer.ids);
    }
}
