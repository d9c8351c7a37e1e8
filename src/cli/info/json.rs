//! The object of `info --json`; its fields are documented in docs/captures.md.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json, json};

use super::Report;
use super::census::{Counts, SideCounts};
use super::named::{format_of, reason_of};
use super::order::Row;
use crate::capture::CaptureFile;
use crate::session::{Side, Start};

/// Connections become JSON one after the other: of all at once it would take many times their memory.
impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let reached = self.reader.reached().warnings().into_iter();
        let beside = reached.chain(self.failed.clone());
        match self.reader.captures() {
            [file] => {
                let warnings = file.warnings().into_iter().chain(beside).collect();
                for (name, value) in capture(file, warnings) {
                    map.serialize_entry(&name, &value)?;
                }
            }
            files => {
                let files: Vec<_> =
                    files.iter().map(|file| capture(file, file.warnings())).collect();
                map.serialize_entry("captures", &files)?;
                map.serialize_entry("warnings", &beside.collect::<Vec<_>>())?;
            }
        }
        map.serialize_entry("connections", &Connections(self))?;
        if let Some(explanation) = &self.explanation {
            map.serialize_entry("explain", &super::explain::as_json(explanation, self.recv))?;
        }
        map.end()
    }
}

struct Connections<'a>(&'a Report<'a>);

impl Serialize for Connections<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.rows.iter().map(|row| connection(self.0, row)))
    }
}

fn capture(file: &CaptureFile, warnings: Vec<String>) -> Map<String, Json> {
    Map::from_iter([
        ("file".to_owned(), file.path().display().to_string().into()),
        ("origin".to_owned(), file.origin().to_string().into()),
        ("recorded_as".to_owned(), json!(file.origin().format())),
        ("packets".to_owned(), file.summary().packets.into()),
        ("warnings".to_owned(), warnings.into()),
    ])
}

fn connection(report: &Report<'_>, &(connection, counts): &Row<'_>) -> Json {
    let sides = Side::BOTH.map(|which| (which.name().to_owned(), side(report, counts, which)));
    let end = |end: super::End| json!({"side": end.side().map(Side::name), "how": end.name()});
    let mut object = json!({
        "connection": connection.0,
        "client": counts.client.to_string(),
        "server": counts.server.to_string(),
        "start": if counts.start == Start::Seen { "seen" } else { "missed" },
        "roles": if counts.roles_guessed { "guessed" } else { "seen" },
        "opened": counts.opened.to_string(),
        "duration": counts.duration().as_secs_f64(),
        "sides": Map::from_iter(sides),
        "ends": counts.ends.iter().map(end).collect::<Vec<_>>(),
        "ended": counts.ends.of_connection(),
        "ended_first": counts.ends.first().map(Side::name),
    });
    if report.reader.captures().len() > 1 {
        object["capture"] = counts.capture.into();
    }
    object
}

fn side(report: &Report<'_>, counts: &Counts, side: Side) -> Json {
    let one @ SideCounts { bytes, gaps, missing, messages, .. } = &counts.sides[side.index()];
    let mut fields = json!({
        "bytes": bytes,
        "bytes_per_second": counts.a_second(*bytes),
        "format": format_of(report.formats, counts, side),
        "gaps": gaps,
        "missing_bytes": missing,
    });
    if let Some(reason) = reason_of(report.formats, counts, side) {
        fields["reason"] = reason.into();
    }
    if let Some((messages, undecodable)) = *messages {
        fields["messages"] = messages.into();
        fields["messages_per_second"] = counts.a_second(messages).into();
        fields["undecodable"] = undecodable.into();
    }
    // Of headers that wirespool made up, transport figures would say nothing.
    if !report.is_synthesised(counts) {
        let odd = one.oddities();
        fields["retransmissions"] = odd.retransmitted.times.into();
        fields["retransmitted_bytes"] = odd.retransmitted.bytes.into();
        fields["differing_overlaps"] = odd.differing.times.into();
        fields["differing_bytes"] = odd.differing.bytes.into();
        fields["discarded_segments"] = odd.discarded.times.into();
        fields["discarded_bytes"] = odd.discarded.bytes.into();
        fields["urgent"] = odd.urgent.into();
        fields["stray_resets"] = odd.stray_resets.into();
    }
    fields
}
