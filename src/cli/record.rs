//! `wirespool record`: the in-line proxy.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;

use super::arguments::{
    FormatArguments, LimitArguments, OutputArguments, PrintArguments, Selection,
};
use super::failure::{At, Failure};
use super::live::{self, LiveSink};
use super::printer::Printer;
use super::{DONE, Outcome};
use crate::Error;
use crate::message::Assembler;
use crate::net::{self, Address, Stop};
use crate::record::{Limits, Recorder, proxy};

/// Record what passes between clients and a server
///
/// Point the client at the address on the first line of stderr instead of the server's. Ends at Ctrl-C,
/// after --duration, or when --connections have closed; the capture is complete up to then. With -f the
/// messages are printed as they pass.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool record --to 127.0.0.1:12345 -o session.pcapng
  wirespool record --to 12345 --listen 12346 -o session.pcapng -f pickle --json")]
pub(super) struct Arguments {
    /// The server to dial for each client
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    print: PrintArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let to: Address = arguments.to.parse().at("--to")?;
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let format = arguments.format.given()?;
    if arguments.output.output.is_none() {
        let reason = "a recording needs -o FILE, ending in .pcapng or .pcap".to_owned();
        return Err(Error::Usage(reason).into());
    }
    let runtime = live::runtime()?;
    runtime.block_on(async {
        let stop = Stop::new();
        live::stop_on_signals(&stop)?;
        let listener = net::listen(&listen).await.at("--listen")?;
        refuse_loop(&to, &listener).await?;
        // The file last: a port in use must not leave an empty capture behind.
        let writer = arguments.output.writer(format.as_ref())?;
        let printer = format.map(|format| {
            let print = &arguments.print;
            Assembler::new(
                format,
                Printer::new(print.look(), print.events, true, Selection::default()),
            )
        });
        let recorder = Arc::new(Recorder::new(LiveSink::new(writer, printer)));
        live::announce(&listener)?;
        let limits = Limits {
            connections: arguments.limits.connections,
            duration: arguments.limits.duration,
            stop,
        };
        let recorded = proxy(listener, to, recorder.clone(), limits, live::observer()).await;
        live::conclude(recorder, recorded, arguments.output.output.as_deref())?;
        Ok(DONE)
    })
}

/// A proxy whose upstream is itself would dial itself until no descriptor is left.
async fn refuse_loop(to: &Address, listener: &TcpListener) -> Result<(), Failure> {
    let Some(here) = listener.local_addr().ok().filter(|here| here.port() == to.port()) else {
        return Ok(());
    };
    // A name that cannot be looked up is said when a client comes: the server may not be there yet.
    let upstream = to.resolve().await.unwrap_or_default();
    let wildcard = |one: &SocketAddr| here.ip().is_unspecified() && one.ip().is_loopback();
    if upstream.iter().any(|one| *one == here || wildcard(one)) {
        let reason =
            format!("{to} is where this command itself listens; name the server's address");
        return Err(Error::Usage(reason)).at("--to");
    }
    Ok(())
}
