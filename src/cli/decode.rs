//! `wirespool decode`: bytes to messages.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use clap::Args;

use super::arguments::{PrintArguments, ReadingArguments};
use super::printer::{Choice, Printer};
use super::{DONE, FINDING, Outcome};
use crate::Error;
use crate::message::Assembler;
use crate::session::{ConnectionId, Event, Kind, Side, Sink, Timestamp};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Print the messages in a file or pipe of bytes
///
/// Exits with 1 if a message could not be decoded. For captures, see `show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool encode -f pickle '{\"1\": 25}' > telemetry.pickle
  wirespool decode -f pickle telemetry.pickle --json
  printf 'one\\ntwo\\n' | wirespool decode -f text/line")]
pub(super) struct Arguments {
    /// The file; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// What the messages are
    #[arg(short, long, value_name = "FORMAT")]
    format: String,
    #[command(flatten)]
    reading: ReadingArguments,
    #[command(flatten)]
    print: PrintArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let format = arguments.reading.format(&arguments.format)?;
    let standard = arguments.file.as_os_str() == "-";
    let mut input: Box<dyn Read> = if standard {
        Box::new(io::stdin())
    } else {
        let opened = File::open(&arguments.file);
        Box::new(opened.map_err(|source| Error::file("open", &arguments.file, source))?)
    };
    let (look, events) = (arguments.print.look(), arguments.print.events);
    let printer = Printer::new(look, events, standard, Choice::default());
    let mut assembler = Assembler::new(format, printer);
    let mut buffer = vec![0; READ_SIZE];
    let side = Side::Client;
    loop {
        match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                assembler.event(&now(Kind::Data { side, bytes: &buffer[..length] }))?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::file("read", &arguments.file, source).into()),
        }
    }
    assembler.event(&now(Kind::Eof { side }))?;
    let mut printer = assembler.into_receiver();
    printer.finish()?;
    Ok(if printer.faults > 0 { FINDING } else { DONE })
}

/// An event of the one connection that a file of bytes is.
fn now(kind: Kind<'_>) -> Event<'_> {
    Event { at: Timestamp::now(), connection: ConnectionId(0), frame: None, kind }
}
