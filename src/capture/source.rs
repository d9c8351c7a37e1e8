//! Where a capture's bytes come from: a file or a pipe as it is, or what decompressing it gives.

use std::io::{self, Read};

use super::compression::{Compression, Decompressor};
use super::counters::Damage;
use super::digest::Digest;
use super::growing::Growing;

/// Where a capture's bytes come from.
pub(super) enum Source {
    /// As they stand in the file.
    Plain(Original),
    /// Decompressed on the way.
    Compressed(Box<Decompressor>),
    /// As they come to stand in the file.
    Growing(Growing),
}

impl Source {
    /// Reads some bytes; 0 at the end, which is also where compressed data is damaged.
    ///
    /// # Errors
    /// What the system says; [`io::ErrorKind::WouldBlock`] where more may come.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Source::Plain(original) => original.read(into),
            Source::Compressed(decompressor) => decompressor.read(into),
            Source::Growing(growing) => growing.read(into),
        }
    }

    /// How it is compressed, if it is.
    pub(super) fn compression(&self) -> Option<Compression> {
        match self {
            Source::Plain(_) | Source::Growing(_) => None,
            Source::Compressed(decompressor) => Some(decompressor.compression()),
        }
    }

    /// Where the compressed data is damaged or cut off, in bytes of the file; known at its end.
    pub(super) fn damage(&self) -> Option<&Damage> {
        match self {
            Source::Plain(_) | Source::Growing(_) => None,
            Source::Compressed(decompressor) => decompressor.damage(),
        }
    }

    /// Why a file that was followed has ended, if it has.
    pub(super) fn ended(&self) -> Option<&'static str> {
        match self {
            Source::Growing(growing) => growing.ended(),
            Source::Plain(_) | Source::Compressed(_) => None,
        }
    }

    /// Reads on to the end of the file itself, for the digest of all of it, if it is wanted.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn digest(&mut self) -> io::Result<Option<String>> {
        let original = match self {
            Source::Plain(original) => original,
            Source::Compressed(decompressor) => decompressor.original(),
            Source::Growing(_) => return Ok(None),
        };
        if original.digest.is_some() {
            let mut passed_over = vec![0; 64 * 1024];
            while original.read(&mut passed_over)? > 0 {}
        }
        Ok(original.digest.as_ref().map(Digest::hex))
    }
}

/// The file's own bytes.
pub(super) struct Original {
    bytes: Box<dyn Read + Send>,
    /// Of all that was read, where it is wanted.
    digest: Option<Digest>,
}

impl Original {
    /// The bytes of a file or a pipe; all that are read go into `digest`, too.
    pub(super) fn new(bytes: Box<dyn Read + Send>, digest: Option<Digest>) -> Original {
        Original { bytes, digest }
    }

    /// Reads some bytes; 0 at the end.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.bytes.read(into) {
                Ok(count) => {
                    if let Some(digest) = &mut self.digest {
                        digest.add(&into[..count]);
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
