//! What a replay did and found, and the verdict that follows.

mod plays;
mod words;

use serde::Serialize;

use super::carry::Carriage;
use super::compare::{Comparison, Difference};
use super::script::Conversation;
use super::server::Unmatched;
use super::timing::Timing;
use crate::session::{ConnectionId, Side};

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
    /// Whether something that was played is only a part of what happened when it was recorded; see
    /// the damage, and the connections.
    pub tainted: bool,
    /// What was played, as recorded: `client` or `server`; `both` where some connections were played
    /// as the one and some as the other; `diff` where two captures were compared.
    pub role: &'static str,
    /// The captures that were played.
    pub captures: Vec<CaptureDigest>,
    /// What the captures lack or could not be read of, in words.
    pub damage: Vec<String>,
    /// What a reader of the verdict should know, in words.
    pub notes: Vec<String>,
    /// How closely the sends on all connections kept to their times.
    pub timing: Option<Timing>,
    /// Each recorded connection, in recorded order.
    pub connections: Vec<ConnectionReceipt>,
    /// Clients that were none of the recorded ones.
    pub unmatched: Unmatched,
}

/// Which file was played: a verdict is about these bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureDigest {
    /// Its name, as given.
    pub path: String,
    /// SHA-256 of all of it, in hexadecimal digits.
    pub sha256: String,
}

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
    pub(super) unused: Vec<String>,
    /// How many messages came that were not recorded, and how many bytes they are.
    #[serde(skip)]
    pub(super) unexpected_messages: (u64, u64),
    /// How often each value was carried.
    #[serde(skip)]
    pub(super) carriages: Vec<Carriage>,
}

impl Receipt {
    /// The verdict on these connections.
    pub(super) fn new(connections: Vec<ConnectionReceipt>) -> Receipt {
        let any = |outcome| connections.iter().any(|one| one.outcome == outcome);
        let nothing = connections.iter().all(|one| one.planned + one.expected == 0);
        let uncompared =
            |one: &ConnectionReceipt| one.outcome != Outcome::Verified && one.expected > 0;
        let outcome = if nothing || any(Outcome::Failed) {
            Outcome::Failed
        } else if any(Outcome::Verified) && !connections.iter().any(uncompared) {
            Outcome::Verified
        } else {
            Outcome::Delivered
        };
        let played = |side: Side| connections.iter().any(|one| one.role == side.name());
        let role = match (played(Side::Client), played(Side::Server)) {
            (true, true) => "both",
            (false, true) => Side::Server.name(),
            _ => Side::Client.name(),
        };
        let timing = connections.iter().filter_map(|one| one.timing.clone()).reduce(|all, one| {
            let mut all = all;
            all.add(&one);
            all
        });
        Receipt {
            outcome,
            tainted: connections.iter().any(|one| !one.tainted.is_empty()),
            role,
            captures: Vec::new(),
            damage: Vec::new(),
            notes: [unused(&connections), half_carried(&connections)].concat(),
            timing,
            connections,
            unmatched: Unmatched::default(),
        }
    }

    /// The verdict with clients that were none of the recorded ones: what was not recorded and had to
    /// be refused makes it fail.
    pub(super) fn and_unmatched(mut self, unmatched: Unmatched) -> Receipt {
        if unmatched.closed > 0 {
            self.outcome = Outcome::Failed;
        }
        self.unmatched = unmatched;
        self
    }

    /// The verdict on both, of one recording.
    pub(super) fn with(self, other: Receipt) -> Receipt {
        let mut connections = self.connections;
        connections.extend(other.connections);
        connections.sort_by_key(|one| one.connection);
        // Only one of them was a server, to whom clients come.
        let unmatched = match self.unmatched.clients.is_empty() {
            true => other.unmatched,
            false => self.unmatched,
        };
        Receipt::new(connections).and_unmatched(unmatched)
    }

    /// Taints the verdict: so much is not in the captures.
    pub fn and_damage(&mut self, damage: Vec<String>) {
        self.tainted |= !damage.is_empty();
        self.damage.extend(damage);
    }

    /// Whether all was played and nothing differed.
    pub fn is_ok(&self) -> bool {
        self.outcome != Outcome::Failed
    }

    /// Whether all was played, and compared, and equal, and the recording lacks nothing.
    pub fn is_verified(&self) -> bool {
        self.outcome == Outcome::Verified && !self.tainted
    }
}

/// Says which rules found nothing to do on any connection that was compared: a misspelt path must not
/// go unnoticed.
fn unused(connections: &[ConnectionReceipt]) -> Vec<String> {
    let mut played = connections.iter().filter(|one| one.arrived > 0);
    let Some(first) = played.next() else { return Vec::new() };
    let everywhere = |rule: &&String| played.clone().all(|one| one.unused.contains(rule));
    let unused = first.unused.iter().filter(everywhere);
    unused.map(|rule| format!("{rule} applied to nothing")).collect()
}

/// Says which values were not carried from the one end to the other.
fn half_carried(connections: &[ConnectionReceipt]) -> Vec<String> {
    let mut all: Vec<Carriage> = Vec::new();
    for one in connections.iter().flat_map(|one| &one.carriages) {
        add_carriage(&mut all, one.clone());
    }
    let halves = all.into_iter().filter(|one| one.read == 0 || one.sent == 0);
    let times = |count| format!("{count} {}", if count == 1 { "time" } else { "times" });
    halves
        .map(|Carriage { carry, read, sent }| match (read, sent) {
            (0, 0) => format!("--carry {carry} applied to nothing"),
            _ => format!("--carry {carry}: read {}, sent {}", times(read), times(sent)),
        })
        .collect()
}

fn add_carriage(all: &mut Vec<Carriage>, one: Carriage) {
    match all.iter_mut().find(|other| other.carry == one.carry) {
        Some(sum) => {
            sum.read += one.read;
            sum.sent += one.sent;
        }
        None => all.push(one),
    }
}

impl ConnectionReceipt {
    /// A connection of which nothing has been played yet.
    pub(super) fn planned(conversation: &Conversation, ours: Side) -> ConnectionReceipt {
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
    pub(super) fn absent(connection: ConnectionId, ours: Side) -> ConnectionReceipt {
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
    pub(super) fn conclude(&mut self, mut comparison: Comparison<'_>) {
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
    pub(super) fn add(&mut self, comparison: Comparison<'_>) {
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
    pub(super) fn decide(&mut self) {
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
