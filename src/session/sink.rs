//! Where events go: the trait, and sinks made of others.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Event, Timestamp};
use crate::Result;

/// Takes events, in the order in which they happened.
///
/// A sink that fails stops its source: a recording which cannot be written must not look complete.
pub trait Sink {
    /// Takes one event; its bytes are borrowed and gone afterwards.
    fn event(&mut self, event: &Event<'_>) -> Result<()>;

    /// Brings what was taken so far to where it will survive us. Live sources call this at least once
    /// a second, also while nothing happens.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }

    /// Says that it is `now` and nothing has happened since the last event. Live sources call this
    /// many times a second, so that what only silence completes need not wait for the next event.
    fn tick(&mut self, now: Timestamp) -> Result<()> {
        let _ = now;
        Ok(())
    }
}

/// Nothing, or what is there.
impl<S: Sink> Sink for Option<S> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        self.as_mut().map_or(Ok(()), |sink| sink.event(event))
    }

    fn flush(&mut self) -> Result<()> {
        self.as_mut().map_or(Ok(()), Sink::flush)
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.as_mut().map_or(Ok(()), |sink| sink.tick(now))
    }
}

/// Whatever it is that takes them.
impl<S: Sink + ?Sized> Sink for Box<S> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        (**self).event(event)
    }

    fn flush(&mut self) -> Result<()> {
        (**self).flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        (**self).tick(now)
    }
}

/// Whoever has it for a while.
impl<S: Sink + ?Sized> Sink for &mut S {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        (**self).event(event)
    }

    fn flush(&mut self) -> Result<()> {
        (**self).flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        (**self).tick(now)
    }
}

/// One sink for several who hold it.
impl<S: Sink> Sink for Arc<Mutex<S>> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        // A holder that panicked is not used again; the others may finish.
        self.lock().unwrap_or_else(PoisonError::into_inner).event(event)
    }

    fn flush(&mut self) -> Result<()> {
        self.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.lock().unwrap_or_else(PoisonError::into_inner).tick(now)
    }
}

/// Both, the first one first: the second takes nothing that the first has refused.
impl<A: Sink, B: Sink> Sink for (A, B) {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        self.0.event(event)?;
        self.1.event(event)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()?;
        self.1.flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.0.tick(now)?;
        self.1.tick(now)
    }
}
