//! Which bytes a capture is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// SHA-256 of all of a file, in hexadecimal digits.
///
/// # Errors
/// [`Error::File`] if it cannot be read.
pub fn digest(path: &Path) -> Result<String> {
    let failed = |source: io::Error| Error::file("read", path, source);
    let mut file = File::open(path).map_err(|source| Error::file("open", path, source))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            length => hasher.update(&buffer[..length]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
