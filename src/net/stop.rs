//! A way to tell running work to finish.

use std::sync::Arc;

use tokio::sync::watch;

/// A request to finish, shared by clones: whoever holds one may ask, and wait to be asked.
#[derive(Clone, Debug)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Stop {
        Stop(Arc::new(watch::Sender::new(false)))
    }

    /// Asks all who hold a clone to finish.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether someone has asked.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once someone has asked.
    pub async fn requested(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so waiting can only end by the value.
        let _ = receiver.wait_for(|&requested| requested).await;
    }
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}
