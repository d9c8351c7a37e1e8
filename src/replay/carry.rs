//! Values that are taken from live messages into what is sent: tokens, session numbers, challenges.

mod put;
mod splice;
mod written;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde_json::Value as Json;

use super::document::Document;
use super::path::Path;
use super::script::Conversation;
use crate::message::Message;
use crate::session::Side;
use crate::{Error, Result};

/// Where a value is taken from, and where it is put: `server:$.token→client:$.token`.
///
/// What a recorded message of the one side says at the first path stands for what the live one says
/// there; wherever a recorded message of the other side says the recorded value at the second path, the
/// live value is sent in its place. Everything else is sent as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Carry {
    /// Whose live messages it is taken from.
    pub from: Side,
    /// Where in them.
    pub source: Path,
    /// Where in the messages of the other side.
    pub target: Path,
}

impl fmt::Display for Carry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}→{}:{}", self.from, self.source, self.from.other(), self.target)
    }
}

impl FromStr for Carry {
    type Err = Error;

    fn from_str(given: &str) -> Result<Carry> {
        let refuse = |reason: &str| {
            Error::Usage(format!(
                "{given:?} carries nothing: {reason}; write SIDE:PATH->SIDE:PATH as \
                 'server:$.token->client:$.token'"
            ))
        };
        let arrow = given.split_once('→').or_else(|| given.split_once("->"));
        let (source, target) = arrow.ok_or_else(|| refuse("it has no arrow"))?;
        let end = |text: &str| {
            let (side, path) = text
                .trim()
                .split_once(':')
                .ok_or_else(|| refuse("each side of the arrow is client: or server: and a path"))?;
            let side = Side::BOTH.into_iter().find(|known| known.name() == side);
            let side = side.ok_or_else(|| refuse("a side is client or server"))?;
            Ok::<_, Error>((side, Path::parse(path)?))
        };
        let ((from, source), (to, target)) = (end(source)?, end(target)?);
        if from == to {
            return Err(refuse("it carries from one side to the other"));
        }
        Ok(Carry { from, source, target })
    }
}

/// What was learnt on one connection of the messages of one side.
pub(super) struct Carried<'a> {
    carries: Vec<Learnt<'a>>,
}

struct Learnt<'a> {
    carry: &'a Carry,
    /// What the other side was recorded to say at the target, as JSON: the number of the last message in
    /// which it does.
    wanted: HashMap<String, u64>,
    /// What came, by the JSON of what was recorded in its place; the last of it.
    live: HashMap<String, Json>,
    read: u64,
    sent: u64,
}

/// How often a value was carried.
#[derive(Clone, Debug, PartialEq)]
pub struct Carriage {
    /// Which one, as it was given.
    pub carry: String,
    /// How often a live message said something at the source, where the recorded one did.
    pub read: u64,
    /// How often what was read was sent.
    pub sent: u64,
}

/// What of two messages is carried, and therefore not compared.
#[derive(Default)]
pub(super) struct Taken<'d> {
    pub(super) recorded: Vec<&'d Json>,
    pub(super) live: Vec<&'d Json>,
    /// What the recorded one says and the live one does not, with the path.
    pub(super) missing: Vec<(String, String)>,
}

impl<'a> Carried<'a> {
    /// Nothing yet, of the live messages of `side`.
    pub(super) fn new(
        carries: &'a [Carry],
        side: Side,
        conversation: &Conversation,
    ) -> Carried<'a> {
        let carries = carries.iter().filter(|carry| carry.from == side);
        let mut carries: Vec<Learnt<'a>> = carries
            .map(|carry| {
                let (wanted, live) = (HashMap::new(), HashMap::new());
                Learnt { carry, wanted, live, read: 0, sent: 0 }
            })
            .collect();
        if carries.is_empty() {
            return Carried { carries };
        }
        for message in conversation.steps.iter().filter_map(|step| step.message_of(side.other())) {
            let Ok(value) = &message.body else { continue };
            let Ok(document) = Document::of(&message.format, value) else { continue };
            for learnt in &mut carries {
                for value in learnt.carry.target.select(&document.json) {
                    learnt.wanted.insert(value.to_string(), message.index);
                }
            }
        }
        Carried { carries }
    }

    /// Whether there is nothing to learn.
    pub(super) fn is_empty(&self) -> bool {
        self.carries.is_empty()
    }

    /// How often each was read and sent.
    pub(super) fn carriages(&self) -> Vec<Carriage> {
        let carries = self.carries.iter();
        let carriage = |Learnt { carry, read, sent, .. }: &Learnt<'a>| Carriage {
            carry: carry.to_string(),
            read: *read,
            sent: *sent,
        };
        carries.map(carriage).collect()
    }

    /// Remembers what a live message says in place of the recorded one of this number, as far as that is
    /// sent later.
    pub(super) fn learn<'d>(
        &mut self,
        index: u64,
        recorded: &'d Document,
        live: &'d Document,
    ) -> Taken<'d> {
        let mut taken = Taken::default();
        for learnt in &mut self.carries {
            let source = &learnt.carry.source;
            let mut came = source.select(&live.json).into_iter();
            for value in source.select(&recorded.json) {
                let (spelled, came) = (value.to_string(), came.next());
                learnt.read += u64::from(came.is_some());
                // What is not sent later is not carried: it is compared like anything else.
                if learnt.wanted.get(&spelled).is_none_or(|last| *last < index) {
                    continue;
                }
                taken.recorded.push(value);
                match came {
                    Some(live) => {
                        taken.live.push(live);
                        learnt.live.insert(spelled, live.clone());
                    }
                    None => taken.missing.push((source.to_string(), spelled)),
                }
            }
        }
        taken
    }

    /// What is sent in place of a recorded message of the other side: itself, unless it says something
    /// of which the live value is known.
    ///
    /// # Errors
    /// Why the live value cannot be put there, in words.
    pub(super) fn apply<'m>(
        &mut self,
        message: &'m Message,
    ) -> std::result::Result<Cow<'m, [u8]>, String> {
        let unchanged = Ok(Cow::Borrowed(message.raw.as_slice()));
        let Ok(value) = &message.body else { return unchanged };
        if self.carries.iter().all(|learnt| learnt.live.is_empty()) {
            return unchanged;
        }
        let refuse = |carry: &Carry, reason: &str| {
            Err(format!("cannot carry {carry} into message {}: {reason}", message.index))
        };
        let document = match Document::of(&message.format, value) {
            Ok(document) => document,
            Err(reason) => return refuse(self.carries[0].carry, reason),
        };
        let mut changes = Vec::new();
        let mut last = None;
        for Learnt { carry, live, sent, .. } in &mut self.carries {
            for (place, recorded) in carry.target.locate(&document.json) {
                let Some(live) = live.get(&recorded.to_string()) else { continue };
                *sent += 1;
                if live != recorded {
                    changes.push((place, live));
                    last = Some(*carry);
                }
            }
        }
        match last {
            None => unchanged,
            Some(carry) => match put::into(message, value, &document, changes) {
                Ok(bytes) => Ok(Cow::Owned(bytes)),
                Err(reason) => refuse(carry, &reason),
            },
        }
    }
}
