//! Which messages are chosen.

use super::condition::Condition;
use crate::message::Message;
use crate::session::Selection;

/// Messages by who sent them, when they were complete, and what they say; of connections that are
/// [selected](crate::session::Selecting) already.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// Who sent them, and when they were complete.
    pub selection: Selection,
    /// What their values have to be.
    pub condition: Option<Condition>,
    /// How many could not be decoded, and so not be looked at for the condition.
    unread: u64,
}

impl Chosen {
    /// Those of `selection` for whose value the condition holds, if there is one.
    pub fn new(selection: Selection, condition: Option<Condition>) -> Chosen {
        Chosen { selection, condition, unread: 0 }
    }

    /// Whether less is asked for than all there is.
    pub fn is_choosing(&self) -> bool {
        self.condition.is_some() || self.selection != Selection::default()
    }

    /// Whether a message is one of them. What has no value that could be looked into is not, and is counted.
    pub fn takes(&mut self, message: &Message) -> bool {
        if !self.selection.takes_side(message.side) || !self.selection.takes_time(message.time) {
            return false;
        }
        let holds = self.condition.as_ref().map_or(Some(true), |one| one.holds(message));
        self.unread += u64::from(holds.is_none());
        holds.unwrap_or(false)
    }

    /// What could not be looked at, in words.
    pub fn warning(&self) -> Option<String> {
        match self.unread {
            0 => None,
            1 => Some("1 message could not be decoded and was not looked at".to_owned()),
            count => Some(format!("{count} messages could not be decoded and were not looked at")),
        }
    }
}
