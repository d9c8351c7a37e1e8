//! A file that is still being written.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// How long one read waits for more: what is written is seen that late, at most.
pub(super) const WAIT: Duration = Duration::from_millis(100);

/// Reads a file as it grows. At its end [`io::ErrorKind::WouldBlock`] says that there is no more yet, once
/// that was waited for.
pub(super) struct Growing {
    file: File,
    path: PathBuf,
    /// How much was read.
    offset: u64,
    /// Why there will be no more.
    ended: Option<&'static str>,
}

impl Growing {
    /// From the beginning of `file`, which was opened at `path`.
    pub(super) fn new(file: File, path: PathBuf) -> Growing {
        Growing { file, path, offset: 0, ended: None }
    }

    /// Why it has ended, if it has.
    pub(super) fn ended(&self) -> Option<&'static str> {
        self.ended
    }

    /// Reads some bytes; 0 once there will be no more.
    ///
    /// # Errors
    /// What the system says, and [`io::ErrorKind::WouldBlock`].
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended.is_some() {
            return Ok(0);
        }
        let mut count = self.file.read(into)?;
        if count == 0 {
            let own = self.file.metadata()?;
            if !own.is_file() {
                // A pipe waits by itself, and has an end.
                return Ok(0);
            }
            self.ended = self.ending(&own);
            if self.ended.is_some() {
                return Ok(0);
            }
            std::thread::sleep(WAIT);
            count = self.file.read(into)?;
        }
        self.offset += count as u64;
        match count {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }

    fn ending(&self, own: &Metadata) -> Option<&'static str> {
        if own.len() < self.offset {
            return Some("it was cut short while it was followed");
        }
        match self.path.metadata() {
            Ok(found) if (found.dev(), found.ino()) == (own.dev(), own.ino()) => None,
            Ok(_) => Some("another file has taken its place while it was followed"),
            Err(_) => Some("it was removed or renamed while it was followed"),
        }
    }
}
