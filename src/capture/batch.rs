//! Bytes gathered and written in one call.

use std::fs::File;
use std::io::{self, Write};

/// Bytes on their way to a file. Writing only gathers them; flushing writes them all at once.
pub(super) struct Batch {
    file: File,
    bytes: Vec<u8>,
    /// How many bytes the file holds, all of whole records.
    written: u64,
}

impl Batch {
    pub(super) fn new(file: File) -> Batch {
        Batch { file, bytes: Vec::new(), written: 0 }
    }
}

impl Write for Batch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.bytes);
        match &result {
            Ok(()) => self.written += self.bytes.len() as u64,
            // The part that was written ends in the middle of a record: take it back if we can.
            Err(_) => drop(self.file.set_len(self.written)),
        }
        self.bytes.clear();
        result
    }
}

/// Whoever forgets to finish loses the statistics, not the packets.
impl Drop for Batch {
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
