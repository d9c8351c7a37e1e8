//! Messages and events on stdout: a line each for people, JSON lines, or with a hex dump.

use std::collections::HashSet;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::words::say;
use crate::message::{Message, Output, Receive, event_to_json};
use crate::replay::Chosen;
use crate::session::{ConnectionId, Event, Kind, Side, Start, Timestamp};
use crate::wire::{Codec, Format, Split, visible};
use crate::{Error, Result};

pub(super) const DIM: Style = Style::new().dimmed();
const CLIENT: Style = AnsiColor::Cyan.on_default();
const SERVER: Style = AnsiColor::Green.on_default();
pub(super) const FAULT: Style = AnsiColor::Red.on_default();

/// How many bytes a line of a hex dump shows.
const HEX_WIDTH: usize = 16;
/// How much of a message's raw bytes a line for people shows.
const RAW_SHOWN: usize = 64;
/// How many different things are said of what formats were found out to be, and why.
const FOUND_SAID: usize = 8;

/// How messages are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Look {
    /// A line each.
    #[default]
    Lines,
    /// A line each, with all bytes below it.
    Hex,
    /// A JSON object each.
    Json,
}

/// Which messages are shown, of connections that are selected already.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// How many at most.
    pub(super) count: Option<u64>,
    /// By whom, when, and what they say.
    pub(super) messages: Chosen,
}

/// Prints what is chosen.
pub(super) struct Printer {
    out: Box<dyn Write + Send>,
    look: Look,
    events: bool,
    live: bool,
    /// Whether it goes on, for what is recorded, once nobody reads what is printed.
    lasting: bool,
    /// The line being written; kept for its allocation.
    json: String,
    choice: Choice,
    /// How many messages there were to choose from.
    seen: u64,
    /// Whether any line was printed.
    any: bool,
    /// What was said of formats that were found out: of which side, what, and why.
    found: HashSet<(Side, String)>,
    /// How many messages were printed.
    pub(super) messages: u64,
    /// How many of those could not be decoded.
    pub(super) faults: u64,
    /// How many gaps were printed.
    pub(super) gaps: u64,
}

impl Printer {
    /// Prints to stdout; a `live` one flushes each message.
    pub(super) fn new(look: Look, events: bool, live: bool, choice: Choice) -> Printer {
        let out: Box<dyn Write + Send> = match look {
            // JSON holds no colour, and needs no look at each byte for it.
            Look::Json => Box::new(io::BufWriter::with_capacity(1 << 16, io::stdout())),
            Look::Lines | Look::Hex => Box::new(io::BufWriter::new(anstream::stdout())),
        };
        let (messages, faults, gaps) = (0, 0, 0);
        Printer {
            out,
            look,
            events,
            live,
            lasting: false,
            json: String::new(),
            choice,
            seen: 0,
            any: false,
            found: HashSet::new(),
            messages,
            faults,
            gaps,
        }
    }

    /// Does not end what is recorded into a file when nobody reads any more what is printed of it.
    #[must_use]
    pub(super) fn lasting(self) -> Printer {
        Printer { lasting: true, ..self }
    }

    /// Whether as many messages were printed as were asked for.
    pub(super) fn is_done(&self) -> bool {
        self.choice.count.is_some_and(|count| self.messages >= count)
    }

    /// Says what could not be looked at for the condition.
    pub(super) fn warn_of_unread(&self) {
        if let Some(warning) = self.choice.messages.warning() {
            say(warning);
        }
    }

    /// Says that of so many connections nothing was printed, if something was to be chosen.
    pub(super) fn warn_of_nothing(&self, connections: u64) {
        let is_choosing = self.choice.messages.is_choosing();
        if is_choosing && !self.any && !self.is_done() {
            say(nothing_selected(connections, self.seen));
        }
    }

    /// Brings everything to stdout.
    pub(super) fn finish(&mut self) -> Result<()> {
        let flushed = self.out.flush();
        self.went(flushed)
    }

    /// The result of writing; where the printer is [lasting](Printer::lasting), a reader that has gone is said
    /// once.
    fn went(&mut self, result: io::Result<()>) -> Result<()> {
        match written(result) {
            Err(Error::BrokenPipe) if self.lasting => {
                self.out = Box::new(io::sink());
                say("nobody reads what is printed any more; the recording goes on");
                Ok(())
            }
            other => other,
        }
    }

    fn message(&mut self, message: &Message) -> Result<()> {
        self.seen += 1;
        if self.is_done() || !self.choice.messages.takes(message) {
            return Ok(());
        }
        self.messages += 1;
        self.faults += u64::from(message.body.is_err());
        match self.look {
            Look::Json => {
                let mut line = std::mem::take(&mut self.json);
                message.append_json(&mut line);
                let result = self.line(&line);
                line.clear();
                self.json = line;
                result
            }
            Look::Lines => self.line(&describe(message)),
            Look::Hex => {
                self.line(&describe(message))?;
                for (row, bytes) in message.raw.chunks(HEX_WIDTH).enumerate() {
                    self.line(&hex_row(message.offset + (row * HEX_WIDTH) as u64, bytes))?;
                }
                Ok(())
            }
        }
    }

    fn event(&mut self, event: &Event<'_>, offset: u64) -> Result<()> {
        let gap = matches!(event.kind, Kind::Gap { .. });
        let selection = &self.choice.messages.selection;
        if !selection.takes_time(event.at) || !(gap || self.events) || self.is_done() {
            return Ok(());
        }
        self.gaps += u64::from(gap);
        let line = match self.look {
            Look::Json => event_to_json(event, offset),
            Look::Lines | Look::Hex => describe_event(event),
        };
        line.map_or(Ok(()), |line| self.line(&line))
    }

