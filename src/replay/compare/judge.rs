//! Whether one live message is what was recorded, by the rules.

use std::collections::VecDeque;

use super::difference::excerpts;
use super::likeness::{Likeness, are_same, document};
use super::live::Live;
use super::marks::{Marks, Used};
use super::walk::{self, Marked, Place};
use crate::message::Message;
use crate::replay::carry::{Carriage, Carried, Taken};
use crate::replay::document::Document;
use crate::replay::rules::{Compare, Rules};
use crate::wire::{Codec, Format, Framing, Value};

/// Judges the messages of one side of one connection.
pub(super) struct Judge<'a> {
    format: &'a Format,
    /// How what differs is decoded, where message ends do not stand in the bytes.
    apart: Format,
    rules: &'a Rules,
    used: Used,
    carried: Carried<'a>,
    /// Whether the recording broke off before the side ended, be it in the middle of a message.
    breaks_off: bool,
}

/// What came of comparing two messages.
pub(super) enum Verdict {
    Equal,
    Differing(Vec<Place>),
    /// The rules left nothing to compare.
    Ignored,
    /// Nothing is to be compared.
    Uncompared,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        format: &'a Format,
        rules: &'a Rules,
        carried: Carried<'a>,
        breaks_off: bool,
    ) -> Judge<'a> {
        let framing = match (format.codec(), format.framing()) {
            (Codec::Pickle, Framing::Chunk | Framing::Idle(_)) => Framing::Codec,
            (Codec::Protobuf(Some(_)), Framing::Chunk) => Framing::Guess,
            (_, framing) => framing,
        };
        let apart = format.with_framing(framing);
        Judge { format, apart, rules, used: Used::none(rules), carried, breaks_off }
    }

    pub(super) fn format(&self) -> &'a Format {
        self.format
    }

    /// The format in which what differs is decoded.
    pub(super) fn apart(&self) -> &Format {
        &self.apart
    }

    pub(super) fn carried(&mut self) -> &mut Carried<'a> {
        &mut self.carried
    }

    /// The values that are carried from this side of which the one half or the other never was; `waiting`
    /// are the messages that have not come.
    pub(super) fn carriages(&self, waiting: &VecDeque<&Message>) -> Vec<Carriage> {
        let mut carriages = self.carried.carriages();
        // A path that leads somewhere in what did not come is not misspelt.
        carriages.retain(|one| one.read > 0 || !self.leads_into(&one.carry, waiting));
        carriages
    }

    fn leads_into(&self, carry: &str, waiting: &VecDeque<&Message>) -> bool {
        let Some(carry) = self.rules.carry.iter().find(|one| one.to_string() == carry) else {
            return false;
        };
        waiting.iter().filter_map(|message| document(&Live::of(message))).any(|document| {
            document.is_ok_and(|document| !carry.source.select(&document.json).is_empty())
        })
    }

    /// Whether anything is compared.
    pub(super) fn compares(&self) -> bool {
        self.rules.compare != Compare::None
    }

    /// Whether what differs in bytes is worth being decoded.
    pub(super) fn has_values(&self) -> bool {
        match self.format.codec() {
            Codec::Raw | Codec::Auto => false,
            _ if !self.rules.carry.is_empty() => true,
            Codec::Text(_) => self.rules.compare == Compare::Values && self.has_paths(),
            _ => self.rules.compare != Compare::Bytes,
        }
    }

    /// Whether any rule leads into values.
    fn has_paths(&self) -> bool {
        let Rules { ignore, tolerance, unordered, carry, .. } = self.rules;
        !(ignore.is_empty() && tolerance.is_empty() && unordered.is_empty() && carry.is_empty())
    }

    /// The rules that found nothing to do; `waiting` are the messages that have not come.
    pub(super) fn unused(&self, waiting: &VecDeque<&Message>) -> Vec<String> {
        if self.rules.compare != Compare::Values {
            return Vec::new();
        }
        let mut used = self.used.clone();
        for message in waiting {
            if used.unused(self.rules).is_empty() {
                break;
            }
            if let Some(Ok(document)) = document(&Live::of(message)) {
                used.merge(&Marks::of(&document, self.rules).used);
            }
        }
        used.unused(self.rules)
    }

    /// The first of `others` that says the same as `got`, and where that means something.
    pub(super) fn find<'m>(
        &self,
        others: impl Iterator<Item = &'m Message>,
        got: &Live<'_>,
    ) -> Option<&'m Message> {
        let mut others = others.peekable();
        others.peek()?;
        let likeness = Likeness::new(self.rules, self.has_paths(), got);
        others.into_iter().find(|other| likeness.is_of(other))
    }

    /// Whether two messages are the same when no rule is applied.
    fn is_same(&self, expected: &Message, got: &Live<'_>) -> bool {
        got.repeats(expected)
            || self.rules.compare == Compare::Values
                && expected.body.is_ok()
                && are_same(expected.body.as_ref().ok(), got.value)
                && are_same(expected.unknown.as_ref(), got.unknown)
    }

    pub(super) fn judge(&mut self, expected: &Message, got: &Live<'_>) -> Verdict {
        match (self.judge_body(expected, got), self.line_end(expected, got)) {
            (Verdict::Equal, Some(note)) => {
                Verdict::Differing(vec![whole(&Live::of(expected).show(), &got.show(), Some(note))])
            }
            (Verdict::Differing(mut places), Some(note)) => {
                if let Some(last) = places.last_mut() {
                    last.note = Some(match last.note.take() {
                        Some(other) => format!("{other}; {note}"),
                        None => note,
                    });
                }
                Verdict::Differing(places)
            }
            (verdict, _) => verdict,
        }
    }

    /// What is to be said of the line ends of two messages. Which one it is is no part of the value; that
    /// there is one is what makes it a line.
    fn line_end(&self, expected: &Message, got: &Live<'_>) -> Option<String> {
        let are_values = expected.body.is_ok() && got.value.is_some();
        if self.format.framing() != Framing::Line
            || got.format.framing() != Framing::Line
            || self.rules.compare != Compare::Values
            || !are_values
        {
            return None;
        }
        let has_end = |format: &Format, raw: &[u8]| format.codec().encoding().line_end(raw) > 0;
        let [recorded, live] = [has_end(self.format, &expected.raw), has_end(got.format, got.raw)];
        match (recorded, live) {
            (true, false) => Some("its line end is missing".to_owned()),
            (false, true) if !self.breaks_off => {
                Some("it has a line end, which was not recorded".to_owned())
            }
            _ => None,
        }
    }

    /// Judges what is framed, but not how it is.
    fn judge_body(&mut self, expected: &Message, got: &Live<'_>) -> Verdict {
        let judges = self.rules.compare == Compare::Values;
        if judges && !self.has_paths() && self.is_same(expected, got) {
            return Verdict::Equal;
        }
        if !judges && self.carried.is_empty() {
            return self.judge_bytes(expected, got);
        }
        let recorded = Live::of(expected);
        let verdict = match (document(&recorded), document(got)) {
            (Some(Ok(left)), Some(Ok(right))) if judges || !self.carried.is_empty() => {
                self.compare(expected, got, &left, &right)
            }
            (Some(Err(reason)), _) | (_, Some(Err(reason))) if judges => {
                let note = format!("compared as a whole: {reason}");
                self.compare_whole(expected, got, Some(note).filter(|_| self.has_paths()))
            }
            _ => self.compare_whole(expected, got, None),
        };
        if judges { verdict } else { self.judge_bytes(expected, got) }
    }

    fn judge_bytes(&self, expected: &Message, got: &Live<'_>) -> Verdict {
        match self.rules.compare {
            Compare::None => Verdict::Uncompared,
            _ if expected.raw == got.raw => Verdict::Equal,
            _ => {
                let shown = [&Live::of(expected), got].map(Live::show_bytes);
                Verdict::Differing(vec![whole(&shown[0], &shown[1], None)])
            }
        }
    }

    /// Compares what the rules leave of two values.
    fn compare(
        &mut self,
        expected: &Message,
        got: &Live<'_>,
        left: &Document,
        right: &Document,
    ) -> Verdict {
        let mut marks = [left, right].map(|one| Marks::of(one, self.rules));
        marks.iter().for_each(|marks| self.used.merge(&marks.used));
        let Taken { recorded, live, missing } = self.carried.learn(expected.index, left, right);
        // That a fresh value came where one was carried from is compared, if it is not all there is.
        let is_there = !recorded.is_empty();
        marks[0].take(recorded);
        marks[1].take(live);
        let is_there = is_there && !marks[0].is_ignored(&left.json);
        if *self.format.codec() == Codec::Raw {
            let ignored = marks[0].is_ignored(&left.json) && marks[1].is_ignored(&right.json);
            return if ignored {
                Verdict::Ignored
            } else {
                self.compare_whole(expected, got, None)
            };
        }
        let (mut places, mut more) = walk::differences(
            Marked { document: left, marks: &marks[0] },
            Marked { document: right, marks: &marks[1] },
        );
        places.extend(missing.into_iter().map(|(path, expected)| Place {
            path: Some(path),
            expected: Some(excerpts(&expected, "").0),
            got: None,
            note: Some("there is nothing to carry from here".to_owned()),
        }));
        if !are_same(expected.unknown.as_ref(), got.unknown) {
            places.push(self.unknown_fields(expected, got));
        }
        if places.len() > walk::SHOWN {
            more += places.len() - walk::SHOWN;
            places.truncate(walk::SHOWN);
        }
        if let Some(last) = places.last_mut() {
            if more > 0 {
                let more = format!("and {more} more places of this message");
                last.note =
                    Some(last.note.take().map_or(more.clone(), |note| format!("{note}; {more}")));
            }
            if let [Place { path: None, expected: shown, got: came, note: None }] = &mut places[..]
            {
                // The whole message as it is written, where it differs as a whole.
                if expected.unknown.is_none() && got.unknown.is_none() {
                    let (left, right) = excerpts(&Live::of(expected).show(), &got.show());
                    (*shown, *came) = (shown.take().map(|_| left), came.take().map(|_| right));
                }
            }
            return Verdict::Differing(places);
        }
        if !marks.iter().any(Marks::touch) {
            // The values may differ in what JSON does not show, such as the spaces in a text that is JSON.
            // Only where a rule leads into it is that no difference.
            return self.compare_whole(expected, got, None);
        }
        let ignores = marks.iter().any(Marks::ignores) && expected.unknown.is_none();
        let leaves = marks[0].leaves_anything(&left.json) || marks[1].leaves_anything(&right.json);
        if ignores && !leaves && !is_there { Verdict::Ignored } else { Verdict::Equal }
    }

    fn unknown_fields(&self, expected: &Message, got: &Live<'_>) -> Place {
        let show = |unknown: Option<&Value>| unknown.map(|fields| self.format.write_json(fields));
        Place {
            path: None,
            expected: show(expected.unknown.as_ref()).map(|text| excerpts(&text, "").0),
            got: show(got.unknown).map(|text| excerpts(&text, "").0),
            note: Some("fields that the schema does not know".to_owned()),
        }
    }

    fn compare_whole(&self, expected: &Message, got: &Live<'_>, note: Option<String>) -> Verdict {
        if self.is_same(expected, got) {
            return Verdict::Equal;
        }
        let recorded = Live::of(expected);
        Verdict::Differing(vec![whole(&recorded.show(), &got.show(), note)])
    }
}

fn whole(expected: &str, got: &str, note: Option<String>) -> Place {
    let note = note.or_else(|| (expected == got).then(|| "in what is not shown".to_owned()));
    let (expected, got) = excerpts(expected, got);
    Place { path: None, expected: Some(expected), got: Some(got), note }
}
