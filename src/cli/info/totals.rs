//! What connections sum up to.

use super::census::{Counts, Occurrences};
use super::units::counted;
use crate::session::Side;

/// What was counted of all connections.
#[derive(Default)]
pub(super) struct Totals {
    connections: u64,
    bytes: [u64; 2],
    /// Where a format was given.
    messages: Option<u64>,
    missing: Occurrences,
}

impl Totals {
    pub(super) fn of<'a>(connections: impl Iterator<Item = &'a Counts>) -> Totals {
        let mut totals = Totals::default();
        for counts in connections {
            totals.connections += 1;
            for side in Side::BOTH {
                let one = &counts.sides[side.index()];
                totals.bytes[side.index()] += one.bytes;
                totals.missing.add(one.gaps, one.missing);
                if let Some((messages, _)) = one.messages {
                    *totals.messages.get_or_insert_default() += messages;
                }
            }
        }
        totals
    }

    /// The line below the table, of which only so many connections are `shown`.
    pub(super) fn words(&self, shown: Option<usize>) -> String {
        let [clients, servers] = self.bytes;
        let shown = shown.map(|shown| format!(" ({shown} shown)")).unwrap_or_default();
        let connections = counted(self.connections, "connection");
        let mut words =
            format!("{connections}{shown}: {clients} B from clients, {servers} B from servers");
        if let Some(messages) = self.messages {
            words += &format!(", {}", counted(messages, "message"));
        }
        if self.missing.times > 0 {
            let Occurrences { times, bytes } = self.missing;
            words += &format!(", {bytes} B missing in {}", counted(times, "gap"));
        }
        words
    }
}
