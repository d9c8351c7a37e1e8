//! Fields by number to bytes, in the order of the mapping.

use prost::encoding::{WireType, encode_key, encode_varint};

use super::super::MAXIMUM_DEPTH;
use crate::wire::Value;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::value::{Node, NodeId};

type Result<T> = std::result::Result<T, String>;

/// The bytes of a value as [`decode_by_number`](super::decode_by_number) gives it, or why it is none.
pub fn encode_by_number(value: &Value) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    message(value, value.root(), 0, &mut bytes)?;
    Ok(bytes)
}

/// Writes all fields of a message. Recursion is bounded by [`MAXIMUM_DEPTH`].
fn message(value: &Value, id: NodeId, depth: usize, bytes: &mut Vec<u8>) -> Result<()> {
    if depth > MAXIMUM_DEPTH {
        return Err(format!("it is nested deeper than {MAXIMUM_DEPTH}"));
    }
    let Node::Dict(entries) = value.node(id) else {
        let found = value.node(id).describe();
        return Err(format!("a message is a mapping from field numbers to values, not {found}"));
    };
    for &(key, item) in value.entries(*entries) {
        let Some(number) = number(value, key) else {
            let key = match value.as_str(key) {
                Some(key) => format!("{key:?}"),
                None => value.node(key).describe().to_owned(),
            };
            return Err(format!(
                "{key} is no field number; without a schema fields are given by number, with one as \
                 protobuf:MESSAGE by name"
            ));
        };
        occurrences(value, number, item, depth, bytes)?;
    }
    Ok(())
}

/// The field number that a key is.
fn number(value: &Value, key: NodeId) -> Option<u32> {
    let number = match value.node(key) {
        Node::Int(number) => u32::try_from(*number).ok(),
        _ => value.as_str(key).and_then(|key| key.parse().ok()),
    };
    number.filter(|number| (1..1 << 29).contains(number))
}

/// Writes a field once, or as often as a list says, of a message that is nested so deep.
pub(in super::super) fn occurrences(
    value: &Value,
    number: u32,
    id: NodeId,
    depth: usize,
    bytes: &mut Vec<u8>,
) -> Result<()> {
    match value.node(id) {
        Node::List(items) => {
            let mut items = value.items(*items).iter();
            items.try_for_each(|&item| field(value, number, item, depth, bytes))
        }
        _ => field(value, number, id, depth, bytes),
    }
}

fn field(value: &Value, number: u32, id: NodeId, depth: usize, bytes: &mut Vec<u8>) -> Result<()> {
    if bytes.len() > MAXIMUM_LENGTH {
        return Err(format!("it takes more than {MAXIMUM_LENGTH} bytes"));
    }
    let mut varint = |bits| {
        encode_key(number, WireType::Varint, bytes);
        encode_varint(bits, bytes);
        Ok(())
    };
    match value.node(id) {
        Node::Bool(truth) => varint(u64::from(*truth)),
        // A negative varint is its two's complement, as int32 and int64 are written.
        Node::Int(integer) => varint(*integer as u64),
        Node::BigInt(integer) => match u64::try_from(&**integer) {
            Ok(bits) => varint(bits),
            Err(_) => Err(format!("field {number}: {integer} does not fit 64 bits")),
        },
        Node::Str(span) | Node::Bytes(span) | Node::ByteArray(span) => {
            length_delimited(number, value.span(*span), bytes);
            Ok(())
        }
        Node::Dict(_) => match only_word(value, id) {
            None => nested(value, number, id, depth, bytes),
            Some(("group", group)) => {
                encode_key(number, WireType::StartGroup, bytes);
                message(value, group, depth + 1, bytes)?;
                encode_key(number, WireType::EndGroup, bytes);
                Ok(())
            }
            Some(("guess", guess)) => match value.node(guess) {
                Node::Dict(_) => nested(value, number, guess, depth, bytes),
                Node::Str(span) | Node::Bytes(span) => {
                    length_delimited(number, value.span(*span), bytes);
                    Ok(())
                }
                other => {
                    let found = other.describe();
                    Err(format!("field {number}: a guess is a string or a mapping, not {found}"))
                }
            },
            Some((word, item)) => fixed(value, number, word, item, bytes),
        },
        other => Err(format!(
            "field {number}: without a schema {} cannot be written; a float is {{\"double\": 1.5}} or \
             {{\"float\": 1.5}}",
            other.describe()
        )),
    }
}

