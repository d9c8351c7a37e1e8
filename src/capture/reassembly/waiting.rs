//! Which connections to look at when too much is held, or was for too long. Sans-I/O.
//!
//! Each connection is in a queue once at most. One that is gone stays until its turn, or until such
//! are too many.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::connection::Connection;
use super::{Connections, Key};
use crate::session::{ConnectionId, Timestamp};

/// Those that have a hole, by how long it is waited for.
#[derive(Debug, Default)]
pub(super) struct Waiting(BinaryHeap<Reverse<(Timestamp, ConnectionId, Key)>>);

impl Waiting {
    /// Adds a connection if it has a hole and is not there.
    pub(super) fn put(&mut self, key: Key, connection: &mut Connection) {
        if !connection.awaited
            && let Some(since) = connection.waits_since()
        {
            connection.awaited = true;
            self.0.push(Reverse((since.at, connection.id, key)));
        }
    }

    /// Whether none has.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the first one had a hole at `upto` or before.
    #[inline]
    pub(super) fn is_due(&self, upto: Timestamp) -> bool {
        self.0.peek().is_some_and(|Reverse((since, ..))| *since <= upto)
    }

    /// Takes out the first one if it had a hole at `upto` or before.
    pub(super) fn take(&mut self, upto: Timestamp) -> Option<(Timestamp, Key, ConnectionId)> {
        let first = self.is_due(upto).then(|| self.0.pop()).flatten();
        first.map(|Reverse((since, id, key))| (since, key, id))
    }

    /// Drops those that are gone, if they are many.
    pub(super) fn tidy(&mut self, known: &Connections) {
        if self.0.len() > 2 * known.len() + 64 {
            self.0.retain(|Reverse((_, id, key))| is_known(known, key, *id));
        }
    }
}

/// Those that remember bytes that were handed out, in the order in which they began to.
#[derive(Debug, Default)]
pub(super) struct Remembering(VecDeque<(Key, ConnectionId)>);

impl Remembering {
    /// Adds a connection unless it is there.
    pub(super) fn put(&mut self, key: Key, connection: &mut Connection) {
        if !connection.remembered {
            connection.remembered = true;
            self.0.push_back((key, connection.id));
        }
    }

    /// Takes out the first one.
    pub(super) fn take(&mut self) -> Option<(Key, ConnectionId)> {
        self.0.pop_front()
    }

    /// Drops those that are gone, if they are many.
    pub(super) fn tidy(&mut self, known: &Connections) {
        if self.0.len() > 2 * known.len() + 64 {
            self.0.retain(|(key, id)| is_known(known, key, *id));
        }
    }
}

/// Whether it is that connection that has this key now.
pub(super) fn is_known(known: &Connections, key: &Key, id: ConnectionId) -> bool {
    known.get(key).is_some_and(|connection| connection.id == id)
}
