//! Which bytes a capture is.

use sha2::{Digest as _, Sha256};

/// SHA-256 of what is read, while it is read: what comes through a pipe comes once.
#[derive(Clone, Default)]
pub(super) struct Digest(Sha256);

impl Digest {
    /// Adds what comes next.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest so far, in hexadecimal digits.
    pub(super) fn hex(&self) -> String {
        self.0.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
