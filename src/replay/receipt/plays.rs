//! Several plays of one recorded connection in one receipt.

use super::{ConnectionReceipt, Outcome};
use crate::replay::compare::Comparison;

impl ConnectionReceipt {
    /// Adds another play of the same connection: what was counted is summed up, and it is as good as
    /// the worst of them. However many there are, only the first words are kept.
    pub(in crate::replay) fn add_play(&mut self, other: ConnectionReceipt) {
        self.outcome = match (self.outcome, other.outcome) {
            (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
            (Outcome::Delivered, _) | (_, Outcome::Delivered) => Outcome::Delivered,
            (Outcome::Verified, Outcome::Verified) => Outcome::Verified,
        };
        for (sum, more) in [
            (&mut self.plays, other.plays),
            (&mut self.planned, other.planned),
            (&mut self.sent, other.sent),
            (&mut self.bytes_sent, other.bytes_sent),
            (&mut self.expected, other.expected),
            (&mut self.arrived, other.arrived),
            (&mut self.compared, other.compared),
            (&mut self.matched, other.matched),
            (&mut self.differing, other.differing),
            (&mut self.ignored, other.ignored),
            (&mut self.missed, other.missed),
            (&mut self.bytes_received, other.bytes_received),
            (&mut self.unexpected_bytes, other.unexpected_bytes),
            (&mut self.unexpected_messages.0, other.unexpected_messages.0),
            (&mut self.unexpected_messages.1, other.unexpected_messages.1),
            (&mut self.stalls, other.stalls),
            (&mut self.reordered, other.reordered),
        ] {
            *sum += more;
        }
        self.timing = match (self.timing.take(), other.timing) {
            (Some(mut timing), Some(more)) => {
                timing.add(&more);
                Some(timing)
            }
            (one, other) => one.or(other),
        };
        add_some(&mut self.failures, other.failures);
        add_some(&mut self.notes, other.notes);
        add_some(&mut self.differences, other.differences);
        for one in other.carriages {
            super::add_carriage(&mut self.carriages, one);
        }
        // A rule that did something in one of them is not misspelt.
        self.unused.retain(|rule| other.unused.contains(rule));
    }
}

/// Adds what is new, as long as it is not too much.
fn add_some<T: PartialEq>(kept: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if kept.len() < Comparison::KEPT && !kept.contains(&one) {
            kept.push(one);
        }
    }
}
