//! What tests of recording and replaying share: sinks that keep what they get, sessions written down
//! by hand, and peers on threads.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod actor;
pub mod playing;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use wirespool::session::{ConnectionId, Event, Kind, Side, Sink, Start, Timestamp};

/// No wait in a test is longer; one that is has found a hang.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What happened, bytes owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    Open,
    Data(Side, Vec<u8>),
    Delivered(Side, u64),
    Eof(Side),
    Reset(Side),
}

/// A sink that keeps everything; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Kept(Arc<Mutex<Vec<(u64, Happened)>>>);

impl Kept {
    pub fn all(&self) -> Vec<(u64, Happened)> {
        self.0.lock().unwrap().clone()
    }

    /// All that one side sent, on all connections.
    pub fn bytes(&self, of: Side) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (_, happened) in self.all() {
            if let Happened::Data(side, data) = happened
                && side == of
            {
                bytes.extend(data);
            }
        }
        bytes
    }

    pub fn has(&self, happened: &Happened) -> bool {
        self.all().iter().any(|(_, one)| one == happened)
    }
}

impl Sink for Kept {
    fn event(&mut self, event: &Event<'_>) -> wirespool::Result<()> {
        let happened = match event.kind {
            Kind::Open { .. } => Happened::Open,
            Kind::Data { side, bytes } => Happened::Data(side, bytes.to_vec()),
            Kind::Delivered { side, length } => Happened::Delivered(side, length),
            Kind::Eof { side } => Happened::Eof(side),
            Kind::Reset { side } => Happened::Reset(side),
            Kind::Gap { .. } | Kind::Cut | Kind::Note(_) => return Ok(()),
        };
        self.0.lock().unwrap().push((event.connection.0, happened));
        Ok(())
    }
}

/// A line of a session written down by hand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line<'a> {
    Client(&'a [u8]),
    Server(&'a [u8]),
    ClientCloses,
    ServerCloses,
    ClientResets,
    ServerResets,
    Gap(u64),
    Cut,
}

/// Feeds one connection to a sink, its lines `step` apart.
pub fn feed(
    sink: &mut dyn Sink,
    connection: u64,
    step: Duration,
    lines: &[Line<'_>],
) -> wirespool::Result<()> {
    let step = i64::try_from(step.as_micros()).unwrap();
    let timed: Vec<_> = (1..).map(|place| place * step).zip(lines.iter().copied()).collect();
    feed_at(sink, connection, 0, &timed)
}

/// Feeds one connection to a sink, which opens, and whose lines happened, at so many microseconds.
pub fn feed_at(
    sink: &mut dyn Sink,
    connection: u64,
    opened: i64,
    lines: &[(i64, Line<'_>)],
) -> wirespool::Result<()> {
    let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let open = Kind::Open {
        client: address(40_000 + connection as u16),
        server: address(12_345),
        start: Start::Seen,
        route: None,
    };
    let mut event = |at: i64, kind| {
        let at = Timestamp(1_700_000_000_000_000_000 + at * 1000);
        sink.event(&Event { at, connection: ConnectionId(connection), frame: None, kind })
    };
    event(opened, open)?;
    for &(at, line) in lines {
        let (client, server) = (Side::Client, Side::Server);
        event(
            at,
            match line {
                Line::Client(bytes) => Kind::Data { side: client, bytes },
                Line::Server(bytes) => Kind::Data { side: server, bytes },
                Line::ClientCloses => Kind::Eof { side: client },
                Line::ServerCloses => Kind::Eof { side: server },
                Line::ClientResets => Kind::Reset { side: client },
                Line::ServerResets => Kind::Reset { side: server },
                Line::Gap(length) => Kind::Gap { side: client, length: Some(length) },
                Line::Cut => Kind::Cut,
            },
        )?;
    }
    Ok(())
}

/// A server on a thread that handles one connection; joins with what the handler returns.
pub fn server<T: Send + 'static>(
    handle: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        // A second connection is refused.
        drop(listener);
        handle(limited(stream))
    });
    (address, thread)
}

/// A client's connection on which no read or write waits for ever.
pub fn dial(address: SocketAddr) -> TcpStream {
    limited(TcpStream::connect(address).unwrap())
}

pub fn limited(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Reads exactly so many bytes.
pub fn read_exactly(stream: &mut TcpStream, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Reads until the other end has half-closed.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Answers each piece with the same bytes, until the end; returns all of them.
pub fn echo(mut stream: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return all,
            Ok(length) => {
                all.extend_from_slice(&buffer[..length]);
                stream.write_all(&buffer[..length]).unwrap();
            }
        }
    }
}

/// Ends a connection by RST.
pub fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
}

pub fn half_close(stream: &TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Runs a future on a runtime of its own, and fails if it hangs.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(LIMIT, future).await.expect("it hangs") })
}
