//! What is chosen of a session: connections by number, address, port and time.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

use super::{ConnectionId, Event, Kind, Side, Sink, Timestamp};
use crate::{Error, Result};

/// What is chosen of a session; by default all of it. Of several things of one kind any will do, of several
/// kinds each has to. What is left out keeps its number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// The numbers of connections.
    pub connections: Vec<u64>,
    /// A port of either end.
    pub ports: Vec<u16>,
    /// The address of either end.
    pub hosts: Vec<Network>,
    /// Who sent it.
    pub side: Option<Side>,
    /// From when on.
    pub since: Option<Moment>,
    /// Up to when, that time itself not included.
    pub until: Option<Moment>,
}

impl Selection {
    /// Whether a connection is chosen, whenever it was.
    pub fn takes_connection(
        &self,
        connection: ConnectionId,
        client: SocketAddr,
        server: SocketAddr,
    ) -> bool {
        let ends = [client, server];
        let any = |host: &Network| ends.iter().any(|end| host.contains(end.ip()));
        (self.connections.is_empty() || self.connections.contains(&connection.0))
            && (self.ports.is_empty() || ends.iter().any(|end| self.ports.contains(&end.port())))
            && (self.hosts.is_empty() || self.hosts.iter().any(any))
    }

    /// Whether what one side sent is chosen.
    pub fn takes_side(&self, side: Side) -> bool {
        self.side.is_none_or(|chosen| chosen == side)
    }

    /// Whether an event of a connection that is chosen is, too, by who caused it and when; once it is known
    /// [when the session began](Selection::of_session).
    pub fn takes_event(&self, event: &Event<'_>) -> bool {
        event.kind.side().is_none_or(|side| self.takes_side(side)) && self.takes_time(event.at)
    }

    /// Whether what happened at a time is chosen, once it is known [when the session
    /// began](Selection::of_session).
    pub fn takes_time(&self, at: Timestamp) -> bool {
        let clock = |moment: Moment| moment.after(Timestamp::default());
        self.since.is_none_or(|since| at >= clock(since))
            && self.until.is_none_or(|until| at < clock(until))
    }

    /// Whether a moment is counted from when the session began.
    pub fn is_relative(&self) -> bool {
        [self.since, self.until].iter().flatten().any(|one| matches!(one, Moment::After(_)))
    }

    /// The same of a session that began at `began`: all moments are by the clock.
    #[must_use]
    pub fn of_session(self, began: Timestamp) -> Selection {
        let at = |moment: Moment| Moment::At(moment.after(began));
        Selection { since: self.since.map(at), until: self.until.map(at), ..self }
    }
}

/// An address, or all that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether an address is in it. An IPv4 address that was mapped into IPv6 is that IPv4 address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = Error;

    fn from_str(given: &str) -> Result<Network> {
        // In brackets as `show` and `info` print it with a port: [::1], [fd00::]/8.
        let bare = given.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let bare = match bare {
            Some((address, rest)) if address.contains(':') => format!("{address}{rest}"),
            _ => given.to_owned(),
        };
        let address = bare.parse().map(|one: IpAddr| IpNet::from(one.to_canonical()));
        address.or_else(|_| bare.parse()).map(Network).map_err(|_| {
            Error::Usage(format!(
                "{given:?} is no address; write 10.0.0.1, 10.0.0.0/8, ::1 or fd00::/8: captures hold no names"
            ))
        })
    }
}

/// As an address, or as its first address and how many bits count.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A point in a session's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// By the clock.
    At(Timestamp),
    /// So long after the session's first packet.
    After(Duration),
}

impl Moment {
    /// When that was, in a session that began at `began`.
    pub fn after(self, began: Timestamp) -> Timestamp {
        match self {
            Moment::At(time) => time,
            Moment::After(duration) => began + duration,
        }
    }
}

impl FromStr for Moment {
    type Err = Error;

