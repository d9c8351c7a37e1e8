//! Protocol Buffers schemas from files: `.proto` sources, and descriptor sets as protoc writes them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_reflect::DescriptorPool;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

use super::compile::{apart, check_options, compile};
use crate::Error;
use crate::wire::protobuf::Schema;

/// What a file says that is written in an edition, and what is said of it.
const EDITION: &str = "edition";
const NO_EDITIONS: &str = "it is written in an edition, which is not supported; \
                           wirespool reads syntax = \"proto2\" and \"proto3\"";

/// Google's own schemas together are a hundredth of this.
const MAXIMUM_SIZE: u64 = 256 << 20;

/// Where messages are defined that formats may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaFiles {
    /// `.proto` files, proto2 or proto3.
    pub proto: Vec<PathBuf>,
    /// The folders that imports count from, in the order in which they are searched. If there are none,
    /// those of the `.proto` files, and the working directory.
    pub include: Vec<PathBuf>,
    /// Descriptor sets, as `protoc --descriptor_set_out` writes them.
    pub descriptor_set: Vec<PathBuf>,
}

impl SchemaFiles {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.proto.is_empty() && self.descriptor_set.is_empty()
    }

    /// The messages that they define, before those that are built in.
    ///
    /// # Errors
    /// [`Error::File`] for a file that cannot be read, [`Error::Schema`] for one that is no schema, with
    /// line and column, for an import that is not found, and for a file of an edition.
    pub fn read(&self) -> crate::Result<Schema> {
        let mut pools = Vec::new();
        if !self.proto.is_empty() {
            pools.push(self.compile()?);
        }
        for path in &self.descriptor_set {
            pools.push(descriptors(path)?);
        }
        Ok(Schema::new(pools))
    }

    fn compile(&self) -> crate::Result<DescriptorPool> {
        for path in &self.proto {
            // As for protoc, a file may be named as it is imported. protox has other words for one that is
            // not there.
            if !self.include.iter().any(|folder| folder.join(path).exists()) {
                File::open(path).map_err(|source| Error::file("open", path, source))?;
            }
        }
        if !self.include.is_empty() {
            return self.compile_from(&self.include);
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        for path in &self.proto {
            let folder = match path.parent() {
                Some(folder) if folder != Path::new("") => folder,
                _ => Path::new("."),
            };
            if !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
        let here = PathBuf::from(".");
        let near = [&folders[..], std::slice::from_ref(&here)].concat();
        let far = [std::slice::from_ref(&here), &folders[..]].concat();
        // A file has one name: it depends on whether others import it from their folder or from here.
        self.compile_from(&near).or_else(|error| self.compile_from(&far).map_err(|_| error))
    }

    fn compile_from(&self, include: &[PathBuf]) -> crate::Result<DescriptorPool> {
        // Its Debug is for people: it has the place.
        let compile =
            || compile(&self.proto, include).map_err(|error| advised(format!("{error:?}")));
        apart(compile).map_err(|reason| Error::Schema { reason })
    }
}

/// All of a file, which has a reasonable size.
///
/// # Errors
/// [`Error::File`], also for one that is larger.
pub(super) fn read_bounded(path: &Path, limit: u64) -> crate::Result<Vec<u8>> {
    let failed = |source| Error::file("open", path, source);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > limit {
        let words = format!("it is larger than {} MiB", limit >> 20);
        return Err(failed(io::Error::other(words)));
    }
    Ok(bytes)
}

/// What the compiler says, with what to do about it.
fn advised(said: String) -> String {
    if said.ends_with(&format!("found '{EDITION}'")) {
        // Up to there it is the file, the line and the column.
        let place = said.split_once(": ").map_or("a file", |(place, _)| place);
        return format!("{place}: {NO_EDITIONS}");
    }
    let advice = if said.contains("include path") {
        "; -I names the folders that imports count from, and it has to be in one of them"
    } else if said.contains("import '") {
        "; -I names the folders to look in"
    } else if said.ends_with("is not valid utf-8") {
        "; if protoc wrote it, it is a descriptor set: --descriptor-set reads those"
    } else {
        ""
    };
    said + advice
}

/// The messages of files that are serialized as `FileDescriptorProto`s, before those that are built in.
///
/// # Errors
/// [`Error::Schema`] as for [`SchemaFiles::read`].
pub fn schema_of_files(serialized: &[Vec<u8>]) -> crate::Result<Schema> {
    if serialized.is_empty() {
        return Ok(Schema::default());
    }
    let files = serialized.iter().map(|bytes| FileDescriptorProto::decode(&bytes[..]));
    let pool = match files.collect::<Result<Vec<_>, _>>() {
        Ok(file) => pool(FileDescriptorSet { file }),
        Err(error) => Err(error.to_string()),
    };
    Ok(Schema::new([pool.map_err(|reason| Error::Schema { reason })?]))
}

/// The messages of a descriptor set.
fn descriptors(path: &Path) -> crate::Result<DescriptorPool> {
    let refuse = |reason: String| Error::Schema { reason: format!("{}: {reason}", path.display()) };
    let bytes = read_bounded(path, MAXIMUM_SIZE)?;
    let set = FileDescriptorSet::decode(&bytes[..]).map_err(|_| {
        refuse(
            "it is no descriptor set; protoc writes one by --descriptor_set_out, \
                             and --proto takes a .proto file"
                .to_owned(),
        )
    })?;
    if set.file.is_empty() {
        return Err(refuse("there is no file in it".to_owned()));
    }
    pool(set).map_err(refuse)
}

/// The messages of these files, or why there are none. Google's own files need not be among them.
fn pool(set: FileDescriptorSet) -> Result<DescriptorPool, String> {
    for file in &set.file {
        // prost-reflect would panic. Where a file says nothing it is proto2.
        match file.syntax.as_deref() {
            None | Some("proto2" | "proto3") => {}
            Some("editions") => return Err(format!("of {}, {NO_EDITIONS}", file.name())),
            Some(other) => {
                let name = file.name();
                return Err(format!(
                    "of {name}, its syntax is {other:?}, not \"proto2\" or \"proto3\""
                ));
            }
        }
        check_options(file)?;
    }
    apart(|| {
        DescriptorPool::from_file_descriptor_set(set.clone()).or_else(|error| {
            let mut pool = DescriptorPool::global();
            pool.add_file_descriptor_set(set).map(|()| pool).map_err(|second| {
                match error.to_string().contains("import") {
                    // What is missing then is not Google's.
                    true => format!(
                        "{second:?}; protoc writes what is imported, too, with --include_imports"
                    ),
                    false => format!("{error:?}"),
                }
            })
        })
    })
}