    fn line(&mut self, line: &str) -> Result<()> {
        self.any = true;
        let went = self.out.write_all(line.as_bytes()).and_then(|()| self.out.write_all(b"\n"));
        self.went(went)?;
        if self.live { self.finish() } else { Ok(()) }
    }
}

impl Receive for Printer {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Message(message) => self.message(&message),
            Output::Event { event, offset } => self.event(event, offset),
        }
    }

    fn found(&mut self, connection: ConnectionId, side: Side, format: &Format, reason: &str) {
        if !self.choice.messages.selection.takes_side(side) || self.found.len() > FOUND_SAID {
            return;
        }
        let words = format!("{format}: {reason}");
        if !self.found.insert((side, words.clone())) {
            return;
        }
        match self.found.len() > FOUND_SAID {
            false => say(format_args!("connection {connection}, {side}: {words}")),
            true => say("of further formats that were found out `info --json` says why"),
        }
    }
}

/// That nothing is shown of so many connections, with the messages of those that were looked at.
pub(super) fn nothing_selected(connections: u64, messages: u64) -> String {
    let count = |number: u64, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let connections = count(connections, "connection");
    match messages {
        0 => format!("nothing was selected: the capture has {connections}, see `wirespool info`"),
        _ => format!(
            "nothing was selected: none of {} was, of {connections} in all",
            count(messages, "message")
        ),
    }
}

/// The result of writing to stdout; a reader that has gone is no failure to report.
pub(super) fn written(result: io::Result<()>) -> Result<()> {
    result.map_err(|source| match source.kind() {
        io::ErrorKind::BrokenPipe => Error::BrokenPipe,
        _ => Error::file("write", "standard output", source),
    })
}

fn describe(message: &Message) -> String {
    let head = head(message.time, message.connection, Some(message.side));
    let size = message.raw.len();
    // A tilde where the borders are a guess.
    let mark = if message.split == Split::Guessed { "~" } else { " " };
    let head = format!("{head} {DIM}{mark}{size:>5} B{DIM:#}");
    match &message.body {
        Ok(_) if *message.format.codec() == Codec::Raw => format!("{head}  {}", raw(message)),
        Ok(value) => {
            let shown = message.format.write_json(value);
            format!("{head}  {}{}", visible(&shown), unknown(message))
        }
        Err(fault) => {
            let fault = visible(&fault.to_string()).into_owned();
            format!("{head}  {FAULT}{fault}{FAULT:#}  {}", raw(message))
        }
    }
}

/// What the schema does not know: it may be out of date, or another message's.
fn unknown(message: &Message) -> String {
    match &message.unknown {
        Some(fields) => {
            let shown = message.format.write_json(fields);
            format!("  {FAULT}unknown{FAULT:#} {}", visible(&shown))
        }
        None => String::new(),
    }
}

/// The first bytes of a message, as they are but for what is no plain character.
fn raw(message: &Message) -> String {
    let shown = message.raw[..message.raw.len().min(RAW_SHOWN)].escape_ascii();
    let more = if message.raw.len() > RAW_SHOWN { "…" } else { "" };
    format!("{shown}{more}")
}

pub(super) fn describe_event(event: &Event<'_>) -> Option<String> {
    let (side, words) = match event.kind {
        Kind::Open { client, server, start, .. } => {
            let missed = if start == Start::Missed { ", its beginning not recorded" } else { "" };
            (None, format!("opened, {client} to {server}{missed}"))
        }
        Kind::Gap { side, length: Some(length) } => {
            let missing = if length == 1 { "1 byte is" } else { &format!("{length} bytes are") };
            (Some(side), format!("{FAULT}gap: {missing} missing{FAULT:#}"))
        }
        Kind::Gap { side, length: None } => (
            Some(side),
            format!("{FAULT}gap: bytes are missing, it is not known how many{FAULT:#}"),
        ),
        Kind::Eof { side } => (Some(side), "closed its side".to_owned()),
        Kind::Reset { side } => (Some(side), "reset the connection".to_owned()),
        Kind::Cut => (None, "the capture ends, the connection is open".to_owned()),
        Kind::Data { .. } | Kind::Delivered { .. } | Kind::Note(_) => return None,
    };
    Some(format!("{}  {words}", head(event.at, event.connection, side)))
}

/// Time of day (UTC), connection, side: the columns every line begins with.
pub(super) fn head(time: Timestamp, connection: ConnectionId, side: Option<Side>) -> String {
    let stamp = time.to_string();
    // RFC 3339: the time of day stands after the T, with nine digits of a second and a Z.
    let clock = stamp.split_once('T').map_or("", |(_, clock)| clock).trim_end_matches('Z');
    let clock = clock.get(..15).unwrap_or(clock);
    let (style, name) = match side {
        Some(Side::Client) => (CLIENT, "client"),
        Some(Side::Server) => (SERVER, "server"),
        None => (DIM, ""),
    };
    format!("{DIM}{clock}{DIM:#}  {connection}  {style}{name:6}{style:#}")
}

fn hex_row(offset: u64, bytes: &[u8]) -> String {
    let mut row = format!("  {DIM}{offset:08x}{DIM:#} ");
    for place in 0..HEX_WIDTH {
        if place % 8 == 0 {
            row.push(' ');
        }
        match bytes.get(place) {
            Some(byte) => row.push_str(&format!("{byte:02x} ")),
            None => row.push_str("   "),
        }
    }
    row.push(' ');
    row.extend(bytes.iter().map(|&byte| match byte {
        b' '..=b'~' => char::from(byte),
        _ => '.',
    }));
    row
}
