//! A sink that keeps what it takes.

use std::net::SocketAddr;
use std::path::Path;

use wirespool::Result;
use wirespool::capture::{Counters, Policy, Reader};
use wirespool::session::{Event, Kind, Note, Route, Side, Sink, Start, Timestamp};

/// A kind of event that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    Open(SocketAddr, SocketAddr, Start, Option<Route>),
    Data(Side, Vec<u8>),
    Gap(Side, Option<u64>),
    Eof(Side),
    Reset(Side),
    Cut,
    Note(Note),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub connection: u64,
    pub at: Timestamp,
    pub frame: Option<u64>,
    pub seen: Seen,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log(pub Vec<Entry>);

impl Sink for Log {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let seen = match event.kind {
            Kind::Open { client, server, start, route } => Seen::Open(client, server, start, route),
            Kind::Data { side, bytes } => Seen::Data(side, bytes.to_vec()),
            Kind::Delivered { .. } => panic!("no capture says what was delivered"),
            Kind::Gap { side, length } => Seen::Gap(side, length),
            Kind::Eof { side } => Seen::Eof(side),
            Kind::Reset { side } => Seen::Reset(side),
            Kind::Cut => Seen::Cut,
            // Every whole handshake has it.
            Kind::Note(Note::Answered) => return Ok(()),
            Kind::Note(note) => Seen::Note(note),
        };
        let connection = event.connection.0;
        self.0.push(Entry {
            connection,
            at: event.at,
            frame: event.frame.map(|frame| frame.number),
            seen,
        });
        Ok(())
    }
}

impl Log {
    /// Everything that a capture file holds.
    pub fn read(path: &Path) -> (Log, Counters) {
        let mut reader = Reader::open(path).unwrap();
        let mut log = Log::default();
        reader.read_all(&mut log).unwrap();
        (log, reader.summary())
    }

    /// Everything that a capture in memory holds.
    pub fn of(capture: Vec<u8>) -> Log {
        Log::by(Policy::default(), capture).0
    }

    /// The same, put together by a policy of its own.
    pub fn by(policy: Policy, capture: Vec<u8>) -> (Log, Counters) {
        let source = std::io::Cursor::new(capture);
        let reader = Reader::from_stream(source, Path::new("memory")).unwrap();
        let mut reader = reader.with_policy(policy);
        let mut log = Log::default();
        reader.read_all(&mut log).unwrap();
        (log, reader.summary())
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.0.iter().map(|entry| entry.seen.clone()).collect()
    }

    /// What happened but for openings and notes.
    pub fn traffic(&self) -> Vec<Seen> {
        let traffic = |seen: &Seen| !matches!(seen, Seen::Open(..) | Seen::Note(_));
        self.seen().into_iter().filter(traffic).collect()
    }

    /// The bytes of one side, of all connections; a gap is a `None` for each byte.
    pub fn bytes(&self, wanted: Side) -> Vec<Option<u8>> {
        let mut all = Vec::new();
        for entry in &self.0 {
            match &entry.seen {
                Seen::Data(side, bytes) if *side == wanted => {
                    all.extend(bytes.iter().copied().map(Some));
                }
                Seen::Gap(side, Some(length)) if *side == wanted => {
                    all.resize(all.len() + *length as usize, None);
                }
                _ => {}
            }
        }
        all
    }
}
