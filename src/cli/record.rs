//! `wirespool record`: the in-line proxy.

use std::sync::Arc;

use clap::Args;

use super::arguments::{
    FormatArguments, LimitArguments, OutputArguments, PrintArguments, Selection,
};
use super::failure::At;
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
