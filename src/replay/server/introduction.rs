//! What a client says first, and which recorded client begins so. Sans-I/O: bytes come in as they
//! arrive.
//!
//! A recorded first message is recognised by its bytes at once; by its value, as the rules have it, where
//! no recorded one begins with the same bytes.

use std::collections::HashMap;

use crate::message::Message;
use crate::replay::compare::Comparison;
use crate::replay::rules::{Compare, Rules};
use crate::replay::script::{Action, Conversation, Script, Step};
use crate::session::{Side, Timestamp};
use crate::wire::{Arrival, Codec, Decoder, Format};

/// How much more than the longest recorded first message is heard of a client, in bytes, before it is
/// given up.
const BEYOND: usize = 1 << 20;

/// The first messages of recorded clients, each once.
pub(super) struct Beginnings {
    /// Connections of which nothing but the first message is left.
    heads: Vec<Conversation>,
    /// The formats in which one may be recognised by its value, though its bytes are others.
    formats: Vec<Format>,
    rules: Rules,
    longest: usize,
}

impl Beginnings {
    /// No first messages: nobody is recognised.
    pub(super) fn none() -> Beginnings {
        Beginnings { heads: Vec::new(), formats: Vec::new(), rules: Rules::default(), longest: 0 }
    }

    /// The first messages of the conversations at `places`; and with each conversation the number of
    /// its beginning, `None` where the server speaks first or the client says nothing.
    pub(super) fn of(
        script: &Script,
        places: &[usize],
        rules: &Rules,
    ) -> (Beginnings, Vec<Option<usize>>) {
        let mut rules = rules.clone();
        if rules.compare == Compare::None {
            // What is not compared afterwards still has to be told apart.
            rules.compare = Compare::Values;
        }
        let mut numbers: HashMap<(String, &[u8]), usize> = HashMap::new();
        let (mut heads, mut formats) = (Vec::new(), Vec::new());
        let mut of_each = Vec::with_capacity(places.len());
        for &place in places {
            let conversation = &script.conversations[place];
            let first = conversation.steps.first();
            let first = first.and_then(|step| Some((step, step.message_of(Side::Client)?)));
            let Some((step, message)) = first else {
                of_each.push(None);
                continue;
            };
            if has_value(&message.format, &rules) && !formats.contains(&message.format) {
                formats.push(message.format.clone());
            }
            let key = (message.format.to_string(), message.raw.as_slice());
            let number = *numbers.entry(key).or_insert_with(|| {
                heads.push(head(conversation, step, message));
                heads.len() - 1
            });
            of_each.push(Some(number));
        }
        let longest = heads.iter().map(|head| raw(head).len()).max().unwrap_or(0);
        (Beginnings { heads, formats, rules, longest }, of_each)
    }

    /// The beginnings that have the same value as what was `heard`. One after the other: a client decides
    /// how long it is, and it is not to be kept once for each of them.
    pub(super) fn alike(&self, heard: &[u8]) -> Vec<usize> {
        let arrival = Arrival { at: Timestamp::now(), frame: None };
        let is_alike = |head: &Conversation| {
            let mut comparison = Comparison::new(head, Side::Client, &self.rules);
            comparison.take(arrival, heard);
            comparison.end();
            comparison.arrived > 0 && comparison.differing == 0
        };
        let heads = self.heads.iter().enumerate();
        heads.filter(|(_, head)| is_alike(head)).map(|(number, _)| number).collect()
    }
}

/// What a client has said so far, against what recorded clients said first.
pub(super) struct Introduction<'a> {
    beginnings: &'a Beginnings,
    heard: Vec<u8>,
    /// The beginnings with which the bytes agree, so far as they go.
    agreeing: Vec<usize>,
    /// Once there are none: what finds the ends of messages, in each of the formats.
    scouts: Vec<Decoder>,
    /// Once it is known who it is.
    found: Option<Vec<usize>>,
}

/// What is known of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// What it says has not ended.
    NotYet,
    /// What it has said may be all, or not.
    Soon,
    /// It has said one of these beginnings, which have the same value.
    Begins(Vec<usize>),
    /// Nobody who was recorded begins so.
    Nobody,
}

