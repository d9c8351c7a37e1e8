//! A recorded message with other values in some places.

use serde_json::Value as Json;

use super::splice;
use super::written::Written;
use crate::message::Message;
use crate::replay::document::{self, Dialect, Document};
use crate::replay::place::Place;
use crate::wire::{self, Arrival, Codec, Decoder, Format, Framing, Prefix, Value, json, pickle};

type Put<T> = Result<T, String>;

/// The bytes of `message`, of which `value` is the value and `document` the JSON, with other values in
/// these places.
pub(super) fn into(
    message: &Message,
    value: &Value,
    document: &Document,
    mut changes: Vec<(Place, &Json)>,
) -> Put<Vec<u8>> {
    // What lies within something that is replaced is replaced with it.
    let places: Vec<Place> = changes.iter().map(|(place, _)| place.clone()).collect();
    changes.retain(|(place, _)| {
        !places.iter().any(|other| other.len() < place.len() && place.starts_with(other))
    });
    let (bytes, wanted) = match message.format.codec() {
        Codec::Text(_) => {
            let written = Written::of(message, value);
            let (text, wanted) = text(value, document, &changes)?;
            let bytes = written.bytes(&text)?;
            return sent(&written.format, bytes, &wanted, None);
        }
        _ => encoded(message, value, document.dialect, &changes)?,
    };
    sent(&message.format, bytes, &wanted, message.unknown.as_ref())
}

/// Never a silent change: it is read back as it is meant, or not sent.
fn sent(format: &Format, bytes: Vec<u8>, wanted: &Json, unknown: Option<&Value>) -> Put<Vec<u8>> {
    match read_back(format, &bytes) {
        Some((read, too)) if read.json == *wanted && too.as_ref() == unknown => Ok(bytes),
        _ => Err("it would be read back as something else".to_owned()),
    }
}

/// The message's text, and the JSON that it is to be read back as.
fn text(value: &Value, document: &Document, changes: &[(Place, &Json)]) -> Put<(String, Json)> {
    let old = value.as_str(value.root()).unwrap_or_default();
    let new = match changes {
        [(place, live)] if place.is_root() && !document::is_json(old) => {
            live.as_str().map_or_else(|| live.to_string(), str::to_owned)
        }
        _ => splice::into(old, changes).ok_or("its text cannot be changed in that place")?,
    };
    let mut wanted = document.json.clone();
    for (place, live) in changes {
        *wanted.pointer_mut(&place.pointer()).ok_or("the place is not there")? = (*live).clone();
    }
    Ok((new, wanted))
}

/// Of what is no text the message's bytes, and the JSON that they are to be read back as.
fn encoded(
    message: &Message,
    value: &Value,
    dialect: Dialect,
    changes: &[(Place, &Json)],
) -> Put<(Vec<u8>, Json)> {
    let written = match dialect {
        Dialect::Schema => message.format.write_json(value),
        Dialect::Tagged | Dialect::Plain => json::to_string(value),
    };
    // What occurs more than once stands once here, and stays one thing.
    let mut shared = document::parse(&written)?;
    for (place, live) in changes {
        let pointer = place.pointer_with_references(&shared).ok_or("the place is not there")?;
        *shared.pointer_mut(&pointer).ok_or("the place is not there")? = (*live).clone();
    }
    let value = json::parse(&shared.to_string()).map_err(|error| error.to_string())?;
    let wanted = match dialect {
        Dialect::Schema => shared,
        Dialect::Tagged | Dialect::Plain => Document::of(&message.format, &value)?.json,
    };
    let bytes = match message.format.codec() {
        Codec::Pickle => pickle::encode(&value, protocol(message))
            .and_then(|body| wire::wrap(&message.format, body)),
        _ => wire::encode_with_unknown(&message.format, &value, message.unknown.as_ref()),
    };
    bytes.map(|bytes| (bytes, wanted)).map_err(|error| error.to_string())
}

/// The protocol that a pickle says it has; one that says none has one that every reader knows.
fn protocol(message: &Message) -> u8 {
    let header = match message.format.framing() {
        Framing::Prefix(prefix) => Prefix::width(prefix),
        Framing::Varint => message.raw.iter().take_while(|byte| **byte >= 0x80).count() + 1,
        _ => 0,
    };
    match message.raw.get(header..) {
        Some([0x80, protocol, ..]) => *protocol,
        _ => 0,
    }
}

fn read_back(format: &Format, bytes: &[u8]) -> Option<(Document, Option<Value>)> {
    let mut decoded = Vec::new();
    let mut decoder = Decoder::new(format);
    decoder.push(Arrival::default(), bytes, &mut |one| decoded.push(one));
    decoder.end(&mut |one| decoded.push(one));
    let [one] = &decoded[..] else { return None };
    Some((Document::of(format, one.body.as_ref().ok()?).ok()?, one.unknown.clone()))
}
