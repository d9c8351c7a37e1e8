//! The live other end of a connection that is being played: what it says is compared as it comes.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::time::Instant;

use tokio::net::TcpStream;

use super::clock::Clock;
use super::compare::Comparison;
use super::options::{Options, Record};
use crate::net::{self, Stop};
use crate::session::{ConnectionId, Kind, Route, Side, Timestamp};
use crate::wire::Arrival;
use crate::{Error, Result};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

thread_local! {
    /// What was read last: room for it once a thread, as a thousand connections need no more.
    static READ: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(READ_SIZE));
}

/// A connection to the other end, and what has been heard on it before it was known whose it is.
pub(super) struct Connected {
    pub(super) stream: TcpStream,
    pub(super) heard: Vec<u8>,
    pub(super) end: Option<End>,
}

impl From<TcpStream> for Connected {
    fn from(stream: TcpStream) -> Connected {
        Connected { stream, heard: Vec::new(), end: None }
    }
}

/// The other end.
pub(super) struct Peer<'a> {
    /// `None` once we have aborted the connection.
    stream: Option<TcpStream>,
    ours: Side,
    /// What it said, against what was recorded.
    pub(super) comparison: Comparison<'a>,
    /// How it ended, once it has.
    pub(super) end: Option<End>,
    half_closed: bool,
    /// How many messages had come before the last read, and when that was.
    last_read: (u64, Instant),
    record: Option<(&'a Record, ConnectionId)>,
    clock: &'a Clock,
    stop: &'a Stop,
}

/// How the other end ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It half-closed.
    Eof,
    /// It aborted.
    Reset,
}

/// Why nothing more can be heard of it or said to it.
pub(super) enum Broken {
    /// The user wants an end.
    Stopped,
    /// The connection failed.
    Connection(io::Error),
    /// What passed could not be taken down.
    Unrecorded(Error),
}

type Heard<T> = std::result::Result<T, Broken>;

