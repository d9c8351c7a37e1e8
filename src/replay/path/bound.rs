//! Which paths take time in proportion to what they are looked for in, whatever a peer sends.
//!
//! A path gives back a node once for each way that leads there, so `$..*..*` gives a node as often as it
//! is deep, `$..*..*..*` the square of that; a filter that itself looks everywhere does so for each node.

/// Refuses a path that may take longer, with the reason.
pub(super) fn check(path: &str) -> Result<(), &'static str> {
    let mut characters = path.chars().peekable();
    // Whether each bracket that is open is a filter.
    let mut open = Vec::new();
    let mut filters = 0;
    let mut descents = 0;
    // In the outermost filter: whether it begins at the root, and whether it looks at many places.
    let (mut is_from_root, mut is_wide) = (false, false);
    while let Some(character) = characters.next() {
        match character {
            '"' | '\'' => {
                while let Some(quoted) = characters.next() {
                    match quoted {
                        '\\' => drop(characters.next()),
                        quoted if quoted == character => break,
                        _ => {}
                    }
                }
            }
            '[' | '(' => open.push(false),
            '?' => {
                (is_from_root, is_wide) = match filters {
                    0 => (false, false),
                    _ => (is_from_root, true),
                };
                filters += 1;
                open.push(true);
            }
            ']' | ')' => {
                while open.pop() == Some(true) {
                    filters -= 1;
                }
            }
            // The next filter of the same brackets.
            ',' if open.last() == Some(&true) => {
                open.pop();
                filters -= 1;
            }
            '.' if characters.peek() == Some(&'.') => {
                characters.next();
                descents += 1;
                if filters > 0 {
                    return Err("a filter cannot look at any depth (..)");
                }
            }
            '$' if filters > 0 => is_from_root = true,
            '*' | ':' if filters > 0 => is_wide = true,
            _ => {}
        }
        if filters > 0 && is_from_root && is_wide {
            return Err("a filter that looks at many places cannot begin at $");
        }
    }
    match descents {
        0 | 1 => Ok(()),
        _ => Err("it looks at any depth (..) more than once"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_take_longer_than_the_document_is_large_is_refused() {
        for path in [
            "$..*..*",
            "$..a..b",
            "$..[*]..[*]",
            "$[?@..a]",
            "$[?count($..*)>1]",
            "$[?count($[*])>1]",
            "$[?@.a==1,?$[*]]",
            "$[?$[?@.a]]",
            "$[?@[?$[*]]]",
            "$[?$['a'][0:]]",
        ] {
            assert!(check(path).is_err(), "{path}");
        }
        for path in [
            "time",
            "$..time",
            "$..[?@.a==1].b[*]",
            "$['a..b..c']",
            r#"$["\"..", "..", '..\'..']"#,
            "$[?@.a==$.b[0]]",
            "$[?@.a[*]]",
            "$[?@.a=='$[*]..x']",
            "$[?@.a==1][*]..b",
            "$[?@.a=='?' && $.b][*]",
        ] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }
}
