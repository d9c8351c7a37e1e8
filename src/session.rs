//! What happened on TCP connections, as plain data: the one language between sources (a proxy, an
//! endpoint, a capture file) and sinks (a capture writer, the message assembler, a replay script).

mod selection;
mod sink;

use std::fmt;
use std::net::SocketAddr;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use selection::{Moment, Network, Selecting, Selection};
pub use sink::Sink;

/// One thing that happened on one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event<'a> {
    /// When: of a live source the read or write, of a file the packet's stamp.
    pub at: Timestamp,
    /// Which connection, counted from 0 by first packet.
    pub connection: ConnectionId,
    /// The capture's frame that brought it; `None` when live.
    pub frame: Option<Frame>,
    /// What happened.
    pub kind: Kind<'a>,
}

impl Event<'_> {
    /// The number of the capture that it stands in, of those that are read as one; 0 when live.
    pub fn capture(&self) -> usize {
        self.frame.map_or(0, |frame| frame.capture)
    }
}

/// The kinds of events.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind<'a> {
    /// The connection came into sight.
    Open {
        /// Who dialled.
        client: SocketAddr,
        /// Who was dialled.
        server: SocketAddr,
        /// Whether its beginning was seen.
        start: Start,
        /// The real sockets behind a connection that ran through wirespool.
        route: Option<Route>,
    },
    /// Bytes, in order, each exactly once.
    Data {
        /// Who sent them.
        side: Side,
        /// The bytes: one read of a live source, or what one segment added of a capture.
        bytes: &'a [u8],
    },
    /// So many earlier bytes of `side` were handed to the other side. Live sources say this; it is
    /// what a written capture acknowledges.
    Delivered {
        /// Who sent the bytes.
        side: Side,
        /// How many more were handed on.
        length: u64,
    },
    /// Bytes of `side` are missing from the capture.
    Gap {
        /// Who sent them.
        side: Side,
        /// How many, when the capture shows it.
        length: Option<u64>,
    },
    /// `side` will send no more (FIN).
    Eof {
        /// Who ended.
        side: Side,
    },
    /// `side` aborted the connection (RST).
    Reset {
        /// Who aborted.
        side: Side,
    },
    /// The capture ended with the connection still open.
    Cut,
    /// An observation that changes no bytes.
    Note(Note),
}

impl Kind<'_> {
    /// Whose it is, if it is one side's.
    pub fn side(&self) -> Option<Side> {
        match *self {
            Kind::Data { side, .. }
            | Kind::Delivered { side, .. }
            | Kind::Gap { side, .. }
            | Kind::Eof { side }
            | Kind::Reset { side } => Some(side),
            Kind::Note(note) => note.side(),
            Kind::Open { .. } | Kind::Cut => None,
        }
    }
}

/// Whether a connection's beginning is in the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// The handshake was seen: the first byte is the connection's first byte.
    Seen,
    /// The capture began in the middle: earlier bytes, and who dialled, may be unknown.
    Missed,
}

/// The two real socket pairs of a connection that ran through a proxy or an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The client's address and ours, of the accepted socket; `None` for an endpoint that dials.
    pub accepted: Option<(SocketAddr, SocketAddr)>,
    /// Our address and the server's, of the dialled socket; `None` for an endpoint that accepts, and
    /// for an upstream that could not be reached.
    pub dialled: Option<(SocketAddr, SocketAddr)>,
}

/// Observations about a connection's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// `side` sent bytes again that were there already.
    Retransmission {
        /// Who sent.
        side: Side,
        /// How many bytes.
        length: u64,
    },
    /// `side` sent other bytes at a position already filled. Which were kept is a matter of policy.
    Overlap {
        /// Who sent.
        side: Side,
        /// How many bytes differ.
        length: u64,
    },
    /// `side` sent bytes that are not among its data: they came for a gap that had been given up, or
    /// lie before the first byte or behind the end.
    Discarded {
        /// Who sent.
        side: Side,
        /// How many bytes.
        length: u64,
    },
    /// `side` sent urgent data (RFC 6093). It is among its data, in its place, as a receiver with
    /// `SO_OOBINLINE` reads it; one without does not get its last byte with the others.
    Urgent {
        /// Who sent.
        side: Side,
        /// Where its last byte is among the side's data.
        offset: u64,
    },
    /// `side` sent a RST that its peer does not take, since it lies outside of what the peer expects
    /// (RFC 5961): an old one, or a forged one.
    StrayReset {
        /// Who sent.
        side: Side,
    },
    /// Who is client was concluded, not seen.
    GuessedRole,
    /// The server took the connection up: its SYN was seen.
    Answered,
    /// The capture's record could not be read in full.
    Damaged,
    /// The recorder says that it lost so many packets.
    Dropped(u64),
}

impl Note {
    fn side(self) -> Option<Side> {
        match self {
            Note::Retransmission { side, .. }
            | Note::Overlap { side, .. }
            | Note::Discarded { side, .. }
            | Note::Urgent { side, .. }
            | Note::StrayReset { side } => Some(side),
            Note::GuessedRole | Note::Answered | Note::Damaged | Note::Dropped(_) => None,
        }
    }
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The end that dialled.
    Client,
    /// The end that was dialled.
    Server,
}

impl Side {
    /// Both, client first.
    pub const BOTH: [Side; 2] = [Side::Client, Side::Server];

    /// The other end.
    pub fn other(self) -> Side {
        match self {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        }
    }

    /// 0 for the client, 1 for the server: for state kept per side in an array.
    pub fn index(self) -> usize {
        self as usize
    }

    /// `client` or `server`, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Side::Client => "client",
            Side::Server => "server",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A connection's number, counted from 0 by first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A frame of a capture. Frames are in the order in which they were read, of whatever capture they are:
/// that is the order of what happened, which a clock that was set back does not change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// Its place among all frames that are read, of all captures.
    pub place: u64,
    /// In which of the captures it stands that are read as one, from 0.
    pub capture: usize,
    /// Its number in that capture, from 1, as Wireshark numbers them.
    pub number: u64,
}

impl Frame {
    /// The frame of this number, where there is one capture only.
    pub fn alone(number: u64) -> Frame {
        Frame { place: number, capture: 0, number }
    }
}

/// Its number.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.number, f)
    }
}

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, between the years 1677 and 2262.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The system's clock, now.
    pub fn now() -> Timestamp {
        SystemTime::now().into()
    }

    /// Nanoseconds since the epoch.
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    /// How long after `earlier`; zero if it is not.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let nanoseconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |n| -n),
        };
        Timestamp(nanoseconds)
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> SystemTime {
        let distance = Duration::from_nanos(time.0.unsigned_abs());
        if time.0 >= 0 { UNIX_EPOCH + distance } else { UNIX_EPOCH - distance }
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(nanoseconds))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;

    fn sub(self, duration: Duration) -> Timestamp {
        let nanoseconds = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(nanoseconds))
    }
}

/// RFC 3339 in UTC with nanoseconds: `2026-11-22T13:24:00.123456789Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime refuses years before 1970; such stamps come from damaged captures only.
        let time = SystemTime::from(Timestamp(self.0.max(0)));
        humantime::format_rfc3339_nanos(time).fmt(f)
    }
}
