//! One connection: two streams, who is who, and how it began and ended. Sans-I/O.

use std::net::SocketAddr;

use super::packet::Segment;
use super::reassembly::{Outlet, Stamp};
use super::stream::Stream;
use crate::Result;
use crate::session::{ConnectionId, Kind, Note, Route, Side, Sink, Start};

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
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
    /// When it was last heard of.
    pub(super) last: Stamp,
}

impl Connection {
    /// A connection of which `segment` is the first one seen.
    pub(super) fn open(
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
    pub(super) fn is_another(&self, segment: &Segment<'_>) -> bool {
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

    pub(super) fn segment(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
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
    pub(super) fn close(&mut self, stamp: Stamp, sink: &mut dyn Sink) -> Result<()> {
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
    pub(super) fn give_up_first(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let [client, server] = &self.streams;
        let side = if client.cost() >= server.cost() { Side::Client } else { Side::Server };
        let mut out = Outlet { sink, connection: self.id, side };
        self.streams[side.index()].give_up_first(&mut out)
    }

    pub(super) fn cost(&self) -> usize {
        self.streams.iter().map(Stream::cost).sum()
    }

    fn side(&self, source: SocketAddr) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    fn both_ended(&self) -> bool {
        self.streams.iter().all(Stream::is_over)
    }

    pub(super) fn is_over(&self) -> bool {
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
