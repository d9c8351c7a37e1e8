//! A value to a message's bytes, by its descriptor: fields in the order of their numbers, each once.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost::encoding::{WireType, encode_key, encode_varint};
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use super::scan::Wire;
use super::{MAXIMUM_DEPTH, MessageType, schema};
use crate::wire::Value;
use crate::wire::value::{Node, NodeId};

/// What proto3 JSON accepts for bytes: either alphabet, padded or not.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

type Result<T> = std::result::Result<T, String>;

/// The bytes of a message, or why the value is none, with the place in it.
///
/// Accepted is what proto3 JSON accepts: fields by their `.proto` or JSON name, 64-bit integers and
/// floats as strings too, bytes also as base64, enums by name or number, `null` for an unset field.
pub fn encode(message: &MessageType, value: &Value) -> Result<Vec<u8>> {
    let encoder = Encoder { value };
    let mut bytes = Vec::new();
    encoder.message(message.descriptor(), value.root(), "", 0, &mut bytes)?;
    Ok(bytes)
}

struct Encoder<'v> {
    value: &'v Value,
}

impl Encoder<'_> {
    /// Writes the fields of a message; recursion is bounded by [`MAXIMUM_DEPTH`].
    fn message(
        &self,
        message: &MessageDescriptor,
        id: NodeId,
        path: &str,
        depth: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        if depth > MAXIMUM_DEPTH {
            return Err(format!("{path} is nested deeper than {MAXIMUM_DEPTH}"));
        }
        let Node::Dict(entries) = self.value.node(id) else {
            let what = format!("{} is a mapping by field names", message.full_name());
            return Err(self.complain(path, &what, id));
        };
        for (field, item) in self.fields(message, self.value.entries(*entries), path)? {
            let path = match path {
                "" => field.name().to_owned(),
                _ => format!("{path}.{}", field.name()),
            };
            self.field(&field, item, &path, depth, bytes)?;
        }
        Ok(())
    }

    /// The fields that are set, in the order of their numbers.
    fn fields(
        &self,
        message: &MessageDescriptor,
        entries: &[(NodeId, NodeId)],
        path: &str,
    ) -> Result<Vec<(FieldDescriptor, NodeId)>> {
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        let mut fields: Vec<(FieldDescriptor, NodeId)> = Vec::with_capacity(entries.len());
        for &(key, item) in entries {
            let Some(name) = self.value.as_str(key) else {
                return Err(self.complain(path, "field names are strings", key));
            };
            let field = message
                .get_field_by_name(name)
                .or_else(|| message.get_field_by_json_name(name))
                .ok_or_else(|| {
                    let known: Vec<_> = message.fields().map(|f| f.name().to_owned()).collect();
                    let known = match known.is_empty() {
                        true => "none".to_owned(),
                        false => known.join(", "),
                    };
                    format!("{place}{} has no field {name:?}, only {known}", message.full_name())
                })?;
            if *self.value.node(item) != Node::None {
                fields.push((field, item));
            }
        }
        fields.sort_by_key(|(field, _)| field.number());
        for (at, (field, _)) in fields.iter().enumerate() {
            for (earlier, _) in &fields[..at] {
                if earlier.number() == field.number() {
                    return Err(format!("{place}the field {:?} is given twice", field.name()));
                }
                let oneof = field.containing_oneof();
                if oneof.is_some() && oneof == earlier.containing_oneof() {
                    return Err(format!(
                        "{place}{:?} and {:?} exclude each other",
                        earlier.name(),
                        field.name()
                    ));
                }
            }
        }
        let missing = message
            .fields()
            .find(|field| field.is_required() && !fields.iter().any(|(given, _)| given == field));
        match missing {
            Some(field) => Err(format!("{place}the required field {:?} is missing", field.name())),
            None => Ok(fields),
        }
    }

    fn field(
        &self,
        field: &FieldDescriptor,
        id: NodeId,
        path: &str,
        depth: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        if field.is_map() {
            return self.map(field, id, path, depth, bytes);
        }
        if !field.is_list() {
            if !field.supports_presence() && self.is_default(field, id, path)? {
                return Ok(());
            }
            return self.element(field, id, path, depth, bytes);
        }
        let (Node::List(items) | Node::Tuple(items)) = self.value.node(id) else {
            return Err(self.complain(path, "a repeated field is a list", id));
        };
        let items = self.value.items(*items);
        if !field.is_packed() || items.is_empty() {
            for (index, &item) in items.iter().enumerate() {
                self.element(field, item, &format!("{path}[{index}]"), depth, bytes)?;
            }
            return Ok(());
        }
        let mut packed = Vec::new();
        for (index, &item) in items.iter().enumerate() {
            self.scalar(field, item, &format!("{path}[{index}]"), &mut packed)?;
        }
        encode_key(field.number(), WireType::LengthDelimited, bytes);
        encode_varint(packed.len() as u64, bytes);
        bytes.append(&mut packed);
        Ok(())
    }

    fn map(
        &self,
        field: &FieldDescriptor,
        id: NodeId,
        path: &str,
        depth: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let Node::Dict(entries) = self.value.node(id) else {
            return Err(self.complain(path, "a map is a mapping", id));
        };
        let Kind::Message(entry) = field.kind() else { return Ok(()) };
        for (index, &(key, item)) in self.value.entries(*entries).iter().enumerate() {
            let path = match self.value.as_str(key) {
                Some(key) => format!("{path}[{key:?}]"),
                None => format!("{path}[{index}]"),
            };
            let mut inner = Vec::new();
            self.element(&entry.map_entry_key_field(), key, &path, depth + 1, &mut inner)?;
            self.element(&entry.map_entry_value_field(), item, &path, depth + 1, &mut inner)?;
            encode_key(field.number(), WireType::LengthDelimited, bytes);
            encode_varint(inner.len() as u64, bytes);
            bytes.append(&mut inner);
        }
        Ok(())
    }

    /// Writes one element with its tag.
    fn element(
        &self,
        field: &FieldDescriptor,
        id: NodeId,
        path: &str,
        depth: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let Kind::Message(message) = field.kind() else {
            let wire = match schema::wire_type(field) {
                Wire::Fixed64 => WireType::SixtyFourBit,
                Wire::Fixed32 => WireType::ThirtyTwoBit,
                Wire::Length => WireType::LengthDelimited,
                _ => WireType::Varint,
            };
            encode_key(field.number(), wire, bytes);
            return self.scalar(field, id, path, bytes);
        };
        if field.is_group() {
            encode_key(field.number(), WireType::StartGroup, bytes);
            self.message(&message, id, path, depth + 1, bytes)?;
            encode_key(field.number(), WireType::EndGroup, bytes);
        } else {
            let mut inner = Vec::new();
            self.message(&message, id, path, depth + 1, &mut inner)?;
            encode_key(field.number(), WireType::LengthDelimited, bytes);
            encode_varint(inner.len() as u64, bytes);
            bytes.append(&mut inner);
        }
        Ok(())
    }

    /// Writes one scalar without its tag.
    fn scalar(
        &self,
        field: &FieldDescriptor,
        id: NodeId,
        path: &str,
        bytes: &mut Vec<u8>,
    ) -> Result<()> {
        let signed = |bits: u32| {
            let limit = 1_i128 << (bits - 1);
            self.integer(id, -limit, limit - 1, path)
        };
        let unsigned = |bits: u32| self.integer(id, 0, (1_i128 << bits) - 1, path);
        match field.kind() {
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
            Kind::Enum(kind) => encode_varint(self.enumerated(&kind, id, path)? as u64, bytes),
            Kind::String => match self.value.as_str(id) {
                Some(text) => length_delimited(text.as_bytes(), bytes),
                None => return Err(self.complain(path, "a string field is a string", id)),
            },
            Kind::Bytes => length_delimited(&self.bytes(id, path)?, bytes),
            Kind::Message(_) => return Err(self.complain(path, "a message is a mapping", id)),
        }
        Ok(())
    }

    /// Whether a value is the one that a field without presence has when it is not set.
    fn is_default(&self, field: &FieldDescriptor, id: NodeId, path: &str) -> Result<bool> {
        let mut bytes = Vec::new();
        self.scalar(field, id, path, &mut bytes)?;
        // A zero of any width, an empty string; a float that is -0.0 is not all zeros.
        Ok(match schema::wire_type(field) {
            Wire::Fixed32 | Wire::Fixed64 => bytes.iter().all(|byte| *byte == 0),
            _ => bytes == [0],
        })
    }

    fn integer(&self, id: NodeId, least: i128, most: i128, path: &str) -> Result<i128> {
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

    fn float(&self, id: NodeId, path: &str) -> Result<f64> {
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

    fn truth(&self, id: NodeId, path: &str) -> Result<bool> {
        match self.value.node(id) {
            Node::Bool(truth) => Ok(*truth),
            _ => match self.value.as_str(id) {
                Some("true") => Ok(true),
                Some("false") => Ok(false),
                _ => Err(self.complain(path, "true or false must stand here", id)),
            },
        }
    }

    fn enumerated(&self, kind: &EnumDescriptor, id: NodeId, path: &str) -> Result<i64> {
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

    fn bytes(&self, id: NodeId, path: &str) -> Result<Vec<u8>> {
        if let Some(bytes) = self.value.as_bytes(id) {
            return Ok(bytes.to_vec());
        }
        let Some(text) = self.value.as_str(id) else {
            return Err(self.complain(path, "bytes, or base64, must stand here", id));
        };
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        engine.decode(text).map_err(|error| format!("{path}: no base64: {error}"))
    }

    fn complain(&self, path: &str, wanted: &str, id: NodeId) -> String {
        let found = match self.value.node(id) {
            Node::Float(float) => format!("{float:?}"),
            Node::Str(_) => format!("{:?}", self.value.as_str(id).unwrap_or_default()),
            node => node.describe().to_owned(),
        };
        match path {
            "" => format!("{wanted}, not {found}"),
            _ => format!("{path}: {wanted}, not {found}"),
        }
    }
}

fn length_delimited(content: &[u8], bytes: &mut Vec<u8>) {
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
