//! What `info --explain` says: a prediction, in words.

mod json;

use std::fmt::Write as _;

pub(super) use json::as_json;

use crate::message::explain::{
    Explanation, Finding, Place, Prediction, Reading, Tally, Trouble, Unknown, exception,
};
use crate::wire::{Codec, Encoding, Format, Framing};

/// The explanation for a person.
pub(super) fn as_text(explanation: &Explanation, recv: u64) -> String {
    let mut text = format!(
        "\nA prediction for a program that takes one recv({recv}) for one message; the reads of a real one may \
         differ.\n"
    );
    for one in &explanation.predictions {
        predict(&mut text, one, recv);
    }
    let words = Words { recv, is_one: explanation.predictions.len() == 1 };
    let whatever = explanation.findings.iter().filter(|one| one.reading.is_none());
    words.list(&mut text, "However it reads", whatever);
    for reading in Reading::BOTH {
        let of_it = explanation.findings.iter().filter(|one| one.reading == Some(reading));
        words.list(&mut text, how(reading), of_it);
    }
    let mut given: Vec<String> = Vec::new();
    for one in explanation.findings.iter().filter(|one| one.trouble != Trouble::Undecodable) {
        let words = advice(&one.format);
        if !given.contains(&words) {
            given.push(words);
        }
    }
    if !given.is_empty() {
        text.push_str("Instead\n");
        given.iter().for_each(|words| line(&mut text, 2, words));
    } else if explanation.predictions.iter().any(|one| one.messages > 0) {
        text.push_str("Messages that came closer together could still be read as one: TCP keeps no borders.\n");
    }
    text
}

fn how(reading: Reading) -> &'static str {
    match reading {
        Reading::AtOnce => "Reading each chunk at once",
        Reading::HeldUp => "Held up after the first read",
    }
}

fn predict(text: &mut String, one: &Prediction, recv: u64) {
    let Prediction { connection, side, format, messages, .. } = one;
    if one.unknown == Some(Unknown::NoFormat) {
        let words = "nothing can be predicted without a format; name it with -f";
        return line(text, 0, &format!("connection {connection}, {side}: {words}"));
    }
    let guessed = if one.guessed { ", their ends guessed" } else { "" };
    let count = counted(*messages, "message");
    let program = program(format, recv);
    let whose = format!("connection {connection}, {side}: {count}{guessed}, read by {program}");
    let is_fine = |tally: &Tally| tally.right == *messages && tally.reads == *messages;
    if one.tallies.iter().all(is_fine) {
        line(text, 0, &format!("{whose}: nothing goes wrong"));
    } else {
        line(text, 0, &whose);
        for (reading, tally) in Reading::BOTH.into_iter().zip(&one.tallies) {
            line(text, 2, &format!("{}: {}", how(reading), outcome(tally, *messages, format)));
        }
        if let Some(pause) = one.closest {
            let words = "it reads both at once if it is held up for longer";
            line(text, 2, &format!("The closest chunks are {} apart: {words}", shortly(pause)));
        }
    }
    let more = match one.unknown {
        Some(Unknown::Gap) => {
            "bytes are missing from the capture: nothing is predicted of what follows"
        }
        Some(Unknown::NoMessages) => {
            "what follows is no message of the format, and nothing is predicted of it"
        }
        Some(Unknown::Pieces) => {
            "a message is in more pieces than are kept: nothing is predicted of what follows"
        }
        Some(Unknown::NoFormat | Unknown::Cut) | None => return,
    };
    line(text, 2, more);
}

fn outcome(tally: &Tally, messages: u64, format: &Format) -> String {
    let mut words = format!("{} of {messages} right", tally.right);
    if tally.wrong > 0 {
        let _ = write!(words, ", and {} that nobody sent", counted(tally.wrong, "value"));
    }
    if let Some(place) = &tally.stopped {
        let frames = frames(place).map(|frames| format!(" ({frames})")).unwrap_or_default();
        let (raised, offset) = (raised(format), place.offset);
        let _ = write!(words, "; the read at byte {offset}{frames} ends it with {raised}");
    }
    words
}

