//! Capture files: what is written is read back, Wireshark opens it clean, and what others wrote is read.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use wirespool::capture::{Origin, Reader, Writer, WriterOptions};
use wirespool::session::{ConnectionId, Event, Kind, Note, Route, Side, Sink, Start, Timestamp};
use wirespool::{Error, Result};

/// An event that owns its bytes.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Open(SocketAddr, SocketAddr, Start, Option<Route>),
    Data(Side, Vec<u8>),
    Gap(Side, Option<u64>),
    Eof(Side),
    Reset(Side),
    Cut,
    Note(Note),
}

/// A sink that keeps what it takes.
#[derive(Default)]
struct Log(Vec<(u64, Timestamp, Option<u64>, Seen)>);

impl Sink for Log {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let seen = match event.kind {
            Kind::Open { client, server, start, route } => Seen::Open(client, server, start, route),
            Kind::Data { side, bytes } => Seen::Data(side, bytes.to_vec()),
            Kind::Delivered { .. } => panic!("a capture delivers nothing"),
            Kind::Gap { side, length } => Seen::Gap(side, length),
            Kind::Eof { side } => Seen::Eof(side),
            Kind::Reset { side } => Seen::Reset(side),
            Kind::Cut => Seen::Cut,
            Kind::Note(note) => Seen::Note(note),
        };
        self.0.push((event.connection.0, event.at, event.frame, seen));
        Ok(())
    }
}

impl Log {
    fn read(path: &Path) -> Log {
        let mut log = Log::default();
        Reader::open(path).unwrap().read_all(&mut log).unwrap();
        log
    }

    fn kinds(&self) -> Vec<&Seen> {
        self.0.iter().map(|(.., seen)| seen).collect()
    }
}

const CLIENT: &str = "127.0.0.1:50000";
const SERVER: &str = "127.0.0.1:12345";
use Side::{Client, Server};

fn open(client: &str, server: &str) -> Kind<'static> {
    let (client, server) = (client.parse().unwrap(), server.parse().unwrap());
    Kind::Open { client, server, start: Start::Seen, route: None }
}

/// Writes events of connection 0, a microsecond and a nanosecond apart.
fn write(path: &Path, options: WriterOptions, kinds: &[Kind<'_>]) -> wirespool::capture::Summary {
    let mut writer = Writer::create(path, options).unwrap();
    for (index, kind) in kinds.iter().enumerate() {
        let at = Timestamp(1_795_000_000_000_000_000 + index as i64 * 1_001);
        let event = Event { at, connection: ConnectionId(0), frame: None, kind: *kind };
        writer.event(&event).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.pcap", "a.pcapng"] {
        let path = directory.path().join(name);
        let summary = write(
            &path,
            WriterOptions::default(),
            &[
                open(CLIENT, SERVER),
                Kind::Data { side: Client, bytes: b"ping" },
                Kind::Delivered { side: Client, length: 4 },
                Kind::Data { side: Server, bytes: b"pong" },
                Kind::Delivered { side: Server, length: 4 },
                Kind::Eof { side: Client },
                Kind::Eof { side: Server },
            ],
        );
        assert_eq!((summary.packets, summary.connections, summary.bytes), (11, 1, 8));
        let log = Log::read(&path);
        let (client, server) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
        assert_eq!(
            log.kinds(),
            [
                &Seen::Open(client, server, Start::Seen, None),
                &Seen::Data(Client, b"ping".to_vec()),
                &Seen::Data(Server, b"pong".to_vec()),
                &Seen::Eof(Client),
                &Seen::Eof(Server),
            ]
        );
    }
}
