//! One end of a recorded connection that wirespool itself plays: a server that only listens, or a
//! client that sends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::Notice;
use super::accept::{Limits, Observer, accept};
use crate::net::{self, Address, Recorder};
use crate::session::{ConnectionId, Kind, Route, Side, Sink};
use crate::{Error, Result};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;

/// Accepts clients and records what they send, answering nothing; closes each when it half-closes.
///
/// # Errors
/// What the sink says.
pub async fn listen<S: Sink + Send + 'static>(
    listener: TcpListener,
    recorder: Arc<Recorder<S>>,
    limits: Limits,
    observer: Observer,
) -> Result<()> {
    accept(listener, &recorder, &limits, &observer, |stream, peer| {
        let (recorder, observer) = (recorder.clone(), observer.clone());
        async move {
            let endpoint = Endpoint::accepted(stream, peer, recorder)?;
            loop {
                match endpoint.read().await {
                    // A peer that never pauses must not keep a stop from being heard.
                    Ok(Some(_)) => tokio::task::yield_now().await,
                    Ok(None) => return endpoint.finish().await,
                    Err(Error::Network { .. }) => {
                        let connection = endpoint.connection;
                        observer(&Notice::Reset { connection, side: Side::Client });
                        return Ok(());
                    }
                    Err(error) => return Err(error),
                }
            }
        }
    })
    .await
}

/// A connection of which this process is one end; what it reads and writes is recorded.
#[derive(Debug)]
pub struct Endpoint<S> {
    stream: TcpStream,
    recorder: Arc<Recorder<S>>,
    connection: ConnectionId,
    ours: Side,
    peer: SocketAddr,
}

impl<S: Sink> Endpoint<S> {
    /// The server's end of a connection that was accepted from `peer`.
    ///
    /// # Errors
    /// What the sink says.
    pub fn accepted(
        stream: TcpStream,
        peer: SocketAddr,
        recorder: Arc<Recorder<S>>,
    ) -> Result<Endpoint<S>> {
        let here = stream.local_addr().unwrap_or(peer);
        // Without the option small answers may wait for an acknowledgement; they still arrive.
        let _ = stream.set_nodelay(true);
        let route = Route { accepted: Some((peer, here)), dialled: None };
        let connection = recorder.open(peer, here, route)?;
        Ok(Endpoint { stream, recorder, connection, ours: Side::Server, peer })
    }

    /// The client's end of a new connection to `address`.
    ///
    /// # Errors
    /// [`Error::Network`] if it cannot be reached, and what the sink says.
    pub async fn dial(address: &Address, recorder: Arc<Recorder<S>>) -> Result<Endpoint<S>> {
        let stream = net::connect(address).await?;
        let failed = |source| Error::network("connect to", address, source);
        let here = stream.local_addr().map_err(failed)?;
        let peer = stream.peer_addr().map_err(failed)?;
        let route = Route { accepted: None, dialled: Some((here, peer)) };
        let connection = recorder.open(here, peer, route)?;
        Ok(Endpoint { stream, recorder, connection, ours: Side::Client, peer })
    }

    /// The other end's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The recorder's number for this connection.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// What the other end sent next; `None` once it has half-closed.
    ///
    /// # Errors
    /// [`Error::Network`] if the connection broke, and what the sink says.
    pub async fn read(&self) -> Result<Option<Vec<u8>>> {
        let side = self.ours.other();
        loop {
            self.stream.readable().await.map_err(|source| self.broken("read from", source))?;
            let mut bytes = Vec::with_capacity(READ_SIZE);
            match self.stream.try_read_buf(&mut bytes) {
                Ok(0) => {
                    self.recorder.event(self.connection, Kind::Eof { side })?;
                    return Ok(None);
                }
                Ok(length) => {
                    self.recorder.event(self.connection, Kind::Data { side, bytes: &bytes })?;
                    let length = length as u64;
                    self.recorder.event(self.connection, Kind::Delivered { side, length })?;
                    return Ok(Some(bytes));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => return Err(self.lost("read from", source)),
            }
        }
    }

    /// Sends all of `bytes`.
    ///
    /// # Errors
    /// [`Error::Network`] if the connection broke, and what the sink says.
    pub async fn write(&self, bytes: &[u8]) -> Result<()> {
        let side = self.ours;
        // Recorded before it leaves, so that no answer can stand before its question.
        self.recorder.event(self.connection, Kind::Data { side, bytes })?;
        let mut rest = bytes;
        while !rest.is_empty() {
            self.stream.writable().await.map_err(|source| self.broken("write to", source))?;
            match self.stream.try_write(rest) {
                Ok(length) => {
                    rest = &rest[length..];
                    let length = length as u64;
                    self.recorder.event(self.connection, Kind::Delivered { side, length })?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(source) => return Err(self.lost("write to", source)),
            }
        }
        Ok(())
    }

    /// Half-closes: the other end sees that nothing more comes, and may go on sending.
    ///
    /// # Errors
    /// What the sink says. An end that has gone already needs not be told.
    pub async fn finish(&self) -> Result<()> {
        let socket = socket2::SockRef::from(&self.stream);
        match socket.shutdown(std::net::Shutdown::Write) {
            Ok(()) => self.recorder.event(self.connection, Kind::Eof { side: self.ours }),
            Err(_) => Ok(()),
        }
    }

    /// Records that the other end aborted, if that is what the failure means.
    fn lost(&self, action: &'static str, source: io::Error) -> Error {
        let side = self.ours.other();
        if net::is_reset(&source)
            && let Err(error) = self.recorder.event(self.connection, Kind::Reset { side })
        {
            return error;
        }
        self.broken(action, source)
    }

    fn broken(&self, action: &'static str, source: io::Error) -> Error {
        Error::network(action, self.peer, source)
    }
}
