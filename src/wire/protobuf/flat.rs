//! Messages that hold nothing but scalars, read field by field without a value in between: most of
//! those that come by the thousand are such.

use super::MessageType;
use super::layout::{Kind, Layout, Shape};
use super::scan::{self, Payload};

/// A field's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar<'a> {
    Int(i64),
    Unsigned(u64),
    Bool(bool),
    Float(f64),
    Str(&'a str),
    Bytes(&'a [u8]),
}

impl MessageType {
    /// Whether [`flat`](MessageType::flat) may say anything at all: fields stand once, and are neither
    /// messages nor enums, nor exclude each other.
    pub(crate) fn is_flat(&self) -> bool {
        let layout = self.layouts().at(0);
        let is_plain =
            |kind: &Kind| !matches!(kind, Kind::Message(_) | Kind::Enum(..) | Kind::Null);
        let mut fields = layout.fields.iter();
        layout.special.is_none()
            && fields.all(|field| {
                let is_alone = field.oneof.is_none() && !field.is_required;
                field.shape == Shape::Singular && is_alone && is_plain(&field.kind)
            })
    }

    /// The names of the fields, by number.
    pub(crate) fn field_names(&self) -> impl Iterator<Item = &str> {
        self.layouts().at(0).fields.iter().map(|field| field.name.as_str())
    }

    /// Gives each field of a flat message that its value would have, by its place in
    /// [`field_names`](MessageType::field_names). False, at any point, of a message that is not written as
    /// canonical encoders do, has unknown fields, or is none: those are read with all care.
    ///
    /// # Errors
    /// What `each` says.
    pub(crate) fn flat<'b, E>(
        &self,
        bytes: &'b [u8],
        mut each: impl FnMut(usize, Scalar<'b>) -> Result<(), E>,
    ) -> Result<bool, E> {
        let layout = self.layouts().at(0);
        let (mut at, mut next) = (0, 0);
        while at < bytes.len() {
            let Some((place, payload, end)) = field(layout, bytes, at).filter(|one| one.0 >= next)
            else {
                return Ok(false);
            };
            let field = &layout.fields[place];
            let Some(scalar) = scalar(&field.kind, payload) else { return Ok(false) };
            if field.has_presence || !scalar.is_zero() {
                each(place, scalar)?;
            }
            (at, next) = (end, place + 1);
        }
        Ok(true)
    }
}

/// The known field at `at`, what it holds, and where it ends.
#[inline]
fn field<'b>(layout: &Layout, bytes: &'b [u8], at: usize) -> Option<(usize, Payload<'b>, usize)> {
    let tag = scan::tag(bytes, at).ok()??;
    let place = layout.known(tag.number, tag.wire)?;
    let (payload, end) = scan::payload(bytes, tag).ok()??;
    Some((place, payload, end))
}

/// What [`Decoder::scalar`](super::decode::Decoder::scalar) says of the same, but for enums.
#[inline]
fn scalar<'b>(kind: &Kind, payload: Payload<'b>) -> Option<Scalar<'b>> {
    Some(match (kind, payload) {
        (Kind::Int32, Payload::Varint(bits)) => Scalar::Int(i64::from(bits as u32 as i32)),
        (Kind::Int64, Payload::Varint(bits)) => Scalar::Int(bits as i64),
        (Kind::Uint32, Payload::Varint(bits)) => Scalar::Int(i64::from(bits as u32)),
        (Kind::Uint64, Payload::Varint(bits)) | (Kind::Fixed64, Payload::Fixed64(bits)) => {
            Scalar::Unsigned(bits)
        }
        (Kind::Sint32, Payload::Varint(bits)) => {
            let bits = bits as u32;
            Scalar::Int(i64::from((bits >> 1) as i32 ^ -((bits & 1) as i32)))
        }
        (Kind::Sint64, Payload::Varint(bits)) => {
            Scalar::Int((bits >> 1) as i64 ^ -((bits & 1) as i64))
        }
        (Kind::Bool, Payload::Varint(bits)) => Scalar::Bool(bits != 0),
        (Kind::Sfixed64, Payload::Fixed64(bits)) => Scalar::Int(bits as i64),
        (Kind::Double, Payload::Fixed64(bits)) => Scalar::Float(f64::from_bits(bits)),
        (Kind::Fixed32, Payload::Fixed32(bits)) => Scalar::Int(i64::from(bits)),
        (Kind::Sfixed32, Payload::Fixed32(bits)) => Scalar::Int(i64::from(bits as i32)),
        (Kind::Float, Payload::Fixed32(bits)) => Scalar::Float(f64::from(f32::from_bits(bits))),
        (Kind::String, Payload::Length(bytes)) => Scalar::Str(std::str::from_utf8(bytes).ok()?),
        (Kind::Bytes, Payload::Length(bytes)) => Scalar::Bytes(bytes),
        _ => return None,
    })
}

impl Scalar<'_> {
    /// Whether it is what a field without presence is when it is not set.
    fn is_zero(self) -> bool {
        match self {
            Scalar::Int(integer) => integer == 0,
            Scalar::Unsigned(integer) => integer == 0,
            Scalar::Bool(truth) => !truth,
            Scalar::Float(float) => float.to_bits() == 0,
            Scalar::Str(text) => text.is_empty(),
            Scalar::Bytes(bytes) => bytes.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::protobuf::{Schema, decode};
    use crate::wire::value::Node;
    use crate::wire::{Fault, Value};

    fn event() -> MessageType {
        Schema::built_in().message("pb.TempEvent").expect("it is built in")
    }

    /// The same as a value, to compare.
    fn value(message: &MessageType, bytes: &[u8]) -> Option<Value> {
        let names: Vec<&str> = message.field_names().collect();
        let mut value = Value::new();
        let mut entries = Vec::new();
        let is_flat = message.flat(bytes, |place, scalar| {
            let item = match scalar {
                Scalar::Int(integer) => value.add(Node::Int(integer)),
                Scalar::Float(float) => value.add(Node::Float(float)),
                Scalar::Bytes(bytes) => value.add_bytes(bytes),
                other => panic!("TempEvent has no {other:?}"),
            };
            entries.push((value.add_str(names[place]), item));
            Ok::<(), Fault>(())
        });
        let root = value.add_dict(&entries);
        value.set_root(root);
        is_flat.expect("nothing fails").then_some(value)
    }

    proptest! {
        #[test]
        fn what_is_read_flat_is_what_is_read_with_all_care(
            fields in prop::collection::vec(
                (1u32..7, 0u32..6, prop::collection::vec(any::<u8>(), 0..9)), 0..6),
            is_sorted in any::<bool>(),
        ) {
            let mut fields = fields;
            if is_sorted {
                fields.sort();
                fields.dedup_by_key(|field| field.0);
            }
            let mut bytes = Vec::new();
            for (number, wire, content) in fields {
                let wire = if is_sorted { [0, 0, 5, 5, 2, 0][number as usize - 1] } else { wire };
                bytes.push((number << 3 | wire) as u8);
                if wire == 2 {
                    bytes.push(content.len() as u8);
                }
                match wire {
                    0 => bytes.extend_from_slice(&content[..content.len().min(1)]),
                    5 => bytes.extend_from_slice(&[1, 0, 0, content.len() as u8]),
                    _ => bytes.extend(content),
                }
            }
            let event = event();
            prop_assert!(event.is_flat());
            if let Some(flat) = value(&event, &bytes) {
                let whole = decode(&event, &bytes);
                prop_assert!(whole == Ok((flat, None)), "{whole:?}");
            }
        }
    }
}
