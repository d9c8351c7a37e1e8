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
    let mut line = String::with_capacity(words.len() + 1);
    for part in words.lines() {
        line.push_str(&visible(part));
        line.push('\n');
    }
    let _ = anstream::stderr().lock().write_all(line.as_bytes());
}
