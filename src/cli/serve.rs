//! `wirespool serve`: be the recorded server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::Outcome;
use super::arguments::LimitArguments;
use super::failure::{At, Failure};
use super::live;
use super::replay::PlayArguments;
use crate::net::{self, Address};
use crate::replay::{Options, Receipt, serve};

/// Play the recorded server to clients
///
/// Clients are taken for the recorded connections in the order in which they come. What they send is
/// compared with what was recorded, and they are answered as recorded. Ends when all that was recorded
/// has been played. The receipt on stderr ends with the verdict: verified, delivered or failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool serve demo/text.pcapng --listen 12345 --speed max & sleep 1
  wirespool replay demo/text.pcapng --to 12345 --speed max

Exits with 0 if verified or delivered, 1 if failed.")]
pub(super) struct Arguments {
    /// The capture, pcap or pcapng
    file: PathBuf,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    #[command(flatten)]
    playing: PlayArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let script = Arc::new(arguments.playing.script(&arguments.file)?);
    let runtime = live::runtime()?;
    let receipt = runtime.block_on(async {
        let connections = arguments.limits.connections;
        let options = Options { connections, ..arguments.playing.options() };
        live::stop_on_signals(&options.stop)?;
        if let Some(duration) = arguments.limits.duration {
            let stop = options.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                stop.request();
            });
        }
        let listener = net::listen(&listen).await.at("--listen")?;
        live::announce(&listener)?;
        Ok::<Receipt, Failure>(serve(script, listener, &options).await)
    })?;
    arguments.playing.conclude(&receipt)
}
