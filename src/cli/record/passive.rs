//! `wirespool record -i`: packets from an interface, and the messages in them.

use std::path::Path;

use clap::Args;

use super::super::arguments::LimitArguments;
use super::super::command::or_ours;
use super::super::failure::{At, Failure};
use super::super::live::{self, Signals};
use super::super::printer::{Choice, Printer};
use super::super::words::say;
use super::super::{DONE, IO_FAILURE, Outcome, Status};
use super::{Arguments, PASSIVE};
use crate::capture::live::{LiveCapture, LiveOptions};
use crate::capture::{Counters, PacketWriter, WriterOptions};
use crate::message::Assembler;
use crate::net::Stop;
use crate::project::FormatChoice;
use crate::record::{Limits, Recorded, passive};
use crate::wire::{Format, Limit};
use crate::{Error, Result};

/// What is captured of an interface.
#[derive(Debug, Args)]
pub(super) struct CaptureArguments {
    /// Record only packets that this expression selects, as 'tcp port 12345' (pcap-filter(7))
    #[arg(long, value_name = "FILTER", conflicts_with = "to", help_heading = PASSIVE)]
    filter: Option<String>,
    /// How much the kernel holds until it is taken, as 256MiB
    #[arg(
        long,
        value_name = "SIZE",
        default_value = "64MiB",
        value_parser = size,
        conflicts_with = "to",
        help_heading = PASSIVE
    )]
    buffer: u64,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let choice = arguments.format.choice()?;
    let command = arguments.command.program(None)?;
    let path = &arguments.output;
    check_is_file(path).at("--output")?;
    let CaptureArguments { filter, buffer } = arguments.capture;
    let options = LiveOptions { interfaces: arguments.interface, filter, buffer };
    let capture = LiveCapture::start(&options)?;
    // The file after it: what cannot be captured must not leave an empty capture behind.
    let label = WriterOptions {
        force: arguments.force,
        format: label(&choice),
        ..WriterOptions::default()
    };
    let writer = PacketWriter::create(path, &label, capture.interfaces(), capture.description())
        .at("--output")?;
    let printer = choice.is_given().then(|| {
        let print = &arguments.print;
        let formats = choice.of_capture(None, &Format::auto());
        let printer = Printer::new(print.look(), print.events, true, Choice::default());
        Assembler::new(formats, printer.lasting())
    });
    let stop = Stop::new();
    let signals = match &command {
        Some(_) => Signals::new(),
        None => Signals { interrupt: stop.clone(), terminate: stop.clone(), ..Signals::new() },
    };
    let signals = Signals { capture: capture.interrupter(), ..signals };
    live::hear_signals(signals.clone())?;
    announce(&options, capture.program());
    let lost = Lost { options, program: capture.program(), has_place: writer.keeps_counts() };
    let runtime = live::runtime()?;
    runtime.block_on(async {
        let running = command
            .map(|command| command.start(signals))
            .transpose()
            .inspect_err(|_| live::discard(path))?;
        let LimitArguments { connections, duration } = arguments.limits;
        let limits = Limits {
            connections: connections.filter(|_| running.is_none()),
            duration: duration.filter(|_| running.is_none()),
            stop: stop.clone(),
        };
        let mut recorded = Recorded::default();
        let recording = async {
            let (ended, found, printer) = passive(capture, writer, path, printer, limits).await;
            recorded = found;
            let printed = printer.map_or(Ok(()), live::printed);
            ended.and(printed)
        };
        let (ended, status) = match running {
            Some(running) => running.beside(recording, duration, &stop).await,
            None => (recording.await, DONE),
        };
        summarise(path, &recorded);
        let ended = ended.map_err(Failure::from);
        or_ours(status, ended.map(|()| lost.said(&recorded)))
    })
}

/// Refuses what cannot be read while it is written.
fn check_is_file(path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(found) if !found.is_file() => Err(Error::Usage(format!(
            "{} is no file; what is captured is read from there while it is written",
            path.display()
        ))),
        _ => Ok(()),
    }
}

/// What the capture says that its messages are: what the user names.
fn label(choice: &FormatChoice) -> Option<String> {
    let formats = choice.is_given().then(|| choice.of_capture(None, &Format::auto()))?;
    Some(formats.of_others().to_string())
}

/// Says on stderr that nothing is missed from now on, in the form that tests and scripts wait for.
fn announce(options: &LiveOptions, program: &str) {
    let filter = options.filter.as_ref().map(|filter| format!(" ({filter})")).unwrap_or_default();
    say(format_args!("capturing on {}{filter} with {program}", options.interfaces_in_words()));
}

/// Says on stderr what was recorded to `path`.
fn summarise(path: &Path, recorded: &Recorded) {
    let Recorded { counters, payload, .. } = recorded;
    say(format_args!(
        "{}: connections {}, packets {}, payload {payload} bytes",
        path.display(),
        counters.connections,
        counters.packets
    ));
    // What was lost before it could be written is said apart.
    for warning in (Counters { dropped: 0, ..counters.clone() }).damage() {
        say(format_args!("{}: {warning}", path.display()));
    }
}

/// What is to be said of packets that were lost.
struct Lost {
    options: LiveOptions,
    program: &'static str,
    /// Whether the file says it, too.
    has_place: bool,
}

impl Lost {
    /// Says on stderr how many there are; the status to exit with.
    fn said(&self, recorded: &Recorded) -> Status {
        if recorded.counts.is_none() {
            say(format_args!("{} did not say how many packets it lost", self.program));
        }
        let lost = recorded.lost();
        if lost == 0 {
            return DONE;
        }
        let packets = if lost == 1 { "packet" } else { "packets" };
        let place = if self.has_place { "" } else { "; a pcap has no place to say so" };
        say(format_args!(
            "lost {lost} {packets} in the kernel: allow it more than {} MiB by --buffer, or select \
             fewer packets by --filter{place}",
            self.options.buffer.div_ceil(1024 * 1024)
        ));
        IO_FAILURE
    }
}

/// A number of bytes, alone or with a unit.
fn size(given: &str) -> std::result::Result<u64, String> {
    match Limit::amount(given)? {
        0 => Err("nothing could be held".to_owned()),
        bytes => Ok(bytes as u64),
    }
}
