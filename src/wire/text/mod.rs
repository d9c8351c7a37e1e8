//! Text: bytes in an encoding to a string and back.

mod encoding;
mod line;
mod order;
mod scan;

use encoding_rs::EncoderResult;

pub use encoding::Encoding;
use encoding::Kind;
pub(super) use order::InUse;
pub(super) use scan::{Rest, Scanned};

use super::{Fault, FaultKind, Value};

impl Encoding {
    /// The text that `bytes` are. A byte order mark is none of it where the encoding is `utf-16`.
    ///
    /// # Errors
    /// [`FaultKind::InvalidUtf8`], whatever the encoding, at the first byte that is no text.
    pub fn decode(self, bytes: &[u8]) -> Result<Value, Fault> {
        let mut text = InUse::of(self);
        let mark = text.pass_mark(bytes);
        let decoded = decode(text.encoding(), &bytes[mark..]);
        decoded.map_err(|fault| Fault { at: fault.at + mark, ..fault })
    }

    /// The bytes of `text`, or why this encoding cannot carry it. Never is one character written as
    /// another; `utf-16` is written without a mark, little-endian.
    pub(crate) fn encode(self, text: &str) -> Result<Vec<u8>, String> {
        let bytes = match self.0 {
            Kind::Utf8 => return Ok(text.as_bytes().to_vec()),
            Kind::Utf16 if text.starts_with('\u{feff}') => {
                return Err(
                    "it begins with U+FEFF, which would be read as a byte order mark; with \
                            utf-16le it is a character"
                        .to_owned(),
                );
            }
            Kind::Utf16 | Kind::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Kind::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Kind::Ascii => up_to(text, '\u{7f}').map_err(|at| lacks(self, text, at))?,
            Kind::Latin1 => up_to(text, '\u{ff}').map_err(|at| lacks(self, text, at))?,
            Kind::Table(table) => by_table(table, text).map_err(|at| lacks(self, text, at))?,
        };
        // Some tables write a character as another that looks like it: the yen sign as a backslash.
        let Scanned { text: read, .. } = self.scan(&bytes);
        match text.bytes().zip(read.bytes()).position(|(one, other)| one != other) {
            Some(at) => Err(lacks(self, text, at)),
            None if read.len() != text.len() => Err(lacks(self, text, read.len().min(text.len()))),
            None => Ok(bytes),
        }
    }
}

/// The text that `bytes` are; invalid bytes are a fault at the first of them.
pub(super) fn decode(encoding: Encoding, bytes: &[u8]) -> Result<Value, Fault> {
    let Scanned { text, length, rest } = encoding.scan(bytes);
    match rest {
        Rest::Nothing => Ok(Value::text(&text)),
        Rest::Unfinished => {
            let message = format!("the last {} character is not whole", shown(encoding));
            Err(Fault::new(FaultKind::InvalidUtf8, length, message))
        }
        Rest::Invalid(count) => Err(invalid(encoding, &bytes[length..][..count], length)),
    }
}

/// The fault of a message in which `bytes`, at this byte of it, are no text.
pub(super) fn invalid(encoding: Encoding, bytes: &[u8], at: usize) -> Fault {
    // One is enough to see what it is.
    let first = bytes.first().copied().unwrap_or_default();
    let message = match bytes.len() {
        1 => format!("byte 0x{first:02x} begins no {} character", shown(encoding)),
        count => format!("the {count} bytes from 0x{first:02x} on are no {} text", shown(encoding)),
    };
    Fault::new(FaultKind::InvalidUtf8, at, message)
}

/// The bytes of a value that is text, or why it is none, or none in this encoding.
pub(super) fn encode(encoding: Encoding, value: &Value) -> Result<Vec<u8>, String> {
    match value.as_str(value.root()) {
        Some(text) => encoding.encode(text),
        None => Err(format!("text takes a string, not {}", value.node(value.root()).describe())),
    }
}

/// The number of each character as a byte, or where the first is that is greater than `last`.
fn up_to(text: &str, last: char) -> Result<Vec<u8>, usize> {
    let byte = |(at, c): (usize, char)| match u8::try_from(u32::from(c)) {
        Ok(byte) if c <= last => Ok(byte),
        _ => Err(at),
    };
    text.char_indices().map(byte).collect()
}

/// The bytes by a table, or where the first character is that it lacks.
fn by_table(table: &'static encoding_rs::Encoding, text: &str) -> Result<Vec<u8>, usize> {
    let mut encoder = table.new_encoder();
    let mut bytes = Vec::new();
    let mut read = 0;
    loop {
        let left = &text[read..];
        let room = encoder.max_buffer_length_from_utf8_without_replacement(left.len());
        bytes.reserve(room.unwrap_or(left.len()));
        let (result, more) =
            encoder.encode_from_utf8_to_vec_without_replacement(left, &mut bytes, true);
        read += more;
        match result {
            EncoderResult::InputEmpty => return Ok(bytes),
            EncoderResult::OutputFull => {}
            EncoderResult::Unmappable(c) => return Err(read - c.len_utf8()),
        }
    }
}

/// Why a text cannot be written that has a character, at this byte of it, that the encoding lacks.
fn lacks(encoding: Encoding, text: &str, at: usize) -> String {
    let at = text.floor_char_boundary(at);
    let place = text[..at].chars().count();
    match text[at..].chars().next() {
        Some(c) => format!(
            "{encoding} has no {} (U+{:04X}), the character at {place}",
            super::visible(c.encode_utf8(&mut [0; 4])),
            u32::from(c)
        ),
        None => format!("{encoding} cannot carry it"),
    }
}

/// An encoding's name in a sentence.
fn shown(encoding: Encoding) -> &'static str {
    match encoding.0 {
        Kind::Utf8 => "UTF-8",
        _ => encoding.name(),
    }
}

/// How many bytes at the end begin a UTF-8 character that the next bytes may complete: 0 to 3.
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
