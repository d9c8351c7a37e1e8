//! What a replay did and found, and the verdict that follows.

use std::fmt;

use serde::Serialize;

use super::compare::{Comparison, Difference};
use super::script::Conversation;
use crate::session::Side;

/// The verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All was played, and all answers were compared and equal.
    Verified,
    /// All was played and accepted; there were no answers to compare.
    Delivered,
    /// Anything else; nothing played among it.
    Failed,
}

impl Outcome {
    /// `verified`, `delivered` or `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Verified => "verified",
            Outcome::Delivered => "delivered",
            Outcome::Failed => "failed",
        }
    }
}

/// What a whole replay did and found.
#[derive(Clone, Debug, Serialize)]
pub struct Receipt {
    /// The verdict on all connections together.
    pub outcome: Outcome,
    /// What was played, as recorded: `client` or `server`.
    pub role: &'static str,
    /// Each recorded connection, in recorded order.
    pub connections: Vec<ConnectionReceipt>,
}

/// What was done and found on one connection.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionReceipt {
    /// Its number in the capture.
    pub connection: u64,
    /// The verdict on it.
    pub outcome: Outcome,
    /// How many messages the recording has us send.
    pub planned: u64,
    /// How many of them the system took in full.
    pub sent: u64,
    /// How many bytes the system took.
    pub bytes_sent: u64,
    /// How many messages the recording has the other end send.
    pub expected: u64,
    /// How many of them came and were compared.
    pub compared: u64,
    /// How many of those were equal.
    pub matched: u64,
    /// How many of those were not.
    pub differing: u64,
    /// How many expected messages did not come.
    pub missed: u64,
    /// How many bytes came.
    pub bytes_received: u64,
    /// How many bytes came beyond what was recorded.
    pub unexpected_bytes: u64,
    /// What kept it from being played, or makes it fail, in words.
    pub failures: Vec<String>,
    /// What a reader of the verdict should know, in words.
    pub notes: Vec<String>,
    /// The first differences.
    pub differences: Vec<Difference>,
}

impl Receipt {
    /// The verdict on these connections, played as `role`.
    pub(super) fn new(role: Side, connections: Vec<ConnectionReceipt>) -> Receipt {
        let any = |outcome| connections.iter().any(|one| one.outcome == outcome);
        let nothing = connections.iter().all(|one| one.planned + one.expected == 0);
        let outcome = if nothing || any(Outcome::Failed) {
            Outcome::Failed
        } else if any(Outcome::Verified) {
            Outcome::Verified
        } else {
            Outcome::Delivered
        };
        Receipt { outcome, role: role.name(), connections }
    }

    /// Whether all was played and nothing differed.
    pub fn is_ok(&self) -> bool {
        self.outcome != Outcome::Failed
    }
}

impl ConnectionReceipt {
    /// A connection of which nothing has been played yet.
    pub(super) fn planned(conversation: &Conversation, ours: Side) -> ConnectionReceipt {
        let expected = conversation.messages(ours.other());
        ConnectionReceipt {
            connection: conversation.connection.0,
            outcome: Outcome::Failed,
            planned: conversation.messages(ours),
            sent: 0,
            bytes_sent: 0,
            expected,
            compared: 0,
            matched: 0,
            differing: 0,
            missed: expected,
            bytes_received: 0,
            unexpected_bytes: 0,
            failures: Vec::new(),
            notes: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// A connection that could not be played at all.
    pub(super) fn unplayed(
        conversation: &Conversation,
        ours: Side,
        reason: impl Into<String>,
    ) -> ConnectionReceipt {
        let mut receipt = ConnectionReceipt::planned(conversation, ours);
        receipt.failures.push(reason.into());
        receipt
    }

    /// Adds what was compared, and the verdict: only comparisons that took place count for it.
    pub(super) fn conclude(&mut self, comparison: Comparison<'_>) {
        self.compared = comparison.arrived;
        self.matched = comparison.matched;
        self.differing = comparison.differing;
        self.missed = comparison.missed();
        self.bytes_received = comparison.bytes;
        self.unexpected_bytes = comparison.unexpected;
        self.differences = comparison.differences;
        let played = self.failures.is_empty() && self.sent == self.planned;
        let equal = self.differing == 0 && self.missed == 0 && self.unexpected_bytes == 0;
        self.outcome = match (played && equal, self.matched) {
            (false, _) => Outcome::Failed,
            (true, 0) => Outcome::Delivered,
            (true, _) => Outcome::Verified,
        };
    }
}

/// The receipt as a person reads it: a paragraph per connection, the verdict last.
impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.connections {
            writeln!(f, "{one}")?;
        }
        if self.connections.iter().all(|one| one.planned + one.expected == 0) {
            return write!(f, "{}: nothing to play was recorded", self.outcome.name());
        }
        let sum = |field: fn(&ConnectionReceipt) -> u64| self.connections.iter().map(field).sum();
        let (planned, sent): (u64, u64) = (sum(|one| one.planned), sum(|one| one.sent));
        let (expected, matched): (u64, u64) = (sum(|one| one.expected), sum(|one| one.matched));
        let connections = counted(self.connections.len() as u64, "connection");
        write!(f, "{}: {connections}", self.outcome.name())?;
        if planned > 0 {
            write!(f, ", sent {sent} of {}", counted(planned, "message"))?;
        }
        if expected > 0 {
            write!(f, ", {matched} of {} as recorded", counted(expected, "message"))
        } else {
            write!(f, ", nothing to compare")
        }
    }
}

impl fmt::Display for ConnectionReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ConnectionReceipt { connection, planned, sent, bytes_sent, .. } = self;
        let ConnectionReceipt { expected, compared, matched, differing, .. } = self;
        write!(f, "connection {connection}: {}", self.outcome.name())?;
        if *planned > 0 {
            let (messages, bytes) = (counted(*planned, "message"), counted(*bytes_sent, "byte"));
            write!(f, ", sent {sent} of {messages} ({bytes})")?;
        }
        if *expected > 0 {
            let messages = counted(*expected, "message");
            write!(
                f,
                ", received {compared} of {messages}, {matched} equal, {differing} differing"
            )?;
        }
        if self.unexpected_bytes > 0 {
            write!(f, ", {} too many", counted(self.unexpected_bytes, "byte"))?;
        }
        for failure in &self.failures {
            write!(f, "\n  {failure}")?;
        }
        for note in &self.notes {
            write!(f, "\n  note: {note}")?;
        }
        for difference in &self.differences {
            write!(f, "\n  {difference}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { offset, got, .. } = self;
        match (&self.index, &self.expected) {
            (Some(index), Some(expected)) => {
                write!(f, "message {index}, offset {offset}: expected {expected}, got {got}")
            }
            _ => write!(f, "offset {offset}: not expected: {got}"),
        }
    }
}

/// `1 message`, `2 messages`.
fn counted(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}
