//! The bytes of a capture on their way in.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::compression::{Compression, Decompressor};
use super::counters::Damage;
use super::source::Source;
use crate::{Error, Result};

/// As much as stays in a processor's nearer caches until it is looked at.
const BUFFER: usize = 64 * 1024;

/// The bytes of a capture, as far as they are read and not yet taken.
pub(super) struct Input {
    source: Source,
    path: PathBuf,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Where in the capture `start` is: in the file, or in what decompressing it gives.
    offset: u64,
    /// Whether there was less than was wanted, and more may come.
    waits: bool,
}

impl Input {
    /// Begins to read; decompresses if the first bytes say that it is needed. `path` is what errors call
    /// the capture.
    pub(super) fn new(source: Source, path: PathBuf) -> Result<Input> {
        let buffer = vec![0; BUFFER];
        let mut input = Input { source, path, buffer, start: 0, end: 0, offset: 0, waits: false };
        input.fill(Compression::MAGIC)?;
        if let Source::Plain(_) = input.source
            && let Some(compression) = Compression::of(input.bytes())
        {
            return input.decompress(compression);
        }
        Ok(input)
    }

    fn decompress(self, compression: Compression) -> Result<Input> {
        let Source::Plain(original) = self.source else { return Ok(self) };
        let decompressor = Decompressor::new(compression, original, &self.buffer[..self.end])
            .map_err(|source| Error::file("read", &self.path, source))?;
        Ok(Input { source: Source::Compressed(Box::new(decompressor)), end: 0, ..self })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where in the capture the bytes are that stand next.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is read and not yet taken.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// How it is compressed, if it is.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.source.compression()
    }

    /// Where the compressed data is damaged or cut off; known at its end.
    pub(super) fn compression_damage(&self) -> Option<&Damage> {
        self.source.damage()
    }

    /// Tries to have `wanted` bytes; returns how many there are.
    #[inline]
    pub(super) fn fill(&mut self, wanted: usize) -> Result<usize> {
        let there = self.end - self.start;
        if there >= wanted { Ok(there) } else { self.read_on(wanted) }
    }

    /// Reads until there are `wanted` bytes, or no more come.
    fn read_on(&mut self, wanted: usize) -> Result<usize> {
        while self.end - self.start < wanted {
            if self.start > 0 && self.start + wanted > self.buffer.len() {
                self.buffer.copy_within(self.start..self.end, 0);
                self.end -= self.start;
                self.start = 0;
            }
            if self.end == self.buffer.len() {
                // By doubling, so that a length that lies costs no more than the file has.
                let mut larger = vec![0; (self.buffer.len() * 2).min(wanted)];
                larger[..self.end].copy_from_slice(&self.buffer);
                self.buffer = larger;
            }
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waits = true;
                    return Ok(self.end - self.start);
                }
                Err(source) => return Err(Error::file("read", &self.path, source)),
            }
        }
        self.waits = false;
        Ok(self.end - self.start)
    }

    /// Whether it is a file that is followed.
    pub(super) fn is_growing(&self) -> bool {
        matches!(self.source, Source::Growing(_))
    }

    /// Whether more may come, where [`fill`](Input::fill) had less than was wanted.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Why a file that was followed has ended, if it has.
    pub(super) fn ended(&self) -> Option<&'static str> {
        self.source.ended()
    }

    /// Has as much as the buffer takes at its beginning, or all there is.
    pub(super) fn fill_beginning(&mut self) -> Result<()> {
        self.fill(BUFFER).map(drop)
    }

    /// Takes the next `length` bytes, which are there; returns where they are in what
    /// [`taken`](Input::taken) gives.
    pub(super) fn take(&mut self, length: usize) -> Range<usize> {
        let from = self.start;
        self.start += length;
        self.offset += length as u64;
        from..self.start
    }

    /// What was [taken](Input::take) last.
    pub(super) fn taken(&self, range: Range<usize>) -> &[u8] {
        &self.buffer[range]
    }

    /// Takes back what was taken since `offset`, of one record at most.
    pub(super) fn back_to(&mut self, offset: u64) {
        self.start -= (self.offset - offset) as usize;
        self.offset = offset;
    }

    /// The digest of all of the file, if it is wanted; what was not taken by then is lost.
    pub(super) fn digest(&mut self) -> Result<Option<String>> {
        (self.start, self.end) = (0, 0);
        self.source.digest().map_err(|source| Error::file("read", &self.path, source))
    }
}
