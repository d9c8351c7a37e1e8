//! What was found, on stdout: a tree for each pickle that asks for something, or JSON lines.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::super::printer::{DIM, FAULT, describe_event, head, written};
use super::super::words::say;
use crate::Result;
use crate::message::{Message, event_to_json};
use crate::session::{ConnectionId, Event, Side};
use crate::wire::pickle::{Audit, Request, Verdict};
use crate::wire::{Format, Split, visible};

/// How many requests of a pickle are listed for a person; of the rest the names are counted.
const LISTED: usize = 100;
/// How many of those names.
const NAMES: usize = 20;
/// How much of each, in bytes.
const NAME_SHOWN: usize = 80;
/// How far a tree is indented, in levels.
const LEVELS: usize = 20;

/// Prints audits, and counts them.
pub(super) struct Report {
    out: Box<dyn Write + Send>,
    json: bool,
    all: bool,
    /// Whether there are connections, sides and times.
    session: bool,
    plain: u64,
    requesting: u64,
    unreadable: u64,
    /// Of those that ask for something, how many are broken.
    broken: u64,
    calls: u64,
    others: u64,
    unread: u64,
    gaps: u64,
    contradictions: u64,
}

impl Report {
    pub(super) fn new(json: bool, all: bool) -> Report {
        let out: Box<dyn Write + Send> = match json {
            true => Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
            false => Box::new(io::BufWriter::new(anstream::stdout())),
        };
        Report {
            out,
            json,
            all,
            session: true,
            plain: 0,
            requesting: 0,
            unreadable: 0,
            broken: 0,
            calls: 0,
            others: 0,
            unread: 0,
            gaps: 0,
            contradictions: 0,
        }
    }

    /// For a file of pickles.
    pub(super) fn of_file(self) -> Report {
        Report { session: false, ..self }
    }

    /// How many pickles there were so far.
    pub(super) fn pickles(&self) -> u64 {
        self.plain + self.requesting + self.unreadable
    }

    /// One pickle, which `header` bytes of the message stand before.
    pub(super) fn pickle(
        &mut self,
        message: &Message,
        format: &Format,
        header: usize,
        audit: &Audit,
    ) -> Result<()> {
        match audit.verdict() {
            Verdict::PlainData => self.plain += 1,
            Verdict::Requests => {
                self.requesting += 1;
                self.broken += u64::from(audit.fault().is_some());
                let calls = audit.calls();
                self.calls += calls as u64;
                self.others += (audit.requests().len() - calls + audit.unlisted()) as u64;
            }
            Verdict::Unreadable => self.unreadable += 1,
        }
        if self.json {
            return self.as_json(message, format, header, audit);
        }
        if audit.verdict() == Verdict::PlainData && !self.all {
            return Ok(());
        }
        self.as_tree(message, header, audit)
    }

    /// Bytes of one side are missing.
    pub(super) fn gap(&mut self, event: &Event<'_>, offset: u64) -> Result<()> {
        self.gaps += 1;
        let line = if self.json { event_to_json(event, offset) } else { describe_event(event) };
        line.map_or(Ok(()), |line| self.line(&line))
    }

