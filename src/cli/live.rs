//! What `record`, `listen` and `send` share: the runtime, the signals, and the sink that writes and
//! prints at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::{At, Failure};
use super::printer::Printer;
use super::process::ProcessNumber;
use super::words::say;
use crate::capture::live::Interrupter;
use crate::capture::{Reader, Summary, Writer, WriterOptions};
use crate::message::{Assembler, Formats};
use crate::net::{Recorder, Stop};
use crate::record::{Notice, Observer};
use crate::session::Timestamp;
use crate::{Error, Result};

/// The status of a process that was interrupted twice.
const INTERRUPTED: i32 = 130;

/// How long ago a packet was at most that comes from a network as it is read.
const JUST_NOW: Duration = Duration::from_secs(60);

/// A runtime for sockets and signals.
pub(super) fn runtime() -> std::result::Result<Runtime, Failure> {
    Ok(Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Error::network("start", "the network runtime", source))?)
}

/// What the user has asked for by signals; each is requested at its first.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    /// Ctrl-C.
    pub(super) interrupt: Stop,
    /// SIGTERM.
    pub(super) terminate: Stop,
    /// COMMAND, if there is one: it does not outlive the second.
    pub(super) command: ProcessNumber,
    /// The program that captures, if there is one: nor does it.
    pub(super) capture: Interrupter,
}

impl Signals {
    /// Nothing has been asked for yet.
    pub(super) fn new() -> Signals {
        Signals {
            interrupt: Stop::new(),
            terminate: Stop::new(),
            command: ProcessNumber::default(),
            capture: Interrupter::default(),
        }
    }
}

/// Asks for `stop` at the first Ctrl-C or SIGTERM, and exits at the second.
pub(super) fn stop_on_signals(stop: &Stop) -> std::result::Result<(), Failure> {
    let (interrupt, terminate) = (stop.clone(), stop.clone());
    hear_signals(Signals { interrupt, terminate, ..Signals::new() })
}

/// Requests what the first Ctrl-C or SIGTERM asks for, and exits at the second.
///
/// On a thread of its own: writing to a stdout that nobody reads blocks every thread of the runtime, and
/// that is when a person presses Ctrl-C.
pub(super) fn hear_signals(signals: Signals) -> std::result::Result<(), Failure> {
    let failed = |source| Error::network("wait for", "signals", source);
    let runtime = Builder::new_current_thread().enable_io().build().map_err(failed)?;
    let (mut interrupt, mut terminate) = {
        let _within = runtime.enter();
        // Heard, it does not kill: a file beyond the shell's limit is then a failed write, and said.
        #[cfg(target_os = "linux")]
        let _ = signal(SignalKind::from_raw(libc::SIGXFSZ)).map_err(failed)?;
        (
            signal(SignalKind::interrupt()).map_err(failed)?,
            signal(SignalKind::terminate()).map_err(failed)?,
        )
    };
    let wait = async move {
        loop {
            let asked = tokio::select! {
                _ = interrupt.recv() => &signals.interrupt,
                _ = terminate.recv() => &signals.terminate,
            };
            if signals.interrupt.is_requested() || signals.terminate.is_requested() {
                signals.command.send(libc::SIGKILL);
                signals.capture.interrupt();
                std::process::exit(INTERRUPTED);
            }
            asked.request();
        }
    };
    std::thread::spawn(move || runtime.block_on(wait));
    Ok(())
}

/// Says on stderr where connections are taken, in the form that tests and scripts wait for.
pub(super) fn announce(listener: &TcpListener) -> std::result::Result<(), Failure> {
    let address = listener
        .local_addr()
        .map_err(|source| Error::network("listen on", "the address", source))?;
    say(format_args!("listening on {address}"));
    Ok(())
}

/// The stamp of the latest packet that was read, of a capture that comes through a pipe while it is made:
/// nothing is to wait for what may come much later. What is copied into a pipe is read as the file would be.
pub(super) fn latest(reader: &Reader) -> Option<Timestamp> {
    let [file] = reader.captures() else { return None };
    if file.path().metadata().is_ok_and(|found| found.is_file()) {
        return None;
    }
    let (_, latest) = file.summary().span?;
    (latest + JUST_NOW >= Timestamp::now()).then_some(latest)
}

/// Says notices on stderr.
pub(super) fn observer() -> Observer {
    Arc::new(|notice: &Notice| say(notice))
}

/// The writer of a new capture, labelled with its messages' format.
pub(super) fn writer(
    path: &Path,
    force: bool,
    formats: Option<&Formats>,
) -> std::result::Result<Writer, Failure> {
    let options = WriterOptions {
        force,
        format: formats.map(Formats::to_string),
        ..WriterOptions::default()
    };
    Writer::create(path, options).at("--output")
}

/// Writes the capture, then prints the messages: what was shown is on its way to the disk.
pub(super) type LiveSink = (Option<Writer>, Option<Assembler<Printer>>);

/// Ends a recording: the capture is completed whatever the recording ended with.
pub(super) fn conclude(
    recorder: Arc<Recorder<LiveSink>>,
    recorded: Result<()>,
    path: Option<&Path>,
) -> Result<()> {
    // Every connection's task has ended with the recording; none holds the recorder any more.
    let finished =
        Arc::into_inner(recorder).map_or(Ok(()), |recorder| finish(recorder.into_sink(), path));
    recorded.and(finished)
}

/// Completes the capture and the output, and says on stderr what was recorded to `path`.
fn finish((writer, printer): LiveSink, path: Option<&Path>) -> Result<()> {
    let printed = printer.map_or(Ok(()), printed);
    completed(writer, path)?;
    printed
}

/// Prints what connections that are still open have begun, and brings everything to stdout.
pub(super) fn printed(mut assembler: Assembler<Printer>) -> Result<()> {
    let begun = assembler.finish();
    begun.and(assembler.into_receiver().finish())
}

/// Takes a capture back that was created for a command that could not be started.
pub(super) fn discard(capture: &Path) {
    if capture.symlink_metadata().is_ok_and(|found| found.is_file()) {
        // One that cannot be removed is at least empty.
        let _ = std::fs::remove_file(capture);
    }
}

/// Completes a capture, if one is written, and says what it holds.
pub(super) fn completed(writer: Option<Writer>, path: Option<&Path>) -> Result<()> {
    if let (Some(writer), Some(path)) = (writer, path) {
        let Summary { connections, packets, bytes, .. } = writer.finish()?;
        say(format_args!(
            "{}: connections {connections}, packets {packets}, payload {bytes} bytes",
            path.display()
        ));
    }
    Ok(())
}
