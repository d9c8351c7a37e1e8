//! From captures to what is played: the script, and what a receipt says of where it comes from.

use std::path::PathBuf;
use std::time::Duration;

use crate::capture::{CaptureFile, FileIdentity, Policy, Reader};
use crate::message::{Formats, FormatsByCapture, FormatsByPort};
use crate::project::FormatChoice;
use crate::replay::{Action, CaptureDigest, Receipt, Script};
use crate::session::{ConnectionId, Selecting, Selection, Side};
use crate::wire::{Codec, FaultKind, Format, Framing, detect};
use crate::{Error, Result};

/// How many pieces of a side are looked at to say what they look like.
const SAMPLED: usize = 20;

/// What of captures is played, and when. The default is all of it, as it was recorded.
#[derive(Clone, Debug, Default)]
pub struct Loading {
    /// What the messages are; of which nothing says it, bytes.
    pub choice: FormatChoice,
    /// The connections to play; of a time, those that opened then. Sides are played whole.
    pub selection: Selection,
    /// The longest time in which nothing happens on any connection.
    pub cap_idle: Option<Duration>,
    /// The time from one message to the next on all connections together, instead of the recorded
    /// one; see [`interval`].
    pub interval: Option<Duration>,
    /// How connections are put together.
    pub policy: Policy,
}

/// A script, and what it was read from.
#[derive(Debug)]
pub struct Loaded {
    /// What is played.
    pub script: Script,
    /// What the messages were read as, if that is the same on all connections.
    pub formats: Option<Formats>,
    /// Where it comes from, for the receipt.
    pub provenance: Provenance,
}

/// What a receipt says of where a script comes from.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The captures, in the order given.
    pub captures: Vec<CaptureDigest>,
    /// What the captures lack or could not be read of, in words: it taints the verdict.
    pub damage: Vec<String>,
    /// What else a reader of the verdict should know of the captures, in words.
    pub notes: Vec<String>,
    /// What bytes look like of which nobody said what they are, in words: for a verdict that is no good.
    pub hint: Option<String>,
}

impl Provenance {
    /// Says it in the receipt of what was played.
    pub fn stamp(self, receipt: &mut Receipt) {
        receipt.captures.extend(self.captures);
        receipt.and_damage(self.damage);
        receipt.notes.splice(0..0, self.notes);
        receipt.notes.extend(self.hint.filter(|_| !receipt.is_ok()));
    }
}

impl Loading {
    /// Reads captures as one script; `ours` is the side that will be played.
    ///
    /// # Errors
    /// What [`Reader`] says of a file.
    pub fn load(&self, paths: &[PathBuf], ours: Side) -> Result<Loaded> {
        FileIdentity::refuse_repeated_streams(paths)?;
        let opened = paths.iter().map(|path| Reader::open_digested(path));
        let reader = Reader::merged(opened.collect::<Result<_>>()?)?.with_policy(self.policy);
        let labels = reader.captures().iter().map(|file| file.origin().format());
        let formats = self.choice.of_captures(labels, &Format::raw());
        self.read(reader, formats, ours)
    }

    fn read(&self, mut reader: Reader, formats: FormatsByCapture, ours: Side) -> Result<Loaded> {
        let began = reader.began().unwrap_or_default();
        let selection = self.selection.clone().of_session(began);
        let mut script = Script::read(formats, |sink| {
            reader.read_all(&mut Selecting::opened_then(&selection, sink))
        })?;
        let digests = reader.digests()?;
        let mut provenance = Provenance::default();
        let several = reader.captures().len() > 1;
        for (file, sha256) in reader.captures().iter().zip(digests) {
            let path = file.path().display().to_string();
            let named_here = |words: String| format!("{path}: {words}");
            provenance.damage.extend(file.damage().into_iter().map(named_here));
            provenance.notes.extend(repetition(file).map(named_here));
            provenance.notes.extend(file.foreign().into_iter().map(named_here));
            let label = file.origin().format();
            provenance.notes.extend(self.choice.misunderstood(label).map(named_here));
            // Alone it is nothing to play, and says so. The last file of a ring buffer may have been begun and
            // no packet come: it lacks nothing.
            let counters = file.summary();
            let is_begun_only = counters.packets == 0 && !file.origin().is_synthesised();
            if counters.segments == 0 && several && !file.is_repeated() && !is_begun_only {
                provenance.damage.push(named_here("there is no connection in it".to_owned()));
            }
            provenance.captures.extend(sha256.map(|sha256| CaptureDigest { path, sha256 }));
        }
        provenance.damage.extend(reader.reached().warnings());
        provenance.hint = self.hint(&script);
        if !selection.connections.is_empty() {
            let chosen = selection.connections.iter().copied().map(ConnectionId);
            script.select(&chosen.collect::<Vec<_>>());
        }
        if let Some(most) = self.cap_idle {
            script.cap_idle(most);
        }
        if let Some(interval) = self.interval {
            script.space(ours, interval);
        }
        let [first, others @ ..] = &script.conversations[..] else {
            return Ok(Loaded { script, formats: None, provenance });
        };
        let is_one = others.iter().all(|one| one.formats == first.formats);
        let formats = is_one.then(|| first.formats.clone());
        Ok(Loaded { script, formats, provenance })
    }