/// How findings are worded.
struct Words {
    recv: u64,
    /// Whether there is but one side, which goes without saying.
    is_one: bool,
}

impl Words {
    /// The findings of one way of reading, if there are any.
    fn list<'a>(
        &self,
        text: &mut String,
        title: &str,
        findings: impl Iterator<Item = &'a Finding>,
    ) {
        let mut findings = findings.peekable();
        if findings.peek().is_some() {
            line(text, 0, title);
        }
        for one in findings {
            let Some((example, others)) = one.places.split_first() else { continue };
            line(text, 2, &self.described(one, example));
            if one.reads > 1 {
                line(text, 4, &self.others(one, others));
            }
        }
    }

    /// What happens at the first place.
    fn described(&self, one: &Finding, place: &Place) -> String {
        let recv = self.recv;
        let what = noun(&one.format);
        let program = program(&one.format, recv);
        let carried = carried(place, what);
        let raised = raised(&one.format);
        let said = match one.trouble {
            Trouble::Lost if place.messages > 1 => {
                let lost = place.messages - 1;
                format!("carries {carried}: {program} gets the first and loses {lost}")
            }
            Trouble::Lost => {
                format!("carries {carried}: {program} gets the first and loses the rest")
            }
            Trouble::Merged => format!(
                "carries {carried}: {program} merges them without an error, of each field the last value"
            ),
            Trouble::Clumped => format!("carries {carried}: {program} takes them for one"),
            Trouble::Part => {
                format!("carries {carried}: {program} takes that for a whole one, without an error")
            }
            Trouble::Raises => {
                let lost = match place.messages {
                    0 => String::new(),
                    messages => format!(", and {} in it are lost", counted(messages, what)),
                };
                let why = match (place.begins_inside, place.ends_inside) {
                    (true, true) => format!("begins and ends inside a {what}"),
                    (true, false) => format!("begins inside a {what}"),
                    (false, true) => format!("ends inside a {what}"),
                    (false, false) => format!("carries {carried}"),
                };
                format!("{why}: {program} raises {raised}{lost}")
            }
            Trouble::Undecodable => {
                format!("carries a {what} that nobody can decode, and {program} raises {raised}")
            }
            Trouble::Oversized => {
                format!("ends a {what} of {} bytes, more than one recv({recv}) gives", place.size)
            }
        };
        let Place { offset, size, .. } = place;
        let several = place.frames.is_some_and(|(first, last)| first != last);
        let read = if several { "a read of " } else { "" };
        let place = self.located(place);
        format!("{read}{place} (bytes {offset} to {}) {said}", offset + size - 1)
    }

    /// Where else, and of how many messages in all.
    fn others(&self, one: &Finding, others: &[Place]) -> String {
        let what = noun(&one.format);
        let messages = counted(one.messages, what);
        let in_all = match one.trouble {
            Trouble::Lost => format!(", {messages} lost in all"),
            Trouble::Merged => format!(", {messages} merged in all"),
            Trouble::Clumped => format!(", {messages} in all"),
            Trouble::Raises if one.messages > 0 => {
                format!(" if it reads on, {messages} lost in all")
            }
            Trouble::Raises => " if it reads on".to_owned(),
            Trouble::Part | Trouble::Undecodable | Trouble::Oversized => String::new(),
        };
        let mut named: Vec<String> = Vec::new();
        for group in others.chunk_by(|a, b| self.located(a) == self.located(b)) {
            let times =
                if group.len() > 1 { format!(" ({} times)", group.len()) } else { String::new() };
            named.push(format!("{}{times}", self.located(&group[0])));
        }
        let unnamed = one.reads - 1 - others.len() as u64;
        if unnamed > 0 {
            named.push(format!("and {unnamed} more"));
        }
        let times = match one.reads - 1 {
            1 => "once".to_owned(),
            times => format!("{times} times"),
        };
        format!("and {times} more{in_all}: {}", named.join(", "))
    }

    /// A place by its frames; the side where there are several.
    fn located(&self, place: &Place) -> String {
        let frames = frames(place).unwrap_or_else(|| "the read".to_owned());
        match self.is_one {
            true => frames,
            false => format!("{frames} of connection {}'s {}", place.connection, place.side),
        }
    }
}

