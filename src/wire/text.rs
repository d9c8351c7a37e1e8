//! UTF-8 text.

use super::{Fault, FaultKind, Value};

/// The text that `bytes` are; invalid bytes are a fault at the first of them.
pub(super) fn decode(bytes: &[u8]) -> Result<Value, Fault> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Value::text(text)),
        Err(error) => {
            let at = error.valid_up_to();
            let message = match error.error_len() {
                Some(_) => format!("byte 0x{:02x} begins no UTF-8 character", bytes[at]),
                None => "the last UTF-8 character is not whole".to_owned(),
            };
            Err(Fault::new(FaultKind::InvalidUtf8, at, message))
        }
    }
}

/// The bytes of a value that is text, or why it is none.
pub(super) fn encode(value: &Value) -> Result<Vec<u8>, String> {
    match value.as_str(value.root()) {
        Some(text) => Ok(text.as_bytes().to_vec()),
        None => Err(format!("text takes a string, not {}", value.node(value.root()).describe())),
    }
}

/// How many bytes at the end begin a character that the next bytes may complete: 0 to 3.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    let longest = bytes.len().min(3);
    (1..=longest)
        .find(|&length| {
            let tail = &bytes[bytes.len() - length..];
            // A leading byte followed by nothing but what may follow it.
            tail[0] >= 0xc2 && std::str::from_utf8(tail).is_err_and(|e| e.error_len().is_none())
        })
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_unfinished_and_an_invalid_one_is_not() {
        assert_eq!(unfinished("Дe".as_bytes()), 0);
        assert_eq!(unfinished(&"aД".as_bytes()[..2]), 1);
        assert_eq!(unfinished(&"a€".as_bytes()[..3]), 2);
        assert_eq!(unfinished(&"😀".as_bytes()[..3]), 3);
        assert_eq!(unfinished(b"\xff"), 0);
        assert_eq!(unfinished(b"\xe2\x28"), 0);
        assert_eq!(unfinished(b"\xff\xd0"), 1);
        assert_eq!(unfinished(b"\xed\xa0"), 0, "surrogates are no UTF-8");
        assert_eq!(unfinished(b""), 0);
    }
}
