//! Nodes of a document, for a person.

use serde_json::Value as Json;

use crate::wire::json::write_string;

/// Elements of a list, as a list; `None` if there are none.
pub(super) fn list(elements: &[(usize, &Json)]) -> Option<String> {
    if elements.is_empty() {
        return None;
    }
    let mut shown = "[".to_owned();
    for (place, (_, node)) in elements.iter().enumerate() {
        if place > 0 {
            shown.push(',');
        }
        write(node, &mut shown);
    }
    shown.push(']');
    Some(shown)
}

/// A node as JSON, with all that could act on a terminal escaped.
pub(super) fn text(node: &Json) -> String {
    let mut shown = String::new();
    write(node, &mut shown);
    shown
}

fn write(node: &Json, shown: &mut String) {
    match node {
        Json::String(text) => write_string(text, shown),
        Json::Array(items) => {
            shown.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    shown.push(',');
                }
                write(item, shown);
            }
            shown.push(']');
        }
        Json::Object(members) => {
            shown.push('{');
            for (place, (name, member)) in members.iter().enumerate() {
                if place > 0 {
                    shown.push(',');
                }
                write_string(name, shown);
                shown.push(':');
                write(member, shown);
            }
            shown.push('}');
        }
        scalar => shown.push_str(&scalar.to_string()),
    }
}