    /// Reads two captures that are to be compared. One that does not say what it was recorded as is read as
    /// the other, and so is a side that was recorded as `auto`. Where they say different things, a note of the first says so: each is read as its own if
    /// their values can be compared, else both as the first.
    ///
    /// # Errors
    /// What [`Reader`] says of a file.
    pub fn pair(&self, first: PathBuf, second: PathBuf) -> Result<(Loaded, Loaded)> {
        let paths = [first, second];
        FileIdentity::refuse_repeated_streams(&paths)?;
        // Each is opened once: what comes through a pipe is gone when it has been read.
        let readers = [Reader::open_digested(&paths[0])?, Reader::open_digested(&paths[1])?];
        let readers = readers.map(|reader| reader.with_policy(self.policy));
        let mut said = readers.each_ref().map(|reader| self.said(reader));
        let mut notes = Vec::new();
        if let [Some(one), Some(other)] = &mut said {
            say_instead_of_auto(one, other);
            say_instead_of_auto(other, one);
        }
        if let [Some(one), Some(other)] = &said
            && one != other
        {
            let alike = Side::BOTH
                .iter()
                .all(|side| are_comparable(one.of(*side).codec(), other.of(*side).codec()));
            let how = if alike { "each is read as its own" } else { "both are read as the first" };
            let names = paths.each_ref().map(|path| path.display());
            notes.push(format!(
                "{} was recorded as {one}, {} as {other}: {how}; -f says what both are",
                names[0], names[1]
            ));
            if !alike {
                said[1] = said[0].clone();
            }
        }
        let [one, other] = readers;
        let read = |own: usize, reader: Reader| {
            let said = said[own].clone().or_else(|| said[1 - own].clone());
            let formats = said.map_or_else(|| self.formats(&reader), FormatsByPort::from);
            self.read(reader, formats.into(), Side::Client)
        };
        let (mut first, second) = (read(0, one)?, read(1, other)?);
        first.provenance.notes.extend(notes);
        Ok((first, second))
    }

    /// What is given, else what a capture says that it was recorded as, if it does.
    fn said(&self, reader: &Reader) -> Option<Formats> {
        let is_labelled = reader.origin().format().is_some();
        let labelled = || is_labelled.then(|| self.formats(reader).of_others().clone());
        self.choice.both().or_else(labelled)
    }

    /// The formats of a capture's connections.
    fn formats(&self, reader: &Reader) -> FormatsByPort {
        self.choice.of_capture(reader.origin().format(), &Format::raw())
    }

    /// Says what may be wrong with the format, for a verdict that is no good.
    fn hint(&self, script: &Script) -> Option<String> {
        self.unnamed(script).or_else(|| unended(script))
    }

    /// Says what bytes look like of which nobody said what they are: their values are not compared.
    fn unnamed(&self, script: &Script) -> Option<String> {
        let sides = script.conversations.iter().flat_map(|one| Side::BOTH.map(|side| (one, side)));
        let bytes = sides.filter(|(one, side)| *one.formats.of(*side).codec() == Codec::Raw);
        let looks = bytes.filter(|_| !self.choice.is_given()).find_map(|(one, side)| {
            let chunks: Vec<&[u8]> = one
                .steps
                .iter()
                .filter_map(|step| step.message_of(side))
                .map(|message| message.raw.as_slice())
                .take(SAMPLED)
                .collect();
            let (format, _) = detect(&chunks);
            (*format.codec() != Codec::Raw).then_some(format)
        });
        looks.map(|format| {
            format!("compared as bytes, which look like {format}: -f {format} compares messages")
        })
    }
}

/// What was looked at while it was recorded is what `other` says: a label of `auto` says nothing.
fn say_instead_of_auto(formats: &mut Formats, other: &Formats) {
    let side = |side: Side| match formats.of(side).codec() {
        Codec::Auto => other.of(side).clone(),
        _ => formats.of(side).clone(),
    };
    *formats = Formats::new(side(Side::Client), side(Side::Server));
}

/// Whether values of both can be equal: a text is the same one in another encoding.
fn are_comparable(one: &Codec, other: &Codec) -> bool {
    one == other || matches!([one, other], [Codec::Text(_), Codec::Text(_)])
}

/// Says which message has no end, though its side went on until it closed: what came after it was read
/// as a part of it.
fn unended(script: &Script) -> Option<String> {
    let messages = script.conversations.iter().flat_map(|one| {
        let messages = one.steps.iter().filter_map(|step| match &step.action {
            Action::Send(message) => Some(message),
            Action::Eof | Action::Reset => None,
        });
        messages.map(move |message| (one, message))
    });
    let mut unended = messages.filter(|(_, message)| match message.format.framing() {
        Framing::Line => message.format.codec().encoding().line_end(&message.raw) == 0,
        _ => message.body.as_ref().is_err_and(|fault| fault.kind == FaultKind::Truncated),
    });
    unended.next().map(|(one, message)| {
        let (connection, index, format) = (one.connection, message.index, &message.format);
        format!(
            "message {index} of connection {connection}, by the {}, has no end as {format}; if -f \
             names another format than was spoken, nothing is in its place",
            message.side
        )
    })
}

/// The time from one message to the next at so many messages a second.
///
/// # Errors
/// [`Error::Usage`] for a number that is none.
pub fn interval(rate: f64) -> Result<Duration> {
    // A day from one to the next is the longest that makes sense, a nanosecond the shortest.
    match (1e-5..=1e9).contains(&rate) {
        true => Ok(Duration::from_secs_f64(1.0 / rate)),
        false => Err(Error::Usage(format!(
            "{rate} is no rate: messages a second are 0.00001 to 1000000000"
        ))),
    }
}

/// Says what becomes of a file that was given before, by whatever name.
fn repetition(file: &CaptureFile) -> Option<String> {
    let what = if file.origin().is_synthesised() { "played again" } else { "read once" };
    file.is_repeated().then(|| format!("the same file was given before, and is {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_time_between_messages_within_reason() {
        assert_eq!(interval(1000.0).unwrap(), Duration::from_millis(1));
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e10, 1e-6] {
            assert!(interval(rate).is_err(), "{rate}");
        }
    }
}
