//! The text of protocol 0: escapes, numbers, and what older Pythons wrote as strings.

use num_bigint::BigInt;

/// Why a text is none.
pub(super) type Reason = String;

/// Whether `bytes` are UTF-8 but for surrogates, each in three bytes, as Python's `surrogatepass`
/// reads them. Returns where they are not.
pub(super) fn check_surrogates(bytes: &[u8]) -> Result<(), usize> {
    let mut start = 0;
    while let Err(error) = std::str::from_utf8(&bytes[start..]) {
        let at = start + error.valid_up_to();
        match bytes[at..] {
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => start = at + 3,
            _ => return Err(at),
        }
    }
    Ok(())
}

/// Appends a code point as UTF-8, a surrogate in three bytes.
fn push_code_point(output: &mut Vec<u8>, code: u32) -> Result<(), Reason> {
    match char::from_u32(code) {
        Some(char) => output.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        None if code <= 0x10ffff => output.extend_from_slice(&[
            0xed,
            0x80 | (code >> 6 & 0x3f) as u8,
            0x80 | (code & 0x3f) as u8,
        ]),
        None => return Err(format!("{code:#x} is no code point")),
    }
    Ok(())
}

/// Latin-1 as UTF-8.
fn push_latin1(output: &mut Vec<u8>, byte: u8) {
    match byte {
        0..=0x7f => output.push(byte),
        _ => output.extend_from_slice(&[0xc0 | byte >> 6, 0x80 | byte & 0x3f]),
    }
}

/// The argument of `UNICODE`: Latin-1 with `\u` before four hexadecimal digits and `\U` before eight
/// (Python's `raw-unicode-escape`).
pub(super) fn raw_unicode_escape(line: &[u8]) -> Result<Vec<u8>, Reason> {
    let mut output = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            push_latin1(&mut output, *byte);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else {
            output.push(b'\\');
            break;
        };
        rest = tail;
        let width = match kind {
            b'u' => 4,
            b'U' => 8,
            _ => {
                output.push(b'\\');
                push_latin1(&mut output, kind);
                continue;
            }
        };
        let digits = rest.get(..width).ok_or("a \\u escape is cut short")?;
        let code = hex(digits).ok_or("a \\u escape has a digit that is not hexadecimal")?;
        push_code_point(&mut output, code)?;
        rest = &rest[width..];
    }
    Ok(output)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |value, &digit| Some(value << 4 | char::from(digit).to_digit(16)?))
}

/// The argument of `STRING`: a quoted Python 2 string with escapes, as bytes.
pub(super) fn quoted_string(line: &[u8]) -> Result<Vec<u8>, Reason> {
    let inner = match line {
        [first @ (b'\'' | b'"'), inner @ .., last] if first == last => inner,
        _ => return Err("the string is not quoted".into()),
    };
    let mut output = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            output.push(*byte);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else {
            return Err("a backslash ends the string".into());
        };
        rest = tail;
        match kind {
            b'\\' | b'\'' | b'"' => output.push(kind),
            b'a' => output.push(0x07),
            b'b' => output.push(0x08),
            b't' => output.push(b'\t'),
            b'n' => output.push(b'\n'),
            b'v' => output.push(0x0b),
            b'f' => output.push(0x0c),
            b'r' => output.push(b'\r'),
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7'));
                let length = more.count();
                let digits = [kind].into_iter().chain(rest[..length].iter().copied());
                let value = digits.fold(0u16, |value, digit| value << 3 | u16::from(digit - b'0'));
                output.push(value as u8);
                rest = &rest[length..];
            }
            b'x' => {
                let digits = rest.get(..2).ok_or("a \\x escape is cut short")?;
                let value =
                    hex(digits).ok_or("a \\x escape has a digit that is not hexadecimal")?;
                output.push(value as u8);
                rest = &rest[2..];
            }
            _ => output.extend_from_slice(&[b'\\', kind]),
        }
    }
    Ok(output)
}

/// A decimal float as `repr` writes it.
pub(super) fn float(line: &[u8]) -> Result<f64, Reason> {
    let text = std::str::from_utf8(line).ok();
    let number = text.and_then(|text| text.trim_ascii().parse().ok());
    number.ok_or_else(|| "the text is no float".to_owned())
}

/// An integer as Python's `int(text, 0)` reads it, of at most `limit` digits.
///
/// `Err(None)` where it has more.
pub(super) fn integer(line: &[u8], limit: usize) -> Result<BigInt, Option<Reason>> {
    let wrong = || Some("the text is no integer".to_owned());
    let text = std::str::from_utf8(line).map_err(|_| wrong())?.trim_ascii();
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        _ => (10, digits),
    };
    let leading_zero = radix == 10 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0');
    if digits.is_empty() || leading_zero || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(wrong());
    }
    if digits.len() > limit {
        return Err(None);
    }
    let integer = match i64::from_str_radix(digits, radix) {
        Ok(small) => BigInt::from(small),
        Err(_) => BigInt::parse_bytes(digits.as_bytes(), radix).ok_or_else(wrong)?,
    };
    Ok(if negative { -integer } else { integer })
}

/// Appends UTF-8, surrogates in three bytes, as `UNICODE` writes it: what Latin-1 has in one byte, the
/// rest, backslashes and what ends a line somewhere escaped. The inverse of [`raw_unicode_escape`].
pub(super) fn push_raw_unicode_escape(output: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        // The text was checked: a first byte says how many follow.
        let (length, bits) = match first {
            0..=0x7f => (0, *first),
            0x80..=0xdf => (1, first & 0x1f),
            0xe0..=0xef => (2, first & 0x0f),
            0xf0.. => (3, first & 0x07),
        };
        let (more, tail) = tail.split_at(length.min(tail.len()));
        rest = tail;
        let code =
            more.iter().fold(u32::from(bits), |code, byte| code << 6 | u32::from(byte & 0x3f));
        match code {
            0 | 0x0a | 0x0d | 0x1a | 0x5c | 0x100..=0xffff => {
                output.extend_from_slice(format!("\\u{code:04x}").as_bytes());
            }
            0x10000.. => output.extend_from_slice(format!("\\U{code:08x}").as_bytes()),
            _ => output.push(code as u8),
        }
    }
}
