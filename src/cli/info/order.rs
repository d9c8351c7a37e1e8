//! `--sort` and `-n`: which connections are printed, and in which order.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use clap::ValueEnum;

use super::census::Counts;
use crate::session::ConnectionId;

/// What connections are sorted by: the most first, when they opened the earliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Order {
    /// By the bytes of both sides
    Bytes,
    /// By the messages of both sides
    Messages,
    /// By how long they were
    Duration,
    /// By when they opened
    Opened,
}

/// A connection's number, and what was counted of it.
pub(super) type Row<'a> = (ConnectionId, &'a Counts);

/// The first `count` connections, or all, by `order`, else and among equal ones by number.
pub(super) fn rows(
    connections: &BTreeMap<ConnectionId, Box<Counts>>,
    order: Option<Order>,
    count: Option<u64>,
) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = connections.iter().map(|(&id, counts)| (id, &**counts)).collect();
    match order {
        None => {}
        Some(Order::Bytes) => rows.sort_by_key(|(_, counts)| Reverse(counts.bytes())),
        Some(Order::Messages) => rows.sort_by_key(|(_, counts)| Reverse(counts.messages())),
        Some(Order::Duration) => rows.sort_by_key(|(_, counts)| Reverse(counts.duration())),
        Some(Order::Opened) => rows.sort_by_key(|(_, counts)| counts.opened),
    }
    rows.truncate(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX));
    rows
}
