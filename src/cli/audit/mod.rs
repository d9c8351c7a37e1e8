//! `wirespool audit`: what pickles ask for.

mod lines;
mod looks;
mod report;
mod sides;
mod tally;

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{FormatArguments, MessageArguments, ReassemblyArguments, parsed};
use super::failure::Failure;
use super::show::warn_of_damage;
use super::{DONE, FINDING, Outcome};
use crate::Error;
use crate::capture::Reader;
use crate::message::Assembler;
use crate::project::FormatChoice;
use crate::session::{ConnectionId, Event, Kind, Selecting, Selection, Side, Sink, Timestamp};
use crate::wire::pickle::ExpectedName;
use crate::wire::{Codec, Format};

use report::Report;
use sides::{Sides, is_pickle};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;
/// How many bytes tell what a file is.
const MAGIC: usize = 4;

/// Say what pickles ask for, without running them
///
/// Each FILE is a capture, or pickles one after the other. A pickle is "plain data only" where that can be
/// proved: it names and calls nothing. Else each thing that it asks for is listed: what it is called,
/// with which arguments, by which opcode and where, whether the result is kept or discarded, and whether
/// it stands before or after an error. Nothing is called safe or harmful; of names that are known, a word
/// says what they do.
///
/// Without -f a capture's sides are read as they were recorded or as they look; a side that is no
/// pickle is named and counts as a finding, unless it is left out by --side, --connection or --port.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool encode -f pickle '[1, 2, 3]' | wirespool audit -
  wirespool demo
  wirespool audit demo/pickle.pcapng --side client
  printf 'cuuid\\nUUID\\n.' | wirespool audit - --expect uuid.UUID
  printf 'cos\\nsystem\\n(S\"echo harm\"\\ntR.' | wirespool audit - || test $? = 1

Exits with 0 if all that was selected is plain data only, or requests what --expect names; with 1 if anything
else is requested, cannot be read, is missing or was not looked at, or if a file has no pickle; with 2 or 3 if
a file could not be read, after all others. -n bounds what is printed, not what is audited.")]
pub(super) struct Arguments {
    /// Files of pickles or captures; - is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
    /// Print a JSON line for each pickle, with all of its requests
    #[arg(long)]
    json: bool,
    /// Print also the pickles that are plain data only
    #[arg(long)]
    all: bool,
    /// Say that this request is no finding: one exact name, and calls of it with plain or expected
    /// arguments; may be given several times. It is your judgment of what calling it does
    #[arg(long, value_name = "MODULE.NAME", value_parser = parsed::<ExpectedName>)]
    expect: Vec<ExpectedName>,
    #[command(flatten)]
    messages: MessageArguments,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let choice = arguments.choice()?;
    let expected = arguments.expect.iter().cloned().collect();
    let most = arguments.messages.count;
    let mut report = Report::new(arguments.json, arguments.all, most, expected);
    let several = arguments.files.len() > 1;
    let mut worst = DONE;
    for path in &arguments.files {
        if several {
            report.name_file(path);
        }
        match arguments.audit(path, &choice, &mut report) {
            Ok(status) => worst = worst.max(status),
            // One file says nothing about the others.
            Err(failure) if several && !failure.is_broken_pipe() => {
                report.failed()?;
                worst = worst.max(failure.report());
            }
            Err(failure) => return Err(failure),
        }
    }
    let clean = report.conclude(arguments.format.reading.resync)?;
    Ok(if clean { worst } else { worst.max(FINDING) })
}

impl Arguments {
    /// Audits one file; a capture that is damaged is a finding.
    fn audit(&self, path: &Path, choice: &FormatChoice, report: &mut Report) -> Outcome {
        let (beginning, source) = open(path)?;
        let whole = Cursor::new(beginning.clone()).chain(source);
        if beginning.starts_with(b"PK\x03\x04") {
            let reason = "is a zip archive, as PyTorch writes them; unpack it (`unzip -p FILE '*.pkl'`) and \
                          audit the pickles in it";
            return Err(Error::Usage(format!("{} {reason}", path.display())).into());
        }
        // No pickle begins so.
        let is_capture = Reader::recognises(&beginning);
        report.begin(is_capture);
        let status = match is_capture {
            true => capture(self, path, choice, whole, report)?,
            false => pickles(self, path, choice, whole, report)?,
        };
        report.end()?;
        Ok(status)
    }

