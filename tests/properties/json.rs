//! Text is read as tagged JSON without a panic, and what was read has one form, which says the same.

use wirespool::wire::json;

/// Any text: JSON, something like it, or anything else.
pub fn holds(text: &str) {
    let Ok(value) = json::parse(text) else { return };
    let written = json::to_string(&value);
    match json::parse(&written) {
        Ok(again) => {
            assert!(again == value, "{written}");
            assert_eq!(json::to_string(&again), written);
        }
        Err(error) => panic!("{error}: {written}"),
    }
}
