//! `wirespool show`: the messages of captures.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    FormatArguments, MessageArguments, PrintArguments, ReassemblyArguments, capture_path, parsed,
};
use super::failure::Failure;
use super::follow;
use super::live;
use super::printer::{Choice, Printer, nothing_selected, written};
use super::words::say;
use super::{DONE, Outcome};
use crate::capture::Reader;
use crate::message::{Assembler, FormatsByCapture};
use crate::project::FormatChoice;
use crate::replay::{Chosen, Condition};
use crate::session::{ConnectionId, Event, Kind, Selecting, Selection, Side, Sink};
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
    #[arg(long, conflicts_with_all = ["json", "hex", "events", "count", "since", "until"], requires = "side")]
    raw: bool,
    /// Go on while the capture is still being written, until Ctrl-C
    #[arg(long, conflicts_with = "raw")]
    follow: bool,
    #[command(flatten)]
    messages: MessageArguments,
    /// Only messages whose value is so: a condition as '@.humidity > 50', or a JSONPath (RFC 9535) that finds
    /// anything, as '$.readings[?@.id == 7]', in what --json prints as `value`
    #[arg(long = "where", value_name = "EXPR", value_parser = parsed::<Condition>, conflicts_with = "raw",
          help_heading = "Selection")]
    condition: Option<Condition>,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    if arguments.raw {
        return raw(&arguments);
    }
    let choice = arguments.format.choice()?;
    let policy = arguments.reassembly.policy();
    if arguments.follow {
        let [file] = arguments.files.as_slice() else {
            return Err(Error::Usage("--follow takes one capture".to_owned()).into());
        };
        let selection = arguments.messages.selection();
        if selection.is_relative() {
            let words = "--follow takes --since and --until by the clock only";
            return Err(Error::Usage(words.to_owned()).into());
        }
        let printer = arguments.printer(&selection);
        return follow::run(file, policy, &choice, printer, &selection);
    }
    let mut reader = Reader::open_all(&arguments.files)?.with_policy(policy);
    warn_of_label(&choice, &reader);
    let selection = arguments.messages.selection();
    let selection = selection.of_session(reader.began().unwrap_or_default());
    let printer = arguments.printer(&selection);
    let assembler = Assembler::new(formats_of(&choice, &reader), printer);
    let mut selecting = Selecting::connections(&selection, assembler);
    let read = loop {
        match reader.step(&mut selecting) {
            Ok(true) if !selecting.sink().receiver().is_done() => {
                if !reader.is_buffered() {
                    // A pipe may be silent for long.
                    if let Some(latest) = live::latest(&reader) {
                        selecting.tick(latest)?;
                    }
                    selecting.sink().receiver().finish()?;
                }
            }
            Ok(_) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    let mut printer = selecting.into_sink().into_receiver();
    printer.finish()?;
    printer.warn_of_unread();
    warn_of_damage(&reader);
    read?;
    if !printer.is_done() {
        warn_of_absent(&selection, &reader);
    }
    let connections = reader.connections();
    if selection.connections.iter().all(|asked| *asked < connections) {
        printer.warn_of_nothing(connections);
    }
    Ok(DONE)
}

impl Arguments {
    fn printer(&self, selection: &Selection) -> Printer {
        let choice = Choice {
            count: self.messages.count,
            messages: Chosen::new(selection.clone(), self.condition.clone()),
        };
        Printer::new(self.print.look(), self.print.events, false, choice)
    }
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

/// Says on stderr which connections were asked for by number that are not there, once all is read.
pub(super) fn warn_of_absent(selection: &Selection, reader: &Reader) {
    let connections = reader.connections();
    for asked in selection.connections.iter().filter(|asked| **asked >= connections) {
        say(format_args!("there is no connection {asked}: there are {connections}, from 0"));
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
    let selection = arguments.messages.selection();
    if selection.connections.len() > 1 {
        return Err(Error::Usage("--raw takes one --connection".to_owned()).into());
    }
    let mut reader = Reader::open(file)?.with_policy(arguments.reassembly.policy());
    let raw = Raw { side: selection.side, written: None, offset: 0, found: false };
    let mut selecting = Selecting::connections(&selection, raw);
    let read = reader.read_all(&mut selecting);
    warn_of_damage(&reader);
    read?;
    if selecting.sink().found {
        return Ok(DONE);
    }
    let connections = reader.connections();
    let asked = selection.connections.first();
    match asked.copied().or((connections == 0).then_some(0)) {
        Some(connection) if connection >= connections => {
            let reason =
                format!("{} has no connection {connection}; see `wirespool info`", file.display());
            Err(Failure::from(Error::Usage(reason)))
        }
        _ => {
            say(nothing_selected(connections, 0));
            Ok(DONE)
        }
    }
}

struct Raw {
    side: Option<Side>,
    /// Which connection is written, once there was anything of its side.
    written: Option<ConnectionId>,
    offset: u64,
    /// Whether any connection is selected.
    found: bool,
}

impl Raw {
    /// Refuses to write what a second connection says behind what the first one said.
    fn check_is_one(&mut self, connection: ConnectionId) -> Result<()> {
        match *self.written.get_or_insert(connection) {
            first if first == connection => Ok(()),
            first => Err(Error::Usage(format!(
                "--raw writes one connection, and both {first} and {connection} are selected; choose by \
                 --connection, as --connection {first}"
            ))),
        }
    }
}

impl Sink for Raw {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        self.found = true;
        match event.kind {
            Kind::Data { side, bytes } if Some(side) == self.side => {
                self.check_is_one(event.connection)?;
                self.offset += bytes.len() as u64;
                written(std::io::stdout().write_all(bytes))
            }
            Kind::Gap { side, length } if Some(side) == self.side => {
                self.check_is_one(event.connection)?;
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
