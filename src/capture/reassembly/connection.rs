//! One connection: two streams, who is who, and how it began and ended. Sans-I/O.

use super::stream::Stream;
use super::{Load, Outlet, Policy, Stamp};
use crate::Result;
use crate::capture::packet::{End, Segment};
use crate::session::{ConnectionId, Kind, Note, Route, Side, Sink, Start};

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: ConnectionId,
    client: End,
    server: End,
    /// Whether addresses that are mapped are IPv4.
    is_ipv4: bool,
    start: Start,
    pub(super) streams: [Stream; 2],
    /// The initial sequence numbers, of those SYNs that were seen.
    initial: [Option<u32>; 2],
    /// What a side said it had when nothing of its peer was known.
    floor: [Option<u32>; 2],
    /// Whether a side's window was closed when it was last heard of.
    pub(super) window_closed: [bool; 2],
    pub(super) reset: [bool; 2],
    /// When it was last heard of.
    pub(super) last: Stamp,
    /// Whether nothing is the matter with it: then most segments are [expected](Connection::expects).
    pub(super) is_plain: bool,
    /// What the table counts it as taking.
    pub(super) counted: Load,
    /// Whether it is among those that the table has an eye on because of a hole.
    pub(super) awaited: bool,
    /// Whether it is among those of which the table knows that they remember bytes.
    pub(super) remembered: bool,
}

impl Connection {
    /// A connection of which `segment` is the first one seen; its sender has `dialled` or was dialled.
    pub(super) fn open(
        id: ConnectionId,
        stamp: Stamp,
        segment: &Segment<'_>,
        dialled: bool,
        policy: &Policy,
    ) -> Connection {
        let Segment { source, destination, is_ipv4, .. } = *segment;
        Connection {
            id,
            client: if dialled { source } else { destination },
            server: if dialled { destination } else { source },
            is_ipv4,
            start: if segment.syn { Start::Seen } else { Start::Missed },
            streams: [Stream::new(policy.overlap), Stream::new(policy.overlap)],
            initial: [None; 2],
            floor: [None; 2],
            window_closed: [false; 2],
            reset: [false; 2],
            last: stamp,
            is_plain: false,
            counted: Load::default(),
            awaited: false,
            remembered: false,
        }
    }

    /// Says that the connection came into sight.
    pub(super) fn announce(&self, route: Option<Route>, sink: &mut dyn Sink) -> Result<()> {
        let Connection { start, .. } = *self;
        let (client, server) = (self.client.socket(self.is_ipv4), self.server.socket(self.is_ipv4));
        let mut out = Outlet { sink, connection: self.id, side: Side::Client };
        out.event(self.last, Kind::Open { client, server, start, route })?;
        match start {
            Start::Seen => Ok(()),
            Start::Missed => out.event(self.last, Kind::Note(Note::GuessedRole)),
        }
    }

    /// Whether `segment`, on the same addresses and ports, belongs to another connection than this.
    pub(super) fn is_another(&self, segment: &Segment<'_>) -> bool {
        let side = self.side(segment.source);
        let own = side.index();
        let (stream, peer) = (&self.streams[own], side.other().index());
        if !segment.syn {
            // Data that this one cannot have is of a connection whose SYN is not in the capture.
            return segment.length > 0
                && !segment.rst
                && self.is_over()
                && stream.is_foreign(segment.sequence, self.start == Start::Seen);
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
            (None, _) => {
                let known = stream.origin().or(self.floor[own]);
                known.map_or(self.is_over(), |known| known != first)
            }
        }
    }

    /// Takes a segment, whatever it is.
    pub(super) fn segment(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let result = self.take(stamp, segment, sink);
        self.is_plain = self.look_whether_plain();
        result
    }

    fn take(&mut self, stamp: Stamp, segment: &Segment<'_>, sink: &mut dyn Sink) -> Result<()> {
        self.last = stamp;
        let side = self.side(segment.source);
        let (own, peer) = (side.index(), side.other().index());
        let mut sequence = segment.sequence;
        if segment.syn {
            sequence = sequence.wrapping_add(1);
            let is_answer = side == Side::Server && self.initial[own].is_none();
            if !self.begin(own, segment.sequence) {
                return Ok(());
            }
            if is_answer {
                let mut out = Outlet { sink: &mut *sink, connection: self.id, side };
                out.event(stamp, Kind::Note(Note::Answered))?;
            }
        }
        if segment.rst {
            return self.take_reset(stamp, segment, side, sink);
        }
        let sends = segment.length > 0 || segment.fin;
        // After a reset nobody waits for anything.
        if let Some(acknowledgement) = segment.acknowledgement
            && self.reset == [false; 2]
        {
            let mut out = Outlet { sink, connection: self.id, side: side.other() };
            if sends {
                self.streams[peer].passed(stamp, acknowledgement, &mut out)?;
            }
            self.acknowledge(stamp, acknowledgement, &mut out)?;
        }
        if !segment.syn {
            self.window_closed[own] = segment.window_closed;
        }
        let mut out = Outlet { sink, connection: self.id, side };
        let stream = &mut self.streams[own];
        if let Some(pointer) = segment.urgent.filter(|_| segment.length > 0) {
            stream.urgent(stamp, sequence.wrapping_add(u32::from(pointer)), &mut out)?;
        }
        if sends {
            let (payload, length) = (segment.payload, segment.length);
            stream.data(stamp, sequence, payload, length, self.window_closed[peer], &mut out)?;
        }
        if segment.fin {
            stream.finish(stamp, sequence.wrapping_add(segment.length), &mut out)?;
        }
        if !sends && !segment.syn {
            stream.sent(sequence);
        }
        Ok(())
    }

