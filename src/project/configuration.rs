//! `wirespool.toml`: what the ports of a project's servers speak. Formats only: nothing in it is an
//! address to contact, a file to write, or code.
//!
//! ```toml
//! proto = ["protos/carbon.proto"]  # and include, descriptor-set; as the options of these names
//!
//! [ports]
//! 12345 = "pickle"
//! 2004 = { client-format = "protobuf:carbon.Payload/u32be", server-format = "text/line" }
//! 2005 = { format = "protobuf:old.Payload/u32be", proto = "old/carbon.proto" }
//! ```
//!
//! Paths count from the folder that the file is in.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};

use super::SchemaFiles;
use super::schema::read_bounded;
use crate::Error;
use crate::message::Formats;
use crate::wire::Format;
use crate::wire::protobuf::Schema;

/// The file's name, wherever it is.
pub const FILE_NAME: &str = "wirespool.toml";

/// A table of every port takes as much.
const MAXIMUM_SIZE: u64 = 16 << 20;

/// What a project says of its formats.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    ports: BTreeMap<u16, Formats>,
    schema: Schema,
}

impl Configuration {
    /// What the nearest file says: that of `folder`, or of the first folder around it that has one.
    /// Nothing if there is none.
    ///
    /// # Errors
    /// As [`read`](Configuration::read).
    pub fn find(folder: &Path) -> crate::Result<Configuration> {
        let mut places = folder.ancestors().map(|folder| folder.join(FILE_NAME));
        match places.find(|path| path.is_file()) {
            Some(path) => Configuration::read(&path),
            None => Ok(Configuration::default()),
        }
    }

    /// What this file says.
    ///
    /// # Errors
    /// [`Error::File`] for one that cannot be read, [`Error::Configuration`] for one that makes no sense,
    /// or names a schema that cannot be read.
    pub fn read(path: &Path) -> crate::Result<Configuration> {
        let refuse = |reason: String| Error::Configuration { path: path.to_owned(), reason };
        let bytes = read_bounded(path, MAXIMUM_SIZE)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            refuse(format!("it is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
        })?;
        let document: Document =
            toml::from_str(&text).map_err(|error| refuse(place(&text, &error)))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        // What is wrong with a schema is said with this file's name: it says where to look for it.
        let read = |proto, include, descriptor_set| {
            let files = within(folder, proto, include, descriptor_set);
            files.read().map_err(|error| refuse(error.to_string()))
        };
        let schema = read(document.proto, document.include, document.descriptor_set)?;
        let mut ports = BTreeMap::new();
        for (name, Port(port)) in document.ports {
            let complain = |reason: String| refuse(format!("ports.{name}: {reason}"));
            // In one spelling only: 80 and 080 would be two keys for one port.
            let is_plain = |number: &u16| *number > 0 && number.to_string() == name;
            let Some(number) = name.parse().ok().filter(is_plain) else {
                return Err(complain("a port is a number from 1 to 65535".to_owned()));
            };
            let schema = read(port.proto, port.include, port.descriptor_set)?.before(&schema);
            let parse = |spelling: &String| {
                // Here a schema is named otherwise than on the command line.
                let advised =
                    |error: Error| error.to_string().replace("--proto FILE", "proto = \"FILE\"");
                Format::parse_with(spelling, &schema).map_err(|error| complain(advised(error)))
            };
            let side = |own: &Option<String>| own.as_ref().or(port.format.as_ref()).map(parse);
            let sides = [side(&port.client_format), side(&port.server_format)];
            if sides.iter().all(Option::is_none) {
                return Err(complain("there is no format, as in format = \"pickle\"".to_owned()));
            }
            let [client, server] = sides.map(|side| side.unwrap_or_else(|| Ok(Format::auto())));
            ports.insert(number, Formats::new(client?, server?));
        }
        Ok(Configuration { ports, schema })
    }

    /// What these ports speak, and nothing of schemas.
    pub fn of_ports(ports: impl IntoIterator<Item = (u16, Formats)>) -> Configuration {
        Configuration { ports: ports.into_iter().collect(), schema: Schema::default() }
    }

    /// What is spoken to a server at this port, if that is known.
    pub fn of(&self, port: u16) -> Option<&Formats> {
        self.ports.get(&port)
    }

    /// What is spoken at each port of which it is known.
    pub fn ports(&self) -> impl Iterator<Item = (u16, &Formats)> {
        self.ports.iter().map(|(port, formats)| (*port, formats))
    }

    /// The messages that any format may name.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[derive(Default)]
struct Document {
    proto: Paths,
    include: Paths,
    descriptor_set: Paths,
    ports: BTreeMap<String, Port>,
}

/// What one port speaks: a format, or a table.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct PortTable {
    format: Option<String>,
    client_format: Option<String>,
    server_format: Option<String>,
    proto: Paths,
    include: Paths,
    descriptor_set: Paths,
}

struct Port(PortTable);

/// One path, or several.
#[derive(Default)]
struct Paths(Vec<PathBuf>);

/// The files of a schema, as this folder's file names them.
fn within(folder: &Path, proto: Paths, include: Paths, descriptor_set: Paths) -> SchemaFiles {
    let [proto, include, descriptor_set] = [proto, include, descriptor_set]
        .map(|Paths(paths)| paths.iter().map(|path| folder.join(path)).collect());
    SchemaFiles { proto, include, descriptor_set }
}

/// What is wrong, and in which line and column.
fn place(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let said = error.message();
    // What is no keyword of TOML is read as one that is misspelt.
    let advice = if said.starts_with("invalid boolean") { "; text stands in quotes" } else { "" };
    format!("line {line}, column {column}: {said}{advice}")
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Port, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Port;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a format, as \"pickle\", or a table with format, client-format or \
                             server-format",
                )
            }

            fn visit_str<E>(self, format: &str) -> Result<Port, E> {
                let format = Some(format.to_owned());
                Ok(Port(PortTable { format, ..PortTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Port, A::Error> {
                PortTable::deserialize(MapAccessDeserializer::new(table)).map(Port)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Paths, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Paths;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path, or a list of paths")
            }

            fn visit_str<E>(self, path: &str) -> Result<Paths, E> {
                Ok(Paths(vec![path.into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, paths: A) -> Result<Paths, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(paths)).map(Paths)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
