//! The object `explain` in `info --json`; its fields are documented in docs/explain.md.

use serde_json::{Value as Json, json};

use super::{advice, program};
use crate::message::explain::{
    Explanation, Finding, Place, Prediction, Reading, Trouble, exception,
};

/// The explanation's object in `info --json`.
pub(in crate::cli) fn as_json(explanation: &Explanation, recv: u64) -> Json {
    let sides: Vec<Json> =
        explanation.predictions.iter().map(|one| prediction_as_json(one, recv)).collect();
    let findings: Vec<Json> = explanation.findings.iter().map(finding_as_json).collect();
    json!({"recv": recv, "sides": sides, "findings": findings})
}

fn prediction_as_json(one: &Prediction, recv: u64) -> Json {
    let mut fields = json!({
        "connection": one.connection.0,
        "side": one.side.name(),
        "format": one.format.spelling(),
        "messages": one.messages,
    });
    if one.messages > 0 {
        fields["program"] = program(&one.format, recv).into();
        fields["longest"] = one.longest.into();
        fields["guessed"] = one.guessed.into();
        fields["closest"] = one.closest.map(|pause| pause.as_secs_f64()).into();
        for (reading, tally) in Reading::BOTH.into_iter().zip(&one.tallies) {
            fields[reading.name()] = json!({
                "reads": tally.reads,
                "right": tally.right,
                "wrong": tally.wrong,
                "stopped": tally.stopped.as_ref().map(|place| {
                    let mut stop = place_as_json(place);
                    stop["error"] = exception(&one.format).into();
                    stop
                }),
            });
        }
    }
    if let Some(why) = one.unknown {
        fields["unknown"] = why.name().into();
    }
    fields
}

fn finding_as_json(one: &Finding) -> Json {
    json!({
        "reading": one.reading.map(Reading::name),
        "trouble": one.trouble.name(),
        "format": one.format.spelling(),
        "reads": one.reads,
        "messages": one.messages,
        "first": one.places.iter().map(place_as_json).collect::<Vec<_>>(),
        "advice": (one.trouble != Trouble::Undecodable).then(|| advice(&one.format)),
    })
}

fn place_as_json(place: &Place) -> Json {
    let mut fields = json!({
        "connection": place.connection.0,
        "side": place.side.name(),
    });
    if let Some((first, last)) = place.frames {
        fields["frame"] = first.into();
        fields["last_frame"] = last.into();
    }
    fields["offset"] = place.offset.into();
    fields["size"] = place.size.into();
    fields["messages"] = place.messages.into();
    fields["begins_inside"] = place.begins_inside.into();
    fields["ends_inside"] = place.ends_inside.into();
    fields
}
