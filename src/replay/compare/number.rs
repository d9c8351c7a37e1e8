//! Numbers that may differ by a tolerance.

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed, ToPrimitive};
use serde_json::Value as Json;

use crate::replay::document::Dialect;

/// The most digits of an integer that is read: reading takes quadratic time.
const DIGITS: usize = 5000;

/// Up to here every integer is a float.
const EXACT: i64 = 1 << 53;

/// A number, whatever it is written as.
#[derive(Clone, Debug)]
pub(super) enum Number {
    Integer(BigInt),
    Float(f64),
}

impl Number {
    /// The number that a node is.
    pub(super) fn of(node: &Json, dialect: Dialect) -> Option<Number> {
        match (node, dialect) {
            (Json::Number(number), _) => {
                let integer = number.as_i64().map(BigInt::from);
                integer.or_else(|| number.as_u64().map(BigInt::from)).map(Number::Integer).or_else(
                    || {
                        let digits = number.as_str();
                        Number::integer(digits).or_else(|| Number::float(digits))
                    },
                )
            }
            (Json::Object(members), Dialect::Tagged) if members.len() == 1 => {
                let tagged = |tag| members.get(tag).and_then(Json::as_str);
                let integer = tagged("$int").and_then(Number::integer);
                integer.or_else(|| {
                    tagged("$float").and_then(|text| Some(Number::Float(text.parse().ok()?)))
                })
            }
            (Json::String(text), Dialect::Schema) => match text.as_str() {
                "NaN" | "Infinity" | "-Infinity" => text.parse().ok().map(Number::Float),
                _ => Number::integer(text),
            },
            _ => None,
        }
    }

    /// Of decimal digits, or hexadecimal ones behind `0x`.
    fn integer(text: &str) -> Option<Number> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let integer = match digits.strip_prefix("0x") {
            Some(digits) => BigInt::parse_bytes(digits.as_bytes(), 16)?,
            None if digits.len() <= DIGITS && text != "-0" => {
                BigInt::parse_bytes(digits.as_bytes(), 10)?
            }
            None => return None,
        };
        Some(Number::Integer(integer * sign))
    }

    /// A finite one; one that is too large is near no other.
    fn float(digits: &str) -> Option<Number> {
        digits.parse().ok().filter(|float: &f64| float.is_finite()).map(Number::Float)
    }

    /// How large it is, not exactly.
    pub(super) fn size(&self) -> f64 {
        match self {
            Number::Integer(integer) => integer.to_f64().unwrap_or(f64::INFINITY),
            Number::Float(float) => *float,
        }
    }

    /// Whether two numbers are no further apart than `amount`. Nothing is rounded where an integer is
    /// that no float is.
    pub(super) fn is_near(&self, other: &Number, amount: f64) -> bool {
        match (self, other) {
            (Number::Integer(left), Number::Integer(right)) => are_near(left, right, amount),
            (Number::Float(left), Number::Float(right)) => {
                let finite = left.is_finite() && right.is_finite();
                left == right
                    || left.is_nan() && right.is_nan()
                    || finite && (left - right).abs() <= amount
            }
            (Number::Integer(integer), Number::Float(float))
            | (Number::Float(float), Number::Integer(integer)) => {
                match i64::try_from(integer)
                    .ok()
                    .filter(|integer| (-EXACT..=EXACT).contains(integer))
                {
                    Some(integer) => float.is_finite() && (integer as f64 - float).abs() <= amount,
                    None => [float.floor(), float.ceil()].into_iter().all(|whole| {
                        BigInt::from_f64(whole)
                            .is_some_and(|whole| are_near(integer, &whole, amount))
                    }),
                }
            }
        }
    }
}

fn are_near(left: &BigInt, right: &BigInt, amount: f64) -> bool {
    let apart = (left - right).abs();
    // Whole numbers are no further apart than a number where they are none than its whole part.
    BigInt::from_f64(amount.floor()).is_some_and(|amount| apart <= amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_near(left: &str, right: &str, amount: f64) -> bool {
        let [left, right] = [left, right].map(|text| {
            let tag = if text.contains("0x") || text.len() > 20 { "$int" } else { "" };
            let node = match tag {
                "" => crate::replay::document::parse(text).unwrap(),
                tag => serde_json::json!({ tag: text }),
            };
            Number::of(&node, Dialect::Tagged).unwrap()
        });
        assert_eq!(left.is_near(&right, amount), right.is_near(&left, amount));
        left.is_near(&right, amount)
    }

    #[test]
    fn integers_of_any_size_are_as_far_apart_as_they_are() {
        let large = |digits: usize, last: &str| format!("1{}{last}", "0".repeat(digits));
        for digits in [30, 400, 4000] {
            assert!(are_near(&large(digits, "0"), &large(digits, "0"), 0.0));
            assert!(are_near(&large(digits, "0"), &large(digits, "5"), 5.5));
            assert!(!are_near(&large(digits, "0"), &large(digits, "5"), 4.5));
            assert!(!are_near(&large(digits, "0"), &large(digits, "00"), 0.5));
        }
        assert!(are_near("0x10", "-0x1", 17.0) && !are_near("0x10", "-0x1", 16.0));
    }

    #[test]
    fn an_integer_that_no_float_is_equals_none() {
        assert!(!are_near("9007199254740993", "9007199254740992.0", 0.0));
        assert!(are_near("9007199254740993", "9007199254740992.0", 1.0));
        assert!(are_near("9007199254740993", "0.5", 9007199254740994.0));
        assert!(are_near("1700000000000", "1700000000000.5", 0.5));
        assert!(are_near("1", "1.5", 0.5) && !are_near("1", "1.5", 0.4));
        assert!(!are_near(&"9".repeat(400), "1.5e308", 0.5));
    }
}
