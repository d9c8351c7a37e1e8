//! `auto`: which format explains every byte that was seen.
//!
//! Each candidate is a function of the [`Sample`]: it answers that it explains every byte and by which
//! evidence, or why it does not. One that stands alone is the format. Of two that explain the same bytes
//! the one is taken whose evidence the other has not; else it is a tie, and the bytes stay `raw`.

mod detector;
mod framed;
mod json;
mod looks;
mod pickles;
mod protobuf;
mod sample;
mod text;

use std::sync::Arc;

pub(crate) use detector::Detector;
pub(crate) use sample::Next;
use sample::Sample;

use super::framing::{Framing, Prefix};
use super::{Codec, Format, Settings};
use framed::framed;

/// How much of a side is looked at, in bytes: what comes behind tells no more.
const SAMPLE_SIZE: usize = 64 << 10;

/// The framings with a length before each message, as they are tried.
const PREFIXES: [Framing; 8] = [
    Framing::Prefix(Prefix::U32Be),
    Framing::Prefix(Prefix::U32Le),
    Framing::Prefix(Prefix::U64Be),
    Framing::Prefix(Prefix::U64Le),
    Framing::Prefix(Prefix::U16Be),
    Framing::Prefix(Prefix::U16Le),
    Framing::Prefix(Prefix::U8),
    Framing::Varint,
];

/// The format that explains every byte of the chunks that a side began with, and why it is the one;
/// `raw` where none does, or two do. More may follow: the last message need not be whole.
pub fn detect(chunks: &[&[u8]]) -> (Format, String) {
    let settings = Arc::default();
    let bytes = chunks.concat();
    let mut end = 0;
    let ends: Vec<usize> = chunks
        .iter()
        .map(|chunk| {
            end += chunk.len();
            end
        })
        .take_while(|end| *end <= SAMPLE_SIZE)
        .collect();
    let seen = &bytes[..bytes.len().min(SAMPLE_SIZE)];
    let Verdict { format, reason, .. } =
        conclude(&Sample::new(seen, &ends, Next::Unknown), &settings);
    (format, reason)
}

/// What a side's beginning was found to be.
pub(crate) struct Verdict {
    pub(crate) format: Format,
    pub(crate) reason: String,
    /// Whether more bytes of the same kind would change nothing.
    is_sure: bool,
}

/// A format that explains every byte, and by which evidence.
#[derive(Debug)]
struct Found {
    codec: Codec,
    framing: Framing,
    evidence: Evidence,
    strength: Strength,
    /// In words, such as `12 messages, each a whole pickle behind its length`.
    reason: String,
}

/// What was seen beside bytes that are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Characters.
    Text,
    /// JSON values.
    Json,
    /// Fields that recur.
    Fields,
    /// Programs of the pickle machine that run to their end.
    Pickles,
}

/// How far the evidence goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// It may be chance: it does not stand alone, but nothing else does beside it.
    Weak,
    /// It is no chance, but more bytes may tell of a better explanation.
    Fair,
    /// More bytes of the same kind would change nothing.
    Sure,
}

impl Found {
    /// Whether all that speaks for `other` speaks for this one, and more does.
    fn subsumes(&self, other: &Found) -> bool {
        use Evidence::{Fields, Json, Pickles, Text};
        if self.strength == Strength::Weak {
            return false;
        }
        match (self.evidence, other.evidence) {
            (Pickles | Json, Text) | (Json, Fields) => true,
            // Lengths below 128 are written alike: a varint is what goes with Protocol Buffers.
            (Fields, Fields) => self.framing == Framing::Varint && other.framing == U8,
            _ => false,
        }
    }

    fn format(&self) -> Format {
        Format::new(self.codec.clone(), self.framing)
    }
}

/// Lengths of so many bytes that lead through all of a side are no chance.
const WIDE: usize = 4;

const U8: Framing = Framing::Prefix(Prefix::U8);

/// The one format that explains the sample, or `raw` and why.
fn conclude(sample: &Sample<'_>, settings: &Arc<Settings>) -> Verdict {
    let (format, reason, is_sure) = explain(sample, settings);
    Verdict { format: format.with_settings(settings), reason, is_sure }
}

fn explain(sample: &Sample<'_>, settings: &Settings) -> (Format, String, bool) {
    let raw = |reason: String| (Format::raw(), reason, false);
    if sample.bytes.is_empty() {
        return raw("no bytes were seen".to_owned());
    }
    let limits = &settings.limits;
    let pickles = pickles::stream(sample, limits);
    let text = text::stream(sample);
    let why_not = [pickles.as_ref().err(), text.as_ref().err()].map(|reason| reason.cloned());
    let mut found: Vec<Found> = pickles.into_iter().chain(text).collect();
    let mut lengths = "no lengths lead from one message to the next".to_owned();
    for framing in PREFIXES {
        let Some(framed) = framed(sample, framing, limits) else { continue };
        if matches!(framing, Framing::Prefix(prefix) if prefix.width() >= WIDE) {
            let count = framed.bodies.len();
            let messages = if count == 1 { "message" } else { "messages" };
            lengths = format!(
                "lengths of {framing} lead through {count} {messages}, which do not tell what they \
                 are; -f protobuf/{framing} reads fields by number"
            );
        }
        found.extend(pickles::framed(&framed, limits));
        found.extend(protobuf::framed(&framed));
        // Where the lengths are text themselves, anything that is text has some.
        found.extend(text::framed(&framed).filter(|_| why_not[1].is_some()));
    }
    let stands = |one: &&Found| !found.iter().any(|other| other.subsumes(one));
    let standing: Vec<&Found> = found.iter().filter(stands).collect();
    match standing[..] {
        [] => {
            let [no_pickles, no_text] = why_not.map(Option::unwrap_or_default);
            let hint = looks::like(sample).map(|hint| format!("; {hint}")).unwrap_or_default();
            raw(format!("{no_pickles}, {no_text}, and {lengths}{hint}"))
        }
        [one] if one.strength == Strength::Weak => {
            raw(format!("too little to tell that it is {}: {}", one.format(), one.reason))
        }
        [one] => (one.format(), one.reason.clone(), one.strength == Strength::Sure),
        _ => {
            let name = |one: &&Found| format!("{} ({})", one.format(), one.reason);
            let names: Vec<_> = standing.iter().map(name).collect();
            raw(format!("more than one format explains every byte: {}", names.join(", or ")))
        }
    }
}
