//! `wirespool info`: what a capture holds.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value as Json, json};

use super::arguments::{ConnectionArguments, FormatArguments, ReassemblyArguments, capture_path};
use super::census::{Census, Counts, SideCounts};
use super::explain;
use super::printer::written;
use super::show::{formats_of, warn_of_damage, warn_of_label};
use super::{DONE, FINDING, Outcome};
use crate::capture::{CaptureFile, Reader};
use crate::message::FormatsByCapture;
use crate::message::explain::{Explainer, Explanation};
use crate::session::{ConnectionId, Selecting, Side, Start};
use crate::wire::{Codec, Format, visible};

/// Of how many sides the table says why they are raw; --json says it of all.
const REASONS: usize = 4;

/// Say what captures hold: connections, formats, sizes, ends, gaps
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool info demo/*.pcapng
  wirespool info demo/pickle.pcapng -f pickle --json --check
  wirespool info demo/pickle.pcapng --explain

With --check, exits with 1 if bytes are missing, the file is damaged, or messages cannot be decoded. What
--explain predicts is no such finding.")]
pub(super) struct Arguments {
    /// The captures, pcap or pcapng; - is standard input
    #[arg(required = true, value_name = "FILE", value_parser = capture_path())]
    files: Vec<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
    #[command(flatten)]
    connections: ConnectionArguments,
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

pub(super) fn run(arguments: Arguments) -> Outcome {
    let choice = arguments.format.choice()?;
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
    read?;
    let (census, explainer) = selecting.into_sink();
    let connections = census.conclude();
    let explanation = explainer.map(Explainer::conclude).transpose()?;
    let shown = if arguments.json {
        let mut object = as_json(&formats, &reader, &connections);
        if let Some(explanation) = &explanation {
            object["explain"] = explain::as_json(explanation, arguments.recv);
        }
        object.to_string() + "\n"
    } else {
        let words = |found: &Explanation| explain::as_text(found, arguments.recv);
        let explained = explanation.as_ref().map(words).unwrap_or_default();
        as_table(&formats, &reader, &connections) + &explained
    };
    written(std::io::Write::write_all(&mut anstream::stdout(), shown.as_bytes()))?;
    let findings = connections.values().flat_map(|counts| &counts.sides).any(has_finding)
        || reader.captures().iter().any(|file| !file.warnings().is_empty())
        || !reader.reached().warnings().is_empty();
    Ok(if arguments.check && findings { FINDING } else { DONE })
}

fn has_finding(side: &SideCounts) -> bool {
    side.gaps > 0 || side.messages.is_some_and(|(_, undecodable)| undecodable > 0)
}

/// The format of a side that sent something: as it is known, else by its looks.
fn format_of(formats: &FormatsByCapture, counts: &Counts, side: Side) -> Option<String> {
    let one = &counts.sides[side.index()];
    let looks = || one.looks_like().map(|(format, _)| format.to_string());
    let known = known_format(formats, counts, side).map(|format| format.to_string());
    known.or_else(looks).filter(|_| one.bytes > 0)
}

/// Why it is that format, where it was found out by its looks.
fn reason_of<'a>(formats: &FormatsByCapture, counts: &'a Counts, side: Side) -> Option<&'a str> {
    let looks = counts.sides[side.index()].looks_like();
    let is_known = known_format(formats, counts, side).is_some();
    looks.filter(|_| !is_known).map(|(_, reason)| reason)
}

/// The format that was given, recorded or configured, unless that is to find it out.
fn known_format<'a>(
    formats: &'a FormatsByCapture,
    counts: &Counts,
    side: Side,
) -> Option<&'a Format> {
    let known = formats.of(counts.capture, Some(counts.server.port())).of(side);
    Some(known).filter(|format| *format.codec() != Codec::Auto)
}

fn as_json(
    formats: &FormatsByCapture,
    reader: &Reader,
    connections: &BTreeMap<ConnectionId, Counts>,
) -> Json {
    let captures = reader.captures();
    let list: Vec<Json> = connections
        .iter()
        .map(|(connection, counts)| {
            let mut sides = Map::new();
            for side in Side::BOTH {
                let one = &counts.sides[side.index()];
                let mut fields = json!({
                    "bytes": one.bytes,
                    "format": format_of(formats, counts, side),
                    "gaps": one.gaps,
                    "missing_bytes": one.missing,
                });
                if let Some(reason) = reason_of(formats, counts, side) {
                    fields["reason"] = reason.into();
                }
                if let Some((messages, undecodable)) = one.messages {
                    fields["messages"] = messages.into();
                    fields["undecodable"] = undecodable.into();
                }
                // Of headers that wirespool made up, transport figures would say nothing.
                if !captures[counts.capture].origin().is_synthesised() {
                    fields["retransmissions"] = one.retransmissions.into();
                    fields["differing_overlaps"] = one.overlaps.into();
                }
                sides.insert(side.name().to_owned(), fields);
            }
            let ends: Vec<Json> = counts
                .ends
                .iter()
                .map(|(side, how)| json!({"side": side.map(Side::name), "how": how}))
                .collect();
            let mut object = json!({
                "connection": connection.0,
                "client": counts.client.to_string(),
                "server": counts.server.to_string(),
                "start": if counts.start == Start::Seen { "seen" } else { "missed" },
                "opened": counts.opened.to_string(),
                "duration": counts.last.since(counts.opened).as_secs_f64(),
                "sides": sides,
                "ends": ends,
            });
            if captures.len() > 1 {
                object["capture"] = counts.capture.into();
            }
            object
        })
        .collect();
    let reached = reader.reached().warnings();
    let mut object = match captures {
        [file] => capture_as_json(file, file.warnings().into_iter().chain(reached).collect()),
        files => {
            let files = files.iter().map(|file| capture_as_json(file, file.warnings()));
            json!({"captures": files.collect::<Vec<_>>(), "warnings": reached})
        }
    };
    object["connections"] = list.into();
    object
}

fn capture_as_json(file: &CaptureFile, warnings: Vec<String>) -> Json {
    json!({
        "file": file.path().display().to_string(),
        "origin": file.origin().to_string(),
        "recorded_as": file.origin().format(),
        "packets": file.summary().packets,
        "warnings": warnings,
    })
}

fn as_table(
    formats: &FormatsByCapture,
    reader: &Reader,
    connections: &BTreeMap<ConnectionId, Counts>,
) -> String {
    let mut text = String::new();
    for file in reader.captures() {
        let (name, packets) = (file.path().display(), file.summary().packets);
        text.push_str(&format!("{name}: {packets} packets, {}\n", file.origin()));
    }
    let mut rows = vec![
        [
            "", "client", "server", "seconds", "side", "bytes", "messages", "format", "missing",
            "ended",
        ]
        .map(str::to_owned),
    ];
    for (connection, counts) in connections {
        for side in Side::BOTH {
            let one = &counts.sides[side.index()];
            let first = side == Side::Client;
            let only_first = |text: String| if first { text } else { String::new() };
            let messages = match one.messages {
                Some((messages, 0)) => messages.to_string(),
                Some((messages, bad)) => format!("{messages} ({bad} undecodable)"),
                None => String::new(),
            };
            let missing = match (one.gaps, one.missing) {
                (0, _) => String::new(),
                (gaps, missing) => format!("{missing} B in {gaps}"),
            };
            rows.push([
                only_first(connection.to_string()),
                only_first(counts.client.to_string()),
                only_first(counts.server.to_string()),
                only_first(format!("{:.3}", counts.last.since(counts.opened).as_secs_f64())),
                side.to_string(),
                one.bytes.to_string(),
                messages,
                format_of(formats, counts, side).unwrap_or_default(),
                missing,
                ended(counts, side),
            ]);
        }
    }
    // A column that says nothing about any connection is left out.
    let used: Vec<(usize, usize)> = (0..rows[0].len())
        .filter(|&column| rows[1..].iter().any(|row| !row[column].is_empty()))
        .map(|column| {
            (column, rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        })
        .collect();
    for row in &rows {
        let mut line = String::new();
        for &(column, width) in &used {
            line.push_str(&format!("{:width$}  ", row[column]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &reasons(formats, connections)
}

/// Why the first sides are raw that are, though nobody said that they are.
fn reasons(formats: &FormatsByCapture, connections: &BTreeMap<ConnectionId, Counts>) -> String {
    let sides = connections.iter().flat_map(|one| Side::BOTH.map(|side| (one, side)));
    let raw = sides.filter_map(|((connection, counts), side)| {
        let reason = reason_of(formats, counts, side)?;
        let is_raw = format_of(formats, counts, side).as_deref() == Some("raw");
        is_raw.then(|| format!("{connection}, {side}, is raw: {}\n", visible(reason)))
    });
    raw.take(REASONS).collect()
}

/// How a side ended: by itself, or with the connection.
fn ended(counts: &Counts, side: Side) -> String {
    let own: Vec<&str> =
        counts.ends.iter().filter(|(who, _)| *who == Some(side)).map(|(_, how)| *how).collect();
    match own.as_slice() {
        [] if counts.ends.iter().any(|(who, _)| who.is_none()) => "open".to_owned(),
        [] => String::new(),
        ways => ways.join(", "),
    }
}
