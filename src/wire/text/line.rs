//! Where lines end.

use super::encoding::{Encoding, Kind};

impl Encoding {
    /// How many bytes one unit has: a line feed is one, and begins at a multiple of it.
    pub(in crate::wire) fn unit(self) -> usize {
        match self.0 {
            Kind::Utf16 | Kind::Utf16Le | Kind::Utf16Be => 2,
            _ => 1,
        }
    }

    /// How many bytes from this offset of a side on belong to a unit that began before it.
    pub(in crate::wire) fn half(self, offset: u64) -> usize {
        (offset % self.unit() as u64) as usize
    }

    /// How long the line is that `bytes` begin with, its line feed included. In the first `seen` of them
    /// there is none.
    pub(in crate::wire) fn line(self, bytes: &[u8], seen: usize) -> Option<usize> {
        if self.unit() == 1 {
            return Some(seen + memchr::memchr(b'\n', &bytes[seen..])? + 1);
        }
        // The byte 0x0a is half of many other characters.
        let from = seen - seen % 2;
        memchr::memchr_iter(b'\n', &bytes[from..]).find_map(|at| {
            let unit = from + at - at % 2;
            self.is(b'\n', bytes.get(unit..unit + 2)?).then_some(unit + 2)
        })
    }

    /// How many bytes of a line feed, and of a carriage return before it, a message ends with.
    pub(crate) fn line_end(self, line: &[u8]) -> usize {
        let unit = self.unit();
        let Some(feed) = line.len().checked_sub(unit).filter(|feed| feed % unit == 0) else {
            return 0;
        };
        if !self.is(b'\n', &line[feed..]) {
            return 0;
        }
        match feed.checked_sub(unit) {
            Some(before) if self.is(b'\r', &line[before..feed]) => 2 * unit,
            _ => unit,
        }
    }

    /// A line with its line feed, or why it would be read back as something else.
    pub(in crate::wire) fn terminated(self, mut line: Vec<u8>) -> Result<Vec<u8>, String> {
        let unit = self.unit();
        if let Some(length) = self.line(&line, 0) {
            let at = length - unit;
            return Err(format!("it has a line feed at byte {at}, which would end the line"));
        }
        if line.len() >= unit && self.is(b'\r', &line[line.len() - unit..]) {
            return Err(
                "it ends with a carriage return, which would be read as part of \\r\\n".into()
            );
        }
        match self.0 {
            Kind::Utf16Be => line.extend(*b"\0\n"),
            Kind::Utf16 | Kind::Utf16Le => line.extend(*b"\n\0"),
            _ => line.push(b'\n'),
        }
        Ok(line)
    }

    /// Whether a unit is this ASCII character. Where only a mark says which byte is which, either may be.
    fn is(self, character: u8, unit: &[u8]) -> bool {
        match (self.0, unit) {
            (Kind::Utf16Le, [low, high]) | (Kind::Utf16Be, [high, low]) => {
                [*high, *low] == [0, character]
            }
            (Kind::Utf16, [one, other]) => {
                [*one, *other] == [0, character] || [*other, *one] == [0, character]
            }
            (_, [byte]) => *byte == character,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_of_utf_16_is_a_unit_and_not_a_byte() {
        let encoding = Encoding(Kind::Utf16Le);
        // U+0A0A, U+010A, U+0A00 and a line feed.
        let bytes = b"\x0a\x0a\x0a\x01\x00\x0a\x0a\x00";
        for seen in 0..8 {
            assert_eq!(encoding.line(bytes, seen), Some(8), "{seen}");
        }
        assert_eq!(encoding.line(&bytes[..7], 0), None);
        // The same bytes, the other way round: the third unit is the line feed.
        assert_eq!(Encoding(Kind::Utf16Be).line(bytes, 0), Some(6));
    }

    #[test]
    fn a_line_ends_with_a_line_feed_and_the_carriage_return_before_it() {
        let (le, be) = (Encoding(Kind::Utf16Le), Encoding(Kind::Utf16Be));
        assert_eq!(le.line_end(b"a\0\r\0\n\0"), 4);
        assert_eq!(be.line_end(b"\0a\0\r\0\n"), 4);
        assert_eq!(le.line_end(b"\n\0"), 2);
        assert_eq!(le.line_end(b"\0\n"), 0);
        assert_eq!(le.line_end(b"a\n\0"), 0, "half a unit too many");
        assert_eq!(Encoding::UTF_8.line_end(b"a\r\n"), 2);
        assert_eq!(Encoding::UTF_8.line_end(b"a"), 0);
        assert_eq!(Encoding::UTF_8.line_end(b""), 0);
    }
}
