//! `wirespool convert`: captures into one clean capture.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{capture_path, connection, port};
use super::failure::{At, Failure};
use super::show::warn_of_damage;
use super::words::say;
use super::{DONE, Outcome};
use crate::capture::{CaptureFile, FileIdentity, MadeFrom, Reader, Summary, Writer, WriterOptions};
use crate::convert::{Choose, Conversion, Converter, common_format, original};

/// Write captures anew as one clean capture
///
/// Kept are what each connection carried, when and in what order, its ends, and what is known to be
/// missing. Gone are retransmissions, duplicates, segments out of order and all that is not TCP; the
/// headers are synthesised, and in a pcapng the capture says so.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool convert demo/pickle.pcapng clean.pcap
  wirespool convert demo/*.pcapng all.pcapng --force
  wirespool convert demo/text.pcapng first.pcapng --connection 0")]
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
    /// Keep only connection N, as `show` and `info` number them; may be given several times
    #[arg(long, value_name = "N", value_parser = connection)]
    connection: Vec<u64>,
    /// Keep only connections with this port at either end
    #[arg(long, value_parser = port)]
    port: Option<u16>,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let (files, output) = (&arguments.files, &arguments.output);
    FileIdentity::refuse_same(output, files.iter().map(PathBuf::as_path)).at("OUT")?;
    // What cannot be read leaves no empty file behind.
    let mut reader = Reader::open_all(files)?;
    let origins = || reader.captures().iter().map(CaptureFile::origin);
    let format = common_format(origins());
    if format.is_none() && origins().any(|origin| origin.format().is_some()) {
        say("the captures were recorded as different formats: the new one says none");
    }
    let named = reader.captures().iter().map(|file| original(&name(file.path()), file.origin()));
    let made_from = MadeFrom::Captures(named.collect());
    let options = WriterOptions { force: arguments.force, format, made_from };
    let writer = Writer::create(output, options).at("OUT")?;
    let mut converter = Converter::new(writer, arguments.choose());
    let read = reader.read_all(&mut converter);
    // What could be read before the damage is worth as much as without it.
    let converted = converter.finish()?;
    warn_of_damage(&reader);
    summarise(output, &converted, &reader);
    read.map(|()| DONE).map_err(Failure::from)
}

/// Says on stderr what was written, and what was not.
fn summarise(output: &Path, converted: &Conversion, reader: &Reader) {
    let Summary { connections, packets, bytes, gaps } = converted.written;
    let gaps = if gaps == 0 { String::new() } else { format!(", gaps {gaps}") };
    say(format_args!(
        "{}: connections {connections}, packets {packets}, payload {bytes} bytes{gaps}",
        output.display()
    ));
    let summaries = reader.captures().iter().map(CaptureFile::summary);
    let not_tcp: u64 = summaries.map(|read| read.packets.saturating_sub(read.segments)).sum();
    let left_out = [
        counted(converted.left_out, "connection", "not selected"),
        counted(not_tcp, "packet", "no TCP segment"),
    ];
    let left_out: Vec<String> = left_out.into_iter().flatten().collect();
    if !left_out.is_empty() {
        say(format_args!("left out: {}", left_out.join(", ")));
    }
}

impl Arguments {
    fn choose(&self) -> Choose {
        let (numbers, port) = (self.connection.clone(), self.port);
        Box::new(move |connection, client, server| {
            (numbers.is_empty() || numbers.contains(&connection.0))
                && port.is_none_or(|port| port == client.port() || port == server.port())
        })
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
