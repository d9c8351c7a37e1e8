//! What was found, on stdout: a tree for each pickle that asks for something, or JSON lines.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::printer::{DIM, FAULT, describe_event, head, written};
use super::super::words::say;
use super::lines::{request_line, rest_line};
use super::looks::looks_like;
use super::tally::Tally;
use crate::Result;
use crate::message::{Message, event_to_json};
use crate::session::{ConnectionId, Event, Side};
use crate::wire::pickle::{Audit, ExpectedNames, Verdict};
use crate::wire::{Format, Split, json, visible};

/// How many requests of a pickle are listed for a person; of the rest the names are counted.
const LISTED: usize = 100;
/// Prints audits, and counts them.
pub(super) struct Report {
    out: Box<dyn Write + Send>,
    json: bool,
    all: bool,
    /// How many pickles may still be printed.
    left: u64,
    expected: ExpectedNames,
    tally: Tally,
    /// The files, where there are several.
    files: Vec<Named>,
    /// Which of them a line is about.
    file: usize,
    /// Which of them are the captures that are read as one.
    captures: Vec<usize>,
    /// Whether the file has connections, sides and times.
    session: bool,
    /// Whether the file looks like something else.
    something_else: bool,
    /// How many bytes came after an error and were not read as pickles.
    not_read_on: u64,
}

/// One of several files.
struct Named {
    /// What stands before each line about it.
    prefix: String,
    /// The same in a JSON line.
    member: String,
    /// How many pickles were found in it.
    pickles: u64,
}

impl Report {
    pub(super) fn new(json: bool, all: bool, most: Option<u64>, expected: ExpectedNames) -> Report {
        let out: Box<dyn Write + Send> = match json {
            true => Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
            false => Box::new(io::BufWriter::new(anstream::stdout())),
        };
        Report {
            out,
            json,
            all,
            left: most.unwrap_or(u64::MAX),
            expected,
            tally: Tally::default(),
            files: Vec::new(),
            file: 0,
            captures: Vec::new(),
            session: true,
            something_else: false,
            not_read_on: 0,
        }
    }

    /// Several files are to come: lines are about the first of them.
    pub(super) fn name_files(&mut self, paths: &[PathBuf]) {
        self.files = paths.iter().map(|path| Named::new(path)).collect();
    }

    /// What comes is pickles one after the other, of the file in this place.
    pub(super) fn begin_pickles(&mut self, file: usize) {
        self.session = false;
        self.file = file;
        self.something_else = false;
    }

    /// What comes is of the captures in these places, which are read as one.
    pub(super) fn begin_captures(&mut self, files: Vec<usize>) {
        self.session = true;
        self.captures = files;
        self.something_else = false;
    }

    /// What comes is of the capture of this number, of those that are read as one.
    pub(super) fn in_capture(&mut self, capture: usize) {
        // A file of pickles is none, and stays what lines are about.
        if let Some(&file) = self.captures.get(capture) {
            self.file = file;
        }
    }

