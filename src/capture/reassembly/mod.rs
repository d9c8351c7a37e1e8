//! TCP segments → events of connections. Sans-I/O: segments and their stamps in, events out.
//!
//! A connection is what a 4-tuple carries until a SYN with another initial sequence number begins the
//! next one; connections are numbered by their first packet, as Wireshark's `tcp.stream` is.
//!
//! A hole is given up, as a [`Kind::Gap`], when
//! - the peer has acknowledged bytes past it and bytes behind it are there; or with nothing there,
//!   when the peer goes on sending after having acknowledged it,
//! - the peer has acknowledged the FIN behind it,
//! - the connection is reset, begun anew, or the capture ends,
//! - more is held behind it than is allowed, for one side or in all.
//!
//! What stood behind a hole that was given up keeps its own stamp, which is earlier than that of the
//! segment that decided; what stood behind a hole that was filled has the stamp of the filling segment.

mod ahead;
mod connection;
mod covered;
mod key;
mod load;
mod order;
mod past;
mod policy;
mod prediction;
mod roles;
mod stream;
mod waiting;

use std::collections::HashMap;

use foldhash::fast::RandomState;

use connection::Connection;
use key::Key;
use load::Load;
pub use policy::{Overlap, Policy, Reached};
use roles::Roles;
use waiting::{Remembering, Waiting, is_known};

use super::packet::Segment;
use crate::Result;
use crate::session::{ConnectionId, Event, Frame, Kind, Route, Side, Sink, Timestamp};

/// How many bytes that were handed out are remembered in all.
const REMEMBERED: usize = 16 << 20;

/// When and in which frame something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at: Timestamp,
    pub(super) frame: Frame,
}

/// What a capture says of a segment beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Where it was seen: connections of different scopes never join.
    pub(super) scope: usize,
    /// The sockets behind its connection; apart, as few segments have it and all are handed on.
    pub(super) route: Option<Box<Route>>,
    /// Who sent it.
    pub(super) sender: Option<Side>,
    /// Whether its connection begins with it, where that is said of each.
    pub(super) begins: Option<bool>,
    /// Whether it stands for bytes whose number nobody knows.
    pub(super) jumps: bool,
}

/// Where the events of one side of a connection go.
pub(super) struct Outlet<'a> {
    pub(super) sink: &'a mut dyn Sink,
    pub(super) connection: ConnectionId,
    pub(super) side: Side,
}

impl Outlet<'_> {
    pub(super) fn event(&mut self, stamp: Stamp, kind: Kind<'_>) -> Result<()> {
        let Stamp { at, frame } = stamp;
        self.sink.event(&Event { at, connection: self.connection, frame: Some(frame), kind })
    }
}

/// The connections that are known, by a quick hash of which nobody outside knows the seed: addresses and
/// ports are chosen by others.
type Connections = HashMap<Key, Box<Connection>, RandomState>;

/// Turns segments into events.
#[derive(Debug, Default)]
pub(super) struct Reassembler {
    policy: Policy,
    connections: Connections,
    roles: Roles,
    opened: u64,
    load: Load,
    waiting: Waiting,
    remembering: Remembering,
    reached: Reached,
    last: Stamp,
}

impl Reassembler {
    pub(super) fn new(policy: Policy) -> Reassembler {
        let reached = Reached { policy, ..Reached::default() };
        Reassembler { policy, reached, ..Reassembler::default() }
    }

    /// How many connections were seen.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Which bounds were reached.
    pub(super) fn reached(&self) -> Reached {
        self.reached
    }

    /// Takes the next segment. `said` is what the capture says of it.
    pub(super) fn segment(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        said: &Said,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        self.last = stamp;
        let key = Key::new(said.scope, segment.source, segment.destination);
        // Found once: looking a connection up takes as long as the rest of an ordinary segment's way.
        let Said { begins, jumps, .. } = *said;
        let begins = |known: &Connection| begins.unwrap_or_else(|| known.is_another(segment));
        let mut known = self.connections.get_mut(&key).filter(|known| !begins(known));
        if known.is_none() {
            self.open(key, segment, said, sink)?;
            known = self.connections.get_mut(&key);
        }
        let Some(connection) = known else { return Ok(()) };
        let result = if jumps {
            connection.jump(stamp, segment, sink)
        } else if connection.expects(segment) {
            connection.take_expected(stamp, segment, sink)
        } else {
            connection.segment(stamp, segment, sink)
        };
        let load = self.load.count(connection);
        result?;
        let is_new = load.remembered > 0 && !connection.remembered;
        if load.held > 0 || is_new || self.load.remembered > REMEMBERED {
            self.bound(key, sink)?;
        }
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.expire(sink)
    }

