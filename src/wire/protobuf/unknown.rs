//! Fields that a schema does not know, by the place where they are written back: from what
//! [`decode`](super::decode()) gives them as, a mapping by number and path.

use std::cell::Cell;
use std::collections::HashMap;

use crate::wire::Value;
use crate::wire::value::{Node, NodeId};

/// The unknown fields of a message, and of those inside it.
pub(super) struct Unknown<'v> {
    pub(super) value: &'v Value,
    /// The message is the first.
    messages: Vec<Message<'v>>,
}

/// Of one message, by its place among all that have some, or hold such that have.
#[derive(Clone, Copy)]
pub(super) struct Place(usize);

#[derive(Default)]
struct Message<'v> {
    /// By number, in the order given.
    fields: Vec<(u32, NodeId)>,
    /// By the name of the field that holds it, and which of its elements it is.
    inside: HashMap<(&'v str, Option<usize>), usize>,
    is_written: Cell<bool>,
}

impl<'v> Unknown<'v> {
    /// The fields that `value` stands for, or why it stands for none.
    pub(super) fn of(value: &'v Value) -> Result<Unknown<'v>, String> {
        let Node::Dict(entries) = value.node(value.root()) else {
            let found = value.node(value.root()).describe();
            return Err(format!(
                "unknown: it is a mapping from numbers and paths to fields, not {found}"
            ));
        };
        let mut unknown = Unknown { value, messages: vec![Message::default()] };
        for &(key, item) in value.entries(*entries) {
            let Some((place, number)) = unknown.place(key) else {
                let key = match value.as_str(key) {
                    Some(key) => format!("{key:?}"),
                    None => value.node(key).describe().to_owned(),
                };
                return Err(format!(
                    "unknown: {key} is neither a field number nor a path as readings[2].9"
                ));
            };
            unknown.messages[place].fields.push((number, item));
        }
        Ok(unknown)
    }

    /// Where a key leads, and the number of the field there.
    fn place(&mut self, key: NodeId) -> Option<(usize, u32)> {
        let number = |number: u32| (1..1 << 29).contains(&number).then_some(number);
        if let Node::Int(integer) = self.value.node(key) {
            return Some((0, number(u32::try_from(*integer).ok()?)?));
        }
        let value = self.value;
        let mut rest = value.as_str(key)?;
        let mut place = 0;
        while let Some((step, behind)) = step(rest) {
            let next = self.messages.len();
            place = *self.messages[place].inside.entry(step).or_insert(next);
            if place == next {
                self.messages.push(Message::default());
            }
            rest = behind;
        }
        Some((place, number(rest.parse().ok()?)?))
    }

    /// The outermost message.
    pub(super) fn outermost(&self) -> Place {
        Place(0)
    }

    /// The message in this field of that one, if there is anything unknown in it.
    pub(super) fn inside(&self, outer: Place, name: &str, index: Option<usize>) -> Option<Place> {
        // Keys are as long as the value lives, and the name need not be.
        let inside = &self.messages[outer.0].inside;
        if inside.is_empty() {
            return None;
        }
        let key: (&str, Option<usize>) = (name, index);
        inside.get(&key).map(|&place| Place(place))
    }

    /// The fields of a message, which are written now.
    pub(super) fn take(&self, place: Place) -> &[(u32, NodeId)] {
        let message = &self.messages[place.0];
        message.is_written.set(true);
        &message.fields
    }

    /// Complains of a message that was not there to be written.
    pub(super) fn are_all_written(&self) -> Result<(), String> {
        let left = |message: &Message<'_>| !message.fields.is_empty() && !message.is_written.get();
        if !self.messages.iter().any(left) {
            return Ok(());
        }
        let lost = self.value.root();
        let Node::Dict(entries) = self.value.node(lost) else { return Ok(()) };
        let mut keys = self.value.entries(*entries).iter().filter_map(|&(key, _)| {
            let key = self.value.as_str(key)?;
            let (mut rest, mut place) = (key, 0);
            while let Some((step, behind)) = step(rest) {
                place = *self.messages[place].inside.get(&step)?;
                rest = behind;
            }
            left(&self.messages[place]).then_some(key)
        });
        let key = keys.next().unwrap_or_default();
        Err(format!("unknown: the value has no message for {key:?}"))
    }
}

/// The first step of a path, `readings[2].`, and what is behind it. The name of an extension stands in
/// brackets.
fn step(path: &str) -> Option<((&str, Option<usize>), &str)> {
    let name = match path.strip_prefix('[') {
        Some(rest) => rest.find(']')? + 2,
        None => path.find(['.', '['])?,
    };
    let (name, rest) = path.split_at(name);
    if let Some(behind) = rest.strip_prefix('.') {
        return Some(((name, None), behind));
    }
    let (index, behind) = rest.strip_prefix('[')?.split_once("].")?;
    Some(((name, Some(index.parse().ok()?)), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_taken_apart_step_by_step() {
        for (path, parts) in [
            ("9", None),
            ("child.9", Some((("child", None), "9"))),
            ("readings[2].child.9", Some((("readings", Some(2)), "child.9"))),
            ("[pkg.ext].9", Some((("[pkg.ext]", None), "9"))),
            ("[pkg.ext][1].9", Some((("[pkg.ext]", Some(1)), "9"))),
            ("[", None),
            ("a[1]", None),
            ("a[x].9", None),
        ] {
            assert_eq!(step(path), parts, "{path}");
        }
    }
}
