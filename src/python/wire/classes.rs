//! Generated classes of Protocol Buffers messages, whose instances messages are to become.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyType};

use super::TempEvent;
use crate::message::FormatsByPort;
use crate::project::schema_of_files;
use crate::wire::protobuf::Schema;
use crate::wire::{Codec, Format};

/// Classes by the full names of their messages, with the schema that their descriptors are.
#[derive(Clone)]
pub(in crate::python) struct Classes(Arc<Inner>);

struct Inner {
    classes: Vec<(String, Py<PyAny>)>,
    schema: Schema,
}

impl Classes {
    pub(super) fn schema(&self) -> &Schema {
        &self.0.schema
    }

    /// The class of the messages of this format, if it is one of these.
    pub(super) fn of(&self, format: &Format) -> Option<&Py<PyAny>> {
        let Codec::Protobuf(Some(message)) = format.codec() else { return None };
        let mut classes = self.0.classes.iter();
        classes.find(|(name, _)| name == message.name()).map(|(_, class)| class)
    }

    /// The formats, of messages of the one class where they are protobuf that names none, framed as that is,
    /// or where they are not known.
    ///
    /// # Errors
    /// [`Error::Format`](crate::Error::Format) if there are several classes.
    pub(super) fn applied(&self, formats: FormatsByPort) -> crate::Result<FormatsByPort> {
        let [(name, _)] = &self.0.classes[..] else { return Ok(formats) };
        let own = Format::parse_with(&format!("protobuf:{name}"), &self.0.schema)?;
        Ok(formats.map(|_, format| match format.codec() {
            Codec::Protobuf(None) if format.spelling().contains('/') => {
                own.with_framing(format.framing()).with_settings(format.settings())
            }
            Codec::Protobuf(None) | Codec::Auto => own.clone().with_settings(format.settings()),
            // What is known to be something else stays that: the other side may speak it.
            _ => format,
        }))
    }
}

impl<'py> FromPyObject<'_, 'py> for Classes {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Classes> {
        let classes: Vec<Bound<'py, PyAny>> = match object.is_instance_of::<PyType>() {
            true => vec![object.to_owned()],
            false if object.is_instance_of::<PyString>() => return Err(no_class(object)),
            false => object.try_iter().map_err(|_| no_class(object))?.collect::<PyResult<_>>()?,
        };
        if classes.is_empty() {
            return Err(PyTypeError::new_err("there is no class in message_type"));
        }
        let mut files = Files::default();
        let mut named = Vec::new();
        for class in classes {
            let name = if class.is(class.py().get_type::<TempEvent>()) {
                TempEvent::NAME.to_owned()
            } else {
                let descriptor = class.getattr_opt("DESCRIPTOR")?;
                let (Some(descriptor), true) = (descriptor, class.hasattr("FromString")?) else {
                    return Err(no_class(class.as_borrowed()));
                };
                files.add(descriptor.getattr("file")?)?;
                descriptor.getattr("full_name")?.extract()?
            };
            named.push((name, class.unbind()));
        }
        let schema = schema_of_files(&files.serialized)?;
        for (name, class) in &named {
            let format = Format::parse_with(&format!("protobuf:{name}"), &schema)?;
            // A name that is more than a name would be read as something else.
            if !matches!(format.codec(), Codec::Protobuf(Some(message)) if message.name() == name) {
                return Err(no_class(class.bind_borrowed(object.py())));
            }
        }
        Ok(Classes(Arc::new(Inner { classes: named, schema })))
    }
}

/// The files that descriptors come from, serialized, those that are imported first.
#[derive(Default)]
struct Files {
    known: HashSet<String>,
    serialized: Vec<Vec<u8>>,
}

impl Files {
    fn add(&mut self, file: Bound<'_, PyAny>) -> PyResult<()> {
        // A file is there once all that it imports is.
        let mut pending = vec![(file, false)];
        while let Some((file, is_ready)) = pending.pop() {
            if is_ready {
                let bytes = file.getattr("serialized_pb")?.cast_into::<PyBytes>()?;
                self.serialized.push(bytes.as_bytes().to_vec());
                continue;
            }
            if !self.known.insert(file.getattr("name")?.extract()?) {
                continue;
            }
            let imported = file.getattr("dependencies")?;
            pending.push((file, true));
            for file in imported.try_iter()? {
                pending.push((file?, false));
            }
        }
        Ok(())
    }
}

fn no_class(object: Borrowed<'_, '_, PyAny>) -> PyErr {
    let shown = match object.cast::<PyType>().is_ok() || object.cast::<PyString>().is_ok() {
        true => object.repr().map(|shown| shown.to_string()),
        // What is an instance may show nothing, or much.
        false => object.get_type().name().map(|name| format!("a {name}")),
    };
    match shown {
        Ok(shown) => PyTypeError::new_err(format!(
            "message_type is a class that protoc generated, or several, not {shown}"
        )),
        Err(error) => error,
    }
}
