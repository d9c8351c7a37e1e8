//! `wirespool show`: the messages of captures.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{FormatArguments, PrintArguments, Selection, capture_path};
use super::failure::Failure;
use super::printer::{Printer, written};
use super::words::say;
use super::{DONE, Outcome};
use crate::capture::Reader;
use crate::message::Assembler;
use crate::project::FormatChoice;
use crate::session::{ConnectionId, Event, Kind, Numbered, Sink};
use crate::wire::Format;
use crate::{Error, Result};

/// Print the messages of captures
///
/// Without -f the format is the one the capture was recorded as, else what wirespool.toml says of the
/// server's port, else what the bytes look like.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool show demo/*.pcapng
  wirespool show demo/pickle.pcapng --json --side client -n 2
  wirespool show demo/text.pcapng --raw --side client > sent.txt
  wirespool show demo/pickle.pcapng --resync --limit depth=1000")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; - is standard input
    #[arg(required = true, value_name = "FILE", value_parser = capture_path())]
    files: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    print: PrintArguments,
    /// Write the bytes of one side of one connection as they were
    #[arg(long, conflicts_with_all = ["json", "hex", "events", "count"], requires = "side")]
    raw: bool,
    #[command(flatten)]
    selection: Selection,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    if arguments.raw {
        return raw(&arguments);
    }
    let print = &arguments.print;
    let mut printer = Printer::new(print.look(), print.events, false, arguments.selection.clone());
    let choice = arguments.format.choice()?;
    let mut connections = 0;
    for file in &arguments.files {
        let mut reader = Reader::open(file)?;
        warn_of_label(&choice, &reader, file);
        let formats = choice.of_capture(reader.origin().format(), &Format::auto());
        let mut numbered = Numbered::new(Assembler::new(formats, printer), connections);
        while !numbered.sink().receiver().is_done() && reader.step(&mut numbered)? {}
        connections = numbered.next_connection();
        printer = numbered.into_sink().into_receiver();
        warn_of_damage(&reader, file);
    }
    printer.finish()?;
    for asked in &arguments.selection.connection {
        if *asked >= connections && !printer.is_done() {
            say(format_args!("there is no connection {asked}: there are {connections}, from 0"));
        }
    }
    Ok(DONE)
}

/// Says on stderr that a capture is not read as it says that it was recorded.
pub(super) fn warn_of_label(choice: &FormatChoice, reader: &Reader, file: &std::path::Path) {
    if let Some(words) = choice.misunderstood(reader.origin().format()) {
        say(format_args!("{}: {words}", file.display()));
    }
}

/// Says on stderr what of a capture could not be read.
pub(super) fn warn_of_damage(reader: &Reader, file: &std::path::Path) {
    for warning in reader.summary().warnings() {
        say(format_args!("{}: {warning}", file.display()));
    }
}

/// Writes the bytes of the one connection and side that are selected.
fn raw(arguments: &Arguments) -> Outcome {
    let [file] = arguments.files.as_slice() else {
        return Err(Error::Usage("--raw takes one capture".to_owned()).into());
    };
    let connection = match arguments.selection.connection.as_slice() {
        [] => ConnectionId(0),
        [one] => ConnectionId(*one),
        _ => return Err(Error::Usage("--raw takes one --connection".to_owned()).into()),
    };
    let mut reader = Reader::open(file)?;
    let mut raw = Raw { arguments, connection, offset: 0, found: false };
    reader.read_all(&mut raw)?;
    warn_of_damage(&reader, file);
    if !raw.found {
        let reason =
            format!("{} has no connection {connection}; see `wirespool info`", file.display());
        return Err(Failure::from(Error::Usage(reason)));
    }
    Ok(DONE)
}

struct Raw<'a> {
    arguments: &'a Arguments,
    connection: ConnectionId,
    offset: u64,
    found: bool,
}

impl Sink for Raw<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if event.connection != self.connection {
            return Ok(());
        }
        self.found = true;
        match event.kind {
            Kind::Data { side, bytes } if Some(side) == self.arguments.selection.side => {
                self.offset += bytes.len() as u64;
                written(std::io::stdout().write_all(bytes))
            }
            Kind::Gap { side, length } if Some(side) == self.arguments.selection.side => {
                // Nothing stands in for what is missing; words go to stderr.
                let offset = self.offset;
                match length {
                    Some(length) => {
                        say(format_args!("gap: {length} bytes are missing at offset {offset}"))
                    }
                    None => say(format_args!("gap: bytes are missing at offset {offset}")),
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
