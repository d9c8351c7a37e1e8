//! What a client says first, and which recorded client begins so. Sans-I/O: bytes come in as they
//! arrive.
//!
//! A recorded first message is recognised by its bytes at once; by its value, as the rules have it, where
//! no recorded one begins with the same bytes.

use std::collections::HashMap;

use super::compare::Comparison;
use super::rules::{Compare, Rules};
use super::script::{Action, Conversation, Script, Step};
use crate::message::Message;
use crate::session::{Side, Timestamp};
use crate::wire::{Arrival, Codec, Format};

/// How much more than the longest recorded first message is heard of a client, in bytes, before it is
/// given up.
const BEYOND: usize = 1 << 20;

/// The first messages of recorded clients, each once.
pub(super) struct Beginnings {
    /// Connections of which nothing but the first message is left.
    heads: Vec<Conversation>,
    rules: Rules,
    longest: usize,
}

impl Beginnings {
    /// No first messages: nobody is recognised.
    pub(super) fn none() -> Beginnings {
        Beginnings { heads: Vec::new(), rules: Rules::default(), longest: 0 }
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
        let mut heads = Vec::new();
        let mut numbers: HashMap<(String, &[u8]), usize> = HashMap::new();
        let mut of_each = Vec::with_capacity(places.len());
        for &place in places {
            let conversation = &script.conversations[place];
            let first = conversation.steps.first();
            let Some((step, message)) =
                first.and_then(|step| Some((step, step.message_of(Side::Client)?)))
            else {
                of_each.push(None);
                continue;
            };
            let key = (message.format.to_string(), message.raw.as_slice());
            let number = *numbers.entry(key).or_insert_with(|| {
                heads.push(head(conversation, step, message));
                heads.len() - 1
            });
            of_each.push(Some(number));
        }
        let longest = heads.iter().map(|head| first(head).len()).max().unwrap_or(0);
        (Beginnings { heads, rules, longest }, of_each)
    }

    /// The beginnings that have the value of the first message in `heard`.
    pub(super) fn alike(&self, heard: &[u8]) -> Vec<usize> {
        let mut introduction = Introduction::new(self);
        introduction.by_value = Some(self.comparisons());
        introduction.take(Arrival { at: Timestamp::now(), frame: None }, heard);
        introduction.end();
        match introduction.known() {
            Known::Begins(numbers) => numbers,
            Known::Perhaps(_) | Known::NotYet | Known::Nobody => Vec::new(),
        }
    }

    /// For each beginning that can be recognised by more than its bytes, what is expected.
    fn comparisons(&self) -> Vec<(usize, Comparison<'_>)> {
        let with_value = |head: &Conversation| {
            let codec = format(head).codec();
            let decoded = !matches!(codec, Codec::Raw | Codec::Text | Codec::Auto);
            format(head).is_delimited() || decoded && self.rules.compare == Compare::Values
        };
        let heads = self.heads.iter().enumerate().filter(|(_, head)| with_value(head));
        heads
            .map(|(number, head)| (number, Comparison::new(head, Side::Client, &self.rules)))
            .collect()
    }
}

/// What a client has said so far, against what recorded clients said first.
pub(super) struct Introduction<'a> {
    beginnings: &'a Beginnings,
    heard: Vec<u8>,
    /// Once it is known not to be recognised by its bytes.
    by_value: Option<Vec<(usize, Comparison<'a>)>>,
}

/// What is known of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It may still turn out to be anyone.
    NotYet,
    /// It has said this beginning, and may go on to say a longer one.
    Perhaps(usize),
    /// It has said one of these beginnings, which have the same value.
    Begins(Vec<usize>),
    /// Nobody who was recorded begins so.
    Nobody,
}

impl<'a> Introduction<'a> {
    pub(super) fn new(beginnings: &'a Beginnings) -> Introduction<'a> {
        Introduction { beginnings, heard: Vec::new(), by_value: None }
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
        self.heard.extend_from_slice(bytes);
        if let Some(comparisons) = &mut self.by_value {
            comparisons.iter_mut().for_each(|(_, one)| one.take(arrival, bytes));
        } else if self.by_bytes() == Known::Nobody {
            self.turn_to_values(arrival);
        }
    }

    /// When [`expire`](Introduction::expire) may say more if nothing else comes.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        let comparisons = self.by_value.as_deref().unwrap_or_default();
        comparisons.iter().filter_map(|(_, one)| one.deadline()).min()
    }

    /// Nothing came until `now`.
    pub(super) fn expire(&mut self, now: Timestamp) {
        let comparisons = self.by_value.as_deref_mut().unwrap_or_default();
        comparisons.iter_mut().for_each(|(_, one)| one.expire(now));
    }

