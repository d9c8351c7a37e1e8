//! Calls that an allow-list lets a pickle make, and what is done with the object that one gives.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
    PyType,
};

use super::super::error::decode_error;
use super::allow::{Allow, Recipe};
use super::crowd::Crowd;
use super::failure::{WITHOUT, failed, unlisted};
use super::name::{named, reference, shown};
use super::repeats::Repeats;
use super::state;
use crate::wire::value::{Class, Node, NodeId, Object, Value};
use crate::wire::{Fault, FaultKind};

/// One call: what it needs first, and what its object is filled with later.
pub(super) struct Call<'py> {
    callable: Bound<'py, PyAny>,
    how: How<'py>,
    /// The nodes it is called with: positional arguments, then names and values of keywords.
    before: Vec<NodeId>,
    positional: usize,
    /// The nodes that its object is filled with: items, keys and values of entries, the state.
    after: Vec<NodeId>,
    made: Option<Bound<'py, PyAny>>,
}

enum How<'py> {
    Called,
    /// `cls.__new__(cls, …)`, without `__init__`.
    Instance,
    /// As a subclass of this plain type, from the plain value: `copyreg._reconstructor`.
    Derived(Bound<'py, PyType>),
}

impl<'py> Call<'py> {
    /// The call that an object is, if the list has it.
    pub(super) fn of(
        py: Python<'py>,
        value: &Value,
        object: &Object,
        allow: &Allow,
    ) -> PyResult<Option<Call<'py>>> {
        let (Some((module, name)), Some(arguments)) = (named(value, object), &object.arguments)
        else {
            return Ok(None);
        };
        let mut call = match allow.find(py, module, &name)? {
            Some(callable) => {
                let is_instance = object.uninitialized && callable.is_instance_of::<PyType>();
                let how = if is_instance { How::Instance } else { How::Called };
                Call::new(callable, how, arguments.clone())
            }
            None => match reconstruction(py, value, object, allow)? {
                Some(call) => call,
                None => return Ok(None),
            },
        };
        let takes_state =
            call.callable.cast::<Recipe>().is_ok_and(|recipe| recipe.get().takes_state);
        let mut state = object.state;
        if takes_state {
            call.before.splice(0..0, state.take());
            if call.before.len() == call.positional {
                return Err(call.failure(py, value, object, "it has no state"));
            }
            call.positional += 1;
        }
        call.before.extend(object.keywords.iter().flat_map(|&(name, value)| [name, value]));
        call.after.extend(&object.items);
        call.after.extend(object.entries.iter().flat_map(|&(key, value)| [key, value]));
        call.after.extend(state);
        Ok(Some(call))
    }

    fn new(callable: Bound<'py, PyAny>, how: How<'py>, before: Vec<NodeId>) -> Call<'py> {
        Call { callable, how, positional: before.len(), before, after: Vec::new(), made: None }
    }

    /// Whether the object is there, if perhaps not filled.
    pub(super) fn is_made(&self) -> bool {
        self.made.is_some()
    }

    /// The node that is needed at this place, before or after the call.
    pub(super) fn child(&self, place: usize) -> Option<NodeId> {
        let nodes = if self.is_made() { &self.after } else { &self.before };
        nodes.get(place).copied()
    }

    /// Calls with what was needed before.
    pub(super) fn make(
        &mut self,
        value: &Value,
        request: &Object,
        parts: &[Bound<'py, PyAny>],
        repeats: &mut Repeats,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.callable.py();
        if self.callable.is_instance_of::<Recipe>() {
            for (&node, part) in self.before.iter().zip(parts) {
                repeats.count(node, part, request.offset)?;
            }
        }
        let (arguments, keywords) = parts.split_at(self.positional);
        let made = self.run(arguments, keywords).map_err(|error| {
            let advice = match unlisted(arguments) {
                Some(unlisted) => format!("{unlisted}; {WITHOUT}"),
                None => WITHOUT.to_owned(),
            };
            failed(py, request.offset, &shown(value, request), error, &advice)
        })?;
        self.made = Some(made.clone());
        Ok(made)
    }

    fn run(
        &self,
        arguments: &[Bound<'py, PyAny>],
        keywords: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = self.callable.py();
        let named = PyDict::new(py);
        for pair in keywords.chunks_exact(2) {
            if !pair[0].is_exact_instance_of::<PyString>() {
                return Err(PyTypeError::new_err("the name of a keyword argument is no str"));
            }
            named.set_item(&pair[0], &pair[1])?;
        }
        let named = (!named.is_empty()).then_some(&named);
        match &self.how {
            How::Called => self.callable.call(PyTuple::new(py, arguments)?, named),
            How::Instance => {
                let all: Vec<_> = [&self.callable].into_iter().chain(arguments).collect();
                self.callable.getattr("__new__")?.call(PyTuple::new(py, all)?, named)
            }
            How::Derived(base) if self.callable.is_instance_of::<PyType>() => {
                let of_class = (self.callable.clone(), arguments[0].clone());
                let made = base.getattr("__new__")?.call1(of_class)?;
                let is_filled = base.is(py.get_type::<PyList>())
                    || base.is(py.get_type::<PyDict>())
                    || base.is(py.get_type::<PySet>())
                    || base.is(py.get_type::<PyByteArray>());
                if is_filled {
                    base.getattr("__init__")?.call1((made.clone(), arguments[0].clone()))?;
                }
                Ok(made)
            }
            How::Derived(_) => self.callable.call(PyTuple::new(py, arguments)?, named),
        }
    }

    /// Fills the object, as APPENDS, SETITEMS and BUILD do.
    pub(super) fn fill(
        &self,
        value: &Value,
        request: &Object,
        parts: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let Some(made) = &self.made else { return Ok(()) };
        fill(made, request, parts).map_err(|error| {
            failed(made.py(), request.offset, &shown(value, request), error, WITHOUT)
        })
    }

    /// The error of a call that cannot be made.
    #[cold]
    pub(super) fn failure(
        &self,
        py: Python<'_>,
        value: &Value,
        request: &Object,
        words: &str,
    ) -> PyErr {
        let message = format!("{}: {words}; {WITHOUT}", shown(value, request));
        decode_error(py, &Fault::new(FaultKind::Schema, request.offset, message))
    }
}

fn fill(
    made: &Bound<'_, PyAny>,
    request: &Object,
    mut parts: Vec<Bound<'_, PyAny>>,
) -> PyResult<()> {
    let mut rest = parts.split_off(request.items.len());
    if !parts.is_empty() {
        match made.getattr_opt("extend")? {
            Some(extend) => extend.call1((PyList::new(made.py(), parts)?,)).map(|_| ())?,
            None => {
                let add = match made.getattr_opt("append")? {
                    Some(append) => append,
                    None => made.getattr("add")?,
                };
                parts.into_iter().try_for_each(|item| add.call1((item,)).map(|_| ()))?;
            }
        }
    }
    let states = rest.split_off(2 * request.entries.len());
    let mut crowd = Crowd::of(request.entries.len());
    for pair in rest.chunks_exact(2) {
        if let Some(crowd) = &mut crowd {
            crowd.add(&pair[0])?;
        }
        made.set_item(&pair[0], &pair[1])?;
    }
    match states.first() {
        Some(state) => state::set(made, state),
        None => Ok(()),
    }
}

/// What protocols 0 and 1 write for an instance: `copyreg._reconstructor(cls, base, state)`, done here
/// and not there, for a class of the list.
fn reconstruction<'py>(
    py: Python<'py>,
    value: &Value,
    object: &Object,
    allow: &Allow,
) -> PyResult<Option<Call<'py>>> {
    let Class::Global { module, name } = &object.class else { return Ok(None) };
    let is_it = matches!(&**module, "copyreg" | "copy_reg") && &**name == "_reconstructor";
    let (true, Some([class, base, state])) = (is_it, object.arguments.as_deref()) else {
        return Ok(None);
    };
    let (Some((module, name)), Some(("builtins" | "__builtin__", base))) =
        (reference(value, *class), reference(value, *base))
    else {
        return Ok(None);
    };
    let Some(callable) = allow.find(py, module, name)? else { return Ok(None) };
    let base = match base {
        "object" if matches!(value.node(*state), Node::None) => {
            let is_class = callable.is_instance_of::<PyType>();
            let how = if is_class { How::Instance } else { How::Called };
            return Ok(Some(Call::new(callable, how, Vec::new())));
        }
        "list" => py.get_type::<PyList>(),
        "dict" => py.get_type::<PyDict>(),
        "set" => py.get_type::<PySet>(),
        "frozenset" => py.get_type::<PyFrozenSet>(),
        "tuple" => py.get_type::<PyTuple>(),
        "str" | "unicode" => py.get_type::<PyString>(),
        "bytes" => py.get_type::<PyBytes>(),
        "bytearray" => py.get_type::<PyByteArray>(),
        "int" | "long" => py.get_type::<PyInt>(),
        "float" => py.get_type::<PyFloat>(),
        _ => return Ok(None),
    };
    Ok(Some(Call::new(callable, How::Derived(base), vec![*state])))
}
