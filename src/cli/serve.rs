//! `wirespool serve`: be the recorded server.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::time::sleep;

use super::arguments::{LimitArguments, capture_path, duration};
use super::command::{CommandArguments, or_ours};
use super::failure::{At, Failure};
use super::live::{self, Signals};
use super::playing::PlayArguments;
use super::{DONE, Outcome};
use crate::Error;
use crate::load::Loaded;
use crate::net::{self, Address, Stop};
use crate::replay::{Matching, Miss, Serving, serve};
use crate::session::Side;

/// How long what was begun may still take when a session without end is ended.
const SETTLING: Duration = Duration::from_secs(1);

/// Play the recorded server to clients
///
/// Clients are taken for the recorded connections in the order in which they come, or by what they say
/// first (--match content). What they send is compared with what was recorded, and they are answered as recorded. Ends when all that was recorded
/// has been played, or when COMMAND has ended and what came of it has been played to the end. The receipt
/// on stderr ends with the verdict: verified, delivered or failed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool serve demo/text.pcapng --listen 12345 --speed max & sleep 1
  wirespool replay demo/text.pcapng --to 12345 --speed max
  wirespool serve demo/text.pcapng --speed max -- \\
      wirespool replay demo/text.pcapng --to {addr} --speed max

Exits with COMMAND's status if that is not 0, with 0 if verified or delivered, 1 if failed.")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; several are played as one; - is standard input
    #[arg(required = true, value_name = "FILE", value_parser = capture_path())]
    files: Vec<PathBuf>,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    #[command(flatten)]
    clients: ClientArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    playing: PlayArguments,
    #[command(flatten)]
    command: CommandArguments,
}

/// Who may come, and who is who.
#[derive(Debug, Args)]
struct ClientArguments {
    /// Take a client for the next recorded connection (order), or for the first one whose client began
    /// with the same message (content)
    #[arg(long = "match", value_name = "order|content", default_value = "order", value_parser = parsed::<Matching>)]
    matching: Matching,
    /// What becomes of a client that is none of the recorded ones: close it, which fails, or pass it on
    /// to another server, pass:ADDR
    #[arg(long, value_name = "close|pass:ADDR", default_value = "close", value_parser = parsed::<Miss>)]
    on_miss: Miss,
    /// Play recorded connections any number of times, in turn; ends at Ctrl-C, after --duration or
    /// --connections, or when COMMAND has ended
    #[arg(long)]
    repeat: bool,
    /// How long to wait for the first client; without end if not given
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let playing = arguments.playing;
    let Loaded { script, formats, provenance } = playing.load(&arguments.files, Side::Server)?;
    if playing.dry_run {
        return playing.rehearse(&provenance, &[(&script, Side::Server)]);
    }
    let LimitArguments { connections, duration } = arguments.limits;
    let ClientArguments { matching, on_miss, repeat, wait } = arguments.clients;
    let serving =
        Serving { connections, wait, matching, miss: on_miss, repeat, ..Serving::default() };
    let runtime = live::runtime()?;
    let (played, recording, status) = runtime.block_on(async {
        let listener = net::listen(&listen).await.at("--listen")?;
        if let Miss::Pass(to) = &serving.miss {
            net::refuse_loop(to, &listener).await.at("--on-miss")?;
        }
        let program = arguments.command.program(Some(&listener))?;
        // The file last: a port in use must not leave an empty capture behind.
        let (options, recording) = playing.options(formats.as_ref())?;
        // Whom COMMAND dials too often is seen only if somebody is there to see it.
        let serving = Serving { stay: program.is_some(), ..serving };
        let signals = Signals::new();
        match &program {
            Some(_) => live::hear_signals(signals.clone())?,
            None => {
                let end = if serving.repeat { &serving.closing } else { &options.stop };
                live::stop_on_signals(end)?;
                tokio::spawn(end_after(duration, end.clone(), options.stop.clone()));
            }
        }
        live::announce(&listener)?;
        let running = program
            .map(|program| program.start(signals))
            .transpose()
            .inspect_err(|_| playing.discard())?;
        let served = serve(Arc::new(script), listener, &options, &serving);
        let (played, status) = match running {
            Some(running) => running.beside(served, duration, &serving.closing).await,
            None => (served.await, DONE),
        };
        Ok::<_, Failure>((played, recording, status))
    })?;
    or_ours(status, playing.conclude(played, provenance, recording))
}

/// Requests `end` after `duration`; and `stop` once `end` was requested and what was begun has had its time.
async fn end_after(duration: Option<Duration>, end: Stop, stop: Stop) {
    tokio::select! {
        () = end.requested() => {}
        () = async {
            match duration {
                Some(duration) => sleep(duration).await,
                None => std::future::pending().await,
            }
        } => end.request(),
    }
    sleep(SETTLING).await;
    stop.request();
}

fn parsed<T: FromStr<Err = Error>>(given: &str) -> Result<T, String> {
    given.parse().map_err(|error: Error| error.to_string())
}
