//! `wirespool replay`: be the recorded client.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::failure::At;
use super::live;
use super::playing::PlayArguments;
use crate::net::Address;
use crate::replay::{Options, replay};
use crate::session::Side;

/// Play the recorded client to a server
///
/// Sends what the recorded clients sent, when they did and once the answers before it have come, and
/// compares the answers. The receipt on stderr ends with the verdict: verified (all answers equal),
/// delivered (all taken, no answers to compare) or failed. Nothing but the address given is contacted.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool replay demo/pickle.pcapng --to 12345 --dry-run
  wirespool serve demo/pickle.pcapng --listen 12345 & sleep 1
  wirespool replay demo/pickle.pcapng --to 12345 --speed 2 --receipt r.json

Exits with 0 if verified or delivered, 1 if failed.")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; several are played as one
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The server to play to
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Play one connection after the other, each when the one before has ended
    #[arg(long)]
    serial: bool,
    #[command(flatten)]
    playing: PlayArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let to: Address = arguments.to.parse().at("--to")?;
    let playing = arguments.playing;
    let loaded = playing.load(&arguments.files, Side::Client)?;
    if playing.dry_run {
        return playing.rehearse(&loaded, Side::Client);
    }
    let runtime = live::runtime()?;
    let (options, recording) = playing.options(&loaded)?;
    let options = Options { serial: arguments.serial, ..options };
    let played = runtime.block_on(async {
        live::stop_on_signals(&options.stop)?;
        Ok::<_, super::Failure>(replay(loaded.script.clone(), &to, &options).await)
    })?;
    playing.conclude(played, loaded, recording)
}
