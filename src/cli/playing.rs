//! What `replay` and `serve` share: how to play, the script, and the verdict.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::arguments::{
    ConnectionArguments, FormatArguments, OutputArguments, ReassemblyArguments, RuleArguments,
    duration, parsed,
};
use super::failure::{At, Failure};
use super::words::{say, say_styled};
use super::{DONE, FINDING, Outcome, live, rehearsal};
use crate::Error;
use crate::capture::{FileIdentity, SharedWriter};
use crate::load::{Loaded, Loading, Provenance, interval};
use crate::message::Formats;
use crate::net::Recorder;
use crate::replay::{Carry, Options, Receipt, Script, Speed};
use crate::session::{Side, Sink};

/// How to play, for `replay` and `serve`.
#[derive(Debug, Args)]
pub(super) struct PlayArguments {
    #[command(flatten)]
    format: FormatArguments,
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
    connections: ConnectionArguments,
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
    #[command(flatten)]
    reassembly: ReassemblyArguments,
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
    /// Write the receipt as JSON; - writes it to standard output
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

impl PlayArguments {
    /// Reads the captures; `ours` is the side that is played.
    pub(super) fn load(&self, files: &[PathBuf], ours: Side) -> Result<Loaded, Failure> {
        let paths = || files.iter().map(PathBuf::as_path);
        if let Some(output) = &self.output.output {
            FileIdentity::refuse_same(output, paths()).at("--output")?;
        }
        self.verdict.refuse_same(paths().chain(self.output.output.as_deref()))?;
        let loading = Loading {
            choice: self.format.choice()?,
            selection: self.connections.selection(),
            cap_idle: self.time.cap_idle,
            interval: self.time.rate,
            policy: self.reassembly.policy(),
        };
        Ok(loading.load(files, ours)?)
    }

    /// How to play it; with the capture to complete afterwards, if one is written.
    pub(super) fn options(
        &self,
        formats: Option<&Formats>,
    ) -> Result<(Options, Recording), Failure> {
        let rules = self.rules.rules(&self.carry)?;
        // The file last: bad usage must not leave an empty capture behind.
        let writer = self.output.writer(formats)?;
        let recording = Recording(writer.map(SharedWriter::new));
        let record = recording.0.clone().map(|writer| {
            let sink: Box<dyn Sink + Send> = Box::new(writer);
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

    /// Prints what would be played as which side, at what time.
    pub(super) fn rehearse(&self, provenance: &Provenance, parts: &[(&Script, Side)]) -> Outcome {
        for (script, ours) in parts {
            rehearsal::print(script, *ours, self.time.speed, self.across_gaps)?;
        }
        rehearsal::print_damage(&provenance.damage)?;
        let is_empty = parts.iter().all(|(script, _)| script.is_empty());
        if is_empty {
            say("nothing to play was recorded");
        }
        let lacks = is_empty || parts.iter().any(|(script, _)| !script.absent.is_empty());
        Ok(if lacks { FINDING } else { DONE })
    }

    /// Completes the capture of the replay, says the receipt, writes it where it was asked for, and
    /// returns the status that is the verdict.
    pub(super) fn conclude(
        &self,
        played: crate::Result<Receipt>,
        provenance: Provenance,
        recording: Recording,
    ) -> Outcome {
        let recorded = recording.finish(self.output.output.as_deref());
        let mut receipt = played?;
        provenance.stamp(&mut receipt);
        let status = self.verdict.conclude(&receipt)?;
        recorded?;
        Ok(status)
    }
}

impl VerdictArguments {
    /// Refuses a receipt that would be written over one of `files`.
    pub(super) fn refuse_same<'a>(
        &self,
        files: impl IntoIterator<Item = &'a Path>,
    ) -> Result<(), Failure> {
        match &self.receipt {
            Some(receipt) if receipt.as_os_str() != "-" => {
                FileIdentity::refuse_same(receipt, files).at("--receipt")
            }
            _ => Ok(()),
        }
    }

    /// Says the receipt, writes it where it was asked for, and returns the status that is the verdict.
    pub(super) fn conclude(&self, receipt: &Receipt) -> Outcome {
        say_styled(format_args!("{receipt:#}"));
        self.accept(receipt)
    }

    /// Writes the receipt where it was asked for, and returns the status that is the verdict.
    pub(super) fn accept(&self, receipt: &Receipt) -> Outcome {
        if let Some(path) = &self.receipt {
            let json = serde_json::to_string_pretty(receipt)
                .map_err(|error| Error::file("write", path, error.into()))?;
            let written = match path.as_os_str() == "-" {
                true => std::io::stdout().write_all((json + "\n").as_bytes()),
                false => std::fs::write(path, json + "\n"),
            };
            written.map_err(|source| Error::file("write", path, source)).at("--receipt")?;
        }
        let accepted = if self.strict { receipt.is_verified() } else { receipt.is_ok() };
        if !accepted && receipt.is_ok() {
            say("not accepted: --strict asks for verified, of a whole recording");
        }
        Ok(if accepted { DONE } else { FINDING })
    }
}

/// The capture of a replay, if one is written.
pub(super) struct Recording(Option<SharedWriter>);

impl Recording {
    fn finish(self, path: Option<&Path>) -> crate::Result<()> {
        live::completed(self.0.and_then(|shared| shared.take()), path)
    }
}

/// The time from one message to the next: `1000/s`, or the number alone.
fn rate(given: &str) -> Result<Duration, String> {
    let number = given.strip_suffix("/s").unwrap_or(given);
    let read = number.parse().ok().and_then(|rate| interval(rate).ok());
    read.ok_or_else(|| "write how many messages a second, as 1000/s".to_owned())
}
