//! What makes a command end early, how it is said, and the status it exits with.

use super::words::say;
use super::{BAD_INPUT, DONE, FINDING, IO_FAILURE, Status};
use crate::Error;

/// An error, and the flag or argument to look at.
#[derive(Debug)]
pub(super) struct Failure {
    error: Error,
    flag: Option<&'static str>,
}

impl Failure {
    /// Says it on stderr, in one line, and returns the status to exit with. A reader of our output who
    /// has gone wants to hear nothing.
    pub(super) fn report(&self) -> Status {
        if matches!(self.error, Error::BrokenPipe) {
            return DONE;
        }
        match self.flag {
            Some(flag) => say(format_args!("wirespool: {flag}: {}", self.error)),
            None => say(format_args!("wirespool: {}", self.error)),
        }
        status_of(&self.error)
    }

    /// Whether the reader of our output has gone, so that nothing more is to be done.
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self.error, Error::BrokenPipe)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { error, flag: None }
    }
}

/// Names the flag or argument a failure comes from.
pub(super) trait At<T> {
    /// Names `flag`.
    fn at(self, flag: &'static str) -> Result<T, Failure>;
}

impl<T> At<T> for crate::Result<T> {
    fn at(self, flag: &'static str) -> Result<T, Failure> {
        self.map_err(|error| Failure { error, flag: Some(flag) })
    }
}

fn status_of(error: &Error) -> Status {
    match error {
        Error::File { action: "open", .. }
        | Error::Exists { .. }
        | Error::Address { .. }
        | Error::Format { .. }
        | Error::Schema { .. }
        | Error::Configuration { .. }
        | Error::Value { .. }
        | Error::NotACapture { .. }
        | Error::Damaged { .. }
        | Error::Usage(_) => BAD_INPUT,
        Error::Decode(_) => FINDING,
        Error::BrokenPipe => DONE,
        _ => IO_FAILURE,
    }
}
