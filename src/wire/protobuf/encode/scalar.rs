//! Scalars without their tags.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::encoding::encode_varint;
use prost_reflect::EnumDescriptor;

use super::super::layout::Kind;
use super::path::Path;
use super::{Encoder, Result};
use crate::wire::value::{Node, NodeId};

/// What proto3 JSON accepts for bytes: either alphabet, padded or not.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl Encoder<'_> {
    /// Writes one scalar without its tag.
    pub(super) fn scalar(
        &self,
        kind: &Kind,
        id: NodeId,
        path: &Path<'_>,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let signed = |bits: u32| {
            let limit = 1_i128 << (bits - 1);
            self.integer(id, -limit, limit - 1, path)
        };
        let unsigned = |bits: u32| self.integer(id, 0, (1_i128 << bits) - 1, path);
        match kind {
            // A negative integer takes ten bytes: its 64-bit two's complement.
            Kind::Int32 => encode_varint(signed(32)? as u64, bytes),
            Kind::Int64 => encode_varint(signed(64)? as u64, bytes),
            Kind::Uint32 => encode_varint(unsigned(32)? as u64, bytes),
            Kind::Uint64 => encode_varint(unsigned(64)? as u64, bytes),
            Kind::Sint32 => encode_varint(zigzag(signed(32)?), bytes),
            Kind::Sint64 => encode_varint(zigzag(signed(64)?), bytes),
            Kind::Fixed32 => bytes.extend_from_slice(&(unsigned(32)? as u32).to_le_bytes()),
            Kind::Fixed64 => bytes.extend_from_slice(&(unsigned(64)? as u64).to_le_bytes()),
            Kind::Sfixed32 => bytes.extend_from_slice(&(signed(32)? as i32).to_le_bytes()),
            Kind::Sfixed64 => bytes.extend_from_slice(&(signed(64)? as i64).to_le_bytes()),
            Kind::Double => bytes.extend_from_slice(&self.float(id, path)?.to_le_bytes()),
            Kind::Float => {
                let double = self.float(id, path)?;
                let single = double as f32;
                if double.is_finite() && !single.is_finite() {
                    return Err(format!("{path}: {double:?} is beyond what a float can be"));
                }
                bytes.extend_from_slice(&single.to_le_bytes());
            }
            Kind::Bool => encode_varint(u64::from(self.truth(id, path)?), bytes),
            Kind::Enum(kind, _) => encode_varint(self.enumerated(kind, id, path)? as u64, bytes),
            Kind::Null => match self.value.node(id) {
                Node::None => encode_varint(0, bytes),
                _ if self.value.as_str(id) == Some("NULL_VALUE") => encode_varint(0, bytes),
                _ => encode_varint(signed(32)? as u64, bytes),
            },
            Kind::String => match self.value.as_str(id) {
                Some(text) => length_delimited(text.as_bytes(), bytes),
                None => return Err(self.complain(path, "a string field is a string", id)),
            },
            Kind::Bytes => length_delimited(&self.bytes(id, path)?, bytes),
            Kind::Message(_) => return Err(self.complain(path, "a message is a mapping", id)),
        }
        Ok(())
    }

    fn integer(&self, id: NodeId, least: i128, most: i128, path: &Path<'_>) -> Result<i128> {
        let node = self.value.node(id);
        let integer = match node {
            Node::Int(integer) => Some(i128::from(*integer)),
            Node::BigInt(integer) => i128::try_from(&**integer).ok(),
            Node::Float(float) => whole(*float),
            Node::Str(_) => {
                let text = self.value.as_str(id).unwrap_or_default();
                text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
            }
            _ => return Err(self.complain(path, "an integer must stand here", id)),
        };
        match integer {
            Some(integer) if (least..=most).contains(&integer) => Ok(integer),
            Some(integer) => Err(format!("{path}: {integer} is not between {least} and {most}")),
            None => Err(self.complain(
                path,
                &format!("a whole number from {least} to {most} must stand here"),
                id,
            )),
        }
    }

    fn float(&self, id: NodeId, path: &Path<'_>) -> Result<f64> {
        match self.value.node(id) {
            Node::Float(float) => Ok(*float),
            Node::Int(integer) => Ok(*integer as f64),
            Node::BigInt(integer) => {
                let float = num_traits::ToPrimitive::to_f64(&**integer).unwrap_or(f64::INFINITY);
                match float.is_finite() {
                    true => Ok(float),
                    false => Err(format!("{path}: the integer is beyond what a float can be")),
                }
            }
            Node::Str(_) => match self.value.as_str(id).unwrap_or_default() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                text => match text.parse::<f64>() {
                    Ok(float) if float.is_finite() => Ok(float),
                    _ => Err(format!("{path}: {text:?} is no number")),
                },
            },
            _ => Err(self.complain(path, "a number must stand here", id)),
        }
    }

    fn truth(&self, id: NodeId, path: &Path<'_>) -> Result<bool> {
        match self.value.node(id) {
            Node::Bool(truth) => Ok(*truth),
            _ => match self.value.as_str(id) {
                Some("true") => Ok(true),
                Some("false") => Ok(false),
                _ => Err(self.complain(path, "true or false must stand here", id)),
            },
        }
    }

    fn enumerated(&self, kind: &EnumDescriptor, id: NodeId, path: &Path<'_>) -> Result<i64> {
        if let Some(name) = self.value.as_str(id) {
            return match kind.get_value_by_name(name) {
                Some(value) => Ok(i64::from(value.number())),
                None => {
                    let known: Vec<_> =
                        kind.values().take(20).map(|v| v.name().to_owned()).collect();
                    Err(format!(
                        "{path}: {} has no value {name:?}, only {}",
                        kind.full_name(),
                        known.join(", ")
                    ))
                }
            };
        }
        // Within 32 bits, so within 64.
        self.integer(id, i32::MIN.into(), i32::MAX.into(), path).map(|number| number as i64)
    }

    fn bytes(&self, id: NodeId, path: &Path<'_>) -> Result<Vec<u8>> {
        if let Some(bytes) = self.value.as_bytes(id) {
            return Ok(bytes.to_vec());
        }
        let Some(text) = self.value.as_str(id) else {
            return Err(self.complain(path, "bytes, or base64, must stand here", id));
        };
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        engine.decode(text).map_err(|error| format!("{path}: no base64: {error}"))
    }
}

pub(super) fn length_delimited(content: &[u8], bytes: &mut Vec<u8>) {
    encode_varint(content.len() as u64, bytes);
    bytes.extend_from_slice(content);
}

/// The integer that a float is, if it is one that stands for itself alone.
fn whole(float: f64) -> Option<i128> {
    (float.fract() == 0.0 && float.abs() < 1e19).then_some(float as i128)
}

/// Small numbers of either sign to small unsigned ones.
fn zigzag(integer: i128) -> u64 {
    ((integer << 1) ^ (integer >> 127)) as u64
}
