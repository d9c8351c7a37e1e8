//! `wirespool diff`: two captures, message by message.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::arguments::{
    ConnectionArguments, FormatArguments, ReassemblyArguments, RuleArguments, capture_path,
};
use super::playing::VerdictArguments;
use super::printer::written;
use super::words::say_styled;
use crate::Result;
use crate::load::Loading;
use crate::replay::{Receipt, diff};

/// Compare two captures, message by message
///
/// Connections are paired in the order in which they began, and what both sides said is compared as
/// `replay` compares answers. Each difference is a line on stdout: where it is, what the first capture
/// says, and what the second one does.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool diff demo/text.pcapng demo/text.pcapng --strict
  wirespool diff demo/pickle.pcapng demo/pickle.pcapng --ignore event_id

Exits with 0 if all is equal, 1 if anything differs or nothing was compared.")]
pub(super) struct Arguments {
    /// The capture that says what is expected; - is standard input
    #[arg(value_parser = capture_path())]
    first: PathBuf,
    /// The capture that is compared with it
    #[arg(value_parser = capture_path())]
    second: PathBuf,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    connections: ConnectionArguments,
    #[command(flatten)]
    rules: RuleArguments,
    #[command(flatten)]
    verdict: VerdictArguments,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let rules = arguments.rules.rules(&[])?;
    arguments.verdict.refuse_same([arguments.first.as_path(), &arguments.second])?;
    let loading = Loading {
        choice: arguments.format.choice()?,
        policy: arguments.reassembly.policy(),
        selection: arguments.connections.selection(),
        ..Loading::default()
    };
    let (first, second) = loading.pair(arguments.first, arguments.second)?;
    let mut receipt = diff(&first.script, &second.script, &rules);
    first.provenance.stamp(&mut receipt);
    second.provenance.stamp(&mut receipt);
    print(&receipt)?;
    // The differences stand on stdout.
    let mut summary = receipt.clone();
    summary.connections.iter_mut().for_each(|one| one.differences.clear());
    say_styled(format_args!("{summary:#}"));
    arguments.verdict.accept(&receipt)
}

fn print(receipt: &Receipt) -> Result<()> {
    let mut out = io::BufWriter::new(anstream::stdout().lock());
    let connections = receipt.connections.iter();
    let mut lines = connections
        .flat_map(|one| one.differences.iter().map(|difference| (one.connection, difference)));
    let printed = lines.try_for_each(|(connection, difference)| {
        let side = difference.side;
        writeln!(out, "connection {connection}, {side}, {difference:#}")
    });
    written(printed.and_then(|()| out.flush()))
}
