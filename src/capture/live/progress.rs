//! How far a capture has been written, for whoever reads it meanwhile.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::session::Timestamp;

/// How much of a capture is in its file; shared by clones.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reached: Mutex<Reached>,
    changed: Condvar,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
pub struct Reached {
    /// How many packets are in the file.
    pub packets: u64,
    /// The last one's stamp.
    pub latest: Timestamp,
    /// Since when nothing has come.
    pub since: Instant,
    /// Whether the file is complete.
    pub is_complete: bool,
}

impl Progress {
    /// Nothing is there yet.
    pub fn new() -> Progress {
        let reached = Reached {
            packets: 0,
            latest: Timestamp::default(),
            since: Instant::now(),
            is_complete: false,
        };
        Progress(Arc::new(Shared { reached: Mutex::new(reached), changed: Condvar::new() }))
    }

    /// How far it has come by now.
    pub fn reached(&self) -> Reached {
        *self.0.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until more than so many packets are there or the file is complete, for at most `time`.
    pub fn wait(&self, packets: u64, time: Duration) -> Reached {
        let reached = self.0.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |reached: &mut Reached| reached.packets <= packets && !reached.is_complete;
        let waited = self.0.changed.wait_timeout_while(reached, time, is_old);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// So many packets are there, the last one of this time.
    pub(super) fn advance(&self, packets: u64, latest: Timestamp) {
        self.change(|reached| {
            if packets > reached.packets {
                (reached.packets, reached.latest, reached.since) =
                    (packets, latest, Instant::now());
            }
        });
    }

    /// Nothing more comes.
    pub fn complete(&self) {
        self.change(|reached| reached.is_complete = true);
    }

    fn change(&self, change: impl FnOnce(&mut Reached)) {
        change(&mut self.0.reached.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.notify_all();
    }
}

impl Default for Progress {
    fn default() -> Progress {
        Progress::new()
    }
}
