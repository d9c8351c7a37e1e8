//! The wire's scalars as nodes.

use num_bigint::BigInt;

use super::MAXIMUM_NODES;
use super::decode::{Decoder, too_many};
use super::layout::{Field, Kind};
use super::scan::{self, Payload, Tag};
use crate::wire::value::{Node, NodeId};
use crate::wire::{Fault, FaultKind};

impl Decoder<'_> {
    pub(super) fn packed(
        &mut self,
        field: &Field,
        bytes: &[u8],
        base: usize,
        nodes: &mut Vec<NodeId>,
    ) -> Result<(), Fault> {
        let mut at = 0;
        while at < bytes.len() {
            let element = Tag { number: field.number, wire: field.wire, end: at };
            let (payload, end) = scan::payload(bytes, element)
                .map_err(|fault| Fault { at: base + fault.at, ..fault })?
                .ok_or_else(|| {
                    let message = format!("the packed field {} ends inside a number", field.name);
                    Fault::new(FaultKind::Corrupt, base + at, message)
                })?;
            match self.scalar(field, payload, base + at)? {
                Some(node) => nodes.push(node),
                None => self.unknown_value(field.number, payload, base + at)?,
            }
            if self.value.len() > MAXIMUM_NODES {
                return Err(too_many(base + at));
            }
            at = end;
        }
        Ok(())
    }

    /// The node of one scalar; `None` of a number that its enum does not know and does not take. The wire
    /// type is the field's.
    #[inline]
    pub(super) fn scalar(
        &mut self,
        field: &Field,
        payload: Payload<'_>,
        at: usize,
    ) -> Result<Option<NodeId>, Fault> {
        let node = match (&field.kind, payload) {
            // The lower 32 bits count, as in every implementation.
            (Kind::Int32, Payload::Varint(bits)) => Node::Int(i64::from(bits as u32 as i32)),
            (Kind::Int64, Payload::Varint(bits)) => Node::Int(bits as i64),
            (Kind::Uint32, Payload::Varint(bits)) => Node::Int(i64::from(bits as u32)),
            (Kind::Uint64, Payload::Varint(bits)) | (Kind::Fixed64, Payload::Fixed64(bits)) => {
                unsigned(bits)
            }
            (Kind::Sint32, Payload::Varint(bits)) => {
                let bits = bits as u32;
                Node::Int(i64::from((bits >> 1) as i32 ^ -((bits & 1) as i32)))
            }
            (Kind::Sint64, Payload::Varint(bits)) => {
                Node::Int((bits >> 1) as i64 ^ -((bits & 1) as i64))
            }
            (Kind::Bool, Payload::Varint(bits)) => Node::Bool(bits != 0),
            (Kind::Enum(kind, is_closed), Payload::Varint(bits)) => {
                let number = bits as u32 as i32;
                match kind.get_value(number) {
                    Some(named) => Node::Str(self.value.store(named.name().as_bytes())),
                    None if *is_closed => return Ok(None),
                    None => Node::Int(i64::from(number)),
                }
            }
            (Kind::Null, Payload::Varint(bits)) => match bits as u32 as i32 {
                0 => Node::None,
                number => Node::Int(i64::from(number)),
            },
            (Kind::Sfixed64, Payload::Fixed64(bits)) => Node::Int(bits as i64),
            (Kind::Double, Payload::Fixed64(bits)) => Node::Float(f64::from_bits(bits)),
            (Kind::Fixed32, Payload::Fixed32(bits)) => Node::Int(i64::from(bits)),
            (Kind::Sfixed32, Payload::Fixed32(bits)) => Node::Int(i64::from(bits as i32)),
            (Kind::Float, Payload::Fixed32(bits)) => Node::Float(f64::from(f32::from_bits(bits))),
            (Kind::String, Payload::Length(bytes)) => match std::str::from_utf8(bytes) {
                Ok(_) => Node::Str(self.value.store(bytes)),
                Err(error) => {
                    let message = format!("the string {} is not UTF-8", field.name);
                    let at = at + error.valid_up_to();
                    return Err(Fault::new(FaultKind::InvalidUtf8, at, message));
                }
            },
            (Kind::Bytes, Payload::Length(bytes)) => Node::Bytes(self.value.store(bytes)),
            _ => {
                let message = format!("{} has another wire type", field.name);
                return Err(Fault::new(FaultKind::Schema, at, message));
            }
        };
        Ok(Some(self.value.add(node)))
    }
}

/// An unsigned integer of 64 bits.
pub(super) fn unsigned(bits: u64) -> Node {
    match i64::try_from(bits) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::BigInt(Box::new(BigInt::from(bits))),
    }
}
