//! `wirespool record`: the in-line proxy.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::arguments::{FormatArguments, LimitArguments, PrintArguments, Selection};
use super::command::{CommandArguments, or_ours};
use super::failure::{At, Failure};
use super::live::{self, Signals};
use super::printer::Printer;
use super::{DONE, Outcome};
use crate::message::Assembler;
use crate::net::{self, Address, Recorder, Stop};
use crate::record::{Limits, proxy};

/// Record what passes between clients and a server
///
/// Point the client at the address on the first line of stderr instead of the server's, or let COMMAND
/// be the client. Ends at Ctrl-C, after --duration, when --connections have closed, or when COMMAND has
/// ended; the capture is complete up to then. With COMMAND, --connections only says how many are taken.
/// With -f the messages are printed as they pass.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool listen 12345 -f pickle --connections 1 & sleep 1
  wirespool record --to 12345 --listen 12346 -o one.pcapng \\
      -f pickle --connections 1 & sleep 1
  wirespool send 12346 -f pickle '{\"1\": 25, \"2\": 60}'

  wirespool listen 12345 -f text --connections 1 & sleep 1
  wirespool record --to 12345 -o two.pcapng -f text -- \\
      wirespool send {addr} -f text hello")]
pub(super) struct Arguments {
    /// The server to dial for each client
    #[arg(long, value_name = "ADDR")]
    to: String,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: String,
    /// Where to write the capture; .pcapng or .pcap by its ending
    #[arg(short = 'o', short_alias = 'w', long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Overwrite the capture if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    print: PrintArguments,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    command: CommandArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let to = arguments.to.parse().and_then(Address::dialled).at("--to")?;
    let listen: Address = arguments.listen.parse().at("--listen")?;
    let choice = arguments.format.choice()?;
    let formats = choice.of_port(to.port());
    let runtime = live::runtime()?;
    runtime.block_on(async {
        let (stop, signals) = (Stop::new(), Signals::new());
        let listener = net::listen(&listen).await.at("--listen")?;
        net::refuse_loop(&to, &listener).await.at("--to")?;
        let program = arguments.command.program(&listener)?;
        match &program {
            Some(_) => live::hear_signals(signals.clone())?,
            None => live::stop_on_signals(&stop)?,
        }
        // The file last: a port in use must not leave an empty capture behind.
        let writer = live::writer(&arguments.output, arguments.force, formats.as_ref())?;
        // What a file says of the port is kept, but nobody asked to see messages.
        let printer = formats.filter(|_| choice.is_given()).map(|formats| {
            let print = &arguments.print;
            Assembler::new(
                formats,
                Printer::new(print.look(), print.events, true, Selection::default()),
            )
        });
        let recorder = Arc::new(Recorder::new((Some(writer), printer)));
        live::announce(&listener)?;
        let running = program
            .map(|program| program.start(signals))
            .transpose()
            .inspect_err(|_| live::discard(&arguments.output))?;
        let LimitArguments { connections, duration } = arguments.limits;
        let limits = Limits {
            connections,
            duration: duration.filter(|_| running.is_none()),
            stop: stop.clone(),
        };
        let recording = proxy(listener, to, recorder.clone(), limits, live::observer());
        let (recorded, status) = match running {
            Some(running) => running.beside(recording, duration, &stop).await,
            None => (recording.await, DONE),
        };
        let concluded = live::conclude(recorder, recorded, Some(&arguments.output));
        or_ours(status, concluded.map(|()| DONE).map_err(Failure::from))
    })
}
