//! Passive recording: packets from an interface into a file, and from there as events into a sink, while
//! they come.
//!
//! The sink reads the file that is being written: however long it takes, as a terminal may, the packets
//! go on to the disk, and no memory fills with what it has not taken.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;

use super::Limits;
use crate::capture::live::{Ended, LiveCapture, Progress};
use crate::capture::{Counters, Counts, PacketWriter, Reader};
use crate::net::Stop;
use crate::session::{ConnectionId, Event, Kind, Sink, Timestamp};
use crate::{Error, Result};

/// How often the sink hears that time passes.
const TICK: Duration = Duration::from_millis(20);
/// How long what was captured before the end may take to arrive, if the machine is busy.
const SETTLING: Duration = Duration::from_secs(10);

/// What was recorded, and what not.
#[derive(Debug, Default)]
pub struct Recorded {
    /// What is in the file.
    pub counters: Counters,
    /// Bytes of payload, of both sides.
    pub payload: u64,
    /// What was counted on each interface; `None` if the program did not say.
    pub counts: Option<Vec<Counts>>,
}

impl Recorded {
    /// How many packets were lost before they could be written, on all interfaces.
    pub fn lost(&self) -> u64 {
        self.counts.iter().flatten().map(|counts| counts.dropped).sum()
    }
}