impl<'a> Peer<'a> {
    /// The other end of a connection, of which we are `ours`, expected to say what `comparison` expects.
    ///
    /// # Errors
    /// What the sink says that takes the replay down.
    pub(super) fn new(
        connected: Connected,
        ours: Side,
        comparison: Comparison<'a>,
        clock: &'a Clock,
        options: &'a Options,
    ) -> Result<Peer<'a>> {
        let Connected { stream, heard, end } = connected;
        let record = match &options.record {
            Some(record) => Some((record, open(record, &stream, ours)?)),
            None => None,
        };
        let stop = &options.stop;
        let mut peer = Peer {
            stream: Some(stream),
            ours,
            comparison,
            end: None,
            half_closed: false,
            last_read: (0, Instant::now()),
            record,
            clock,
            stop,
        };
        let taken = match heard.is_empty() {
            true => Ok(()),
            false => peer.take(&heard),
        };
        let ended = end.map_or(Ok(()), |end| peer.ended(end));
        match taken.and(ended) {
            Err(Broken::Unrecorded(error)) => Err(error),
            _ => Ok(peer),
        }
    }

    /// Takes down what is about to be written: no answer may stand before its question.
    pub(super) fn say(&self, bytes: &[u8]) -> Heard<()> {
        self.take_down(Kind::Data { side: self.ours, bytes })
    }

    /// Writes what fits; 0 if nothing does now.
    pub(super) fn try_write(&self, bytes: &[u8]) -> Heard<usize> {
        let Some(stream) = &self.stream else {
            return Err(Broken::Connection(ErrorKind::NotConnected.into()));
        };
        let written = match stream.try_write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            written => written.map_err(Broken::Connection)?,
        };
        self.take_down(Kind::Delivered { side: self.ours, length: written as u64 })?;
        Ok(written)
    }

    /// Says that nothing more comes from us; once.
    pub(super) fn half_close(&mut self) -> Heard<()> {
        if let Some(stream) = self.stream.as_ref().filter(|_| !self.half_closed) {
            self.half_closed = true;
            let closed = socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write);
            if closed.is_ok() {
                return self.take_down(Kind::Eof { side: self.ours });
            }
            // One that has ended needs not be told.
            if self.end.is_none() {
                return closed.map_err(Broken::Connection);
            }
        }
        Ok(())
    }

    /// Ends the connection by RST.
    pub(super) fn abort(&mut self) -> Heard<()> {
        if let Some(stream) = self.stream.take() {
            net::abort(stream);
            return self.take_down(Kind::Reset { side: self.ours });
        }
        Ok(())
    }

    /// How many bytes its kernel has not taken yet; `None` if the system does not tell.
    pub(super) fn unacknowledged(&self) -> Option<u64> {
        self.stream.as_ref().and_then(net::unacknowledged)
    }

    /// Whether the connection broke after the other end had closed its side, when nothing is read any
    /// more; told once.
    pub(super) fn is_broken(&self) -> bool {
        let error = self.stream.as_ref().map(TcpStream::take_error);
        matches!(error, Some(Ok(Some(_)) | Err(_)))
    }

    /// When the first so many messages had come, if it was the last read that completed them.
    pub(super) fn completed(&self, messages: u64) -> Option<Instant> {
        let (before, at) = self.last_read;
        (before < messages && messages <= self.comparison.arrived).then_some(at)
    }

    /// Hears what comes next; false at `deadline`, when what is there by then has been heard. A silence
    /// that completes a message is something heard.
    pub(super) async fn hear_until(&mut self, deadline: Instant) -> Heard<bool> {
        let silence =
            self.comparison.deadline().map(|at| Instant::now() + at.since(Timestamp::now()));
        let sooner = silence.filter(|silence| *silence < deadline);
        let heard = self.readable_until(sooner.unwrap_or(deadline)).await?;
        if !heard && sooner.is_some() {
            self.comparison.expire(Timestamp::now());
            return Ok(true);
        }
        Ok(heard)
    }

    async fn readable_until(&mut self, deadline: Instant) -> Heard<bool> {
        let heard = async {
            match self.stream.as_ref().filter(|_| self.end.is_none()) {
                Some(stream) => stream.readable().await,
                None => std::future::pending().await,
            }
        };
        let ready = self.before(deadline, heard).await?;
        self.hear_and(ready)
    }

    /// The same, and true also when there is room to write again.
    pub(super) async fn hear_or_write_until(&mut self, deadline: Instant) -> Heard<bool> {
        let ended = self.end.is_some();
        let either = async {
            let Some(stream) = &self.stream else { return std::future::pending().await };
            tokio::select! {
                ready = stream.readable(), if !ended => ready,
                ready = stream.writable() => ready,
            }
        };
        let ready = self.before(deadline, either).await?;
        self.hear_and(ready)
    }

    fn hear_and(&mut self, ready: bool) -> Heard<bool> {
        self.hear()?;
        Ok(ready)
    }

    /// Takes what has arrived already, without waiting; one read of it, since a peer may never pause.
    pub(super) fn hear(&mut self) -> Heard<()> {
        READ.with_borrow_mut(|bytes| {
            bytes.clear();
            self.hear_into(bytes)
        })
    }

    fn hear_into(&mut self, bytes: &mut Vec<u8>) -> Heard<()> {
        let Some(stream) = self.stream.as_ref().filter(|_| self.end.is_none()) else {
            return Ok(());
        };
        match stream.try_read_buf(bytes) {
            Ok(0) => self.ended(End::Eof),
            Ok(_) => self.take(bytes),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) if net::is_reset(&error) => self.ended(End::Reset),
            Err(error) => Err(Broken::Connection(error)),
        }
    }

    /// It said something.
    fn take(&mut self, bytes: &[u8]) -> Heard<()> {
        let side = self.ours.other();
        self.last_read = (self.comparison.arrived, Instant::now());
        self.take_down(Kind::Data { side, bytes })?;
        self.take_down(Kind::Delivered { side, length: bytes.len() as u64 })?;
        self.comparison.take(Arrival { at: Timestamp::now(), frame: None }, bytes);
        // What was left uncompared is not to be waited for.
        match self.stop.is_requested() {
            true => Err(Broken::Stopped),
            false => Ok(()),
        }
    }

    /// It has ended.
    fn ended(&mut self, how: End) -> Heard<()> {
        self.end = Some(how);
        let side = self.ours.other();
        self.take_down(match how {
            End::Eof => Kind::Eof { side },
            End::Reset => Kind::Reset { side },
        })
    }

    /// Whether `ready` came before `deadline`.
    async fn before(
        &self,
        deadline: Instant,
        ready: impl Future<Output = io::Result<()>>,
    ) -> Heard<bool> {
        // A task that always has something to do, which a peer that never pauses sees to, may never be
        // woken by a clock: so the deadline is looked at first.
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::select! {
            biased;
            () = self.stop.requested() => Err(Broken::Stopped),
            () = self.clock.sleep_until(deadline) => Ok(false),
            ready = ready => ready.map(|()| true).map_err(Broken::Connection),
        }
    }

    fn take_down(&self, kind: Kind<'_>) -> Heard<()> {
        match self.record {
            Some((record, connection)) => {
                record.event(connection, kind).map_err(Broken::Unrecorded)
            }
            None => Ok(()),
        }
    }
}

/// Says that a connection was opened, and with which sockets.
fn open(record: &Record, stream: &TcpStream, ours: Side) -> Result<ConnectionId> {
    let failed = |source| Error::network("look at", "a connection", source);
    let here = stream.local_addr().map_err(failed)?;
    let there = stream.peer_addr().unwrap_or(here);
    match ours {
        Side::Client => {
            record.open(here, there, Route { accepted: None, dialled: Some((here, there)) })
        }
        Side::Server => {
            record.open(there, here, Route { accepted: Some((there, here)), dialled: None })
        }
    }
}
