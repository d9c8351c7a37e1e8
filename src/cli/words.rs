//! Words for a person, on stderr.

use std::fmt::Display;
use std::io::Write as _;

/// Says a line on stderr, in one write: lines of several processes do not mix, and whoever waits for
/// one sees all of it. A reader of stderr who has gone stops nothing: what is recorded matters more.
pub(super) fn say(words: impl Display) {
    let line = format!("{words}\n");
    let _ = anstream::stderr().lock().write_all(line.as_bytes());
}
