//! Wire text made safe to look at.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The same text with every character escaped that could move the cursor, hide text or turn its
/// direction: controls, bidirectional and invisible format characters (Unicode categories Cc and Cf,
/// line and paragraph separators), and letters that are blank, as `\u{…}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hazard) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hazard(character) {
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// Whether a character acts on a terminal, or on the text around it, or is not seen.
pub(crate) fn is_hazard(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                // Letters by their category, but blank.
                | '\u{34f}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{ffa0}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_and_a_direction_override_lose_their_power() {
        assert_eq!(visible("\x1b[2Jhi\u{202e}"), r"\u{1b}[2Jhi\u{202e}");
        assert_eq!(visible("os\u{3164}\u{1d173}"), r"os\u{3164}\u{1d173}");
        assert_eq!(visible("ЙОУ 温度 🌡"), "ЙОУ 温度 🌡");
    }
}
