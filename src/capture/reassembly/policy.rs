//! What reassembly does where segments leave a choice, and what it may take.

use std::time::Duration;

/// How connections are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which bytes count where two segments differ about the same position.
    pub overlap: Overlap,
    /// How many bytes one side of a connection may hold behind a hole, bookkeeping included. Beyond
    /// that its first hole is given up. 16 MiB unless said otherwise: more than windows usually are.
    pub held_per_side: usize,
    /// How many bytes all connections together may hold behind holes. Beyond that the hole that is
    /// waited for longest is given up. 256 MiB unless said otherwise.
    pub held_in_all: usize,
    /// How long a hole is waited for, in the capture's time, while the peer does not say that it waits
    /// for it, too; `None` is as long as it takes. Two minutes unless said otherwise: no sender waits
    /// longer before it sends again (`TCP_RTO_MAX` of Linux; RFC 6298, section 2.5, allows one). It
    /// matters where only one direction is in the capture: nothing else shows there that a hole will not
    /// be filled.
    pub patience: Option<Duration>,
    /// How many connections are known at a time, those that are over among them. Beyond that the longest
    /// quiet are forgotten, first those that are over. 131,072 unless said otherwise; at least 1.
    pub connections: usize,
}

/// Which bytes count where two segments differ about the same position.
///
/// Real systems do either. That there is a difference is noted in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// Those that came first.
    #[default]
    First,
    /// Those that came last, as long as the earlier ones wait behind a hole: what was handed out
    /// does not change any more.
    Last,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            overlap: Overlap::First,
            held_per_side: 16 << 20,
            held_in_all: 256 << 20,
            patience: Some(Duration::from_secs(120)),
            connections: 128 << 10,
        }
    }
}

/// How often the bounds of a [`Policy`] were reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reached {
    /// The policy.
    pub policy: Policy,
    /// Holes given up because their side held as much behind them as it may.
    pub held_per_side: u64,
    /// Holes given up because all connections together held as much as they may.
    pub held_in_all: u64,
    /// Holes given up because they were waited for long enough.
    pub patience: u64,
    /// Connections that were not over and were forgotten because too many were known.
    pub connections: u64,
}

impl Reached {
    /// What was reached, in words that give its bound; nothing if nothing was.
    pub fn warnings(&self) -> Vec<String> {
        // A capture of single bytes can reach a bound that is greater than itself.
        const COUNTED: &str = ", bookkeeping included";
        let Policy { held_per_side, held_in_all, connections, .. } = self.policy;
        let patience = humantime::format_duration(self.policy.patience.unwrap_or_default());
        let holes = |count: u64, why: String| match count {
            0 => None,
            1 => Some(format!("1 hole given up {why}")),
            _ => Some(format!("{count} holes given up {why}")),
        };
        let forgotten = (self.connections > 0).then(|| {
            format!(
                "more than {connections} connections at a time: the longest quiet were forgotten, {} \
                 of them open",
                self.connections
            )
        });
        let warnings = [
            holes(
                self.held_per_side,
                format!("with {} held behind it on one side{COUNTED}", size(held_per_side)),
            ),
            holes(
                self.held_in_all,
                format!("with {} held behind holes in all{COUNTED}", size(held_in_all)),
            ),
            holes(self.patience, format!("that nothing filled for {patience}")),
            forgotten,
        ];
        warnings.into_iter().flatten().collect()
    }
}

/// A number of bytes, as the command line takes it.
fn size(bytes: usize) -> String {
    const UNITS: [(&str, usize); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let whole = |(_, unit): &(&str, usize)| bytes >= *unit && bytes.is_multiple_of(*unit);
    match UNITS.into_iter().find(whole) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}
