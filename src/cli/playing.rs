//! What `replay` and `serve` share: how to play, the script, and the verdict.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;

use super::arguments::{FormatArguments, OutputArguments, RuleArguments, duration, parsed};
use super::failure::{At, Failure};
use super::show::warn_of_damage;
use super::words::say;
use super::{DONE, FINDING, Outcome, live, rehearsal};
use crate::Error;
use crate::capture::{Reader, Writer, digest};
use crate::net::Recorder;
use crate::replay::{CaptureDigest, Carry, Draft, Options, Receipt, Script, Speed};
use crate::session::Side;
use crate::wire::Format;

/// How to play, for `replay` and `serve`.
#[derive(Debug, Args)]
pub(super) struct PlayArguments {
    #[command(flatten)]
    format: FormatArguments,
    /// Play only connection N; may be given several times
    #[arg(long, value_name = "N")]
    connection: Vec<u64>,
    /// Play also connections of which the capture lacks bytes: what is there
    #[arg(long)]
    across_gaps: bool,
    /// Print what would be played, and contact nobody
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    output: OutputArguments,
    // A heading holds for all that follows: what has none comes first.
    #[command(flatten)]
    time: TimeArguments,
    #[command(flatten)]
    rules: RuleArguments,
    /// Send the live value of what the other side sent, as 'server:$.token->client:$.token'; may be given
    /// several times
    #[arg(long, value_name = "FROM->TO", value_parser = parsed::<Carry>)]
    carry: Vec<Carry>,
    #[command(flatten)]
    verdict: VerdictArguments,
}

/// When to send.
#[derive(Debug, Args)]
#[command(next_help_heading = "Time")]
struct TimeArguments {
    /// How many times as fast as recorded; max waits for nothing but answers
    #[arg(long, value_name = "N|max", default_value = "1", value_parser = parsed::<Speed>)]
    speed: Speed,
    /// Send so many messages a second, on all connections together, instead of as recorded
    #[arg(long, value_name = "N/s", value_parser = rate, conflicts_with = "speed")]
    rate: Option<Duration>,
    /// Wait no longer than this where nothing happened on any connection
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "rate")]
    cap_idle: Option<Duration>,
    /// How much longer than recorded the other end may take for anything
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    patience: Duration,
}

/// What to do with the verdict.
#[derive(Debug, Args)]
#[command(next_help_heading = "Verdict")]
pub(super) struct VerdictArguments {
    /// Accept nothing but `verified`: neither `delivered` nor a verdict on a part of what was recorded
    #[arg(long)]
    strict: bool,
    /// Write the receipt as JSON
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

/// A script, and what it was read from.
pub(super) struct Loaded {
    pub(super) script: Script,
    pub(super) captures: Vec<CaptureDigest>,
    /// What the messages of the first capture were read as.
    pub(super) format: Option<Format>,
}

impl PlayArguments {
    /// Reads the captures, each as the format given, else as recorded, else as bytes; `ours` is the
    /// side whose messages a rate spaces.
    pub(super) fn load(&self, files: &[PathBuf], ours: Side) -> Result<Loaded, Failure> {
        let (mut draft, mut captures, mut label) = (Draft::new(), Vec::new(), None);
        for file in files {
            let mut reader = Reader::open(file)?;
            let format = match (&self.format.format, reader.origin().format()) {
                (None, None) => Format::raw(),
                (_, recorded) => self.format.or_recorded(recorded)?,
            };
            draft.read(format.clone(), |sink| reader.read_all(sink))?;
            warn_of_damage(&reader, file);
            let path = file.display().to_string();
            captures.push(CaptureDigest { path, sha256: digest(file)? });
            label.get_or_insert(format);
        }
        let mut script = draft.finish();
        self.select(&mut script);
        if let Some(most) = self.time.cap_idle {
            script.cap_idle(most);
        }
        if let Some(interval) = self.time.rate {
            script.space(ours, interval);
        }
        Ok(Loaded { script, captures, format: label })
    }

