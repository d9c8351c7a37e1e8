//! One place at which two messages differ, as it is shown.

use std::collections::VecDeque;

use serde::{Serialize, Serializer};

use crate::session::Side;

/// The longest text in a [`Difference`], in characters.
const EXCERPT: usize = 200;
/// How much that does not differ is shown before what does, in characters.
const CONTEXT: usize = 40;

/// One place of one message that came back otherwise than it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Who sent it.
    #[serde(serialize_with = "name")]
    pub side: Side,
    /// The recorded message's number in its connection; `None` of one that was not recorded.
    pub index: Option<u64>,
    /// The frame of the capture in which the recorded message was complete.
    pub frame: Option<u64>,
    /// Of one that was not recorded, the recorded message of its side after which it came.
    #[serde(skip)]
    pub(in crate::replay) after: Option<u64>,
    /// Where in its side's bytes the message begins: as recorded, or of one that was not, as it came.
    pub offset: u64,
    /// Where in the message, as a path that can be given to `--ignore`; `None` if it is shown whole.
    pub path: Option<String>,
    /// What was recorded there, shortened; `None` if nothing was.
    pub expected: Option<String>,
    /// What came there, shortened; `None` if nothing did.
    pub got: Option<String>,
    /// What else is to be known of it, in words.
    pub note: Option<String>,
}

fn name<S: Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(side.name())
}

/// Pieces of two texts that show where they begin to differ.
pub(super) fn excerpts(expected: &str, got: &str) -> (String, String) {
    // Where the last characters begin that are common.
    let mut common = VecDeque::with_capacity(CONTEXT);
    for ((at, left), right) in expected.char_indices().zip(got.chars()) {
        if left != right {
            break;
        }
        if common.len() == CONTEXT {
            common.pop_front();
        }
        common.push_back(at);
    }
    // What is common is the same bytes in both, so that a place in one is a place in the other.
    let start = common.front().copied().filter(|_| common.len() == CONTEXT).unwrap_or(0);
    let whole = expected.len().max(got.len()) <= EXCERPT;
    let start = if whole { 0 } else { start };
    (excerpt(expected, start), excerpt(got, start))
}

/// The piece of a text that begins at `start`, a character's first byte.
pub(super) fn excerpt(text: &str, start: usize) -> String {
    let before = if start > 0 { "…" } else { "" };
    let rest = &text[start..];
    match rest.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{before}{}…", &rest[..end]),
        None => format!("{before}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_difference_in_long_texts_is_shown() {
        let common = "я".repeat(500);
        let (expected, got) =
            excerpts(&format!("{common}1{common}"), &format!("{common}2{common}"));
        assert_ne!(expected, got);
        assert!(expected.contains("я1я") && got.contains("я2я"), "{expected} {got}");
        assert!(expected.chars().count() <= EXCERPT + 2);
        assert_eq!(excerpts("a", "b"), ("a".to_owned(), "b".to_owned()));
        assert_eq!(
            excerpts(&common, &format!("{common}x")).1,
            format!("…{}x", "я".repeat(CONTEXT))
        );
    }
}