    /// One side sent other bytes at a place where there were some: which of them was taken, the receiver
    /// alone knows.
    pub(super) fn contradiction(
        &mut self,
        event: &Event<'_>,
        side: Side,
        length: u64,
    ) -> Result<()> {
        self.contradictions += 1;
        if self.json {
            let (connection, time) = (event.connection, event.at);
            return self.line(&format!(
                r#"{{"connection":{connection},"side":"{side}","time":"{time}","event":"overlap","length":{length}}}"#
            ));
        }
        let head = head(event.at, event.connection, Some(side));
        self.line(&format!(
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
        self.unread += length;
        if self.json {
            return self.line(&format!(
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
        self.line(&line)
    }

    /// Says it all in a line; whether there was something to look at, all of it plain data only.
    pub(super) fn conclude(&mut self) -> Result<bool> {
        let summary = self.summary();
        if self.json {
            written(self.out.flush())?;
            say(summary);
        } else {
            self.line(&summary)?;
            written(self.out.flush())?;
        }
        let findings =
            self.requesting + self.unreadable + self.unread + self.gaps + self.contradictions;
        Ok(self.plain > 0 && findings == 0)
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        if self.plain > 0 {
            parts.push(format!("{} plain data only", self.plain));
        }
        if self.requesting > 0 {
            let verb = if self.requesting == 1 { "requests" } else { "request" };
            let calls = counted(self.calls, "call", "calls");
            let others = counted(self.others, "other thing", "other things");
            let what = [calls, others].into_iter().flatten().collect::<Vec<_>>().join(" and ");
            let broken = match self.broken {
                0 => String::new(),
                broken => format!(" ({broken} broken)"),
            };
            parts.push(format!("{} {verb} {what}{broken}", self.requesting));
        }
        if self.unreadable > 0 {
            parts.push(format!("{} unreadable", self.unreadable));
        }
        let mut summary = match self.pickles() {
            0 => "no pickle was found".to_owned(),
            1 => format!("1 pickle: {}", parts.join(", ")),
            pickles => format!("{pickles} pickles: {}", parts.join(", ")),
        };
        if self.unread > 0 {
            let _ = write!(summary, "; {} bytes were not read as pickle", self.unread);
        }
        if let Some(gaps) = counted(self.gaps, "gap", "gaps") {
            let _ = write!(summary, "; {gaps}");
        }
        if let Some(times) = counted(self.contradictions, "time", "times") {
            let _ = write!(summary, "; other bytes were sent again {times}");
        }
        summary
    }

    fn as_json(
        &mut self,
        message: &Message,
        format: &Format,
        header: usize,
        audit: &Audit,
    ) -> Result<()> {
        let mut line = String::from("{");
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
        let _ = write!(line, r#","format":"{format}","#);
        if message.split == Split::Guessed {
            line.push_str(r#""split":"guessed","#);
        }
        written(self.out.write_all(line.as_bytes()))?;
        audit.write_json(header, &mut |piece| written(self.out.write_all(piece.as_bytes())))?;
        written(self.out.write_all(b"}\n"))
    }

    fn as_tree(&mut self, message: &Message, header: usize, audit: &Audit) -> Result<()> {
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
        if let Some(fault) = audit.fault() {
            let at = header + fault.at;
            let message = visible(&fault.message);
            let _ =
                write!(words, "; {FAULT}{} at byte {at}: {message}{FAULT:#}", fault.kind.name());
        }
        let guessed = if message.split == Split::Guessed { ", its beginning guessed" } else { "" };
        self.line(&format!("{place}{guessed}: {words}"))?;
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

    fn line(&mut self, line: &str) -> Result<()> {
        written(self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n")))
    }
}

fn counted(count: u64, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    }
}

fn request_line(audit: &Audit, request: &Request, header: usize) -> String {
    let indent = "  ".repeat(request.depth.min(LEVELS) + 1);
    let deep = match request.depth {
        0..=LEVELS => String::new(),
        depth => format!("({depth} deep) "),
    };
    let shown = audit.describe(request);
    let (opcode, at) = (request.opcode_name(), header + request.offset);
    let result = match request.kept {
        _ if request.after_error => ", after the error",
        Some(true) => ", kept",
        Some(false) => ", discarded",
        None => ", before the error",
    };
    let mut line = format!("{indent}{deep}{shown}  {DIM}{opcode} at byte {at}{result}{DIM:#}");
    if let Some(finding) = audit.describe_finding(request) {
        let _ = write!(line, "; {FAULT}{finding}{FAULT:#}");
    }
    if let Some(note) = audit.note(request) {
        let style = if note.gadget { FAULT } else { DIM };
        let _ = write!(line, "; {style}{}{style:#}", note.text);
    }
    line
}

/// The names of the requests that are not listed, what is known from harm first.
fn rest_line(audit: &Audit, rest: &[Request]) -> String {
    let mut names: HashMap<_, (usize, &Request)> = HashMap::new();
    for request in rest {
        let key = (audit.global(request), request.kind, audit.finding(request).is_some());
        names.entry(key).or_insert((0, request)).0 += 1;
    }
    let mut names: Vec<_> = names.into_iter().collect();
    // What is known of a name is looked up, which comparing is to do but once for each.
    names.sort_by_cached_key(|&((_, _, finding), (count, first))| {
        let gadget = audit.note(first).is_some_and(|note| note.gadget);
        (!finding, !gadget, std::cmp::Reverse(count), first.offset)
    });
    let listed = names.iter().take(NAMES).map(|&((global, kind, finding), (count, _))| {
        let name = match global {
            Some((module, name)) => visible(&format!("{module}.{name}")).into_owned(),
            None if finding => "a computed name".to_owned(),
            None => kind.name().replace('_', " "),
        };
        let end = name.floor_char_boundary(NAME_SHOWN);
        format!("{} {count}", &name[..end])
    });
    let listed = listed.collect::<Vec<_>>().join(", ");
    let more = match names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(", and {more} more names"),
    };
    format!("  and {} more: {listed}{more}", rest.len())
}