    /// That was all of this file, one of several.
    pub(super) fn end(&mut self, file: usize) -> Result<()> {
        if self.has_pickles(file) {
            return Ok(());
        }
        self.file = file;
        self.tally.empty += 1;
        self.about(if self.json { r#"{"event":"no_pickle"}"# } else { "no pickle was found" })
    }

    /// Whether a pickle was found in this file; alone it has its own words.
    pub(super) fn has_pickles(&self, file: usize) -> bool {
        self.files.get(file).is_none_or(|named| named.pickles > 0)
    }

    /// The file could not be read, or not to its end.
    pub(super) fn failed(&mut self) -> Result<()> {
        self.tally.failed += 1;
        written(self.out.flush())
    }

    /// One pickle, which `header` bytes of the message stand before.
    pub(super) fn pickle(
        &mut self,
        message: &Message,
        header: usize,
        mut audit: Audit,
    ) -> Result<()> {
        audit.expect(&self.expected);
        self.tally.add(&audit);
        if let Some(named) = self.files.get_mut(self.file) {
            named.pickles += 1;
        }
        let first = !self.session && message.offset == 0;
        let looks = first.then(|| looks_like(&message.raw, &audit)).flatten();
        self.something_else |= looks.is_some();
        let shown = self.json || self.all || audit.verdict() != Verdict::PlainData;
        if !shown || self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        if self.json {
            return self.as_json(message, header, &audit, looks);
        }
        self.as_tree(message, header, &audit, looks)
    }

    /// So many bytes came after an error, and were not read as pickles.
    pub(super) fn not_read_on(&mut self, length: u64) {
        if !self.something_else {
            self.not_read_on += length;
        }
    }

    /// Bytes of one side are missing.
    pub(super) fn gap(&mut self, event: &Event<'_>, offset: u64) -> Result<()> {
        self.tally.gaps += 1;
        let line = if self.json { event_to_json(event, offset) } else { describe_event(event) };
        line.map_or(Ok(()), |line| self.about(&line))
    }

    /// One side sent other bytes at a place where there were some: which of them was taken, the receiver
    /// alone knows.
    pub(super) fn contradiction(
        &mut self,
        event: &Event<'_>,
        side: Side,
        length: u64,
    ) -> Result<()> {
        self.tally.contradictions += 1;
        if self.json {
            let (connection, time) = (event.connection, event.at);
            return self.about(&format!(
                r#"{{"connection":{connection},"side":"{side}","time":"{time}","event":"overlap","length":{length}}}"#
            ));
        }
        let head = head(event.at, event.connection, Some(side));
        self.about(&format!(
            "{head}  {FAULT}{length} bytes were sent again with other content, which was not looked at{FAULT:#}"
        ))
    }

    /// So many bytes of one side were not looked at.
    pub(super) fn unread(
        &mut self,
        connection: ConnectionId,
        side: Side,
        format: &Format,
        length: u64,
    ) -> Result<()> {
        self.tally.unread += length;
        if !self.session {
            self.not_read_on(length);
        }
        if self.json {
            return self.about(&format!(
                r#"{{"connection":{connection},"side":"{side}","event":"unread","length":{length},"format":"{format}"}}"#
            ));
        }
        let line = if self.session {
            format!(
                "not read as pickle: connection {connection}, {side}, {length} bytes ({format})"
            )
        } else {
            format!("not read as pickle: {length} bytes after that")
        };
        self.about(&line)
    }

    /// Says it all in a line; whether there was something to look at, and none of it is a finding.
    pub(super) fn conclude(&mut self, resync: bool) -> Result<bool> {
        let summary = self.tally.summary();
        if self.json {
            written(self.out.flush())?;
            say(summary);
        } else {
            self.line(&summary)?;
            written(self.out.flush())?;
        }
        if !resync && self.not_read_on > 0 {
            let length = self.not_read_on;
            say(format_args!(
                "{length} bytes from an error on were not read as pickles; --resync looks for more"
            ));
        }
        Ok(self.tally.is_clean())
    }

    fn as_json(
        &mut self,
        message: &Message,
        header: usize,
        audit: &Audit,
        looks: Option<&str>,
    ) -> Result<()> {
        let mut line = String::from("{");
        if let Some(named) = self.files.get(self.file) {
            line.push_str(&named.member);
        }
        if self.session {
            let (connection, side) = (message.connection, message.side);
            let _ = write!(line, r#""connection":{connection},"side":"{side}","#);
        }
        let _ = write!(line, r#""index":{}"#, message.index);
        if self.session {
            let _ = write!(line, r#","time":"{}""#, message.time);
        }
        let _ = write!(line, r#","offset":{},"size":{}"#, message.offset, message.raw.len());
        if let Some(frame) = message.frame {
            let _ = write!(line, r#","frame":{frame}"#);
        }
        let _ = write!(line, r#","format":"{}","#, message.format);
        if message.split == Split::Guessed {
            line.push_str(r#""split":"guessed","#);
        }
        if let Some(looks) = looks {
            let _ = write!(line, r#""looks_like":"{looks}","#);
        }
        written(self.out.write_all(line.as_bytes()))?;
        audit.write_json(header, &mut |piece| written(self.out.write_all(piece.as_bytes())))?;
        written(self.out.write_all(b"}\n"))
    }

    fn as_tree(
        &mut self,
        message: &Message,
        header: usize,
        audit: &Audit,
        looks: Option<&str>,
    ) -> Result<()> {
        let size = message.raw.len();
        let place = if self.session {
            let head = head(message.time, message.connection, Some(message.side));
            let frame = message.frame.map(|frame| format!("frame {frame}, ")).unwrap_or_default();
            format!("{head} {DIM} {size:>5} B{DIM:#}  {frame}pickle {}", message.index)
        } else {
            format!("pickle {}, byte {}, {size} B", message.index, message.offset)
        };
        let mut words = match audit.verdict() {
            Verdict::PlainData => "plain data only".to_owned(),
            Verdict::Requests => format!("requests {}", audit.counts()),
            Verdict::Unreadable => "unreadable".to_owned(),
        };
        if let Some(looks) = looks {
            let _ = write!(words, "; looks like {looks}, not like a pickle");
        }
        if let Some(fault) = audit.fault() {
            let at = header + fault.at;
            let message = visible(&fault.message);
            let _ =
                write!(words, "; {FAULT}{} at byte {at}: {message}{FAULT:#}", fault.kind.name());
        }
        let guessed = if message.split == Split::Guessed { ", its beginning guessed" } else { "" };
        self.about(&format!("{place}{guessed}: {words}"))?;
        for request in audit.requests().iter().take(LISTED) {
            self.line(&request_line(audit, request, header))?;
        }
        let rest = audit.requests().get(LISTED..).unwrap_or_default();
        if !rest.is_empty() {
            self.line(&rest_line(audit, rest))?;
        }
        if audit.unlisted() > 0 {
            self.line(&format!("  and {} more after the error", audit.unlisted()))?;
        }
        Ok(())
    }

    /// A line about the file.
    fn about(&mut self, line: &str) -> Result<()> {
        match (self.files.get(self.file), line.strip_prefix('{')) {
            (Some(named), Some(rest)) if self.json => {
                self.line(&format!("{{{}{rest}", named.member))
            }
            (Some(named), _) => self.line(&format!("{}{line}", named.prefix)),
            (None, _) => self.line(line),
        }
    }

    fn line(&mut self, line: &str) -> Result<()> {
        written(self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n")))
    }
}

impl Named {
    fn new(path: &Path) -> Named {
        let path = path.to_string_lossy();
        let mut member = String::from(r#""file":"#);
        json::write_string(&path, &mut member);
        member.push(',');
        Named { prefix: format!("{}: ", visible(&path)), member, pickles: 0 }
    }
}
