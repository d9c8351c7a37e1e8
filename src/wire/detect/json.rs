//! Whether text is JSON.

use serde::de::IgnoredAny;

/// Whether text is one JSON object or array. A bare number or word is JSON, too, but tells nothing.
pub(super) fn is_json(text: &[u8]) -> bool {
    begins_json(text) && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Whether text begins as a JSON object or array does.
pub(super) fn begins_json(text: &[u8]) -> bool {
    matches!(text.trim_ascii_start().first(), Some(b'{' | b'['))
}
