//! What a replay did and found, and the verdict that follows.

mod connection;
mod plays;
mod words;

use serde::Serialize;

pub use self::connection::ConnectionReceipt;
use super::carry::Carriage;
use super::server::Unmatched;
use super::timing::Timing;
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
