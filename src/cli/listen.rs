//! `wirespool listen`: a server that prints what clients send.

use std::sync::Arc;

use clap::Args;

use super::arguments::{FormatArguments, LimitArguments, OutputArguments, PrintArguments};
use super::failure::At;
use super::live;
use super::printer::{Choice, Printer};
use super::{DONE, Outcome};
use crate::message::Assembler;
use crate::net::{self, Address, Recorder, Stop};
use crate::record::{Limits, listen};

/// Print what clients send
///
/// Takes any number of clients, answers nothing, and closes a connection when its client does. Ends at
/// Ctrl-C, after --duration, or when --connections have closed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool listen 12345 -f protobuf:pb.TempEvent --connections 1 & sleep 1
  wirespool send 12345 -f protobuf:pb.TempEvent '{\"device_id\": 123}'")]
pub(super) struct Arguments {
    /// Where clients connect: HOST:PORT, or PORT for 127.0.0.1
    #[arg(value_name = "ADDR")]
    address: String,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    print: PrintArguments,
    #[command(flatten)]
    limits: LimitArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let address: Address = arguments.address.parse().at("ADDR")?;
    let formats = arguments.format.of_port(address.port())?;
    let runtime = live::runtime()?;
    runtime.block_on(async {
        let stop = Stop::new();
        live::stop_on_signals(&stop)?;
        let listener = net::listen(&address).await.at("ADDR")?;
        // The file last: a port in use must not leave an empty capture behind.
        let writer = arguments.output.writer(Some(&formats))?;
        let print = &arguments.print;
        let printer = Printer::new(print.look(), print.events, true, Choice::default());
        let sink = (writer, Some(Assembler::new(formats, printer)));
        let recorder = Arc::new(Recorder::new(sink));
        live::announce(&listener)?;
        let limits = Limits {
            connections: arguments.limits.connections,
            duration: arguments.limits.duration,
            stop,
        };
        let recorded = listen(listener, recorder.clone(), limits, live::observer()).await;
        live::conclude(recorder, recorded, arguments.output.output.as_deref())?;
        Ok(DONE)
    })
}
