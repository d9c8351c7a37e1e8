//! Which file a path stands for, by whatever name.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// A regular file, as the system tells it from others: symbolic and hard links to it are the same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileIdentity(Which);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Which {
    There {
        device: u64,
        inode: u64,
    },
    /// One that is not there yet: where it will be.
    ToCome {
        folder: PathBuf,
        name: OsString,
    },
}

impl FileIdentity {
    /// The file at `path`, or that will be there. `None` for what is no file, as a terminal or a pipe is
    /// none, and where nothing can be.
    pub fn of(path: &Path) -> Option<FileIdentity> {
        match path.metadata() {
            Ok(found) => found
                .is_file()
                .then(|| FileIdentity(Which::There { device: found.dev(), inode: found.ino() })),
            Err(_) => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
                let name = path.file_name()?.to_owned();
                Some(FileIdentity(Which::ToCome { folder, name }))
            }
        }
    }

    /// Refuses to read twice what is gone once it was read: a pipe, or a terminal.
    ///
    /// # Errors
    /// [`Error::Usage`] if one of `paths` is such a one, and stands among them twice.
    pub fn refuse_repeated_streams(paths: &[PathBuf]) -> Result<()> {
        let is_stream =
            |path: &Path| path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
        let mut places = paths.iter().enumerate();
        let again = places.find(|(place, path)| paths[..*place].contains(path) && is_stream(path));
        match again {
            None => Ok(()),
            Some((_, path)) => Err(Error::Usage(format!(
                "{} is given twice, and can be read once only: it is no file",
                path.display()
            ))),
        }
    }

    /// Refuses to write `output` where one of `others` would be lost by it.
    ///
    /// # Errors
    /// [`Error::Usage`] if they are the same file.
    pub fn refuse_same<'a>(
        output: &Path,
        others: impl IntoIterator<Item = &'a Path>,
    ) -> Result<()> {
        let Some(written) = FileIdentity::of(output) else { return Ok(()) };
        let mut others = others.into_iter();
        match others.find(|other| FileIdentity::of(other).as_ref() == Some(&written)) {
            None => Ok(()),
            Some(other) => Err(Error::Usage(format!(
                "{} is the same file as {}, which would be overwritten; name another one",
                output.display(),
                other.display()
            ))),
        }
    }
}
