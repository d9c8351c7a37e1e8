//! The words and numbers by which fields are described.

use std::collections::HashMap;

use super::super::scalar::unsigned;
use super::super::scan::Payload;
use crate::wire::Value;
use crate::wire::value::{Node, NodeId};

/// The nodes of keys: each stands once, however often it is used.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<u32, NodeId>,
    words: Vec<(&'static str, NodeId)>,
}

impl Names {
    pub(super) fn of_number(&mut self, value: &mut Value, number: u32) -> NodeId {
        *self.numbers.entry(number).or_insert_with(|| value.add_str(&number.to_string()))
    }

    fn word(&mut self, value: &mut Value, word: &'static str) -> NodeId {
        match self.words.iter().find(|(known, _)| *known == word) {
            Some(&(_, node)) => node,
            None => {
                let node = value.add_str(word);
                self.words.push((word, node));
                node
            }
        }
    }

    /// `{word: node}`.
    pub(super) fn wrap(&mut self, value: &mut Value, word: &'static str, node: NodeId) -> NodeId {
        let entry = (self.word(value, word), node);
        value.add_dict(&[entry])
    }

    /// The node of a field that is a number; nothing else comes here.
    pub(super) fn number(&mut self, value: &mut Value, payload: Payload<'_>) -> NodeId {
        let (words, bits, float) = match payload {
            Payload::Fixed32(bits) => {
                let float = f32::from_bits(bits);
                let is_plain = float == 0.0 || float.is_normal();
                (["fixed32", "float"], u64::from(bits), is_plain.then_some(f64::from(float)))
            }
            Payload::Fixed64(bits) => {
                let float = f64::from_bits(bits);
                let is_plain = float == 0.0 || float.is_normal();
                (["fixed64", "double"], bits, is_plain.then_some(float))
            }
            Payload::Varint(bits) => return value.add(unsigned(bits)),
            Payload::Length(_) | Payload::Group => return value.add(Node::None),
        };
        let bits = (self.word(value, words[0]), value.add(unsigned(bits)));
        match float {
            None => value.add_dict(&[bits]),
            Some(float) => {
                let float = (self.word(value, words[1]), value.add(Node::Float(float)));
                value.add_dict(&[bits, float])
            }
        }
    }
}
