//! What a pickle calls what it asks for.

use std::borrow::Cow;

use crate::wire::value::{Class, Node, NodeId, Object, Value};
use crate::wire::visible;

/// The module and name that a call asks for.
///
/// What CPython writes for a method of a class, at every protocol, is `getattr(Class, 'method')`: that is
/// read as the name `Class.method`, which the list has or has not. Nothing is looked up.
pub(super) fn named<'v>(value: &'v Value, request: &'v Object) -> Option<(&'v str, Cow<'v, str>)> {
    let method = match &request.class {
        Class::Global { module, name } => return Some((module, Cow::Borrowed(name))),
        Class::Computed(method) => *method,
        _ => return None,
    };
    let Node::Object(method) = value.node(method) else { return None };
    let is_getattr = matches!(
        &method.class,
        Class::Global { module, name }
            if matches!(&**module, "builtins" | "__builtin__") && &**name == "getattr"
    );
    let is_bare = method.state.is_none()
        && method.keywords.is_empty()
        && method.items.is_empty()
        && method.entries.is_empty()
        && !method.uninitialized;
    let (true, true, Some([class, name])) = (is_getattr, is_bare, method.arguments.as_deref())
    else {
        return None;
    };
    let ((module, class), name) = (reference(value, *class)?, value.as_str(*name)?);
    (!name.contains('.')).then(|| (module, Cow::Owned(format!("{class}.{name}"))))
}

/// The name of a node that is a class or function itself, and nothing done with it.
pub(super) fn reference(value: &Value, node: NodeId) -> Option<(&str, &str)> {
    let Node::Object(object) = value.node(node) else { return None };
    match &object.class {
        Class::Global { module, name } if object.arguments.is_none() && object.state.is_none() => {
            Some((module, name))
        }
        _ => None,
    }
}

/// The name that was asked for; it stands in the list, or is the one of copyreg.
pub(super) fn shown(value: &Value, request: &Object) -> String {
    match named(value, request) {
        Some((module, name)) => visible(&format!("{module}.{name}")).into_owned(),
        None => "a call".to_owned(),
    }
}
