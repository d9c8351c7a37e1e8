//! `wirespool show`: the messages of captures.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    FormatArguments, PrintArguments, ReassemblyArguments, Selection, capture_path,
};
use super::failure::Failure;
use super::follow;
use super::printer::{Printer, written};
use super::words::say;
use super::{DONE, Outcome};
use crate::capture::Reader;
use crate::message::{Assembler, FormatsByCapture};
use crate::project::FormatChoice;
use crate::session::{ConnectionId, Event, Kind, Sink};
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
  wirespool show demo/pickle.pcapng --resync --limit depth=1000
  wirespool show demo/pickle.pcapng --follow -n 2")]
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
    /// Go on while the capture is still being written, until Ctrl-C
    #[arg(long, conflicts_with = "raw")]
    follow: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    if arguments.raw {
        return raw(&arguments);
    }
    let print = &arguments.print;
    let printer = Printer::new(print.look(), print.events, false, arguments.selection.clone());
    let choice = arguments.format.choice()?;
    let policy = arguments.reassembly.policy();
    if arguments.follow {
        let [file] = arguments.files.as_slice() else {
            return Err(Error::Usage("--follow takes one capture".to_owned()).into());
        };
        return follow::run(file, policy, &choice, printer);
    }
    let mut reader = Reader::open_all(&arguments.files)?.with_policy(policy);
    warn_of_label(&choice, &reader);
    let mut assembler = Assembler::new(formats_of(&choice, &reader), printer);
    let read = loop {
        match reader.step(&mut assembler) {
            Ok(true) if !assembler.receiver().is_done() => {
                if !reader.is_buffered() {
                    // A pipe may be silent for long.
                    assembler.receiver().finish()?;
                }
            }
            Ok(_) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let mut printer = assembler.into_receiver();
    printer.finish()?;
    warn_of_damage(&reader);
    read?;
    let connections = reader.connections();
    for asked in &arguments.selection.connection {
        if *asked >= connections && !printer.is_done() {
            say(format_args!("there is no connection {asked}: there are {connections}, from 0"));
        }
    }
    Ok(DONE)
}

/// The formats of all that a reader reads; of which nothing says it, what it looks like.
pub(super) fn formats_of(choice: &FormatChoice, reader: &Reader) -> FormatsByCapture {
    let labels = reader.captures().iter().map(|file| file.origin().format());
    choice.of_captures(labels, &Format::auto())
}

/// Says on stderr which captures are not read, or not as they say that they were recorded.
pub(super) fn warn_of_label(choice: &FormatChoice, reader: &Reader) {
    for file in reader.captures() {
        let name = file.path().display();
        if let Some(words) = choice.misunderstood(file.origin().format()) {
            say(format_args!("{name}: {words}"));
        }
        if file.is_repeated() && !file.origin().is_synthesised() {
            say(format_args!("{name}: the same file was given before, and is read once"));
        }
    }
}

/// Says on stderr what of captures could not be read.
pub(super) fn warn_of_damage(reader: &Reader) {
    for file in reader.captures() {
        for warning in file.warnings() {
            say(format_args!("{}: {warning}", file.path().display()));
        }
    }
    for warning in reader.reached().warnings() {
        match reader.captures() {
            [file] => say(format_args!("{}: {warning}", file.path().display())),
            _ => say(format_args!("all captures: {warning}")),
        }
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
    let mut reader = Reader::open(file)?.with_policy(arguments.reassembly.policy());
    let mut raw = Raw { arguments, connection, offset: 0, found: false };
    let read = reader.read_all(&mut raw);
    warn_of_damage(&reader);
    read?;
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
