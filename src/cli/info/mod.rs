//! `wirespool info`: what a capture holds.

mod census;
mod ends;
mod json;
mod named;
mod order;
mod table;
mod totals;
mod units;

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::Args;

use super::arguments::{
    ConnectionArguments, FormatArguments, ReassemblyArguments, capture_path, whole,
};
use super::explain;
use super::failure::At as _;
use super::printer::written;
use super::show::{formats_of, warn_of_damage, warn_of_label};
use super::{DONE, FINDING, Outcome};
use crate::Error;
use crate::capture::Reader;
use crate::message::FormatsByCapture;
use crate::message::explain::{Explainer, Explanation};
use crate::session::{ConnectionId, Selecting};
use census::{Census, Counts, SideCounts};
use ends::End;
use order::{Order, Row};

/// Say what captures hold: connections, formats, sizes, rates, ends, gaps
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool info demo/*.pcapng
  wirespool info demo/pickle.pcapng -f pickle --json --check
  wirespool info demo/*.pcapng --sort bytes -n 10
  wirespool info demo/pickle.pcapng --explain

With --check, exits with 1 if bytes are missing, the file is damaged, or messages cannot be
decoded. What --explain predicts is no such finding.")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; - is standard input
    #[arg(required = true, value_name = "FILE", value_parser = capture_path())]
    files: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    connections: ConnectionArguments,
    /// Sort connections, by number otherwise: the most bytes (or messages, of -f) of both sides first, the
    /// longest first, or the earliest first
    #[arg(long, value_name = "BY", value_enum)]
    sort: Option<Order>,
    /// Print at most N connections
    #[arg(short = 'n', long = "count", value_name = "N", value_parser = whole)]
    count: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Exit with 1 if anything is missing or cannot be decoded
    #[arg(long)]
    check: bool,
    /// Predict what a program would suffer that takes one recv for one message
    #[arg(long)]
    explain: bool,
    /// How many bytes one recv of that program gives at most
    #[arg(long, value_name = "N", default_value_t = 4096, requires = "explain",
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    recv: u64,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

/// What is said of captures.
struct Report<'a> {
    formats: &'a FormatsByCapture,
    reader: &'a Reader,
    connections: &'a BTreeMap<ConnectionId, Box<Counts>>,
    /// Those of them that are printed.
    rows: Vec<Row<'a>>,
    explanation: Option<Explanation>,
    recv: u64,
    /// What kept the captures from being read to their end.
    failed: Option<String>,
}

impl Report<'_> {
    /// Whether wirespool made up the headers of a connection's segments.
    fn is_synthesised(&self, counts: &Counts) -> bool {
        self.reader.captures()[counts.capture].origin().is_synthesised()
    }
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let choice = arguments.format.choice()?;
    if arguments.sort == Some(Order::Messages) && !choice.is_given() {
        let words = "messages are counted only of a format that is given; add -f FORMAT";
        return Err(Error::Usage(words.to_owned())).at("--sort");
    }
    let mut reader = Reader::open_all(&arguments.files)?.with_policy(arguments.reassembly.policy());
    warn_of_label(&choice, &reader);
    let formats = formats_of(&choice, &reader);
    let counted = choice.is_given().then(|| formats.clone());
    let explainer = arguments.explain.then(|| Explainer::new(formats.clone(), arguments.recv));
    let selection = arguments.connections.selection();
    let selection = selection.of_session(reader.began().unwrap_or_default());
    let mut selecting = Selecting::opened_then(&selection, (Census::new(counted), explainer));
    let read = reader.read_all(&mut selecting);
    warn_of_damage(&reader);
    let (census, explainer) = selecting.into_sink();
    let connections = census.conclude();
    let report = Report {
        formats: &formats,
        reader: &reader,
        connections: &connections,
        rows: order::rows(&connections, arguments.sort, arguments.count),
        explanation: explainer.map(Explainer::conclude).transpose()?,
        recv: arguments.recv,
        failed: read.as_ref().err().map(Error::to_string),
    };
    // What is whole is said, whatever came behind it.
    written(print(&report, arguments.json))?;
    read?;
    let findings = connections.values().flat_map(|counts| &counts.sides).any(has_finding)
        || reader.captures().iter().any(|file| !file.warnings().is_empty())
        || !reader.reached().warnings().is_empty();
    Ok(if arguments.check && findings { FINDING } else { DONE })
}

fn print(report: &Report<'_>, as_json: bool) -> io::Result<()> {
    if as_json {
        let mut out = BufWriter::new(io::stdout().lock());
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)?;
        return out.flush();
    }
    let mut out = BufWriter::new(anstream::stdout().lock());
    table::write(report, &mut out)?;
    if let Some(explanation) = &report.explanation {
        write!(out, "{}", explain::as_text(explanation, report.recv))?;
    }
    out.flush()
}

fn has_finding(side: &SideCounts) -> bool {
    side.gaps > 0 || side.messages.is_some_and(|(_, undecodable)| undecodable > 0)
}
