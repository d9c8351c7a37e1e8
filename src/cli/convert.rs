//! `wirespool convert`: captures into one clean capture.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{ConnectionArguments, ReassemblyArguments, capture_path};
use super::failure::{At, Failure};
use super::show::{warn_of_absent, warn_of_damage};
use super::words::say;
use super::{DONE, Outcome};
use crate::capture::{CaptureFile, FileIdentity, MadeFrom, Reader, Summary, Writer, WriterOptions};
use crate::convert::{common_format, original};
use crate::session::Selecting;

/// Write captures anew as one clean capture
///
/// Kept are what each connection carried, when and in what order, its ends, and what is known to be
/// missing. Gone are retransmissions, duplicates, segments out of order and all that is not TCP; the
/// headers are synthesised, and in a pcapng the capture says so. Connections are chosen by the numbers
/// that `show` and `info` give them, and numbered anew in OUT.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool convert demo/pickle.pcapng clean.pcap
  wirespool convert demo/*.pcapng all.pcapng --force
  wirespool convert demo/text.pcapng first.pcapng --connection 0
  wirespool convert demo/text.pcapng local.pcapng --host 127.0.0.0/8 --until +1m")]
pub(super) struct Arguments {
    /// The captures to read, pcap or pcapng; - is standard input
    #[arg(required = true, value_name = "IN", value_parser = capture_path())]
    files: Vec<PathBuf>,
    /// Where to write the new one; .pcapng or .pcap by its ending
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Overwrite OUT if it exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connections: ConnectionArguments,
    #[command(flatten)]
    reassembly: ReassemblyArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let (files, output) = (&arguments.files, &arguments.output);
    FileIdentity::refuse_same(output, files.iter().map(PathBuf::as_path)).at("OUT")?;
    // What cannot be read leaves no empty file behind.
    let mut reader = Reader::open_all(files)?.with_policy(arguments.reassembly.policy());
    let origins = || reader.captures().iter().map(CaptureFile::origin);
    let format = common_format(origins());
    if format.is_none() && origins().any(|origin| origin.format().is_some()) {
        say("the captures were recorded as different formats: the new one says none");
    }
    let named = reader.captures().iter().map(|file| original(&name(file.path()), file.origin()));
    let made_from = MadeFrom::Captures(named.collect());
    let options = WriterOptions { force: arguments.force, format, made_from };
    let writer = Writer::create(output, options).at("OUT")?;
    let selection = arguments.connections.selection();
    let selection = selection.of_session(reader.began().unwrap_or_default());
    let mut selecting = Selecting::opened_then(&selection, writer);
    let read = reader.read_all(&mut selecting);
    let left_out = selecting.left_out();
    // What could be read before the damage is worth as much as without it.
    let written = selecting.into_sink().finish()?;
    warn_of_damage(&reader);
    warn_of_absent(&selection, &reader);
    summarise(output, written, left_out, &reader);
    read.map(|()| DONE).map_err(Failure::from)
}

/// Says on stderr what was written, and what was not.
fn summarise(output: &Path, written: Summary, left_out: u64, reader: &Reader) {
    let Summary { connections, packets, bytes, gaps } = written;
    let gaps = if gaps == 0 { String::new() } else { format!(", gaps {gaps}") };
    say(format_args!(
        "{}: connections {connections}, packets {packets}, payload {bytes} bytes{gaps}",
        output.display()
    ));
    let summaries = reader.captures().iter().map(CaptureFile::summary);
    let not_tcp: u64 = summaries.map(|read| read.packets.saturating_sub(read.segments)).sum();
    let left_out = [
        counted(left_out, "connection", "not selected"),
        counted(not_tcp, "packet", "no TCP segment"),
    ];
    let left_out: Vec<String> = left_out.into_iter().flatten().collect();
    if !left_out.is_empty() {
        say(format_args!("left out: {}", left_out.join(", ")));
    }
}

/// How a capture is called in another one: where it lay is nobody's business.
fn name(file: &Path) -> String {
    match file.file_name() {
        Some(name) if !file.starts_with("/dev") => name.to_string_lossy().into_owned(),
        _ => "standard input".to_owned(),
    }
}

fn counted(count: u64, what: &str, why: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what} ({why})")),
        _ => Some(format!("{count} {what}s ({why})")),
    }
}