    /// Keeps the connections that were asked for, and says which of them are not there.
    fn select(&self, script: &mut Script) {
        if self.connection.is_empty() {
            return;
        }
        let there = script.conversations.len();
        for asked in &self.connection {
            if !script.conversations.iter().any(|one| one.connection.0 == *asked) {
                say(format_args!("there is no connection {asked}: there are {there}, from 0"));
            }
        }
        script.retain(|one| self.connection.contains(&one.connection.0));
    }

    /// How to play it; with the capture to complete afterwards, if one is written.
    pub(super) fn options(&self, format: Option<&Format>) -> Result<(Options, Recording), Failure> {
        let rules = self.rules.rules(&self.carry)?;
        // The file last: bad usage must not leave an empty capture behind.
        let writer = self.output.writer(format)?;
        let recording = Recording(writer.map(|writer| Arc::new(Mutex::new(Some(writer)))));
        let record = recording.0.clone().map(|writer| {
            let sink: Box<dyn crate::session::Sink + Send> = Box::new(writer);
            Arc::new(Recorder::new(sink))
        });
        let options = Options {
            speed: self.time.speed,
            patience: self.time.patience,
            rules,
            across_gaps: self.across_gaps,
            record,
            ..Options::default()
        };
        Ok((options, recording))
    }

    /// Takes the capture of a replay back that could not begin.
    pub(super) fn discard(&self) {
        if let Some(path) = &self.output.output {
            live::discard(path);
        }
    }

    /// Prints what would be played, at what time.
    pub(super) fn rehearse(&self, script: &Script, ours: Side) -> Outcome {
        rehearsal::print(script, ours, self.time.speed, self.across_gaps)?;
        Ok(if script.is_empty() { FINDING } else { DONE })
    }

    /// Completes the capture of the replay, says the receipt, writes it where it was asked for, and
    /// returns the status that is the verdict.
    pub(super) fn conclude(
        &self,
        played: crate::Result<Receipt>,
        captures: Vec<CaptureDigest>,
        recording: Recording,
    ) -> Outcome {
        let recorded = recording.finish(self.output.output.as_deref());
        let mut receipt = played?;
        receipt.captures = captures;
        let status = self.verdict.conclude(&receipt)?;
        recorded?;
        Ok(status)
    }
}

impl VerdictArguments {
    /// Says the receipt, writes it where it was asked for, and returns the status that is the verdict.
    pub(super) fn conclude(&self, receipt: &Receipt) -> Outcome {
        say(format_args!("{receipt:#}"));
        if let Some(path) = &self.receipt {
            let json = serde_json::to_string_pretty(receipt)
                .map_err(|error| Error::file("write", path, error.into()))?;
            std::fs::write(path, json + "\n")
                .map_err(|source| Error::file("write", path, source))
                .at("--receipt")?;
        }
        let accepted = if self.strict { receipt.is_verified() } else { receipt.is_ok() };
        if !accepted && receipt.is_ok() {
            say("not accepted: --strict asks for verified, of a whole recording");
        }
        Ok(if accepted { DONE } else { FINDING })
    }
}

/// The capture of a replay, if one is written.
pub(super) struct Recording(Option<Arc<Mutex<Option<Writer>>>>);

impl Recording {
    fn finish(self, path: Option<&Path>) -> crate::Result<()> {
        let writer = self.0.and_then(|shared| {
            // Whoever reported to it is done; one that panicked has said so.
            shared.lock().unwrap_or_else(PoisonError::into_inner).take()
        });
        live::completed(writer, path)
    }
}

/// The time from one message to the next: `1000/s`, or the number alone.
fn rate(given: &str) -> Result<Duration, String> {
    let number = given.strip_suffix("/s").unwrap_or(given);
    match number.parse::<f64>() {
        // A day from one to the next is the longest that makes sense, a nanosecond the shortest.
        Ok(rate) if (1e-5..=1e9).contains(&rate) => Ok(Duration::from_secs_f64(1.0 / rate)),
        _ => Err("write how many messages a second, as 1000/s".to_owned()),
    }
}