    /// Reads RFC 3339 in UTC (`2026-11-22T13:24:00.5Z`, or the beginning of that from the date on), or seconds
    /// from the first packet on (`+1.5s`, `+90`, `+2m`).
    fn from_str(given: &str) -> Result<Moment> {
        let refused = || {
            Error::Usage(format!(
                "{given:?} is no time; write 2026-11-22T13:24:00.5Z, 2026-11-22 or, from the first packet \
                 on, +1.5s"
            ))
        };
        if let Some(distance) = given.strip_prefix('+') {
            let seconds = distance.strip_suffix('s').unwrap_or(distance).parse().ok();
            let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            let words = || humantime::parse_duration(distance).ok();
            return seconds.or_else(words).map(Moment::After).ok_or_else(refused);
        }
        let full = match given.len() {
            // The date alone, and with hours and minutes.
            10 => format!("{given}T00:00:00Z"),
            16 => format!("{given}:00Z"),
            _ => given.to_owned(),
        };
        let time = humantime::parse_rfc3339_weak(&full).map_err(|_| refused())?;
        Ok(Moment::At(time.into()))
    }
}

/// A sink that passes on the events of chosen connections only.
#[derive(Debug)]
pub struct Selecting<S> {
    selection: Selection,
    /// Whether those are meant that opened in the time that is chosen.
    opened_then: bool,
    left_out: HashSet<ConnectionId>,
    sink: S,
}

impl<S> Selecting<S> {
    /// Passes on to `sink` the connections that are chosen, whenever they were.
    pub fn connections(selection: &Selection, sink: S) -> Selecting<S> {
        let selection = selection.clone();
        Selecting { selection, opened_then: false, left_out: HashSet::new(), sink }
    }

    /// Passes on to `sink` those that opened in the time that is chosen, too.
    pub fn opened_then(selection: &Selection, sink: S) -> Selecting<S> {
        Selecting { opened_then: true, ..Selecting::connections(selection, sink) }
    }

    /// How many connections were not passed on.
    pub fn left_out(&self) -> u64 {
        self.left_out.len() as u64
    }

    /// Who takes the events.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Gives the sink back.
    pub fn into_sink(self) -> S {
        self.sink
    }
}

impl<S: Sink> Sink for Selecting<S> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Kind::Open { client, server, .. } = event.kind {
            let Selecting { selection, opened_then, .. } = self;
            let in_time = !*opened_then || selection.takes_time(event.at);
            if !in_time || !selection.takes_connection(event.connection, client, server) {
                self.left_out.insert(event.connection);
            }
        }
        if self.left_out.contains(&event.connection) {
            return Ok(());
        }
        self.sink.event(event)
    }

    fn flush(&mut self) -> Result<()> {
        self.sink.flush()
    }

    fn tick(&mut self, now: Timestamp) -> Result<()> {
        self.sink.tick(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_network() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.1", "10.0.0.1") && !contains("10.0.0.1", "10.0.0.2"));
        assert!(contains("10.0.0.0/8", "10.9.8.7") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("fd00::/8", "fd12::1") && !contains("::1", "127.0.0.1"));
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        for given in ["localhost", "10.0.0", "10.0.0.0/33", "", "10.0.0.1:80"] {
            let refused = given.parse::<Network>().unwrap_err().to_string();
            assert!(refused.contains("is no address"), "{refused}");
        }
    }

    #[test]
    fn a_moment_is_by_the_clock_or_from_the_first_packet_on() {
        let began = Timestamp(1_795_353_840_000_000_000);
        let read = |given: &str| given.parse::<Moment>().unwrap().after(began).to_string();
        for (given, time) in [
            ("2026-11-22", "2026-11-22T00:00:00.000000000Z"),
            ("2026-11-22T13:24", "2026-11-22T13:24:00.000000000Z"),
            ("2026-11-22T13:24:05", "2026-11-22T13:24:05.000000000Z"),
            ("2026-11-22 13:24:05.5Z", "2026-11-22T13:24:05.500000000Z"),
            ("2026-11-22T13:24:00.123456789Z", "2026-11-22T13:24:00.123456789Z"),
        ] {
            assert_eq!(read(given), time);
        }
        for (given, milliseconds) in [("+1.5s", 1500), ("+90", 90_000), ("+2m", 120_000), ("+0", 0)]
        {
            let expected = Moment::At(began + Duration::from_millis(milliseconds));
            assert_eq!(Moment::At(given.parse::<Moment>().unwrap().after(began)), expected);
        }
        for given in ["", "+", "now", "+-1", "+1e30", "2026", "2026-11-22T13:24:00+01:00"] {
            let refused = given.parse::<Moment>().unwrap_err().to_string();
            assert!(refused.contains("is no time"), "{refused}");
        }
    }
}
