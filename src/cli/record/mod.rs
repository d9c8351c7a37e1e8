//! `wirespool record`: the in-line proxy, or packets from an interface.

mod passive;
mod proxy;

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::Outcome;
use super::arguments::{FormatArguments, LimitArguments, PrintArguments};
use super::command::CommandArguments;

/// Record what passes between clients and a server
///
/// With --to as a proxy: point the client at the address on the first line of stderr instead of the
/// server's, or let COMMAND be the client. With -i from an interface, without touching either program, by
/// dumpcap or tcpdump and with the privilege that these have.
///
/// Ends at Ctrl-C, after --duration, when --connections have closed, or when COMMAND has ended; the capture
/// is complete up to then. With --to and COMMAND, --connections only says how many are taken. With -f the
/// messages are printed as they pass.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true).args(["to", "interface"]))]
#[command(after_help = "\
Examples:
  wirespool listen 12345 -f pickle --connections 1 & sleep 1
  wirespool record --to 12345 --listen 12346 -o one.pcapng \\
      -f pickle --connections 1 & sleep 1
  wirespool send 12346 -f pickle '{\"1\": 25, \"2\": 60}'

  wirespool listen 12345 -f text --connections 1 & sleep 1
  wirespool record --to 12345 -o two.pcapng -f text -- \\
      wirespool send {addr} -f text hello

Where dumpcap or tcpdump may capture:
  wirespool listen 12345 -f text --connections 1 & sleep 1
  wirespool record -i lo --filter 'tcp port 12345' -o three.pcapng -f text -- \\
      wirespool send 12345 -f text hello")]
pub(super) struct Arguments {
    /// The server to dial for each client
    #[arg(long, value_name = "ADDR", help_heading = PROXY)]
    to: Option<String>,
    /// Where clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", help_heading = PROXY)]
    listen: String,
    /// Record packets from this interface, such as lo, eth0 or any; may be given several times
    #[arg(
        short,
        long,
        value_name = "IFACE",
        conflicts_with_all = ["to", "listen"],
        help_heading = PASSIVE
    )]
    interface: Vec<String>,
    #[command(flatten)]
    capture: passive::CaptureArguments,
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

const PROXY: &str = "As a proxy";
const PASSIVE: &str = "From an interface";

pub(super) fn run(arguments: Arguments) -> Outcome {
    match arguments.to.clone() {
        Some(to) => proxy::run(arguments, &to),
        None => passive::run(arguments),
    }
}