/// Records what `capture` yields with `writer`, which writes to `path`, until the limits say otherwise:
/// what was on the interface by then is recorded, too. A connection has closed for them when both sides
/// have ended, or one has aborted it.
///
/// Gives the sink back, with what was recorded.
///
/// # Errors
/// What the sink says, a failed write, and [`Error::CaptureEnded`] if the program ends by itself: the file has
/// what came before.
pub async fn passive<S: Sink + Send + 'static>(
    capture: LiveCapture,
    writer: PacketWriter,
    path: &Path,
    sink: S,
    limits: Limits,
) -> (Result<()>, Recorded, S) {
    let progress = Progress::new();
    let (interrupter, transit) = (capture.interrupter(), capture.transit());
    let stop = limits.stop.clone();
    let mut writing = spawn_blocking({
        let (path, progress) = (path.to_owned(), progress.clone());
        move || write(capture, writer, &path, &progress)
    });
    let reading = spawn_blocking({
        let (path, progress) = (path.to_owned(), progress.clone());
        let mut watched = Watched::new(sink, limits.connections, stop.clone());
        move || {
            let read = read_along(&path, &progress, transit, &mut watched);
            // What cannot be read any more is not recorded for long either.
            watched.stop.request();
            (read, watched)
        }
    });
    let deadline = async {
        match limits.duration {
            Some(duration) => sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    let written = tokio::select! {
        written = &mut writing => Some(finished(written)),
        () = stop.requested() => None,
        () = deadline => None,
    };
    let written = match written {
        Some(written) => written,
        None => {
            settle(&progress, transit).await;
            interrupter.interrupt();
            finished(writing.await)
        }
    };
    let ((counters, read), watched) = finished(reading.await);
    let (counts, written) = written;
    let recorded = Recorded { counters, payload: watched.payload, counts };
    let taken = watched.failure.map_or(Ok(()), Err);
    (written.and(read).and(taken), recorded, watched.sink)
}

/// Writes what comes until the program ends, and completes the file whatever it ended with.
fn write(
    mut capture: LiveCapture,
    mut writer: PacketWriter,
    path: &Path,
    progress: &Progress,
) -> (Option<Vec<Counts>>, Result<()>) {
    let copied = capture.copy(&mut writer, progress);
    if copied.is_err() {
        // What it captures from now on has no place to go to.
        capture.interrupter().interrupt();
    }
    let Ended { counts, failure } = capture.end();
    let completed = writer.finish(counts.as_deref().unwrap_or_default());
    progress.complete();
    let ended = failure.map_or(Ok(()), |failure| Err(with_file(failure, path)));
    (counts, copied.and(completed.map(drop)).and(ended))
}

/// A program's failure, with where what came before it is.
fn with_file(failure: Error, path: &Path) -> Error {
    match failure {
        Error::Capture { interface, reason, .. } => {
            Error::CaptureEnded { interface, reason, path: path.to_owned() }
        }
        other => other,
    }
}

/// Gives the sink what is in the file and what still comes into it, until it is complete; what was read,
/// and whether that is all.
fn read_along(
    path: &Path,
    progress: &Progress,
    transit: Duration,
    sink: &mut dyn Sink,
) -> (Counters, Result<()>) {
    let file = File::open(path).map_err(|source| Error::file("open", path, source));
    let mut reader = match file.and_then(|file| Reader::from_stream(file, path)) {
        Ok(reader) => reader,
        Err(error) => return (Counters::default(), Err(error)),
    };
    let read = follow(&mut reader, progress, transit, sink);
    (reader.summary(), read)
}

fn follow(
    reader: &mut Reader,
    progress: &Progress,
    transit: Duration,
    sink: &mut dyn Sink,
) -> Result<()> {
    let mut read = 0;
    loop {
        let reached = progress.wait(read, TICK);
        if reached.is_complete {
            break;
        }
        if reached.packets == read {
            // A packet from before may still come.
            sink.tick(Timestamp::now() - transit)?;
        }
        // No further: behind the last packet the file seems to end.
        while read < reached.packets && reader.step(sink)? {
            read += 1;
        }
    }
    reader.read_all(sink)
}

/// Waits for what was captured before now.
async fn settle(progress: &Progress, transit: Duration) {
    let (asked, begun) = (Timestamp::now(), Instant::now());
    loop {
        let reached = progress.reached();
        let is_quiet = reached.since.max(begun).elapsed() >= transit;
        let is_past = reached.latest > asked + transit || begun.elapsed() >= SETTLING;
        if is_quiet || is_past || reached.is_complete {
            return;
        }
        sleep(TICK).await;
    }
}

/// What a thread of ours came to.
fn finished<T>(joined: std::result::Result<T, JoinError>) -> T {
    // Nobody cancels it: it can only have panicked, and has said so.
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// A sink whose connections and bytes are counted, and which asks for the end when enough have closed, or
/// when it fails: from then on it is only counted what the file has.
struct Watched<S> {
    sink: S,
    /// Which sides have ended, of the connections that are open.
    open: HashMap<ConnectionId, [bool; 2]>,
    /// How many more have to close until it is enough.
    left: Option<u64>,
    stop: Stop,
    payload: u64,
    /// Why the sink takes nothing more.
    failure: Option<Error>,
}

impl<S> Watched<S> {
    fn new(sink: S, left: Option<u64>, stop: Stop) -> Watched<S> {
        if left == Some(0) {
            stop.request();
        }
        Watched { sink, open: HashMap::new(), left, stop, payload: 0, failure: None }
    }

    /// Passes something on, for as long as the sink takes it.
    fn pass_on(&mut self, step: impl FnOnce(&mut S) -> Result<()>) {
        if self.failure.is_none()
            && let Err(error) = step(&mut self.sink)
        {
            self.failure = Some(error);
            self.stop.request();
        }
    }

    fn watch(&mut self, event: &Event<'_>) {
        let is_over = match event.kind {
            Kind::Open { .. } => {
                self.open.insert(event.connection, [false; 2]);
                false
            }
            Kind::Data { bytes, .. } => {
                self.payload += bytes.len() as u64;
                false
            }
            Kind::Eof { side } => {
                let ended = self.open.entry(event.connection).or_default();
                ended[side.index()] = true;
                ended.iter().all(|ended| *ended)
            }
            Kind::Reset { .. } | Kind::Cut => true,
            _ => false,
        };
        if is_over && self.open.remove(&event.connection).is_some() {
            self.left = self.left.map(|left| left.saturating_sub(1));
            if self.left == Some(0) {
                self.stop.request();
            }
        }
    }
}

impl<S: Sink> Sink for Watched<S> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        self.watch(event);
        self.pass_on(|sink| sink.event(event));
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.pass_on(Sink::flush);
        Ok(())
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.pass_on(|sink| sink.tick(now));
        Ok(())
    }
}