fn frames(place: &Place) -> Option<String> {
    place.frames.map(|(first, last)| match first == last {
        true => format!("frame {first}"),
        false => format!("frames {first}-{last}"),
    })
}

/// What stands in a read, in words.
fn carried(place: &Place, what: &str) -> String {
    let whole = (place.messages > 0).then(|| counted(place.messages, what));
    let parts = [(place.begins_inside, "end"), (place.ends_inside, "beginning")];
    let parts = parts.iter().filter(|(there, _)| *there).map(|(_, part)| *part);
    let parts: Vec<String> = match (&whole, place.begins_inside && place.ends_inside) {
        (None, true) => vec![format!("a part of a {what}")],
        (None, false) => parts.map(|part| format!("the {part} of a {what}")).collect(),
        (Some(_), _) => parts.map(|part| format!("the {part} of another")).collect(),
    };
    whole.into_iter().chain(parts).collect::<Vec<_>>().join(" and ")
}

/// The program's line that reads.
fn program(format: &Format, recv: u64) -> String {
    let read = match format.framing() {
        Framing::Prefix(prefix) => format!("recv({recv})[{}:]", prefix.width()),
        // As many bytes as the varint has.
        Framing::Varint => format!("recv({recv})[n:]"),
        _ => format!("recv({recv})"),
    };
    match format.codec() {
        Codec::Pickle => format!("pickle.loads({read})"),
        Codec::Protobuf(_) => format!("ParseFromString({read})"),
        // What Python decodes without being told.
        codec if codec.encoding() == Encoding::UTF_8 => format!("{read}.decode()"),
        codec => format!("{read}.decode('{}')", codec.encoding()),
    }
}

fn noun(format: &Format) -> &'static str {
    match (format.codec(), format.framing()) {
        (Codec::Pickle, _) => "pickle",
        (Codec::Protobuf(_), _) => "protobuf",
        (_, Framing::Line) => "line",
        _ => "text",
    }
}

/// The exception, as far as it is certain which.
fn raised(format: &Format) -> String {
    let name = exception(format);
    match format.codec() {
        // Its opcodes may lead anywhere.
        Codec::Pickle => format!("{name} or the like"),
        _ => name.to_owned(),
    }
}

/// What to do instead.
fn advice(format: &Format) -> String {
    let encoding = format.codec().encoding();
    let own = match (format.codec(), format.framing()) {
        (_, Framing::Prefix(_) | Framing::Varint) => {
            "read the length, then so many bytes, however many recv that takes: \
             conn.makefile('rb').read(length) waits for all of them"
                .to_owned()
        }
        (Codec::Pickle, _) => {
            "pickle.load on one conn.makefile('rb') takes one pickle after the other, or send a length \
             before each (pickle/u32be)"
                .to_owned()
        }
        (Codec::Protobuf(_), _) => {
            "a protobuf does not say where it ends: send a length before each, a varint as writeDelimitedTo \
             does, or four bytes (protobuf:…/varint, protobuf:…/u32be)"
                .to_owned()
        }
        (_, Framing::Line) => format!(
            "iterate over conn.makefile('r', encoding='{encoding}'), which gives whole lines"
        ),
        _ => format!(
            "codecs.getincrementaldecoder('{encoding}')() keeps what a read cuts of a character; if messages \
             have to be told apart, send lines and read conn.makefile('r', encoding='{encoding}')"
        ),
    };
    format!("{own}; `wirespool listen -f {format}` takes them all, however they come")
}

fn counted(count: u64, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

/// A time by its largest unit.
fn shortly(time: std::time::Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        1.0.. => format!("{seconds:.1} s"),
        0.001.. => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} us", (seconds * 1e6).max(1.0)),
    }
}

fn line(text: &mut String, indent: usize, words: &str) {
    let _ = writeln!(text, "{:indent$}{words}", "");
}
