//! The files of a capture, read step by step as Python asks for more.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

use super::super::service::TICK;
use crate::capture::Reader;
use crate::message::{Assembler, FormatsByCapture, Output, Receive};
use crate::replay::Chosen;
use crate::session::Selecting;
use crate::{Error, Result};

/// What a capture's files yield, as it is asked for.
pub(super) struct Stream<T>(Mutex<State<T>>);

struct State<T> {
    reader: Reader,
    selecting: Selecting<Assembler<Collect<T>>>,
    is_over: bool,
    ready: VecDeque<T>,
    /// Raised once all that came before it was given out.
    failed: Option<Error>,
}

/// Keeps the items that a step yields of what is chosen.
struct Collect<T> {
    chosen: Chosen,
    item: fn(Output<'_>) -> Option<T>,
    items: Vec<T>,
}

impl<T> Receive for Collect<T> {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        let is_chosen = match &output {
            Output::Message(message) => self.chosen.takes(message),
            Output::Event { event, .. } => self.chosen.selection.takes_event(event),
        };
        if is_chosen {
            self.items.extend((self.item)(output));
        }
        Ok(())
    }
}

impl<T: Send> Stream<T> {
    /// At the beginning of what `reader` reads. `item` says what is made of what is found and `chosen`; the
    /// rest is passed over.
    pub(super) fn new(
        py: Python<'_>,
        mut reader: Reader,
        formats: FormatsByCapture,
        mut chosen: Chosen,
        item: fn(Output<'_>) -> Option<T>,
    ) -> Stream<T> {
        if chosen.selection.is_relative() {
            let began = py.detach(|| reader.began()).unwrap_or_default();
            chosen.selection = chosen.selection.of_session(began);
        }
        let selection = chosen.selection.clone();
        let assembler = Assembler::new(formats, Collect { chosen, item, items: Vec::new() });
        let selecting = Selecting::connections(&selection, assembler);
        let ready = VecDeque::new();
        Stream(Mutex::new(State { reader, selecting, is_over: false, ready, failed: None }))
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

    /// What of the files could not be read, and not be chosen by, in words. Reads them through.
    ///
    /// # Errors
    /// As [`next`](Stream::next).
    pub(super) fn warnings(self, py: Python<'_>) -> PyResult<Vec<String>> {
        while self.next(py)?.is_some() {}
        let state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let warnings = state.reader.captures().iter().flat_map(|file| {
            let name = file.path().display();
            file.warnings().into_iter().map(move |warning| format!("{name}: {warning}"))
        });
        let mut warnings: Vec<String> = warnings.chain(state.reader.reached().warnings()).collect();
        let Collect { chosen, .. } = state.selecting.into_sink().into_receiver();
        warnings.extend(chosen.warning());
        let connections = state.reader.connections();
        let missing = chosen.selection.connections.iter().filter(|asked| **asked >= connections);
        warnings.extend(missing.map(|asked| {
            format!("there is no connection {asked}: there are {connections}, from 0")
        }));
        Ok(warnings)
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
            let stepped = self.reader.step(&mut self.selecting);
            self.ready.extend(self.selecting.sink().receiver().items.drain(..));
            if !matches!(stepped, Ok(true)) {
                self.failed = stepped.err();
                self.is_over = true;
            }
        }
    }
}
