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

use super::packet::Segment;
use super::stream::Stream;
use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Note, Route, Side, Sink, Start, Timestamp};

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
    sink: &'a mut dyn Sink,
    connection: ConnectionId,
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

#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    client: SocketAddr,
    start: Start,
    streams: [Stream; 2],
    /// The initial sequence numbers, of those SYNs that were seen.
    initial: [Option<u32>; 2],
    /// What a side said it had when nothing of its peer was known.
    floor: [Option<u32>; 2],
    /// Whether a side's window was closed when it was last heard of.
    window_closed: [bool; 2],
    reset: [bool; 2],
    last: Stamp,
}

impl Connection {
    /// A connection of which `segment` is the first one seen.
    fn open(
        id: ConnectionId,
        stamp: Stamp,
        segment: &Segment<'_>,
        route: Option<Route>,
        sink: &mut dyn Sink,
    ) -> Result<Connection> {
        let Segment { source, destination, .. } = *segment;
        let start = if segment.syn { Start::Seen } else { Start::Missed };
        let dialled = match (segment.syn, segment.acknowledgement) {
            (true, None) => true,
            (true, Some(_)) => false,
            (false, _) => looks_like_client(segment),
        };
        let (client, server) = if dialled { (source, destination) } else { (destination, source) };
        let mut out = Outlet { sink, connection: id, side: Side::Client };
        out.event(stamp, Kind::Open { client, server, start, route })?;
        if start == Start::Missed {
            out.event(stamp, Kind::Note(Note::GuessedRole))?;
        }
        Ok(Connection {
            id,
            client,
            start,
            streams: Default::default(),
            initial: [None; 2],
            floor: [None; 2],
            window_closed: [false; 2],
            reset: [false; 2],
            last: stamp,
        })
    }

    /// Whether `segment`, on the same addresses and ports, belongs to another connection than this.
    fn is_another(&self, segment: &Segment<'_>) -> bool {
        let side = self.side(segment.source);
        let own = side.index();
        let (stream, peer) = (&self.streams[own], side.other().index());
        if !segment.syn {
            // Data after the end is of a connection whose SYN is not in the capture.
            let sequence = segment.sequence;
            return self.both_ended() && stream.is_beyond_end(sequence, segment.length);
        }
        let first = segment.sequence.wrapping_add(1);
        match (self.initial[own], segment.acknowledgement) {
            (Some(initial), _) if initial == segment.sequence => false,
            // Another answer to the same SYN.
            (_, Some(acknowledgement))
                if self.initial[peer] == Some(acknowledgement.wrapping_sub(1)) =>
            {
                false
            }
            (Some(_), _) => true,
            // The SYN of a connection that came into sight by what follows it.
            (None, _) => stream.origin().map_or(self.is_over(), |origin| origin != first),
        }
    }

    fn segment(&mut self, stamp: Stamp, segment: &Segment<'_>, sink: &mut dyn Sink) -> Result<()> {
        self.last = stamp;
        let side = self.side(segment.source);
        let (own, peer) = (side.index(), side.other().index());
        let mut sequence = segment.sequence;
        if segment.syn {
            if self.initial[own].is_some_and(|initial| initial != sequence) {
                return Ok(());
            }
            self.initial[own] = Some(sequence);
            sequence = sequence.wrapping_add(1);
            self.streams[own].begin(sequence);
        }
        let sends = segment.length > 0 && !segment.rst || segment.fin;
        if let Some(acknowledgement) = segment.acknowledgement.filter(|_| !segment.rst) {
            let mut out = Outlet { sink, connection: self.id, side: side.other() };
            if sends {
                self.streams[peer].passed(stamp, acknowledgement, &mut out)?;
            }
            self.acknowledge(stamp, acknowledgement, &mut out)?;
        }
        if !segment.rst && !segment.syn {
            self.window_closed[own] = segment.window_closed;
        }
        let mut out = Outlet { sink, connection: self.id, side };
        let stream = &mut self.streams[own];
        if sends {
            let (payload, length) = (segment.payload, segment.length);
            stream.data(stamp, sequence, payload, length, self.window_closed[peer], &mut out)?;
        }
        if segment.fin {
            stream.finish(stamp, sequence.wrapping_add(segment.length), &mut out)?;
        }
        if segment.rst && !self.reset[own] {
            self.close_streams(stamp, sink)?;
            self.reset[own] = true;
            let mut out = Outlet { sink, connection: self.id, side };
            out.event(stamp, Kind::Reset { side })?;
        }
        Ok(())
    }

    /// The peer of `out.side` says how far it has what that side sent.
    fn acknowledge(&mut self, stamp: Stamp, sequence: u32, out: &mut Outlet<'_>) -> Result<()> {
        let own = out.side.index();
        let stream = &mut self.streams[own];
        if stream.origin().is_none() {
            // Nothing of that side was seen. With a handshake its bytes begin at the first
            // acknowledgement; otherwise they may, unless they turn up elsewhere.
            let floor = *self.floor[own].get_or_insert(sequence);
            if self.start == Start::Seen || floor != sequence {
                stream.begin(floor);
            } else {
                return Ok(());
            }
        }
        stream.acknowledge(stamp, sequence, out)
    }

    /// Nothing more is to come: gives up the holes, and says if the end is not in the capture.
    fn close(&mut self, stamp: Stamp, sink: &mut dyn Sink) -> Result<()> {
        self.close_streams(stamp, sink)?;
        if self.is_over() {
            return Ok(());
        }
        Outlet { sink, connection: self.id, side: Side::Client }.event(stamp, Kind::Cut)
    }

    fn close_streams(&mut self, stamp: Stamp, sink: &mut dyn Sink) -> Result<()> {
        for side in Side::BOTH {
            let peer_over = self.streams[side.other().index()].is_over();
            let mut out = Outlet { sink: &mut *sink, connection: self.id, side };
            self.streams[side.index()].close(stamp, peer_over, &mut out)?;
        }
        Ok(())
    }

    /// Gives up the first hole of the side that holds more.
    fn give_up_first(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let [client, server] = &self.streams;
        let side = if client.cost() >= server.cost() { Side::Client } else { Side::Server };
        let mut out = Outlet { sink, connection: self.id, side };
        self.streams[side.index()].give_up_first(&mut out)
    }

    fn cost(&self) -> usize {
        self.streams.iter().map(Stream::cost).sum()
    }

    fn side(&self, source: SocketAddr) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    fn both_ended(&self) -> bool {
        self.streams.iter().all(Stream::is_over)
    }

    fn is_over(&self) -> bool {
        self.both_ended() || self.reset != [false; 2]
    }
}

/// Whether the sender of a connection's first segment seems to have dialled, where no SYN says so. A
/// well-known port is a server's, and so is one below the ephemeral ones (RFC 6335; Linux begins at
/// 32768); otherwise whoever is first seen to have sent something has dialled.
fn looks_like_client(segment: &Segment<'_>) -> bool {
    let class = |port: u16| match port {
        0..1024 => 0,
        1024..32768 => 1,
        _ => 2,
    };
    let (source, destination) = (segment.source.port(), segment.destination.port());
    match class(source).cmp(&class(destination)) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => segment.length > 0 || segment.fin,
    }
}
