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

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use super::connection::Connection;
use super::packet::Segment;
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Route, Side, Sink, Timestamp};

/// How much may be held behind holes in all.
const HELD_IN_ALL: usize = 256 * 1024 * 1024;

/// How many connections are known at a time, those that are over among them. Beyond that the longest
/// quiet are forgotten, first those that are over.
const CONNECTIONS: usize = 128 * 1024;

/// When and in which frame something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) at: Timestamp,
    pub(super) frame: u64,
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

/// Turns segments into events.
#[derive(Debug, Default)]
pub(super) struct Reassembler {
    connections: HashMap<Key, Box<Connection>>,
    opened: u64,
    /// What all connections hold.
    cost: usize,
    last: Stamp,
}

impl Reassembler {
    /// How many connections were seen.
    pub(super) fn opened(&self) -> u64 {
        self.opened
    }

    /// Takes the next segment. `route` is what the capture says of the sockets behind it.
    pub(super) fn segment(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        route: Option<Route>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        self.last = stamp;
        let key = Key::new(segment.source, segment.destination);
        let known = self.connections.get(&key);
        if known.is_none_or(|connection| connection.is_another(segment)) {
            if let Some(mut old) = self.connections.remove(&key) {
                self.cost -= old.cost();
                old.close(stamp, sink)?;
            }
            self.make_room(sink)?;
            let connection =
                Connection::open(ConnectionId(self.opened), stamp, segment, route, sink)?;
            self.opened += 1;
            self.connections.insert(key, Box::new(connection));
        }
        let Some(connection) = self.connections.get_mut(&key) else { return Ok(()) };
        let before = connection.cost();
        let result = connection.segment(stamp, segment, sink);
        self.cost = self.cost - before + connection.cost();
        while self.cost > HELD_IN_ALL && connection.cost() > 0 {
            let before = connection.cost();
            connection.give_up_first(sink)?;
            self.cost = self.cost - before + connection.cost();
        }
        result
    }

    /// The capture ends: gives up all holes, and says which connections were still open.
    pub(super) fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let mut connections: Vec<_> = self.connections.drain().map(|(_, value)| value).collect();
        connections.sort_unstable_by_key(|connection| connection.id);
        self.cost = 0;
        connections.iter_mut().try_for_each(|connection| connection.close(self.last, sink))
    }

    /// Forgets the longest quiet if too many are known.
    fn make_room(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.connections.len() < CONNECTIONS {
            return Ok(());
        }
        let mut quiet: Vec<_> = self
            .connections
            .iter()
            .map(|(key, connection)| (!connection.is_over(), connection.last.frame, *key))
            .collect();
        let (oldest, ..) =
            quiet.select_nth_unstable_by_key(CONNECTIONS / 4, |&(open, frame, _)| (open, frame));
        oldest.sort_unstable_by_key(|&(_, frame, _)| frame);
        for (_, _, key) in oldest {
            if let Some(mut connection) = self.connections.remove(key) {
                self.cost -= connection.cost();
                connection.close(self.last, sink)?;
            }
        }
        Ok(())
    }
}

/// A connection's two addresses and ports, the lower first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    low: (u128, u16),
    high: (u128, u16),
}

impl Key {
    fn new(a: SocketAddr, b: SocketAddr) -> Key {
        let number = |end: SocketAddr| match end.ip() {
            IpAddr::V4(ip) => (ip.to_ipv6_mapped().to_bits(), end.port()),
            IpAddr::V6(ip) => (ip.to_bits(), end.port()),
        };
        let (a, b) = (number(a), number(b));
        Key { low: a.min(b), high: a.max(b) }
    }
}
