//! `wirespool replay`: be the recorded client.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::Outcome;
use super::arguments::capture_path;
use super::failure::{At, Failure};
use super::live;
use super::playing::PlayArguments;
use crate::load::Loaded;
use crate::net::{self, Address};
use crate::replay::{Options, Script, replay, replay_between};
use crate::session::Side;

/// Play the recorded client to a server
///
/// Sends what the recorded clients sent, when they did and once the answers before it have come, and
/// compares the answers. The receipt on stderr ends with the verdict: verified (all answers equal),
/// delivered (all taken, no answers to compare) or failed. Nothing but the address given is contacted.
///
/// With --listen a capture that holds also what the server itself dialled is played on both sides of it:
/// start the server with that address for its dependency's.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool replay demo/pickle.pcapng --to 12345 --dry-run
  wirespool serve demo/pickle.pcapng --listen 12345 & sleep 1
  wirespool replay demo/pickle.pcapng --to 12345 --speed 2 --receipt r.json

Exits with 0 if verified or delivered, 1 if failed.")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; several are played as one; - is standard input
    #[arg(required = true, value_name = "FILE", value_parser = capture_path())]
    files: Vec<PathBuf>,
    /// The server to play to
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Be also what that server dialled when it was recorded, for it to dial here
    #[arg(long, value_name = "ADDR", conflicts_with = "serial")]
    listen: Option<String>,
    /// Play one connection after the other, each when the one before has ended
    #[arg(long)]
    serial: bool,
    #[command(flatten)]
    playing: PlayArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let to = arguments.to.parse().and_then(Address::dialled).at("--to")?;
    let listen: Option<Address> =
        arguments.listen.as_deref().map(str::parse).transpose().at("--listen")?;
    let playing = arguments.playing;
    let Loaded { script, formats, provenance } = playing.load(&arguments.files, Side::Client)?;
    if playing.dry_run {
        let Some(listen) = listen else {
            return playing.rehearse(&provenance, &[(&script, Side::Client)]);
        };
        let (clients, dependency) = script.split(to.port(), listen.port())?;
        let parts = [(&clients, Side::Client), (&dependency, Side::Server)];
        return playing.rehearse(&provenance, &parts);
    }
    let runtime = live::runtime()?;
    let (played, recording) = runtime.block_on(async {
        let parts = match &listen {
            Some(listen) => {
                let listener = net::listen(listen).await.at("--listen")?;
                // Its own clients would be served: a recording verifies itself.
                net::refuse_loop(&to, &listener).await.at("--to")?;
                let here = listener.local_addr().map_or(0, |here| here.port());
                Parts::Both(script.split(to.port(), here)?, listener)
            }
            None => Parts::Clients(Arc::new(script)),
        };
        // The file last: bad usage or a port in use must not leave an empty capture behind.
        let (options, recording) = playing.options(formats.as_ref())?;
        let options = Options { serial: arguments.serial, ..options };
        live::stop_on_signals(&options.stop)?;
        let played = match parts {
            Parts::Both(scripts, listener) => {
                live::announce(&listener)?;
                replay_between(scripts, &to, listener, &options).await
            }
            Parts::Clients(script) => replay(script, &to, &options).await,
        };
        Ok::<_, Failure>((played, recording))
    })?;
    playing.conclude(played, provenance, recording)
}

/// What is played.
enum Parts {
    Clients(Arc<Script>),
    /// The clients of the server in the middle, and what it dials.
    Both((Script, Script), TcpListener),
}
