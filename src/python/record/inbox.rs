//! Messages on their way to Python.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

use super::super::service::TICK;
use crate::message::{Message, Output, Receive};
use crate::session::Side;
use crate::{Error, Result};

/// How many bytes of messages wait for Python at most; then their senders wait.
const CAPACITY: usize = 64 << 20;
/// What a message takes beside its bytes, and a node of its value: roughly.
const MESSAGE_SIZE: usize = 256;
const NODE_SIZE: usize = 32;

/// Messages that Python has not taken yet.
#[derive(Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    messages: VecDeque<Message>,
    size: usize,
    is_closing: bool,
    ended: bool,
    broken: Option<Error>,
}

/// What waiting for a message came to.
pub(super) enum Next {
    Message(Box<Message>),
    /// There will be no more; the first time with the reason, if it is not the other end's wish.
    End(Option<Error>),
    /// None came in time.
    NotYet,
}

impl Inbox {
    /// The next message, waited for until `deadline`.
    ///
    /// # Errors
    /// What a signal's handler raises: KeyboardInterrupt.
    pub(super) fn next(&self, py: Python<'_>, deadline: Option<Instant>) -> PyResult<Next> {
        loop {
            let wait = deadline.map_or(TICK, |deadline| {
                deadline.saturating_duration_since(Instant::now()).min(TICK)
            });
            // The lock is taken and left without the GIL, so that neither waits for the other.
            let next = py.detach(|| {
                let is_idle = |state: &mut State| state.messages.is_empty() && !state.ended;
                let waited = self.changed.wait_timeout_while(self.lock(), wait, is_idle);
                let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
                let message = state.messages.pop_front();
                if let Some(message) = &message {
                    state.size -= size(message);
                    self.changed.notify_all();
                }
                match message {
                    Some(message) => Next::Message(Box::new(message)),
                    None if state.ended => Next::End(state.broken.take()),
                    None => Next::NotYet,
                }
            });
            if !matches!(next, Next::NotYet) {
                return Ok(next);
            }
            py.check_signals()?;
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Next::NotYet);
            }
        }
    }

    /// There will be no more messages, perhaps because something broke.
    pub(super) fn end(&self, broken: Option<Error>) {
        let mut state = self.lock();
        state.ended = true;
        state.broken = state.broken.take().or(broken);
        drop(state);
        self.changed.notify_all();
    }

    /// Nobody will take messages until the end: who waits for room is told that there is none.
    pub(super) fn close(&self) {
        self.lock().is_closing = true;
        self.changed.notify_all();
    }

    /// Whether it should not be given more.
    pub(super) fn is_full(&self) -> bool {
        self.lock().size >= CAPACITY
    }

    fn push(&self, message: Message, waits: bool) -> Result<()> {
        let is_full = |state: &mut State| waits && state.size >= CAPACITY && !state.is_closing;
        let waited = self.changed.wait_while(self.lock(), is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if waits && state.size >= CAPACITY {
            return Err(Error::Usage(format!(
                "closed while {} messages waited to be taken and more came",
                state.messages.len()
            )));
        }
        state.size += size(&message);
        state.messages.push_back(message);
        self.changed.notify_all();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(message: &Message) -> usize {
    let nodes = message.body.as_ref().map_or(0, |value| value.len());
    MESSAGE_SIZE + message.raw.len() + NODE_SIZE * nodes
}

/// Puts the messages of one side into an inbox.
pub(super) struct Feed {
    pub(super) inbox: Arc<Inbox>,
    pub(super) side: Side,
    /// Whether it waits while the inbox is full. Else its source sees to it.
    pub(super) waits: bool,
}

impl Receive for Feed {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Message(message) if message.side == self.side => {
                self.inbox.push(message, self.waits)
            }
            _ => Ok(()),
        }
    }
}
