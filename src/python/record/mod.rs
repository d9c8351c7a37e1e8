//! Recording, listening and sending: live traffic from and to Python.

mod inbox;
mod listener;
mod peer;
mod recording;

use std::path::Path;
use std::sync::Arc;

pub(super) use listener::{Listener, listen};
pub(super) use peer::{Peer, connect};
pub(super) use recording::{Recording, record};

use inbox::Feed;

use crate::Result;
use crate::capture::{Summary, Writer, WriterOptions};
use crate::message::{Assembler, Formats};
use crate::net::Recorder;

/// Where live traffic goes: into a capture, if one was asked for, then to Python, if it reads along.
type Tee = (Option<Writer>, Option<Assembler<Feed>>);

/// A writer of the capture at `path`, if there is one.
fn writer(path: Option<&Path>, force: bool, formats: Option<&Formats>) -> Result<Option<Writer>> {
    let options = || WriterOptions {
        force,
        format: formats.map(Formats::to_string),
        ..WriterOptions::default()
    };
    path.map(|path| Writer::create(path, options())).transpose()
}

/// Completes the capture and what Python reads, whatever the traffic ended with.
fn conclude(recorder: Arc<Recorder<Tee>>, ended: Result<()>) -> Result<Summary> {
    // Whoever else held it has ended with the traffic.
    let Some(recorder) = Arc::into_inner(recorder) else {
        return ended.map(|()| Summary::default());
    };
    let (writer, assembler) = recorder.into_sink();
    let read = assembler.map_or(Ok(()), |mut assembler| assembler.finish());
    let written = writer.map_or(Ok(Summary::default()), Writer::finish);
    ended.and(read).and(written)
}
