//! Fields that a schema does not know.

use std::collections::HashMap;

use super::super::MAXIMUM_NODES;
use super::super::decode::too_many;
use super::super::scan::{Field, Payload};
use super::decode::Reader;
use super::names::Names;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::NodeId;
use crate::wire::{Fault, Value};

/// Fields that a schema does not know, each under a key of its own.
#[derive(Default)]
pub struct Fields {
    value: Value,
    names: Names,
    /// In the order in which each first occurred.
    order: Vec<(String, Vec<NodeId>)>,
    places: HashMap<String, usize>,
    /// How long the keys are together: paths are longer than the fields that they lead to.
    key_bytes: usize,
}

impl Fields {
    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Adds a field under `key`, of a message that begins at `base` and is nested so deep.
    pub fn add(
        &mut self,
        key: String,
        field: &Field<'_>,
        base: usize,
        depth: usize,
    ) -> Result<(), Fault> {
        self.key_bytes += key.len();
        let at = base + field.start;
        if self.key_bytes > MAXIMUM_LENGTH || self.value.len() > MAXIMUM_NODES {
            return Err(too_many(at));
        }
        let (value, names) = (&mut self.value, &mut self.names);
        let node = match field.payload {
            Payload::Group => {
                let group = Reader::new(value, names, field.content, at, depth + 1).read()?;
                names.wrap(value, "group", group)
            }
            Payload::Length(content) => {
                Reader::new(value, names, content, at, depth + 1).length_delimited()?
            }
            payload => names.number(value, payload),
        };
        self.insert(key, node);
        Ok(())
    }

    fn insert(&mut self, key: String, node: NodeId) {
        match self.places.get(&key) {
            Some(&place) => self.order[place].1.push(node),
            None => {
                self.places.insert(key.clone(), self.order.len());
                self.order.push((key, vec![node]));
            }
        }
    }

    /// Moves those inside the entries of a map, whose keys begin with `prefix` and a number: each entry to
    /// where `moved` has it, or away with the entry, where a later one has its key.
    pub fn renumber(&mut self, prefix: &str, moved: &[Option<usize>]) {
        let order = std::mem::take(&mut self.order);
        self.places.clear();
        for (key, items) in order {
            let inside = key.strip_prefix(prefix).and_then(|rest| rest.split_once(']'));
            let inside =
                inside.and_then(|(index, rest)| Some((index.parse::<usize>().ok()?, rest)));
            let key = match inside {
                None => key,
                Some((index, rest)) => match moved.get(index).copied().flatten() {
                    Some(place) => format!("{prefix}{place}]{rest}"),
                    None => continue,
                },
            };
            self.places.insert(key.clone(), self.order.len());
            self.order.push((key, items));
        }
    }

    /// The mapping of all of them.
    pub fn into_value(mut self) -> Value {
        let mut entries = Vec::with_capacity(self.order.len());
        for (key, items) in self.order {
            let item = match items[..] {
                [item] => item,
                _ => self.value.add_list(&items),
            };
            entries.push((self.value.add_str(&key), item));
        }
        let root = self.value.add_dict(&entries);
        self.value.set_root(root);
        self.value
    }
}
