//! The state of an object that an allow-list lets a pickle make: what BUILD does.

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyModule, PyString, PyTuple, PyType};

/// Sets the state: by the class's own `__setstate__` if it has one, else into `__dict__` and slots.
///
/// # Errors
/// What `__setstate__` raises. Without one TypeError for a state that is no dict with names (or a pair
/// of such dicts, the second one for slots), AttributeError where the object has no place for it.
pub(super) fn set(object: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    if object.is_instance_of::<PyType>() || object.is_instance_of::<PyModule>() {
        return Err(PyTypeError::new_err("a class or module is given no state"));
    }
    let class = object.get_type();
    if let Some(set) = class.getattr_opt("__setstate__")? {
        return set.call1((object, state)).map(|_| ());
    }
    let (attributes, slots) = match state.cast_exact::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => (pair.get_item(0)?, Some(pair.get_item(1)?)),
        _ => (state.clone(), None),
    };
    if let Some(attributes) = names(&attributes)? {
        let own = object.getattr_opt("__dict__")?;
        let Some(own) = own.as_ref().and_then(|own| own.cast::<PyDict>().ok()) else {
            return Err(PyAttributeError::new_err("it has no __dict__ for its state"));
        };
        for (name, value) in &attributes {
            own.set_item(name, value)?;
        }
    }
    let Some(slots) = slots else { return Ok(()) };
    for (name, value) in names(&slots)?.iter().flatten() {
        let name = name.cast::<PyString>()?;
        // A slot, and no property or method: nothing of the class is run.
        let slot = class.getattr_opt(name)?;
        let is_slot = |slot: &Bound<'_, PyAny>| {
            Ok::<_, PyErr>(slot.get_type().name()?.to_str()? == "member_descriptor")
        };
        match slot {
            Some(slot) if is_slot(&slot)? => slot.call_method1("__set__", (object, value))?,
            _ => {
                return Err(PyAttributeError::new_err(format!("it has no slot {}", name.repr()?)));
            }
        };
    }
    Ok(())
}

/// Attributes by name; `None` if there are none.
fn names<'py>(state: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    if state.is_none() {
        return Ok(None);
    }
    let Ok(names) = state.cast_exact::<PyDict>() else {
        let name = state.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!("a state is a dict by names, not {name}")));
    };
    match names.keys().iter().all(|name| name.is_exact_instance_of::<PyString>()) {
        true => Ok(Some(names.clone())),
        false if names.keys().iter().any(|name| name.is_exact_instance_of::<PyBytes>()) => {
            let words =
                "a name in the state is bytes: of Python 2, it is text with encoding='latin1'";
            Err(PyTypeError::new_err(words))
        }
        false => Err(PyTypeError::new_err("a name in the state is no str")),
    }
}
