//! The receipt as a person reads it: a paragraph per connection, the verdict last. The alternate form
//! (`{:#}`) is in colour.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::{ConnectionReceipt, Outcome, Receipt, Unmatched};
use crate::replay::compare::Difference;
use crate::replay::diff::DIFF;
use crate::replay::server::UnmatchedClient;
use crate::replay::timing::Timing;
use crate::wire::visible;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const MIDDLING: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const EXPECTED: Style = AnsiColor::Green.on_default();
const GOT: Style = AnsiColor::Red.on_default();

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.connections {
            one.fmt(f)?;
            writeln!(f)?;
        }
        self.unmatched.fmt(f)?;
        for damage in &self.damage {
            writeln!(f, "tainted: {}", visible(damage))?;
        }
        for note in &self.notes {
            writeln!(f, "note: {}", visible(note))?;
        }
        if let Some(timing) = self.timing.as_ref().and_then(Timing::summary)
            && self.connections.len() > 1
        {
            writeln!(f, "{timing}")?;
        }
        outcome(f, self.outcome)?;
        if self.connections.iter().all(|one| one.planned + one.expected == 0) {
            let what = if self.role == DIFF { "compare" } else { "play" };
            return write!(f, ": nothing to {what} was recorded");
        }
        let sum = |field: fn(&ConnectionReceipt) -> u64| self.connections.iter().map(field).sum();
        let (planned, sent): (u64, u64) = (sum(|one| one.planned), sum(|one| one.sent));
        let (expected, matched): (u64, u64) = (sum(|one| one.expected), sum(|one| one.matched));
        write!(f, ": {}", counted(self.connections.len() as u64, "connection"))?;
        if planned > 0 {
            write!(f, ", sent {sent} of {}", counted(planned, "message"))?;
        }
        let uncompared = sum(|one| one.arrived - one.compared);
        if expected == 0 || expected == uncompared {
            write!(f, ", nothing to compare")?;
        } else {
            write!(f, ", {matched} of {} as recorded", counted(expected, "message"))?;
        }
        if self.unmatched.closed > 0 {
            write!(
                f,
                "; {} closed that nobody recorded",
                counted(self.unmatched.closed, "client")
            )?;
        }
        let tainted = self.connections.iter().filter(|one| !one.tainted.is_empty()).count() as u64;
        if tainted > 0 {
            let connections = counted(tainted, "connection");
            write!(f, "; tainted: the recording of {connections} is not whole")?;
        }
        if !self.damage.is_empty() {
            let more = if tainted > 0 { "," } else { "; tainted:" };
            write!(f, "{more} the captures lack something")?;
        }
        Ok(())
    }
}

impl fmt::Display for ConnectionReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConnectionReceipt { connection, planned, sent, bytes_sent, .. } = self;
        let ConnectionReceipt { expected, arrived, matched, differing, .. } = self;
        write!(f, "connection {connection}: ")?;
        outcome(f, self.outcome)?;
        if self.plays > 1 {
            write!(f, ", played {} times", self.plays)?;
        }
        if *planned > 0 {
            let (messages, bytes) = (counted(*planned, "message"), counted(*bytes_sent, "byte"));
            write!(f, ", sent {sent} of {messages} ({bytes})")?;
        }
        if *expected > 0 {
            let messages = counted(*expected, "message");
            let came = if self.role == DIFF { "found" } else { "received" };
            write!(f, ", {came} {arrived} of {messages}, {matched} equal, {differing} differing")?;
        }
        let uncompared = arrived - self.compared;
        if uncompared > 0 {
            write!(f, ", {uncompared} not compared")?;
        }
        if self.unexpected_bytes > 0 {
            let bytes = counted(self.unexpected_bytes, "byte");
            // Where some of it is in no message, how many there are is not known.
            match self.unexpected_messages {
                (messages, all) if all == self.unexpected_bytes => {
                    write!(f, ", {} too many ({bytes})", counted(messages, "message"))?;
                }
                _ => write!(f, ", {bytes} too many")?,
            }
        }
        if self.reordered > 0 {
            write!(f, ", {} reordered", self.reordered)?;
        }
        if let Some(timing) = self.timing.as_ref().and_then(Timing::summary) {
            write!(f, "\n  {timing}")?;
        }
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        for taint in &self.tainted {
            write!(f, "\n  tainted: {taint}")?;
        }
        if self.clamped > 0 {
            let times = counted(self.clamped, "recorded time");
            write!(
                f,
                "\n  note: {times} ran backwards, taken as no earlier than what came before"
            )?;
        }
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        for difference in &self.differences {
            write!(f, "\n  ")?;
            difference.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Unmatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.clients {
            let UnmatchedClient { client, reason, bytes_received, bytes_sent, .. } = one;
            match &one.passed_to {
                None => {
                    write!(f, "client {client}: ")?;
                    styled(f, BAD, "closed")?;
                    writeln!(f, ": {reason}")?;
                }
                Some(to) => writeln!(
                    f,
                    "client {client}: passed to {to}, {bytes_received} bytes there, {bytes_sent} back: {reason}"
                )?,
            }
        }
        let more = (self.closed + self.passed).saturating_sub(self.clients.len() as u64);
        if more > 0 {
            writeln!(f, "and {more} more clients that were not recorded")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.index {
            Some(index) => write!(f, "message {index}, offset {}", self.offset)?,
            None => {
                if let Some(after) = self.after {
                    write!(f, "after message {after}, ")?;
                }
                write!(f, "offset {}", self.offset)?;
            }
        }
        if let Some(path) = &self.path {
            write!(f, ", at {path}")?;
        }
        match &self.expected {
            Some(expected) => {
                write!(f, ": expected ")?;
                styled(f, EXPECTED, &visible(expected))?;
                write!(f, ", got ")?;
                match &self.got {
                    Some(got) => styled(f, GOT, &visible(got))?,
                    None => write!(f, "nothing")?,
                }
            }
            None => {
                write!(f, ": not expected: ")?;
                styled(f, GOT, &visible(self.got.as_deref().unwrap_or_default()))?;
            }
        }
        match &self.note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}

fn outcome(f: &mut fmt::Formatter<'_>, outcome: Outcome) -> fmt::Result {
    let style = match outcome {
        Outcome::Verified => GOOD,
        Outcome::Delivered => MIDDLING,
        Outcome::Failed => BAD,
    };
    styled(f, style, outcome.name())
}

fn styled(f: &mut fmt::Formatter<'_>, style: Style, text: &str) -> fmt::Result {
    match f.alternate() {
        true => write!(f, "{style}{text}{style:#}"),
        false => f.write_str(text),
    }
}

/// `1 message`, `2 messages`.
fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
