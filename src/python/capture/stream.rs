//! The files of a capture, read step by step as Python asks for more.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

use super::super::service::TICK;
use crate::capture::Reader;
use crate::message::{Assembler, FormatsByCapture, Output, Receive};
use crate::{Error, Result};

/// What a capture's files yield, as it is asked for.
pub(super) struct Stream<T>(Mutex<State<T>>);

struct State<T> {
    reader: Reader,
    assembler: Assembler<Collect<T>>,
    is_over: bool,
    ready: VecDeque<T>,
    /// Raised once all that came before it was given out.
    failed: Option<Error>,
}

/// Keeps the items that a step yields.
struct Collect<T> {
    item: fn(Output<'_>) -> Option<T>,
    items: Vec<T>,
}

impl<T> Receive for Collect<T> {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        self.items.extend((self.item)(output));
        Ok(())
    }
}

impl<T: Send> Stream<T> {
    /// At the beginning of what `reader` reads. `item` says what is made of what is found; the rest is passed
    /// over.
    pub(super) fn new(
        reader: Reader,
        formats: FormatsByCapture,
        item: fn(Output<'_>) -> Option<T>,
    ) -> Stream<T> {
        let assembler = Assembler::new(formats, Collect { item, items: Vec::new() });
        let ready = VecDeque::new();
        Stream(Mutex::new(State { reader, assembler, is_over: false, ready, failed: None }))
    }

    /// The next item; `None` once there are no more.
    ///
    /// # Errors
    /// What reading says, and what a signal's handler raises.
    pub(super) fn next(&self, py: Python<'_>) -> PyResult<Option<T>> {
        loop {
            // The lock is taken and left without the GIL, so that neither waits for the other.
            let step = py.detach(|| {
                let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                state.advance(Instant::now() + TICK)
            });
            match step? {
                Step::Item(item) => return Ok(Some(item)),
                Step::End => return Ok(None),
                Step::Busy => py.check_signals()?,
            }
        }
    }

    /// What of the files read so far could not be read, in words.
    pub(super) fn into_warnings(self) -> Vec<String> {
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let warnings = state.reader.captures().iter().flat_map(|file| {
            let name = file.path().display();
            file.warnings().into_iter().map(move |warning| format!("{name}: {warning}"))
        });
        warnings.chain(state.reader.reached().warnings()).collect()
    }
}

enum Step<T> {
    Item(T),
    End,
    /// Nothing yet, and Python's signals are due.
    Busy,
}

impl<T> State<T> {
    fn advance(&mut self, deadline: Instant) -> Result<Step<T>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Step::Item(item));
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if Instant::now() >= deadline {
                return Ok(Step::Busy);
            }
            if self.is_over {
                return Ok(Step::End);
            }
            let stepped = self.reader.step(&mut self.assembler);
            self.ready.extend(self.assembler.receiver().items.drain(..));
            if !matches!(stepped, Ok(true)) {
                self.failed = stepped.err();
                self.is_over = true;
            }
        }
    }
}