    /// The capture ends: gives up all holes, and says which connections were still open.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let mut connections: Vec<_> = self.connections.drain().map(|(_, value)| value).collect();
        connections.sort_unstable_by_key(|connection| connection.id);
        self.load = Load::default();
        connections.iter_mut().try_for_each(|connection| connection.close(self.last, sink))
    }

    /// Begins a connection, which takes the place of an earlier one with the same key.
    fn open(
        &mut self,
        key: Key,
        segment: &Segment<'_>,
        said: &Said,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let guessed = match (segment.syn, segment.acknowledgement, self.connections.get(&key)) {
            (true, acknowledgement, _) => acknowledgement.is_none(),
            (false, _, Some(old)) => old.is_client(segment.source),
            (false, _, None) => self.roles.guess(segment),
        };
        let dialled = said.sender.map_or(guessed, |sender| sender == Side::Client);
        if segment.syn {
            self.roles.dialled(if dialled { segment.destination } else { segment.source });
        }
        self.close(key, sink)?;
        self.make_room(sink)?;
        self.waiting.tidy(&self.connections);
        self.remembering.tidy(&self.connections);
        let id = ConnectionId(self.opened);
        self.opened += 1;
        let connection = Connection::open(id, self.last, segment, dialled, &self.policy);
        let connection = self.connections.entry(key).insert_entry(Box::new(connection));
        connection.get().announce(said.route.as_deref().copied(), sink)
    }

    /// Nothing more is to come of a connection.
    fn close(&mut self, key: Key, sink: &mut dyn Sink) -> Result<()> {
        let Some(mut old) = self.connections.remove(&key) else { return Ok(()) };
        self.load.forget(&old);
        old.close(self.last, sink)
    }

    /// Gives up the holes that were waited for long enough.
    fn expire(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let Some(patience) = self.policy.patience else { return Ok(()) };
        let upto = self.last.at - patience;
        while self.waiting.is_due(upto) && self.give_up_longest(upto, sink)? {
            self.reached.patience += 1;
        }
        Ok(())
    }

    /// Keeps what is held and remembered within its bounds, after the connection at `key` had a segment.
    fn bound(&mut self, key: Key, sink: &mut dyn Sink) -> Result<()> {
        let Some(connection) = self.connections.get_mut(&key) else { return Ok(()) };
        if connection.remembers() > 0 {
            self.remembering.put(key, connection);
        }
        if connection.holds() > 0 {
            self.waiting.put(key, connection);
            self.bound_sides(key, sink)?;
        }
        while self.load.held > self.policy.held_in_all
            && self.give_up_longest(Timestamp(i64::MAX), sink)?
        {
            self.reached.held_in_all += 1;
        }
        while self.load.remembered > REMEMBERED
            && let Some((key, id)) = self.remembering.take()
        {
            if is_known(&self.connections, &key, id) {
                self.work(key, |connection| {
                    connection.remembered = false;
                    connection.forget();
                });
            }
        }
        Ok(())
    }

    /// Gives up holes of the connection at `key` as long as a side of it holds too much.
    fn bound_sides(&mut self, key: Key, sink: &mut dyn Sink) -> Result<()> {
        let most = self.policy.held_per_side;
        for side in Side::BOTH {
            let given_up = self.work(key, |connection| {
                let mut given_up = 0;
                while connection.side_holds(side) > most {
                    connection.give_up(side, sink)?;
                    given_up += 1;
                }
                Result::Ok(given_up)
            });
            self.reached.held_per_side += given_up.transpose()?.unwrap_or(0);
        }
        Ok(())
    }

    /// Gives up the hole that is waited for longest, if that is since `upto` or before. Whether there
    /// was one.
    fn give_up_longest(&mut self, upto: Timestamp, sink: &mut dyn Sink) -> Result<bool> {
        while let Some((since, key, id)) = self.waiting.take(upto) {
            if !is_known(&self.connections, &key, id) {
                continue;
            }
            // The hole of then may be filled, and another one be open.
            let found = self.work(key, |connection| {
                let found = connection.waits_since().is_some_and(|stamp| stamp.at <= since);
                if found {
                    connection.give_up_first(sink)?;
                }
                Result::Ok(found)
            });
            if let Some(connection) = self.connections.get_mut(&key) {
                connection.awaited = false;
                self.waiting.put(key, connection);
            }
            if found.transpose()? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets the connection at `key` do some work, and counts what it holds and remembers afterwards.
    fn work<T>(&mut self, key: Key, work: impl FnOnce(&mut Connection) -> T) -> Option<T> {
        let connection = self.connections.get_mut(&key)?;
        let result = work(connection);
        self.load.count(connection);
        Some(result)
    }

    /// Forgets the longest quiet if too many are known.
    fn make_room(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let known = self.policy.connections.max(1);
        if self.connections.len() < known {
            return Ok(());
        }
        let mut quiet: Vec<_> = self
            .connections
            .iter()
            .map(|(key, connection)| (!connection.is_over(), connection.last.frame, *key))
            .collect();
        // Many at once, so that each costs little.
        let (oldest, last, _) =
            quiet.select_nth_unstable_by_key(known / 4, |&(open, frame, _)| (open, frame));
        let mut oldest = [&*oldest, &[*last]].concat();
        oldest.sort_unstable_by_key(|&(_, frame, _)| frame);
        for (open, _, key) in oldest {
            self.reached.connections += u64::from(open);
            self.close(key, sink)?;
        }
        Ok(())
    }
}
