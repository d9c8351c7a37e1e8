//! Words for a person, on stderr.

use std::fmt::Display;
use std::io::Write as _;

use crate::wire::visible;

/// Says a line on stderr, in one write: lines of several processes do not mix, and whoever waits for
/// one sees all of it. A reader of stderr who has gone stops nothing: what is recorded matters more.
///
/// What would act on a terminal is escaped, also in names of files: whoever unpacks a folder of captures
/// has not chosen them.
pub(super) fn say(words: impl Display) {
    let words = words.to_string();
    let mut safe = String::with_capacity(words.len());
    for (number, line) in words.lines().enumerate() {
        if number > 0 {
            safe.push('\n');
        }
        safe.push_str(&visible(line));
    }
    say_styled(safe);
}

/// The same for words with styles, which have escaped what is not theirs.
pub(super) fn say_styled(words: impl Display) {
    let line = format!("{words}\n");
    let _ = anstream::stderr().lock().write_all(line.as_bytes());
}
