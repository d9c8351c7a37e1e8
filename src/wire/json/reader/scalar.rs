//! The scalars of tagged JSON.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use num_bigint::BigInt;
use num_traits::Num as _;

use super::frame::{Result, Tag};
use crate::wire::Value;
use crate::wire::value::Node;

/// Longer decimals are refused: reading them takes quadratic time.
const MAXIMUM_DIGITS: usize = 100_000;

/// The node of a JSON number: a float if it has a point or an exponent, else an integer of any size.
pub fn number(digits: &str) -> Result<Node> {
    if !digits.contains(['.', 'e', 'E']) {
        return integer(digits);
    }
    match digits.parse::<f64>() {
        Ok(float) if float.is_finite() => Ok(Node::Float(float)),
        _ => Err(format!("{digits} is beyond what a float can be")),
    }
}

/// The node of a tagged string; of a tag that takes one.
pub fn tagged(tag: Tag, text: &str, value: &mut Value) -> Result<Node> {
    match tag {
        Tag::Bytes => Ok(Node::Bytes(value.store(&base64(text)?))),
        Tag::ByteArray => Ok(Node::ByteArray(value.store(&base64(text)?))),
        Tag::Int => integer(text),
        Tag::Float => match text {
            "nan" => Ok(Node::Float(f64::NAN)),
            "inf" => Ok(Node::Float(f64::INFINITY)),
            "-inf" => Ok(Node::Float(f64::NEG_INFINITY)),
            _ => Err(format!("{text:?} is none of \"nan\", \"inf\", \"-inf\"")),
        },
        _ => {
            let bytes = base64(text)?;
            let span = value.store(&bytes);
            match std::str::from_utf8(&bytes) {
                Ok(_) => Ok(Node::Str(span)),
                Err(_) if is_text_with_surrogates(&bytes) => Ok(Node::Surrogates(span)),
                Err(_) => Err("what $str holds is not UTF-8, even with surrogates passed".into()),
            }
        }
    }
}

fn base64(text: &str) -> Result<Vec<u8>> {
    BASE64_STANDARD.decode(text).map_err(|error| format!("no base64: {error}"))
}

/// An integer in decimal, or in hex after `0x`.
fn integer(text: &str) -> Result<Node> {
    if let Ok(small) = text.parse() {
        // JSON has no leading plus, Rust does.
        return if text.starts_with('+') { Err(no_integer(text)) } else { Ok(Node::Int(small)) };
    }
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (-1, magnitude),
        None => (1, text),
    };
    let (radix, digits) = match magnitude.strip_prefix("0x") {
        Some(digits) => (16, digits),
        None => (10, magnitude),
    };
    if radix == 10 && digits.len() > MAXIMUM_DIGITS {
        return Err(format!(
            "an integer of {} digits; beyond {MAXIMUM_DIGITS} write {{\"$int\":\"0x…\"}}",
            digits.len()
        ));
    }
    if digits.is_empty() || !digits.bytes().all(|digit| char::from(digit).is_digit(radix)) {
        return Err(no_integer(text));
    }
    let integer = BigInt::from_str_radix(digits, radix).map_err(|_| no_integer(text))? * sign;
    Ok(match i64::try_from(&integer) {
        Ok(small) => Node::Int(small),
        Err(_) => Node::BigInt(Box::new(integer)),
    })
}

fn no_integer(text: &str) -> String {
    format!("{text:?} is no integer")
}

/// Whether these bytes are UTF-8 but for surrogates, each in three bytes.
fn is_text_with_surrogates(mut bytes: &[u8]) -> bool {
    loop {
        match std::str::from_utf8(bytes) {
            Ok(_) => return true,
            Err(error) => match &bytes[error.valid_up_to()..] {
                [0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..] => bytes = rest,
                _ => return false,
            },
        }
    }
}
