//! Values that are taken from live messages into what is sent: tokens, session numbers, challenges.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::path::Path;
use crate::message::Message;
use crate::session::Side;
use crate::{Error, Result};

/// Where a value is taken from, and where it is put: `server:$.token→client:$.token`.
///
/// What a recorded message of the one side says at the first path is what the live one says there from
/// then on; wherever a recorded message of the other side says the recorded value at the second path, the
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

/// What was learnt on one connection.
#[derive(Debug, Default)]
pub(super) struct Carried {}

impl Carried {
    /// What is sent in place of a recorded message of ours: itself, unless it says something of which
    /// the live value is known.
    ///
    /// # Errors
    /// Why the live value cannot be put there, in words.
    #[expect(clippy::unused_self)]
    pub(super) fn apply<'m>(
        &self,
        message: &'m Message,
    ) -> std::result::Result<Cow<'m, [u8]>, String> {
        Ok(Cow::Borrowed(&message.raw))
    }
}
