//! A process that was started, told by its number from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// The number of a process while it runs; shared by clones.
#[derive(Clone, Debug, Default)]
pub(super) struct ProcessNumber(Arc<AtomicI32>);

impl ProcessNumber {
    /// It has been started.
    pub(super) fn set(&self, number: Option<u32>) {
        let number = number.and_then(|number| libc::pid_t::try_from(number).ok());
        self.0.store(number.unwrap_or(0), Ordering::SeqCst);
    }

    /// Its end was seen: another process may have the number by now.
    pub(super) fn clear(&self) {
        self.set(None);
    }

    /// Sends it a signal, if it runs.
    #[allow(unsafe_code)]
    pub(super) fn send(&self, signal: libc::c_int) {
        let number = self.0.load(Ordering::SeqCst);
        if number > 0 {
            // SAFETY: kill takes two numbers and touches no memory of ours. One that has ended needs
            // no signal.
            let _ = unsafe { libc::kill(number, signal) };
        }
    }
}