    /// No more comes than what came.
    pub(super) fn end(&mut self) {
        if self.by_value.is_none() && self.by_bytes() == Known::NotYet {
            self.turn_to_values(Arrival { at: Timestamp::now(), frame: None });
        }
        let comparisons = self.by_value.as_deref_mut().unwrap_or_default();
        comparisons.iter_mut().for_each(|(_, one)| one.end());
    }

    pub(super) fn known(&self) -> Known {
        let Some(comparisons) = &self.by_value else { return self.by_bytes() };
        let equal = |one: &&(usize, Comparison<'_>)| one.1.arrived > 0 && one.1.differing == 0;
        let equal: Vec<usize> = comparisons.iter().filter(equal).map(|one| one.0).collect();
        let too_long = self.heard.len() > self.beginnings.longest.saturating_add(BEYOND);
        if !equal.is_empty() {
            Known::Begins(equal)
        } else if !too_long && comparisons.iter().any(|(_, one)| one.arrived == 0) {
            Known::NotYet
        } else {
            Known::Nobody
        }
    }

    fn by_bytes(&self) -> Known {
        let heard = self.heard.as_slice();
        let heads = self.beginnings.heads.iter().map(first).enumerate();
        let said = heads.clone().filter(|(_, raw)| heard.starts_with(raw));
        let longest = said.max_by_key(|(_, raw)| raw.len()).map(|(number, _)| number);
        let mut longer = heads.filter(|(_, raw)| raw.len() > heard.len() && raw.starts_with(heard));
        match (longest, longer.next()) {
            (Some(number), None) => Known::Begins(vec![number]),
            (Some(number), Some(_)) => Known::Perhaps(number),
            (None, Some(_)) => Known::NotYet,
            (None, None) => Known::Nobody,
        }
    }

    fn turn_to_values(&mut self, arrival: Arrival) {
        let mut comparisons = self.beginnings.comparisons();
        comparisons.iter_mut().for_each(|(_, one)| one.take(arrival, &self.heard));
        self.by_value = Some(comparisons);
    }
}

/// A conversation that ends with its client's first message.
fn head(whole: &Conversation, step: &Step, message: &Message) -> Conversation {
    let end = message.offset + message.raw.len() as u64;
    let gaps = whole.gaps.iter().filter(|gap| gap.side == Side::Client && gap.offset < end);
    Conversation {
        connection: whole.connection,
        format: whole.format.clone(),
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
fn first(head: &Conversation) -> &[u8] {
    let message = head.steps.first().and_then(|step| step.message_of(Side::Client));
    message.map_or(&[], |message| message.raw.as_slice())
}

/// What the first message was read as.
fn format(head: &Conversation) -> &Format {
    let message = head.steps.first().and_then(|step| step.message_of(Side::Client));
    message.map_or(&head.format, |message| &message.format)
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
        let (beginnings, _) = beginnings("raw", &[b"GET", b"GET /a", b"PUT"], &Rules::default());
        use Known::*;
        assert_eq!(heard(&beginnings, &[b"P", b"UT more"])[..2], [NotYet, Begins(vec![2])]);
        assert_eq!(heard(&beginnings, &[b"GET"]), [Perhaps(0), Perhaps(0)]);
        assert_eq!(heard(&beginnings, &[b"GET ", b"/a"])[..2], [Perhaps(0), Begins(vec![1])]);
        assert_eq!(heard(&beginnings, &[b"GET /b"])[0], Begins(vec![0]));
        assert_eq!(heard(&beginnings, &[b"X"]), [Nobody, Nobody]);
        assert_eq!(heard(&beginnings, &[b"PU"]), [NotYet, Nobody]);
    }

    #[test]
    fn values_are_recognised_where_bytes_are_not() {
        let one = b"\x80\x04}(\x8c\x01a\x8c\x01x\x8c\x01t\x8c\x011u.";
        let two = b"\x80\x04}(\x8c\x01a\x8c\x01y\x8c\x01t\x8c\x012u.";
        let live = b"\x80\x04}(\x8c\x01t\x8c\x013\x8c\x01a\x8c\x01yu.";
        let ignore = vec![Path::parse("t").unwrap()];
        let rules = Rules { ignore, ..Rules::default() };
        let (beginnings, _) = beginnings("pickle", &[one, two], &rules);
        let (begin, end) = live.split_at(9);
        assert_eq!(heard(&beginnings, &[begin, end])[1], Known::Begins(vec![1]));
        assert_eq!(beginnings.alike(live), [1]);
        assert_eq!(heard(&beginnings, &[b"\x80\x04N."])[0], Known::Nobody);
    }
}
