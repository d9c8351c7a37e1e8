//! The table of `info`, for a person.

use std::io::{self, Write};
use std::time::SystemTime;

use super::Report;
use super::census::{Counts, Occurrences};
use super::named::{format_of, reason_of};
use super::order::Row;
use super::totals::Totals;
use super::units::{a_second, counted, decimal};
use crate::capture::CaptureFile;
use crate::session::{Side, Timestamp};
use crate::wire::visible;

/// Of how many sides the table says why they are raw; --json says it of all.
const REASONS: usize = 4;

const COLUMNS: [&str; 18] = [
    "",
    "client",
    "server",
    "roles",
    "seconds",
    "side",
    "bytes",
    "rate",
    "messages",
    "messages/s",
    "format",
    "missing",
    "retransmitted",
    "differing",
    "discarded",
    "urgent",
    "stray resets",
    "ended",
];

/// Writes the captures, the table, what it sums up to, and why sides are raw.
pub(super) fn write(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    for file in report.reader.captures() {
        let name = file.path().display().to_string();
        let counters = file.summary();
        let packets = counted(counters.packets, "packet");
        let origin = file.origin().to_string();
        let when = counters.span.map(when).unwrap_or_default();
        writeln!(out, "{}: {packets}, {}{when}", visible(&name), visible(&origin))?;
    }
    if report.rows.is_empty() {
        return writeln!(out, "{}", no_connection(report));
    }
    // Lines are made twice, to see how wide columns are and to be written: all of them would take
    // more memory than all that was counted.
    let mut widths = [0; COLUMNS.len()];
    for cells in lines(report) {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = cell.chars().count().max(*width);
        }
    }
    // A column that says nothing about any connection is left out.
    let used: Vec<(usize, usize)> =
        widths.into_iter().enumerate().filter(|one| one.1 > 0).collect();
    let titles = COLUMNS.map(str::to_owned);
    for cells in std::iter::once(titles).chain(lines(report)) {
        let mut line = String::new();
        for &(column, width) in &used {
            let width = width.max(COLUMNS[column].len());
            line.push_str(&format!("{:width$}  ", cells[column]));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    if report.connections.len() > 1 {
        let shown = (report.rows.len() < report.connections.len()).then_some(report.rows.len());
        writeln!(out, "{}", Totals::of(report.connections.values().map(Box::as_ref)).words(shown))?;
    }
    reasons(report, out)
}

/// From when to when packets were, to the second: what a time is chosen by.
fn when((first, last): (Timestamp, Timestamp)) -> String {
    // humantime refuses years before 1970; such stamps come from damaged captures only.
    let second = |time: Timestamp| {
        humantime::format_rfc3339_seconds(SystemTime::from(Timestamp(time.0.max(0))))
    };
    format!(", from {} to {}", second(first), second(last))
}

/// Why there is no table.
fn no_connection(report: &Report<'_>) -> &'static str {
    let read = || report.reader.captures().iter().map(CaptureFile::summary);
    let packets: u64 = read().map(|counters| counters.packets).sum();
    let segments: u64 = read().map(|counters| counters.segments).sum();
    match (report.connections.len(), packets, segments) {
        (0, 0, _) => "no connection: there is no packet",
        (0, _, 0) => "no connection: no packet could be read as TCP",
        (0, ..) => "no connection is selected",
        _ => "no connection is shown",
    }
}

fn lines<'a>(report: &'a Report<'_>) -> impl Iterator<Item = [String; COLUMNS.len()]> + 'a {
    report.rows.iter().flat_map(|row| Side::BOTH.map(|side| line(report, row, side)))
}

fn line(
    report: &Report<'_>,
    &(connection, counts): &Row<'_>,
    side: Side,
) -> [String; COLUMNS.len()] {
    let one = &counts.sides[side.index()];
    let only_first = |text: String| if side == Side::Client { text } else { String::new() };
    let roles = if counts.roles_guessed { "guessed" } else { "" };
    let messages = match one.messages {
        Some((messages, 0)) => messages.to_string(),
        Some((messages, bad)) => format!("{messages} ({bad} undecodable)"),
        None => String::new(),
    };
    let rate =
        |amount| Some(amount).filter(|&amount| amount > 0).and_then(|all| counts.a_second(all));
    let odd = odd_cells(report, counts, side);
    let [retransmitted, differing, discarded, urgent, stray_resets] = odd;
    [
        only_first(connection.to_string()),
        only_first(counts.client.to_string()),
        only_first(counts.server.to_string()),
        only_first(roles.to_owned()),
        only_first(format!("{:.3}", counts.duration().as_secs_f64())),
        side.to_string(),
        one.bytes.to_string(),
        rate(one.bytes).map(a_second).unwrap_or_default(),
        messages,
        one.messages.and_then(|(messages, _)| rate(messages)).map(decimal).unwrap_or_default(),
        format_of(report.formats, counts, side).unwrap_or_default(),
        bytes_in(Occurrences { times: one.gaps, bytes: one.missing }),
        retransmitted,
        differing,
        discarded,
        urgent,
        stray_resets,
        counts.ends.of_side(side),
    ]
}

/// What segments did. Of headers that wirespool made up it would say nothing.
fn odd_cells(report: &Report<'_>, counts: &Counts, side: Side) -> [String; 5] {
    if report.is_synthesised(counts) {
        return Default::default();
    }
    let odd = counts.sides[side.index()].oddities();
    let times = |count: u64| if count > 0 { count.to_string() } else { String::new() };
    [
        bytes_in(odd.retransmitted),
        bytes_in(odd.differing),
        bytes_in(odd.discarded),
        times(odd.urgent),
        times(odd.stray_resets),
    ]
}

fn bytes_in(all: Occurrences) -> String {
    match all {
        Occurrences { times: 0, .. } => String::new(),
        Occurrences { times, bytes } => format!("{bytes} B in {times}"),
    }
}

/// Why the first sides are raw that are, though nobody said that they are.
fn reasons(report: &Report<'_>, out: &mut impl Write) -> io::Result<()> {
    let sides = report.rows.iter().flat_map(|row| Side::BOTH.map(|side| (row, side)));
    let raw = sides.filter_map(|((connection, counts), side)| {
        let reason = reason_of(report.formats, counts, side)?;
        let is_raw = format_of(report.formats, counts, side).as_deref() == Some("raw");
        is_raw.then(|| format!("{connection}, {side}, is raw: {}", visible(reason)))
    });
    raw.take(REASONS).try_for_each(|words| writeln!(out, "{words}"))
}
