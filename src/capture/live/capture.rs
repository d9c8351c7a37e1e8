//! The packets that a program captures.

use std::io::ErrorKind;
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use super::process::{End, GRACE, Interrupter, Process};
use super::program::{Kind, Program};
use super::progress::Progress;
use super::refusal::{self, Refusal};
use super::{LiveOptions, words};
use crate::capture::interface::{Counts, Interface};
use crate::capture::packet_writer::{Packet, PacketWriter};
use crate::capture::record::Item;
use crate::capture::records::Records;
use crate::session::Timestamp;
use crate::{Error, Result};

/// A capture that has begun.
///
/// Dropping it ends the program at once.
pub struct LiveCapture {
    program: Program,
    description: String,
    options: LiveOptions,
    interfaces: Vec<Interface>,
    process: Process,
    records: Records,
}

/// How a capture ended.
#[derive(Debug)]
pub struct Ended {
    /// What was counted on each interface; `None` if the program did not say.
    pub counts: Option<Vec<Counts>>,
    /// What of it failed, if anything did; what came before is there.
    pub failure: Option<Error>,
}

impl LiveCapture {
    /// Starts the first program that is installed and may capture, and waits until it does: no packet is
    /// missed from here on.
    ///
    /// The program does not outlive this process.
    ///
    /// # Errors
    /// [`Error::Capture`] if there is no program, or none may: with the command that mends it.
    /// [`Error::Usage`] for an interface that there is not, and for a filter that is none.
    pub fn start(options: &LiveOptions) -> Result<LiveCapture> {
        let installed = Program::find();
        if installed.is_empty() {
            return Err(refusal::nothing_installed(options));
        }
        let is_several = options.interfaces.len() > 1;
        let mut not_permitted = Vec::new();
        for program in installed {
            if is_several && program.kind == Kind::Tcpdump {
                continue;
            }
            match LiveCapture::start_with(&program, options) {
                Ok(capture) => return Ok(capture),
                Err(Refusal::NotPermitted) => not_permitted.push(program),
                Err(Refusal::Other(error)) => return Err(error),
            }
        }
        match not_permitted.is_empty() {
            true => Err(refusal::one_interface(options)),
            false => Err(refusal::not_permitted(options, &not_permitted)),
        }
    }

    fn start_with(
        program: &Program,
        options: &LiveOptions,
    ) -> std::result::Result<LiveCapture, Refusal> {
        let started = Process::start(program, options);
        let (mut process, stdout) =
            started.map_err(|source| Refusal::not_started(program, options, &source))?;
        let Some((records, link_types)) = begin(program, stdout, options.interfaces.len()) else {
            process.interrupter().interrupt();
            return Err(Refusal::of(program, options, process.end()));
        };
        let filter = options.filter.clone();
        let interface = |(name, link_type): (&String, u32)| Interface {
            filter: filter.clone(),
            ..Interface::new(name, link_type)
        };
        Ok(LiveCapture {
            description: program.description(),
            interfaces: options.interfaces.iter().zip(link_types).map(interface).collect(),
            program: program.clone(),
            options: options.clone(),
            process,
            records,
        })
    }

    /// The program's name: `dumpcap`.
    pub fn program(&self) -> &'static str {
        self.program.kind.name()
    }

    /// The program's name and version, as a capture says it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How long a packet may take from the interface until it is written, if the machine is not busy.
    pub fn transit(&self) -> Duration {
        self.program.kind.transit()
    }

    /// The interfaces that packets come from.
    pub fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    /// Who can ask the program to end.
    pub fn interrupter(&self) -> Interrupter {
        self.process.interrupter()
    }

    /// Writes packets as they come, until the program ends; whenever nothing more is there, what came is
    /// in the file, and `progress` says so.
    ///
    /// # Errors
    /// Those of `writer`, and [`Error::Capture`] for a stream that makes no sense.
    pub fn copy(&mut self, writer: &mut PacketWriter, progress: &Progress) -> Result<()> {
        self.copy_records(writer, progress).map_err(|error| match error {
            // It is no file that somebody gave.
            Error::Damaged { offset, reason, .. } => {
                self.failed(format!("gave what makes no sense at byte {offset}: {reason}"))
            }
            other => other,
        })
    }

    fn copy_records(&mut self, writer: &mut PacketWriter, progress: &Progress) -> Result<()> {
        let mut latest = Timestamp::default();
        loop {
            if !self.records.is_buffered() {
                writer.flush()?;
                progress.advance(writer.packets(), latest);
            }
            match self.records.next()? {
                None => break,
                Some((_, Item::Packet(record))) => {
                    latest = record.at;
                    writer.packet(Packet {
                        interface: record.interface,
                        at: record.at,
                        captured: record.captured,
                        length: record.length,
                        direction: None,
                        comment: record.beside.and_then(|beside| beside.comment),
                    })?;
                }
                // A packet may be lost by it, and nobody would count it.
                Some((offset, Item::Damaged { fault, .. })) => {
                    let (path, reason) = (self.program().into(), fault.to_string());
                    return Err(Error::Damaged { path, offset, reason });
                }
                Some(_) => {}
            }
        }
        writer.flush()?;
        progress.advance(writer.packets(), latest);
        Ok(())
    }

    /// Sees to the program's end, which has closed its output or was interrupted, and says what was lost.
    pub fn end(mut self) -> Ended {
        let was_asked = self.process.interrupter().is_requested();
        let end = match self.process.end() {
            Ok(end) => end,
            Err(source) => {
                return Ended { counts: None, failure: Some(self.failed(source.to_string())) };
            }
        };
        let counts = match self.program.kind {
            Kind::Dumpcap => self.records.counts(),
            Kind::Tcpdump => words::counted(&end.words).map(|counts| vec![counts]),
        };
        let failure = match (end.is_killed, was_asked && end.status.success()) {
            (true, _) => Some(self.failed(hung(counts.is_some()))),
            (false, false) => Some(self.failed(died(&end))),
            (false, true) => None,
        };
        Ended { counts, failure }
    }

    fn failed(&self, reason: String) -> Error {
        Error::Capture {
            interface: self.options.interfaces_in_words(),
            kind: ErrorKind::Other,
            reason: format!("{} {reason}", self.program()),
        }
    }
}

/// The stream of a program, up to where its interfaces are described, with their link types: it begins to
/// write once they are open and the filter is set. `None` if it ends before.
fn begin(program: &Program, stdout: ChildStdout, interfaces: usize) -> Option<(Records, Vec<u32>)> {
    let name = Path::new(program.kind.name());
    let mut records = Records::new(Box::new(stdout), name, None).ok()?;
    loop {
        let link_types = records.link_types();
        if link_types.len() >= interfaces {
            return Some((records, link_types));
        }
        records.next().ok()??;
    }
}

/// That it ended without being asked to, and its last words.
fn died(end: &End) -> String {
    let last = words::last_words(&end.words);
    let last = if last.is_empty() { last } else { format!(": {last}") };
    format!("ended by itself ({}){last}", end.how())
}

/// That it had to be killed, and what is not known for that.
fn hung(is_counted: bool) -> String {
    let uncounted = if is_counted { "" } else { ", before it said how many packets it lost" };
    format!("did not end within {} s when it was to, and was killed{uncounted}", GRACE.as_secs())
}
