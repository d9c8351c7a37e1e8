//! What was done and found on one connection.

use serde::Serialize;

use super::Outcome;
use crate::replay::carry::Carriage;
use crate::replay::compare::{Comparison, Difference};
use crate::replay::script::Conversation;
use crate::replay::timing::Timing;
use crate::session::{ConnectionId, Side};

/// What was done and found on one connection.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectionReceipt {
    /// Its number in the capture.
    pub connection: u64,
    /// What was played of it: `client` or `server`; `diff` where two captures were compared.
    pub role: &'static str,
    /// The verdict on it.
    pub outcome: Outcome,
    /// How many times it was played; what is counted below is counted over all of them.
    pub plays: u64,
    /// How many messages the recording has us send.
    pub planned: u64,
    /// How many of them the system took in full.
    pub sent: u64,
    /// How many bytes the system took.
    pub bytes_sent: u64,
    /// How many messages the recording has the other end send.
    pub expected: u64,
    /// How many of them came.
    pub arrived: u64,
    /// How many of those were compared.
    pub compared: u64,
    /// How many of those were equal.
    pub matched: u64,
    /// How many of those were not.
    pub differing: u64,
    /// How many came of which everything is ignored.
    pub ignored: u64,
    /// How many expected messages did not come.
    pub missed: u64,
    /// How many bytes came.
    pub bytes_received: u64,
    /// How many bytes came beyond what was recorded.
    pub unexpected_bytes: u64,
    /// In how many places the recording lacks bytes.
    pub gaps: u64,
    /// How often the other end was waited for in vain.
    pub stalls: u64,
    /// How many messages were sent before something of the other end that was recorded just before
    /// them, nearer than a recorder can tell the order.
    pub reordered: u64,
    /// How many recorded times ran backwards.
    pub clamped: u64,
    /// How closely our sends kept to their times; `None` where nothing was sent, or at full speed.
    pub timing: Option<Timing>,
    /// Why this is a verdict on a part of the connection only, in words.
    pub tainted: Vec<String>,
    /// What kept it from being played, or makes it fail, in words.
    pub failures: Vec<String>,
    /// What a reader of the verdict should know, in words.
    pub notes: Vec<String>,
    /// The first differences.
    pub differences: Vec<Difference>,
    /// The rules that found nothing to do here, as they were given.
    #[serde(skip)]
    pub(in crate::replay) unused: Vec<String>,
    /// How many messages came that were not recorded, and how many bytes they are.
    #[serde(skip)]
    pub(in crate::replay) unexpected_messages: (u64, u64),
    /// How often each value was carried.
    #[serde(skip)]
    pub(in crate::replay) carriages: Vec<Carriage>,
}

impl ConnectionReceipt {
    /// A connection of which nothing has been played yet.
    pub(in crate::replay) fn planned(conversation: &Conversation, ours: Side) -> ConnectionReceipt {
        let expected = conversation.messages(ours.other());
        ConnectionReceipt {
            planned: conversation.messages(ours),
            expected,
            missed: expected,
            gaps: conversation.gaps.len() as u64,
            clamped: conversation.clamped,
            tainted: conversation.taints(),
            ..ConnectionReceipt::blank(conversation.connection, ours)
        }
    }

    /// A connection that was asked for and is not in the capture.
    pub(in crate::replay) fn absent(connection: ConnectionId, ours: Side) -> ConnectionReceipt {
        let failures = vec!["not played: there is no such connection in the capture".to_owned()];
        ConnectionReceipt { failures, ..ConnectionReceipt::blank(connection, ours) }
    }

    fn blank(connection: ConnectionId, ours: Side) -> ConnectionReceipt {
        ConnectionReceipt {
            connection: connection.0,
            role: ours.name(),
            outcome: Outcome::Failed,
            plays: 0,
            planned: 0,
            sent: 0,
            bytes_sent: 0,
            expected: 0,
            arrived: 0,
            compared: 0,
            matched: 0,
            differing: 0,
            ignored: 0,
            missed: 0,
            bytes_received: 0,
            unexpected_bytes: 0,
            gaps: 0,
            stalls: 0,
            reordered: 0,
            clamped: 0,
            timing: None,
            tainted: Vec::new(),
            failures: Vec::new(),
            notes: Vec::new(),
            differences: Vec::new(),
            unused: Vec::new(),
            unexpected_messages: (0, 0),
            carriages: Vec::new(),
        }
    }

    /// A connection that could not be played at all.
    pub(in crate::replay) fn unplayed(
        conversation: &Conversation,
        ours: Side,
        reason: impl Into<String>,
    ) -> ConnectionReceipt {
        let mut receipt = ConnectionReceipt::planned(conversation, ours);
        receipt.failures.push(reason.into());
        receipt
    }

    /// Adds what was compared, and the verdict: only comparisons that took place count for it.
    pub(in crate::replay) fn conclude(&mut self, mut comparison: Comparison<'_>) {
        if let following @ 1.. = comparison.disregard_what_follows() {
            self.notes.push(format!(
                "the other end went on where the recording breaks off: {following} bytes are not judged"
            ));
        }
        self.plays = 1;
        self.missed = 0;
        self.unused = comparison.unused();
        self.carriages = comparison.carriages();
        self.add(comparison);
        self.decide();
    }

    /// Adds what was compared of one side.
    pub(in crate::replay) fn add(&mut self, comparison: Comparison<'_>) {
        self.arrived += comparison.arrived;
        self.compared += comparison.compared;
        self.matched += comparison.matched;
        self.differing += comparison.differing;
        self.ignored += comparison.ignored;
        self.missed += comparison.missed();
        self.bytes_received += comparison.bytes;
        self.unexpected_bytes += comparison.unexpected;
        self.unexpected_messages.0 += comparison.unexpected_messages.0;
        self.unexpected_messages.1 += comparison.unexpected_messages.1;
        self.differences.extend(comparison.differences);
    }

    /// The verdict, from what is counted.
    pub(in crate::replay) fn decide(&mut self) {
        let played = self.failures.is_empty() && self.sent == self.planned;
        let equal = self.differing == 0 && self.missed == 0 && self.unexpected_bytes == 0;
        self.outcome = match (played && equal, self.expected > 0 && self.matched == self.expected) {
            (false, _) => Outcome::Failed,
            // What was not compared is not verified, however much else was.
            (true, false) => Outcome::Delivered,
            (true, true) => Outcome::Verified,
        };
    }
}
