//! The files of a capture, read step by step as Python asks for more.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pyo3::prelude::*;

use super::super::service::TICK;
use crate::capture::Reader;
use crate::message::{Assembler, FormatsByPort, Output, Receive};
use crate::session::Numbered;
use crate::{Error, Result};

/// What a capture's files yield, as it is asked for.
pub(super) struct Stream<T>(Mutex<State<T>>);

struct State<T> {
    /// The files not begun, each with what it is read as, the next one last.
    files: Vec<(PathBuf, FormatsByPort)>,
    /// What an item is made of.
    item: fn(Output<'_>) -> Option<T>,
    /// The file being read, and what its events go to.
    file: Option<(Reader, Numbered<Assembler<Collect<T>>>)>,
    /// How many connections the files before it had.
    connections: u64,
    ready: VecDeque<T>,
    /// Raised once all that came before it was given out.
    failed: Option<Error>,
    warnings: Vec<String>,
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
    /// At the beginning of the first of `files`, each with what it is read as. `item` says what is made of
    /// what is found; the rest is passed over.
    pub(super) fn new(
        mut files: Vec<(PathBuf, FormatsByPort)>,
        item: fn(Output<'_>) -> Option<T>,
    ) -> Stream<T> {
        files.reverse();
        Stream(Mutex::new(State {
            files,
            item,
            file: None,
            connections: 0,
            ready: VecDeque::new(),
            failed: None,
            warnings: Vec::new(),
        }))
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
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).warnings
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
            if let Some((reader, sink)) = &mut self.file {
                let stepped = reader.step(sink);
                self.ready.extend(sink.sink().receiver().items.drain(..));
                if !matches!(stepped, Ok(true)) {
                    self.failed = stepped.err();
                    self.end();
                }
            } else if !self.begin()? {
                return Ok(Step::End);
            }
        }
    }

    /// Begins with the next file; `false` if there is none.
    fn begin(&mut self) -> Result<bool> {
        let Some((path, formats)) = self.files.pop() else { return Ok(false) };
        let reader = Reader::open(&path)?;
        let collect = Collect { item: self.item, items: Vec::new() };
        let assembler = Assembler::new(formats, collect);
        self.file = Some((reader, Numbered::new(assembler, self.connections)));
        Ok(true)
    }

    /// Ends with a file.
    fn end(&mut self) {
        if let Some((reader, sink)) = self.file.take() {
            self.connections = sink.next_connection();
            let name = |warning| format!("{}: {warning}", reader.path().display());
            self.warnings.extend(reader.summary().warnings().into_iter().map(name));
        }
    }
}
