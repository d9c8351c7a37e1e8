//! `wirespool show --follow`: a capture that is still being written.

use std::path::Path;
use std::time::Duration;

use super::live::stop_on_signals;
use super::printer::Printer;
use super::show::{formats_of, warn_of_damage, warn_of_label};
use super::{DONE, Outcome};
use crate::Result;
use crate::capture::{Policy, Reader};
use crate::message::Assembler;
use crate::net::Stop;
use crate::project::FormatChoice;
use crate::session::{Selecting, Selection};

/// How long it is waited before a file is looked at again in which there is no capture yet.
const WAIT: Duration = Duration::from_millis(100);

/// Prints messages as they come to stand in a file, until the user stops it, as many were printed as were
/// asked for, or the file is no longer there.
pub(super) fn run(
    file: &Path,
    policy: Policy,
    choice: &FormatChoice,
    printer: Printer,
    selection: &Selection,
) -> Outcome {
    let stop = Stop::new();
    stop_on_signals(&stop)?;
    let Some(reader) = open(file, &stop)? else { return Ok(DONE) };
    let mut reader = reader.with_policy(policy);
    warn_of_label(choice, &reader);
    let assembler = Assembler::new(formats_of(choice, &reader), printer);
    let mut selecting = Selecting::connections(selection, assembler);
    while !selecting.sink().receiver().is_done()
        && !stop.is_requested()
        && reader.step(&mut selecting)?
    {
        if !reader.is_buffered() {
            selecting.sink().receiver().finish()?;
        }
    }
    reader.finish(&mut selecting)?;
    let mut printer = selecting.into_sink().into_receiver();
    printer.finish()?;
    printer.warn_of_unread();
    warn_of_damage(&reader);
    printer.warn_of_nothing(reader.connections());
    Ok(DONE)
}

/// Waits until the file says what it is; `None` if the user does not.
fn open(file: &Path, stop: &Stop) -> Result<Option<Reader>> {
    while !stop.is_requested() {
        if let Some(reader) = Reader::follow(file)? {
            return Ok(Some(reader));
        }
        std::thread::sleep(WAIT);
    }
    Ok(None)
}
