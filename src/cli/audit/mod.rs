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
use crate::capture::{CaptureFile, Reader};
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

Exits with 0 if all that was selected is plain data only, or requests what --expect names; with 1
if anything else is requested, cannot be read, is missing or was not looked at, or if a file has no
pickle; with 2 or 3 if a file could not be read, after all others. -n bounds what is printed, not
what is audited.")]
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
    if several {
        report.name_files(&arguments.files);
    }
    let mut worst = DONE;
    // One file says nothing about the others.
    let mut go_on = |audited: Outcome, report: &mut Report| match audited {
        Ok(status) => {
            worst = worst.max(status);
            Ok(())
        }
        Err(failure) if several && !failure.is_broken_pipe() => {
            report.failed()?;
            worst = worst.max(failure.report());
            Ok(())
        }
        Err(failure) => Err(failure),
    };
    let mut captures = Captures::default();
    for (file, path) in arguments.files.iter().enumerate() {
        let audited = match Opened::new(path) {
            Ok(opened) if opened.is_capture() => captures.open(file, path, opened),
            Ok(opened) => arguments.pickles(file, path, &choice, opened, &mut report),
            Err(failure) => Err(failure),
        };
        go_on(audited, &mut report)?;
    }
    if !captures.readers.is_empty() {
        let audited = arguments.captures(captures, &choice, &mut report);
        go_on(audited, &mut report)?;
    }
    let clean = report.conclude(arguments.format.reading.resync)?;
    Ok(if clean { worst } else { worst.max(FINDING) })
}

/// The captures among the files, which are read as one.
#[derive(Default)]
struct Captures {
    readers: Vec<Reader>,
    /// Which files they are.
    files: Vec<usize>,
}

impl Captures {
    fn open(&mut self, file: usize, path: &Path, opened: Opened) -> Outcome {
        // By its name it is known again; what came through a pipe is gone when it has been read.
        let reader = match path.is_file() {
            true => Reader::open(path)?,
            false => Reader::from_stream(opened.whole(), path)?,
        };
        self.readers.push(reader);
        self.files.push(file);
        Ok(DONE)
    }
}

/// A file's first bytes, and the rest of it.
struct Opened {
    beginning: Vec<u8>,
    rest: Box<dyn Read + Send>,
}

impl Opened {
    fn new(path: &Path) -> Result<Opened, Failure> {
        let (beginning, rest) = open(path)?;
        Ok(Opened { beginning, rest })
    }

    /// No pickle begins so.
    fn is_capture(&self) -> bool {
        Reader::recognises(&self.beginning)
    }

    fn whole(self) -> impl Read + Send + 'static {
        Cursor::new(self.beginning).chain(self.rest)
    }
}

impl Arguments {
    /// Captures, read as one; one that is damaged is a finding.
    fn captures(&self, captures: Captures, choice: &FormatChoice, report: &mut Report) -> Outcome {
        let Captures { readers, files } = captures;
        let mut reader = Reader::merged(readers)?.with_policy(self.reassembly.policy());
        let auto = Format::auto().with_settings(&choice.settings);
        let labels = reader.captures().iter().map(|file| file.origin().format());
        let read_as = choice.of_captures(labels, &auto).map(|side, format| {
            let is_given = choice.given[side.index()].is_some();
            match is_pickle(&format) {
                true => cut_as(&format),
                false if is_given => format,
                false => auto.clone(),
            }
        });
        report.begin_captures(files.clone());
        let limits = choice.settings.limits.clone();
        let selection = self.messages.selection();
        let selection = selection.of_session(reader.began().unwrap_or_default());
        let sides = Sides::new(limits, selection.clone(), report);
        let mut selecting = Selecting::connections(&selection, Assembler::new(read_as, sides));
        let read = reader.read_all(&mut selecting);
        let mut assembler = selecting.into_sink();
        assembler.finish()?;
        assembler.into_receiver().finish()?;
        warn_of_damage(&reader);
        read?;
        // What several network captures hold of a connection is complete in the last of them.
        let joined = |file: &CaptureFile| !file.origin().is_synthesised();
        let whole: Vec<bool> = reader.captures().iter().map(|file| !joined(file)).collect();
        let found =
            files.iter().zip(&whole).any(|(file, whole)| !whole && report.has_pickles(*file));
        for (file, whole) in files.into_iter().zip(whole) {
            if whole || !found {
                report.end(file)?;
            }
        }
        let mut warnings = reader.captures().iter().flat_map(CaptureFile::warnings);
        let is_whole = warnings.next().is_none() && reader.reached().warnings().is_empty();
        Ok(if is_whole { DONE } else { FINDING })
    }

    /// The pickles of a file or a pipe.
    fn pickles(
        &self,
        file: usize,
        path: &Path,
        choice: &FormatChoice,
        opened: Opened,
        report: &mut Report,
    ) -> Outcome {
        if opened.beginning.starts_with(b"PK\x03\x04") {
            let reason = "is a zip archive, as PyTorch writes them; unpack it (`unzip -p FILE '*.pkl'`) and \
                          audit the pickles in it";
            return Err(Error::Usage(format!("{} {reason}", path.display())).into());
        }
        if self.messages.selection() != Selection::default() {
            let words = format!(
                "{} is no capture: --connection, --side, --port, --host, --since and --until choose in \
                 captures",
                path.display()
            );
            return Err(Error::Usage(words).into());
        }
        let format = match &choice.given[Side::Client.index()] {
            Some(format) => format.clone(),
            None => choice.parse("pickle")?,
        };
        report.begin_pickles(file);
        let limits = choice.settings.limits.clone();
        let sides = Sides::new(limits, Selection::default(), report);
        let mut assembler = Assembler::new(cut_as(&format), sides);
        let mut source = opened.whole();
        let mut buffer = vec![0; READ_SIZE];
        let side = Side::Client;
        loop {
            match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => {
                    assembler.event(&now(Kind::Data { side, bytes: &buffer[..length] }))?
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(Error::file("read", path, source).into()),
            }
        }
        assembler.event(&now(Kind::Eof { side }))?;
        assembler.into_receiver().finish()?;
        report.end(file)?;
        Ok(DONE)
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

/// An event of the one connection that a file of pickles is.
fn now(kind: Kind<'_>) -> Event<'_> {
    Event { at: Timestamp::now(), connection: ConnectionId(0), frame: None, kind }
}
