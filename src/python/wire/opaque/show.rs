//! An opaque object in words: short, whatever it holds, and without running any of it.
//!
//! Only Python's own types are shown, and those exactly: what an allow-list made, and what else a
//! reader put into a list, is named by its type, as its `__repr__` is somebody's code.

use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use super::Opaque;

/// The most characters there are, but for what closes brackets.
const LENGTH: usize = 240;
/// How deep containers are shown, how many elements of each, and how much of a string or a name.
const DEPTH: usize = 4;
const ELEMENTS: usize = 8;
const STRING: usize = 60;
/// Larger integers are told by their size; a UUID's is shown.
const BITS: usize = 128;

pub(super) fn opaque(object: &Bound<'_, Opaque>) -> PyResult<String> {
    let mut words = Words { text: String::new() };
    words.opaque(object, 0)?;
    Ok(words.text)
}

struct Words {
    text: String,
}

impl Words {
    fn is_full(&self) -> bool {
        self.text.len() >= LENGTH
    }

    fn opaque(&mut self, object: &Bound<'_, Opaque>, depth: usize) -> PyResult<()> {
        let py = object.py();
        self.text.push_str("<Opaque ");
        // Borrowed for no longer than needed: an object may hold itself.
        let this = object.borrow();
        match (&this.module, &this.qualname) {
            (Some(module), Some(name)) => self.name(py, &format!("{module}.{name}"))?,
            _ => self.text.push_str(this.kind),
        }
        let Some(contents) = &this.contents else {
            self.text.push('>');
            return Ok(());
        };
        if let Some(subject) = &contents.subject {
            self.text.push(' ');
            self.any(subject.bind(py), depth + 1)?;
        }
        if let Some(args) = &contents.args {
            self.text.push('(');
            let kwargs = contents.kwargs.bind(py);
            self.elements(args.bind(py).iter(), depth + 1)?;
            if !kwargs.is_empty()? {
                self.text.push_str(if args.bind(py).is_empty() { "**" } else { ", **" });
                self.any(&kwargs.call_method0("copy")?, depth + 1)?;
            }
            self.text.push(')');
        }
        if let Some(state) = &contents.state {
            self.part(" state=", state.bind(py), depth)?;
        }
        if !contents.items.bind(py).is_empty() {
            self.part(" items=", contents.items.bind(py), depth)?;
        }
        if !contents.entries.bind(py).is_empty() {
            self.part(" entries=", contents.entries.bind(py), depth)?;
        }
        self.text.push('>');
        Ok(())
    }

    fn part(&mut self, name: &str, part: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if self.text.ends_with('…') && self.is_full() {
            return Ok(());
        }
        self.text.push_str(name);
        self.any(part, depth + 1)
    }

    /// A dotted name, or the text that a peer says is one, as Python shows text.
    fn name(&mut self, py: Python<'_>, name: &str) -> PyResult<()> {
        let is_plain = name.chars().all(|char| char.is_ascii_alphanumeric() || "_.".contains(char));
        if is_plain && name.len() <= STRING {
            self.text.push_str(name);
            return Ok(());
        }
        self.string(&PyString::new(py, name))
    }

