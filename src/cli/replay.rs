//! `wirespool replay`: be the recorded client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::arguments::{FormatArguments, duration};
use super::failure::{At, Failure};
use super::live;
use super::show::warn_of_damage;
use super::words::say;
use super::{DONE, FINDING, Outcome};
use crate::Error;
use crate::capture::Reader;
use crate::net::Address;
use crate::replay::{Options, Receipt, Script, Speed, replay};
use crate::wire::Format;

/// Play the recorded client to a server
///
/// Sends what the recorded clients sent, when they did, and compares the answers. The receipt on stderr
/// ends with the verdict: verified (all answers equal), delivered (all taken, no answers to compare) or
/// failed. Nothing but the address given is contacted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool serve demo/pickle.pcapng --listen 12345 & sleep 1
  wirespool replay demo/pickle.pcapng --to 12345 --speed 2 --receipt r.json

Exits with 0 if verified or delivered, 1 if failed.")]
pub(super) struct Arguments {
    /// The capture, pcap or pcapng
    file: PathBuf,
    /// The server to play to
    #[arg(long, value_name = "ADDR")]
    to: String,
    #[command(flatten)]
    playing: PlayArguments,
}

/// How to play, for `replay` and `serve`.
#[derive(Debug, Args)]
pub(super) struct PlayArguments {
    #[command(flatten)]
    format: FormatArguments,
    /// How many times as fast as recorded; max waits for nothing but answers
    #[arg(long, value_name = "N|max", default_value = "1", value_parser = speed)]
    speed: Speed,
    /// How much longer than recorded the other end may take for anything
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    patience: Duration,
    /// Write the receipt as JSON
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let to: Address = arguments.to.parse().at("--to")?;
    let script = Arc::new(arguments.playing.script(&arguments.file)?);
    let runtime = live::runtime()?;
    let receipt = runtime.block_on(async {
        let options = arguments.playing.options();
        live::stop_on_signals(&options.stop)?;
        Ok::<Receipt, Failure>(replay(script, &to, &options).await)
    })?;
    arguments.playing.conclude(&receipt)
}

impl PlayArguments {
    /// Reads the capture as the format given, else as recorded, else as bytes.
    pub(super) fn script(&self, file: &std::path::Path) -> Result<Script, Failure> {
        let mut reader = Reader::open(file)?;
        let format = match (&self.format.format, reader.origin().format()) {
            (None, None) => Format::raw(),
            (_, recorded) => self.format.or_recorded(recorded)?,
        };
        let script = Script::read(format, |sink| reader.read_all(sink))?;
        warn_of_damage(&reader, file);
        Ok(script)
    }

    pub(super) fn options(&self) -> Options {
        Options { speed: self.speed, patience: self.patience, ..Options::default() }
    }

    /// Says the receipt, writes it where it was asked for, and returns the status that is the verdict.
    pub(super) fn conclude(&self, receipt: &Receipt) -> Outcome {
        say(receipt);
        if let Some(path) = &self.receipt {
            let json = serde_json::to_string_pretty(receipt)
                .map_err(|error| Error::file("write", path, error.into()))?;
            std::fs::write(path, json + "\n")
                .map_err(|source| Error::file("write", path, source))
                .at("--receipt")?;
        }
        Ok(if receipt.is_ok() { DONE } else { FINDING })
    }
}

fn speed(given: &str) -> Result<Speed, String> {
    given.parse().map_err(|error: Error| error.to_string())
}
