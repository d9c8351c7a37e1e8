//! A writer that others write to.

use std::sync::{Arc, Mutex, PoisonError};

use super::writer::Writer;
use crate::Result;
use crate::session::{Event, Sink, Timestamp};

/// A writer for whoever reports what happens, and for whoever completes the file once that is over.
/// What is reported after it was taken goes nowhere.
#[derive(Clone)]
pub struct SharedWriter(Arc<Mutex<Option<Writer>>>);

impl SharedWriter {
    /// Shares `writer`.
    pub fn new(writer: Writer) -> SharedWriter {
        SharedWriter(Arc::new(Mutex::new(Some(writer))))
    }

    /// Takes the writer from all who hold it; `None` if that was done before.
    pub fn take(&self) -> Option<Writer> {
        // Whoever reported to it is done; one that panicked has said so.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Sink for SharedWriter {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        self.0.event(event)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.0.tick(now)
    }
}