    /// Recurses no deeper than `DEPTH`.
    fn any(&mut self, object: &Bound<'_, PyAny>, depth: usize) -> PyResult<()> {
        if self.is_full() {
            self.ellipsis();
            return Ok(());
        }
        let is_atom = object.is_none() || object.is_exact_instance_of::<PyBool>();
        if is_atom || object.is_exact_instance_of::<PyFloat>() {
            self.text.push_str(object.repr()?.to_str()?);
        } else if let Ok(integer) = object.cast_exact::<PyInt>() {
            self.integer(integer)?;
        } else if let Ok(text) = object.cast_exact::<PyString>() {
            self.string(text)?;
        } else if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            self.bytes(object.py(), bytes.as_bytes())?;
        } else if let Ok(bytes) = object.cast_exact::<PyByteArray>() {
            self.text.push_str("bytearray(");
            let end = bytes.len().min(STRING + 1) as isize;
            let start = bytes.get_item(pyo3::types::PySlice::new(object.py(), 0, end, 1))?;
            self.bytes(object.py(), &start.extract::<Vec<u8>>()?)?;
            self.text.push(')');
        } else if depth > DEPTH {
            self.ellipsis();
        } else if let Ok(opaque) = object.cast::<Opaque>() {
            self.opaque(opaque, depth)?;
        } else if let Ok(items) = object.cast_exact::<PyTuple>() {
            self.text.push('(');
            self.elements(items.iter(), depth + 1)?;
            self.text.push_str(if items.len() == 1 { ",)" } else { ")" });
        } else if let Ok(items) = object.cast_exact::<PyList>() {
            self.text.push('[');
            self.elements(items.iter(), depth + 1)?;
            self.text.push(']');
        } else if let Ok(entries) = object.cast_exact::<PyDict>() {
            self.entries(entries, depth)?;
        } else if let Ok(members) = object.cast_exact::<PySet>() {
            self.members("set", members.iter(), depth)?;
        } else if let Ok(members) = object.cast_exact::<PyFrozenSet>() {
            self.members("frozenset", members.iter(), depth)?;
        } else {
            let name = object.get_type().fully_qualified_name()?.to_string_lossy().into_owned();
            self.text.push('<');
            self.name(object.py(), &name)?;
            self.text.push('>');
        }
        Ok(())
    }

    fn elements<'py>(
        &mut self,
        items: impl Iterator<Item = Bound<'py, PyAny>>,
        depth: usize,
    ) -> PyResult<()> {
        for (place, item) in items.enumerate() {
            if place > 0 {
                self.text.push_str(", ");
            }
            if place == ELEMENTS || self.is_full() {
                self.ellipsis();
                break;
            }
            self.any(&item, depth)?;
        }
        Ok(())
    }

    fn entries(&mut self, entries: &Bound<'_, PyDict>, depth: usize) -> PyResult<()> {
        self.text.push('{');
        for (place, (key, value)) in entries.iter().enumerate() {
            if place > 0 {
                self.text.push_str(", ");
            }
            if place == ELEMENTS || self.is_full() {
                self.ellipsis();
                break;
            }
            self.any(&key, depth + 1)?;
            self.text.push_str(": ");
            self.any(&value, depth + 1)?;
        }
        self.text.push('}');
        Ok(())
    }

    fn members<'py>(
        &mut self,
        name: &str,
        items: impl ExactSizeIterator<Item = Bound<'py, PyAny>>,
        depth: usize,
    ) -> PyResult<()> {
        self.text.push_str(name);
        self.text.push('(');
        if items.len() > 0 {
            self.text.push('{');
            self.elements(items, depth + 1)?;
            self.text.push('}');
        }
        self.text.push(')');
        Ok(())
    }

    fn integer(&mut self, integer: &Bound<'_, PyInt>) -> PyResult<()> {
        let bits: usize = integer.call_method0("bit_length")?.extract()?;
        if bits > BITS {
            self.text.push_str(&format!("<int of {bits} bits>"));
        } else {
            self.text.push_str(integer.repr()?.to_str()?);
        }
        Ok(())
    }

    /// As Python shows it, which escapes what cannot be printed.
    fn string(&mut self, text: &Bound<'_, PyString>) -> PyResult<()> {
        if text.len()? <= STRING {
            self.text.push_str(text.repr()?.to_str()?);
            return Ok(());
        }
        let start = text.get_item(pyo3::types::PySlice::new(text.py(), 0, STRING as isize, 1))?;
        self.text.push_str(start.repr()?.to_str()?);
        self.ellipsis();
        Ok(())
    }

    fn bytes(&mut self, py: Python<'_>, bytes: &[u8]) -> PyResult<()> {
        let shown = PyBytes::new(py, &bytes[..bytes.len().min(STRING)]);
        self.text.push_str(shown.repr()?.to_str()?);
        if bytes.len() > STRING {
            self.ellipsis();
        }
        Ok(())
    }

    fn ellipsis(&mut self) {
        if !self.text.ends_with('…') {
            self.text.push('…');
        }
    }
}