impl<'a> Introduction<'a> {
    pub(super) fn new(beginnings: &'a Beginnings) -> Introduction<'a> {
        let agreeing = (0..beginnings.heads.len()).collect();
        Introduction { beginnings, heard: Vec::new(), agreeing, scouts: Vec::new(), found: None }
    }

    /// All that it said.
    pub(super) fn into_heard(self) -> Vec<u8> {
        self.heard
    }

    /// Whether it has said nothing.
    pub(super) fn is_silent(&self) -> bool {
        self.heard.is_empty()
    }

    /// Takes bytes that arrived.
    pub(super) fn take(&mut self, arrival: Arrival, bytes: &[u8]) {
        let before = self.heard.len();
        self.heard.extend_from_slice(bytes);
        if self.found.is_some() {
            return;
        }
        if self.agreeing.is_empty() {
            return self.scout(arrival, before);
        }
        let heads = &self.beginnings.heads;
        self.agreeing.retain(|&number| {
            let rest = raw(&heads[number]).get(before..).unwrap_or_default();
            rest.iter().zip(bytes).all(|(recorded, live)| recorded == live)
        });
        match self.by_bytes() {
            Known::Begins(numbers) => self.found = Some(numbers),
            Known::Nobody => {
                let formats = self.beginnings.formats.iter();
                self.scouts = formats.filter(|one| one.is_delimited()).map(Decoder::new).collect();
                self.scout(arrival, 0);
            }
            Known::NotYet | Known::Soon => {}
        }
    }

    /// No more comes, or not soon enough.
    pub(super) fn end(&mut self) {
        if self.found.is_some() {
            return;
        }
        self.found = Some(match self.said() {
            Some(number) => vec![number],
            None if self.is_silent() => Vec::new(),
            None => self.beginnings.alike(&self.heard),
        });
    }

    pub(super) fn known(&self) -> Known {
        match &self.found {
            Some(numbers) if numbers.is_empty() => Known::Nobody,
            Some(numbers) => Known::Begins(numbers.clone()),
            None if !self.agreeing.is_empty() => self.by_bytes(),
            None if self.scouts.is_empty() => Known::Soon,
            None => Known::NotYet,
        }
    }

    fn by_bytes(&self) -> Known {
        let length = |number: &usize| raw(&self.beginnings.heads[*number]).len();
        let may_go_on = self.agreeing.iter().any(|number| length(number) > self.heard.len());
        match (self.said(), may_go_on) {
            (Some(number), false) => Known::Begins(vec![number]),
            (Some(_), true) => Known::Soon,
            (None, true) => Known::NotYet,
            (None, false) => Known::Nobody,
        }
    }

    /// The longest beginning that it has said, byte by byte.
    fn said(&self) -> Option<usize> {
        let length = |number: &usize| raw(&self.beginnings.heads[*number]).len();
        let said = self.agreeing.iter().filter(|number| length(number) <= self.heard.len());
        said.copied().max_by_key(length)
    }

    /// Looks for the end of the first message in what was heard from `begin` on.
    fn scout(&mut self, arrival: Arrival, begin: usize) {
        let Introduction { beginnings, heard, scouts, found, .. } = self;
        scouts.retain_mut(|scout| {
            let mut first = None;
            scout.push(arrival, &heard[begin..], &mut |decoded| {
                first.get_or_insert(decoded.raw.len());
            });
            if let Some(length) = first
                && found.is_none()
            {
                let alike = beginnings.alike(&heard[..length.min(heard.len())]);
                *found = Some(alike).filter(|alike| !alike.is_empty());
            }
            first.is_none()
        });
        let by_silence = beginnings.formats.iter().any(|one| !one.is_delimited());
        let too_long = heard.len() > beginnings.longest.saturating_add(BEYOND);
        if found.is_none() && (too_long || scouts.is_empty() && !by_silence) {
            *found = Some(Vec::new());
        }
    }
}

/// Whether messages that differ in bytes may have the same value.
fn has_value(format: &Format, rules: &Rules) -> bool {
    let decoded = !matches!(format.codec(), Codec::Raw | Codec::Text(_) | Codec::Auto);
    rules.compare == Compare::Values && (decoded || format.is_delimited())
}

/// A conversation that ends with its client's first message.
fn head(whole: &Conversation, step: &Step, message: &Message) -> Conversation {
    let end = message.offset + message.raw.len() as u64;
    let gaps = whole.gaps.iter().filter(|gap| gap.side == Side::Client && gap.offset < end);
    Conversation {
        connection: whole.connection,
        formats: whole.formats.clone(),
        client: whole.client,
        server: whole.server,
        opened: whole.opened,
        due: whole.due,
        start: whole.start,
        steps: vec![Step {
            at: step.at,
            due: step.due,
            side: step.side,
            action: Action::Send(Box::new(message.clone())),
        }],
        gaps: gaps.copied().collect(),
        cut: whole.cut,
        clamped: 0,
    }
}

/// The first message's bytes.
fn raw(head: &Conversation) -> &[u8] {
    let message = head.steps.first().and_then(|step| step.message_of(Side::Client));
    message.map_or(&[], |message| message.raw.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Path;
    use crate::session::{ConnectionId, Event, Kind, Sink, Start};

    fn beginnings(format: &str, said: &[&[u8]], rules: &Rules) -> (Beginnings, Vec<Option<usize>>) {
        let script = Script::read(Format::parse(format).unwrap(), |sink: &mut dyn Sink| {
            for (number, bytes) in said.iter().enumerate() {
                let connection = ConnectionId(number as u64);
                let address = ([127, 0, 0, 1], 1).into();
                let (client, server, start) = (address, address, Start::Seen);
                let open = Kind::Open { client, server, start, route: None };
                let data = Kind::Data { side: Side::Client, bytes };
                let end = Kind::Eof { side: Side::Client };
                for kind in
                    [open, data, end].into_iter().filter(|kind| *kind != data || !bytes.is_empty())
                {
                    let at = Timestamp(1_000_000 + number as i64);
                    sink.event(&Event { at, connection, frame: None, kind })?;
                }
            }
            Ok(())
        })
        .unwrap();
        Beginnings::of(&script, &(0..said.len()).collect::<Vec<_>>(), rules)
    }

    /// What is known after each piece, and at the end.
    fn heard(beginnings: &Beginnings, pieces: &[&[u8]]) -> Vec<Known> {
        let mut introduction = Introduction::new(beginnings);
        let mut known = Vec::new();
        for piece in pieces {
            introduction.take(Arrival { at: Timestamp(0), frame: None }, piece);
            known.push(introduction.known());
        }
        introduction.end();
        known.push(introduction.known());
        known
    }

    #[test]
    fn the_same_first_message_is_one_beginning_and_silence_is_none() {
        let (_, of_each) = beginnings("raw", &[b"a", b"b", b"", b"a"], &Rules::default());
        assert_eq!(of_each, [Some(0), Some(1), None, Some(0)]);
    }

    #[test]
    fn bytes_are_recognised_however_they_are_cut() {
        use Known::*;
        let (beginnings, _) = beginnings("raw", &[b"GET", b"GET /a", b"PUT"], &Rules::default());
        let begins = |number| Begins(vec![number]);
        assert_eq!(heard(&beginnings, &[b"P", b"UT more"]), [NotYet, begins(2), begins(2)]);
        assert_eq!(heard(&beginnings, &[b"GET"]), [Soon, begins(0)]);
        assert_eq!(heard(&beginnings, &[b"GET ", b"/a"]), [Soon, begins(1), begins(1)]);
        assert_eq!(heard(&beginnings, &[b"GET ", b"/b"]), [Soon, begins(0), begins(0)]);
        assert_eq!(heard(&beginnings, &[b"X"]), [Nobody, Nobody]);
        assert_eq!(heard(&beginnings, &[b"PU"]), [NotYet, Nobody]);
        assert_eq!(heard(&beginnings, &[]), [Nobody]);
    }

    const ONE: &[u8] = b"\x80\x04}(\x8c\x01a\x8c\x01x\x8c\x01t\x8c\x011u.";
    const TWO: &[u8] = b"\x80\x04}(\x8c\x01a\x8c\x01y\x8c\x01t\x8c\x012u.";
    const LIVE: &[u8] = b"\x80\x04}(\x8c\x01t\x8c\x013\x8c\x01a\x8c\x01yu.";

    #[test]
    fn values_are_recognised_where_bytes_are_not() {
        let ignore = vec![Path::parse("t").unwrap()];
        let rules = Rules { ignore, ..Rules::default() };
        let (begin, end) = LIVE.split_at(9);
        let second = Known::Begins(vec![1]);
        for (format, end_of_first) in [("pickle", &second), ("pickle/chunk", &Known::Soon)] {
            let (beginnings, _) = beginnings(format, &[ONE, TWO], &rules);
            let known = heard(&beginnings, &[begin, end]);
            assert_eq!((&known[1], &known[2]), (end_of_first, &second), "{format}");
            assert_eq!(heard(&beginnings, &[LIVE, b"more"])[2], second, "{format}");
            assert_eq!(heard(&beginnings, &[b"\x80\x04N."])[1], Known::Nobody, "{format}");
        }
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let (beginnings, _) = beginnings("text/line", &[b"hi\n"], &Rules::default());
        let piece = vec![b'x'; BEYOND];
        assert_eq!(heard(&beginnings, &[&piece, &piece])[..2], [Known::NotYet, Known::Nobody]);
    }

    #[test]
    fn bytes_are_all_that_counts_where_bytes_are_compared() {
        let rules = Rules { compare: Compare::Bytes, ..Rules::default() };
        let (beginnings, _) = beginnings("pickle", &[ONE, TWO], &rules);
        assert_eq!(heard(&beginnings, &[LIVE])[0], Known::Nobody);
        assert_eq!(heard(&beginnings, &[TWO])[0], Known::Begins(vec![1]));
    }
}