/// What a mapping that is no message says a field is: the word that counts, and what it says.
fn only_word(value: &Value, id: NodeId) -> Option<(&str, NodeId)> {
    let Node::Dict(entries) = value.node(id) else { return None };
    let entries = value.entries(*entries);
    let &(first, _) = entries.first()?;
    if number(value, first).is_some() {
        return None;
    }
    let words = entries.iter().filter_map(|&(key, item)| Some((value.as_str(key)?, item)));
    // The bits count, if both they and what they mean are given.
    let weight = |word: &str| u8::from(matches!(word, "float" | "double"));
    words.min_by_key(|(word, _)| weight(word))
}

fn nested(value: &Value, number: u32, id: NodeId, depth: usize, bytes: &mut Vec<u8>) -> Result<()> {
    let mut inner = Vec::new();
    message(value, id, depth + 1, &mut inner)?;
    length_delimited(number, &inner, bytes);
    Ok(())
}

fn length_delimited(number: u32, content: &[u8], bytes: &mut Vec<u8>) {
    encode_key(number, WireType::LengthDelimited, bytes);
    encode_varint(content.len() as u64, bytes);
    bytes.extend_from_slice(content);
}

/// Writes a field of fixed width.
fn fixed(value: &Value, number: u32, word: &str, id: NodeId, bytes: &mut Vec<u8>) -> Result<()> {
    let wrong = |wanted: &str| {
        let found = value.node(id).describe();
        Err(format!("field {number}: {word} is {wanted}, not {found}"))
    };
    let bits = match value.node(id) {
        Node::Int(integer) => u64::try_from(*integer).ok(),
        Node::BigInt(integer) => u64::try_from(&**integer).ok(),
        _ => None,
    };
    let float = match value.node(id) {
        Node::Float(float) => Some(*float),
        Node::Int(integer) => Some(*integer as f64),
        _ => None,
    };
    let narrow = |bits: u32, bytes: &mut Vec<u8>| {
        encode_key(number, WireType::ThirtyTwoBit, bytes);
        bytes.extend_from_slice(&bits.to_le_bytes());
        Ok(())
    };
    let wide = |bits: u64, bytes: &mut Vec<u8>| {
        encode_key(number, WireType::SixtyFourBit, bytes);
        bytes.extend_from_slice(&bits.to_le_bytes());
        Ok(())
    };
    match word {
        "fixed32" => match bits.and_then(|bits| u32::try_from(bits).ok()) {
            Some(bits) => narrow(bits, bytes),
            None => wrong("an integer from 0 to 4294967295"),
        },
        "fixed64" => match bits {
            Some(bits) => wide(bits, bytes),
            None => wrong("an integer from 0 to 18446744073709551615"),
        },
        "float" => match float.map(|double| (double, double as f32)) {
            Some((double, single)) if double.is_finite() && single.is_infinite() => {
                Err(format!("field {number}: {double:?} is beyond what a float can be"))
            }
            Some((_, single)) => narrow(single.to_bits(), bytes),
            None => wrong("a number"),
        },
        "double" => match float {
            Some(double) => wide(double.to_bits(), bytes),
            None => wrong("a number"),
        },
        _ => Err(format!(
            "field {number}: {word:?} is neither a field number nor one of fixed32, fixed64, float, \
             double, group and guess"
        )),
    }
}