    /// Takes a segment of which the capture says that it stands for bytes whose number nobody knows.
    pub(super) fn jump(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        self.last = stamp;
        let side = self.side(segment.source);
        let mut out = Outlet { sink, connection: self.id, side };
        let next = segment.sequence.wrapping_add(segment.length);
        self.streams[side.index()].jump(stamp, next, &mut out)
    }

    /// Takes the initial sequence number of a SYN. Whether it is this connection's.
    fn begin(&mut self, side: usize, initial: u32) -> bool {
        let first = initial.wrapping_add(1);
        match self.initial[side] {
            Some(known) if known == initial => true,
            // A second answer to the same SYN counts as long as nothing came of the first.
            Some(_) if !self.streams[side].begin_anew(first) => false,
            _ => {
                self.initial[side] = Some(initial);
                self.streams[side].begin(first);
                true
            }
        }
    }

    /// Takes a RST. Bytes that it carries are words about the error (RFC 9293, section 3.5.3), no data.
    fn take_reset(
        &mut self,
        stamp: Stamp,
        segment: &Segment<'_>,
        side: Side,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        let own = side.index();
        if self.reset[own] {
            return Ok(());
        }
        let valid = self.streams[own].takes_reset(segment.sequence);
        if valid {
            self.close_streams(sink)?;
            self.reset[own] = true;
        }
        let mut out = Outlet { sink, connection: self.id, side };
        let stray = Kind::Note(Note::StrayReset { side });
        out.event(stamp, if valid { Kind::Reset { side } } else { stray })
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

    /// Nothing more is to come: gives up the holes, and says if the end is not in the capture, which went
    /// on until `stamp`.
    pub(super) fn close(&mut self, stamp: Stamp, sink: &mut dyn Sink) -> Result<()> {
        self.close_streams(sink)?;
        if self.is_over() {
            return Ok(());
        }
        Outlet { sink, connection: self.id, side: Side::Client }.event(stamp, Kind::Cut)
    }

    /// Gives up the holes, as of when the connection was last heard of: it says nothing of what came later.
    fn close_streams(&mut self, sink: &mut dyn Sink) -> Result<()> {
        for side in Side::BOTH {
            let peer_over = self.streams[side.other().index()].is_over();
            let mut out = Outlet { sink: &mut *sink, connection: self.id, side };
            self.streams[side.index()].close(self.last, peer_over, &mut out)?;
        }
        Ok(())
    }

    /// Gives up the hole that is waited for longest.
    pub(super) fn give_up_first(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let since = |side: &Side| self.streams[side.index()].waits_since();
        let waiting = Side::BOTH.into_iter().filter(|side| since(side).is_some());
        match waiting.min_by_key(|side| since(side).map(|stamp| (stamp.at, stamp.frame))) {
            Some(side) => self.give_up(side, sink),
            None => Ok(()),
        }
    }

    /// Gives up a side's first hole.
    pub(super) fn give_up(&mut self, side: Side, sink: &mut dyn Sink) -> Result<()> {
        let mut out = Outlet { sink, connection: self.id, side };
        self.streams[side.index()].give_up_first(&mut out)
    }

    /// Since when what stands behind a hole of either side is there.
    pub(super) fn waits_since(&self) -> Option<Stamp> {
        let since = self.streams.iter().filter_map(Stream::waits_since);
        since.min_by_key(|stamp| (stamp.at, stamp.frame))
    }

    /// What a side holds behind holes.
    pub(super) fn side_holds(&self, side: Side) -> usize {
        self.streams[side.index()].holds()
    }

    /// What both sides hold behind holes.
    pub(super) fn holds(&self) -> usize {
        self.streams.iter().map(Stream::holds).sum()
    }

    /// How much memory the bytes take that were handed out and are remembered.
    pub(super) fn remembers(&self) -> usize {
        self.streams.iter().map(Stream::remembers).sum()
    }

    /// Forgets the bytes that were handed out.
    pub(super) fn forget(&mut self) {
        self.streams.iter_mut().for_each(Stream::forget);
    }

    /// Whether `end` is the client's.
    pub(super) fn is_client(&self, end: End) -> bool {
        end == self.client
    }

    pub(super) fn side(&self, source: End) -> Side {
        if source == self.client { Side::Client } else { Side::Server }
    }

    fn both_ended(&self) -> bool {
        self.streams.iter().all(Stream::is_over)
    }

    pub(super) fn is_over(&self) -> bool {
        self.both_ended() || self.reset != [false; 2]
    }
}
