//! Whether bytes look like text, asked of parts of the same bytes over and over.

/// How many bytes are looked at in one go.
const BLOCK: usize = 64;

/// Looks for printable UTF-8 in parts of a message, outer ones before those inside them and each
/// before those behind it. What stands in the way of one is remembered, so that nested parts do not
/// take time for each of their levels.
#[derive(Default)]
pub(super) struct Text {
    /// Where all is printable from, and up to where.
    clean: Option<(usize, usize)>,
}

impl Text {
    /// The text that stands in `bytes[start..end]`, if all of that is printable UTF-8.
    pub(super) fn of<'a>(&mut self, bytes: &'a [u8], start: usize, end: usize) -> Option<&'a str> {
        // Whoever begins inside a character meets an obstacle at once, anybody else the known one.
        if let Some((from, obstacle)) = self.clean
            && (from..=obstacle).contains(&start)
            && obstacle < end
        {
            return None;
        }
        match obstacle(&bytes[start..end]) {
            Some(place) => {
                self.clean = Some((start, start + place));
                None
            }
            None => std::str::from_utf8(&bytes[start..end]).ok(),
        }
    }
}

/// Where the first character begins that is not printable, or the first byte is that is no UTF-8.
fn obstacle(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let block = &bytes[at..bytes.len().min(at + BLOCK)];
        let (text, is_cut) = match std::str::from_utf8(block) {
            Ok(text) => (text, false),
            Err(error) => {
                let valid = &block[..error.valid_up_to()];
                let is_cut = error.error_len().is_none() && at + BLOCK < bytes.len();
                // These bytes have just been found valid.
                (std::str::from_utf8(valid).unwrap_or_default(), is_cut)
            }
        };
        let is_printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        if let Some((place, _)) = text.char_indices().find(|&(_, c)| !is_printable(c)) {
            return Some(at + place);
        }
        at += text.len();
        if text.len() < block.len() && !is_cut {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARTS: &[&[u8]] = &[
        b"a",
        b"\xd0\x94",
        b"\xf0\x9f\x8c\xa1",
        b"\n",
        b"\x01",
        b"\xc2\x85",
        b"\xff",
        b"\xd0",
        b"abcdefghijklmnopqrstuvwxyz0123456789",
    ];

    fn is_printable(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok_and(|text| {
            text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'))
        })
    }

    proptest! {
        #[test]
        fn what_is_remembered_changes_no_answer(
            parts in prop::collection::vec(
                prop::sample::select(PARTS), 0..20),
            cuts in prop::collection::vec((0usize..40, 0usize..40), 1..20),
        ) {
            let bytes = parts.concat();
            let mut text = Text::default();
            let (mut start, mut end) = (0, bytes.len());
            for (skip, less) in cuts {
                let found = text.of(&bytes, start, end);
                prop_assert_eq!(found.is_some(), is_printable(&bytes[start..end]));
                start = (start + skip).min(end);
                end = end.saturating_sub(less).max(start);
            }
        }
    }
}
