//! `wirespool serve`: be the recorded server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::Outcome;
use super::arguments::{LimitArguments, duration};
use super::failure::{At, Failure};
use super::live;
use super::playing::{Loaded, PlayArguments};
use crate::net::{self, Address};
use crate::replay::{Serving, serve};
use crate::session::Side;

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
    /// The captures, pcap or pcapng; several are played as one
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// How long to wait for the first client; without end if not given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    playing: PlayArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let playing = arguments.playing;
    let Loaded { script, captures, format } = playing.load(&arguments.files, Side::Server)?;
    if playing.dry_run {
        return playing.rehearse(&script, Side::Server);
    }
    let limits = arguments.limits;
    let serving =
        Serving { connections: limits.connections, wait: arguments.wait, ..Serving::default() };
    let runtime = live::runtime()?;
    let (played, recording) = runtime.block_on(async {
        let listener = net::listen(&listen).await.at("--listen")?;
        // The file last: a port in use must not leave an empty capture behind.
        let (options, recording) = playing.options(format.as_ref())?;
        live::stop_on_signals(&options.stop)?;
        if let Some(duration) = limits.duration {
            let stop = options.stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(duration).await;
                stop.request();
            });
        }
        live::announce(&listener)?;
        let played = serve(Arc::new(script), listener, &options, &serving).await;
        Ok::<_, Failure>((played, recording))
    })?;
    playing.conclude(played, captures, recording)
}
