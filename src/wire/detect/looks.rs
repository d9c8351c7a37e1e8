//! What bytes look like that no format explains: a hint for whoever knows more of them.

use super::{Sample, protobuf};

/// What to try, in words.
pub(super) fn like(sample: &Sample<'_>) -> Option<&'static str> {
    if is_utf16(sample.bytes) {
        return Some(
            "it looks like UTF-16: -f text:utf-16, text:utf-16be or text:utf-16le reads it",
        );
    }
    protobuf::unframed(sample.chunks()).then_some(
        "each chunk could be a Protocol Buffers message without a length: -f protobuf:MESSAGE reads them by \
         their schema, -f protobuf by field numbers",
    )
}

/// Whether every other byte is zero, as of Latin letters in two bytes, or a byte order mark comes first.
fn is_utf16(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.as_chunks::<2>();
    if pairs.len() < 4 {
        return false;
    }
    let zeros = |half: usize| pairs.iter().filter(|pair| pair[half] == 0).count();
    let has_mark = matches!(pairs[0], [0xff, 0xfe] | [0xfe, 0xff]);
    let is_text = |zeros: usize, others: usize| others == 0 && zeros * 4 >= pairs.len() * 3;
    has_mark || is_text(zeros(0), zeros(1)) || is_text(zeros(1), zeros(0))
}
