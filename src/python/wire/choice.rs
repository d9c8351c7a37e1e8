//! Formats and schemas, as keywords say them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::super::capture::Paths;
use super::classes::Classes;
use crate::project::{Configuration, FormatChoice, SchemaFiles};
use crate::wire::Settings;
use crate::wire::protobuf;

/// Protocol Buffers messages for formats to name: from .proto files, and from descriptor sets.
///
/// `Schema("carbon.proto", include="protos")`, or of a descriptor set `Schema("carbon.desc")`: `include` is where imports are looked for, a path or several,
/// by default the folders of the files and the working directory. `descriptor_set` is what protoc
/// --descriptor_set_out wrote, a path or several. Raises OSError for a file that cannot be read, FormatError
/// for one that is no schema, or is written in an edition.
#[pyclass(module = "wirespool", frozen)]
#[derive(Clone)]
pub(in crate::python) struct Schema(protobuf::Schema);

#[pymethods]
impl Schema {
    #[new]
    #[pyo3(signature = (*files, include = Paths(Vec::new()), descriptor_set = Paths(Vec::new())), text_signature = "(*files, include=(), descriptor_set=())")]
    fn new(
        py: Python<'_>,
        files: &Bound<'_, PyTuple>,
        include: Paths,
        descriptor_set: Paths,
    ) -> PyResult<Schema> {
        let paths = files.iter().map(|path| path.extract()).collect::<PyResult<Vec<PathBuf>>>()?;
        let mut files = by_ending(paths);
        files.include = include.0;
        files.descriptor_set.extend(descriptor_set.0);
        read(py, files)
    }

    /// The full names of its messages, sorted, but for those that are built in.
    #[getter]
    fn messages(&self) -> Vec<String> {
        self.0.names()
    }

    fn __repr__(&self) -> String {
        format!("<Schema {}>", self.0.names().join(" "))
    }
}

/// A Schema, or the path of a .proto file or of a descriptor set, or several paths.
pub(in crate::python) struct SchemaArgument(protobuf::Schema);

impl<'py> FromPyObject<'_, 'py> for SchemaArgument {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<SchemaArgument> {
        if let Ok(schema) = object.cast::<Schema>() {
            return Ok(SchemaArgument(schema.get().0.clone()));
        }
        let Paths(paths) = object.extract()?;
        Ok(SchemaArgument(read(object.py(), by_ending(paths))?.0))
    }
}

/// Sources by their ending, and descriptor sets, which have many.
fn by_ending(paths: Vec<PathBuf>) -> SchemaFiles {
    let is_source = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "proto");
    let (proto, descriptor_set) = paths.into_iter().partition(is_source);
    SchemaFiles { proto, descriptor_set, include: Vec::new() }
}

fn read(py: Python<'_>, files: SchemaFiles) -> PyResult<Schema> {
    Ok(Schema(py.detach(|| files.read())?))
}

/// The formats that a call names.
#[derive(Default)]
pub(in crate::python) struct Named<'a> {
    pub(in crate::python) format: Option<&'a str>,
    pub(in crate::python) client_format: Option<&'a str>,
    pub(in crate::python) server_format: Option<&'a str>,
    pub(in crate::python) schema: Option<SchemaArgument>,
}

impl Named<'_> {
    /// All that says what messages are, as for the command: with the nearest wirespool.toml.
    ///
    /// # Errors
    /// FormatError.
    pub(in crate::python) fn choice(
        self,
        settings: Arc<Settings>,
        classes: Option<&Classes>,
    ) -> crate::Result<FormatChoice> {
        // A working directory that is gone has no file.
        let folder = std::env::current_dir();
        let find = |folder: PathBuf| Configuration::find(Path::new(&folder));
        let configuration = folder.map_or_else(|_| Ok(Configuration::default()), find)?;
        let schemas = [self.schema.map(|given| given.0), classes.map(|them| them.schema().clone())];
        let schema = schemas
            .into_iter()
            .flatten()
            .rfold(configuration.schema().clone(), |behind, schema| schema.before(&behind));
        let mut choice = FormatChoice { schema, configuration, settings, ..Default::default() };
        let parse = |spelling: Option<&str>| spelling.map(|one| choice.parse(one)).transpose();
        let (both, client, server) =
            (parse(self.format)?, parse(self.client_format)?, parse(self.server_format)?);
        choice.given = [client.or_else(|| both.clone()), server.or(both)];
        Ok(choice)
    }
}
