//! What was read of messages, made values when nothing is added to them any more.

use std::collections::HashMap;

use super::super::layout::{Field, Kind};
use super::super::special;
use super::{Decoder, Record, Slot};
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, FaultKind};

impl Decoder<'_> {
    /// Makes the record, and those of the messages inside it, values; it is of this element of a field.
    pub(super) fn fill(
        &mut self,
        first: usize,
        element: Option<(&Field, usize)>,
    ) -> Result<(), Fault> {
        let layouts = self.layouts;
        // Those inside others were begun after them, and are there before them.
        while self.records.len() > first {
            let Some(record) = self.records.pop() else { break };
            let Record { layout: number, node, parent, fields } = record;
            let layout = layouts.at(number);
            if layout.is_entry {
                continue;
            }
            if layout.has_required {
                let is_missing = |place: &usize| {
                    layout.fields[*place].is_required
                        && fields.binary_search_by_key(place, |(place, _)| *place).is_err()
                };
                if let Some(place) = (0..layout.fields.len()).find(is_missing) {
                    let (message, field) = (&layout.name, &layout.fields[place].name);
                    let message = format!("the required field {message}.{field} is missing");
                    return Err(Fault::new(FaultKind::Schema, 0, message));
                }
            }
            let mut entries = Vec::with_capacity(fields.len());
            for (place, slot) in fields {
                let field = &layout.fields[place];
                if !field.has_presence && self.is_default(&field.kind, &slot) {
                    continue;
                }
                let item = match slot {
                    Slot::One(node) | Slot::Message(_, node) => node,
                    Slot::Many(items) => self.value.add_list(&items),
                    Slot::Map(entries) => {
                        let (map, moved) = self.map(&field.kind, entries);
                        if !moved.is_empty() && !self.unknown.is_empty() {
                            let path = self.path_of(parent, element);
                            self.unknown.renumber(&format!("{path}{}[", field.name), &moved);
                        }
                        map
                    }
                };
                entries.push((place, item));
            }
            if layout.special.is_some() && special::finish(self, number, node, &entries) {
                continue;
            }
            // There is one outermost message, others there may be many of.
            let is_outermost = self.records.is_empty() && self.open.is_empty();
            let mut named = Vec::with_capacity(entries.len());
            for (place, item) in entries {
                let name = match is_outermost {
                    true => self.value.add_str(&layout.fields[place].name),
                    false => self.name(number, place),
                };
                named.push((name, item));
            }
            *self.value.node_mut(node) = Node::Dict(self.value.store_entries(named));
        }
        Ok(())
    }

    /// The node of a field's name: it stands once, however often it is used.
    fn name(&mut self, layout: usize, place: usize) -> NodeId {
        let (layouts, value) = (self.layouts, &mut self.value);
        let name = || value.add_str(&layouts.at(layout).fields[place].name);
        *self.names.entry((layout, place)).or_insert_with(name)
    }

    /// The path to a record that is filled: it stands in this field of that record, or is an element.
    fn path_of(
        &self,
        mut parent: Option<(usize, usize)>,
        element: Option<(&Field, usize)>,
    ) -> String {
        let mut path = self.path();
        if let Some((field, index)) = element {
            path.push_str(&format!("{}[{index}].", field.name));
        }
        let mut names = Vec::new();
        while let Some((record, place)) = parent {
            let record = &self.records[record];
            names.push(&self.layouts.at(record.layout).fields[place].name);
            parent = record.parent;
        }
        for name in names.iter().rev() {
            path.push_str(&format!("{name}."));
        }
        path
    }

    /// The mapping of a map's entries: of those with equal keys the last, at the first one's place. Where
    /// there are such, also the place of each entry that is kept.
    fn map(
        &mut self,
        kind: &Kind,
        entries: Vec<(Option<NodeId>, Option<NodeId>)>,
    ) -> (NodeId, Vec<Option<usize>>) {
        let mut places = HashMap::with_capacity(entries.len());
        let mut kept: Vec<(NodeId, NodeId)> = Vec::with_capacity(entries.len());
        // Of each one kept, which entry it is.
        let mut last: Vec<usize> = Vec::with_capacity(entries.len());
        let none = |decoder: &mut Self| (decoder.value.add(Node::None), Vec::new());
        let Kind::Message(entry) = kind else { return none(self) };
        let [key_field, item_field] = &self.layouts.at(*entry).fields[..] else {
            return none(self);
        };
        let count = entries.len();
        for (index, (key, item)) in entries.into_iter().enumerate() {
            let key = key.unwrap_or_else(|| self.default(&key_field.kind));
            let item = item.unwrap_or_else(|| self.default(&item_field.kind));
            // Keys are integers, truth values or strings.
            let name = match self.value.node(key) {
                Node::Str(span) => self.value.span(*span).to_vec(),
                other => format!("{other:?}").into_bytes(),
            };
            let place = *places.entry(name).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(earlier) => {
                    earlier.1 = item;
                    last[place] = index;
                }
                None => {
                    kept.push((key, item));
                    last.push(index);
                }
            }
        }
        let mut moved = Vec::new();
        if kept.len() < count {
            moved = vec![None; count];
            last.iter().enumerate().for_each(|(place, &index)| moved[index] = Some(place));
        }
        (self.value.add_dict(&kept), moved)
    }

    /// The node of a field that is not on the wire, but must be there.
    pub(in super::super) fn default(&mut self, kind: &Kind) -> NodeId {
        match kind {
            Kind::Message(place) => {
                let node = self.value.add_dict(&[]);
                if self.layouts.at(*place).special.is_some() {
                    special::finish(self, *place, node, &[]);
                }
                node
            }
            Kind::Bool => self.value.add(Node::Bool(false)),
            Kind::String => self.value.add_str(""),
            Kind::Bytes => self.value.add_bytes(b""),
            Kind::Double | Kind::Float => self.value.add(Node::Float(0.0)),
            Kind::Enum(kind, _) => self.value.add_str(kind.default_value().name()),
            Kind::Null => self.value.add(Node::None),
            _ => self.value.add(Node::Int(0)),
        }
    }

    /// Whether a field without presence has the value that it has when it is not set.
    fn is_default(&self, kind: &Kind, slot: &Slot) -> bool {
        match slot {
            Slot::One(node) => match (self.value.node(*node), kind) {
                (Node::Int(0) | Node::Bool(false) | Node::None, _) => true,
                (Node::Float(float), _) => float.to_bits() == 0,
                (Node::Str(name), Kind::Enum(kind, _)) => kind
                    .get_value(0)
                    .is_some_and(|zero| zero.name().as_bytes() == self.value.span(*name)),
                (Node::Str(span) | Node::Bytes(span), _) => span.is_empty(),
                _ => false,
            },
            Slot::Message(..) => false,
            Slot::Many(items) => items.is_empty(),
            Slot::Map(entries) => entries.is_empty(),
        }
    }
}
