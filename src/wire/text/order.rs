//! What a side's text is read as: of `utf-16` byte order marks say it.

use super::encoding::{Encoding, Kind};

/// The encoding in use on a side.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) struct InUse {
    encoding: Encoding,
    /// Whether byte order marks are looked for.
    has_marks: bool,
}

impl InUse {
    /// Of a side that begins.
    pub(in crate::wire) fn of(named: Encoding) -> InUse {
        match named.0 {
            // Python writes little-endian on the machines of today, and reads it where there is no mark.
            Kind::Utf16 => InUse { encoding: Encoding(Kind::Utf16Le), has_marks: true },
            _ => InUse { encoding: named, has_marks: false },
        }
    }

    /// The encoding of what comes next.
    pub(in crate::wire) fn encoding(self) -> Encoding {
        self.encoding
    }

    /// How many bytes of a byte order mark `text` begins with. It says how all that follows is to be read.
    pub(in crate::wire) fn pass_mark(&mut self, text: &[u8]) -> usize {
        let order = match text {
            _ if !self.has_marks => return 0,
            [0xff, 0xfe, ..] => Kind::Utf16Le,
            [0xfe, 0xff, ..] => Kind::Utf16Be,
            _ => return 0,
        };
        self.encoding = Encoding(order);
        2
    }
}