    /// All that says how pickles stand in the bytes: what is given has to be pickles, of one side at least.
    fn choice(&self) -> Result<FormatChoice, Failure> {
        let mut choice = self.format.choice()?;
        // It is what is done anyway.
        choice.given.iter_mut().for_each(|given| {
            given.take_if(|format| *format.codec() == Codec::Auto);
        });
        let others = choice.given.iter().flatten().filter(|format| !is_pickle(format));
        match others.clone().next() {
            Some(other) if others.count() == choice.given.len() => {
                let words = format!("{other} holds no pickles; audit takes pickle, pickle/u32be");
                Err(Error::Usage(words).into())
            }
            _ => Ok(choice),
        }
    }
}

/// A file's first bytes, and the rest of it.
fn open(path: &Path) -> Result<(Vec<u8>, Box<dyn Read + Send>), Failure> {
    let mut source: Box<dyn Read + Send> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        let file = File::open(path).map_err(|source| Error::file("open", path, source))?;
        if file.metadata().is_ok_and(|found| found.is_dir()) {
            let source = io::Error::from_raw_os_error(libc::EISDIR);
            return Err(Error::file("open", path, source).into());
        }
        Box::new(file)
    };
    // Of a pipe all that the first read gives: it is a chunk.
    let mut beginning = vec![0; READ_SIZE];
    let mut length = 0;
    while length < MAGIC {
        match source.read(&mut beginning[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::file("read", path, source).into()),
        }
    }
    beginning.truncate(length);
    Ok((beginning, source))
}

/// How messages are cut that are to be audited: not decoded before that, unless only decoding shows
/// where the next one begins.
fn cut_as(format: &Format) -> Format {
    if format.settings().resync { format.clone() } else { format.undecoded() }
}

fn capture(
    arguments: &Arguments,
    path: &Path,
    choice: &FormatChoice,
    source: impl Read + Send + 'static,
    report: &mut Report,
) -> Outcome {
    let reader = Reader::from_stream(source, path)?;
    let mut reader = reader.with_policy(arguments.reassembly.policy());
    let auto = Format::auto().with_settings(&choice.settings);
    let read_as = choice.of_capture(reader.origin().format(), &auto).map(|side, format| {
        let is_given = choice.given[side.index()].is_some();
        match is_pickle(&format) {
            true => cut_as(&format),
            false if is_given => format,
            false => auto.clone(),
        }
    });
    let limits = choice.settings.limits.clone();
    let selection = arguments.messages.selection();
    let selection = selection.of_session(reader.began().unwrap_or_default());
    let sides = Sides::new(limits, selection.clone(), report);
    let mut selecting = Selecting::connections(&selection, Assembler::new(read_as, sides));
    reader.read_all(&mut selecting)?;
    let mut assembler = selecting.into_sink();
    assembler.finish()?;
    assembler.into_receiver().finish()?;
    warn_of_damage(&reader);
    Ok(if reader.summary().warnings().is_empty() { DONE } else { FINDING })
}

/// The pickles of a file or a pipe.
fn pickles(
    arguments: &Arguments,
    path: &Path,
    choice: &FormatChoice,
    mut source: impl Read,
    report: &mut Report,
) -> Outcome {
    if arguments.messages.selection() != Selection::default() {
        let words = format!(
            "{} is no capture: --connection, --side, --port, --host, --since and --until choose in captures",
            path.display()
        );
        return Err(Error::Usage(words).into());
    }
    let format = match &choice.given[Side::Client.index()] {
        Some(format) => format.clone(),
        None => choice.parse("pickle")?,
    };
    let limits = choice.settings.limits.clone();
    let sides = Sides::new(limits, Selection::default(), report);
    let mut assembler = Assembler::new(cut_as(&format), sides);
    let mut buffer = vec![0; READ_SIZE];
    let side = Side::Client;
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => assembler.event(&now(Kind::Data { side, bytes: &buffer[..length] }))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::file("read", path, source).into()),
        }
    }
    assembler.event(&now(Kind::Eof { side }))?;
    assembler.into_receiver().finish()?;
    Ok(DONE)
}

/// An event of the one connection that a file of pickles is.
fn now(kind: Kind<'_>) -> Event<'_> {
    Event { at: Timestamp::now(), connection: ConnectionId(0), frame: None, kind }
}
