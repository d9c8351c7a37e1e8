//! The in-line proxy: dials the upstream for each client and passes on bytes, half-closes and resets
//! as they happen, recording each before it leaves.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::accept::{Limits, Notice, Observer, accept};
use super::endpoint::READ_SIZE;
use crate::net::{self, Address, Recorder};
use crate::session::{ConnectionId, Kind, Route, Side, Sink};
use crate::{Error, Result};

/// How long the last words of an end that no longer listens are still carried to the other end.
const DRAIN: Duration = Duration::from_secs(1);

/// Records what passes between the clients of `listener` and `upstream`, any number of connections
/// at once. Nothing is read from one end faster than the other takes it.
///
/// # Errors
/// What the sink says: a recording that cannot be written ends, and its connections with it.
pub async fn proxy<S: Sink + Send + 'static>(
    listener: TcpListener,
    upstream: Address,
    recorder: Arc<Recorder<S>>,
    limits: Limits,
    observer: Observer,
) -> Result<()> {
    accept(listener, &recorder, &limits, &observer, |client, peer| {
        let link = Link { recorder: recorder.clone(), observer: observer.clone() };
        link.carry(client, peer, upstream.clone())
    })
    .await
}

/// What each proxied connection needs.
struct Link<S> {
    recorder: Arc<Recorder<S>>,
    observer: Observer,
}

/// How one direction of a connection ended.
#[derive(Clone, Copy)]
enum Ended {
    /// Its sender half-closed, and the receiver was told.
    Eof,
    /// Its sender aborted.
    SenderGone(Side),
    /// Its receiver takes no more.
    ReceiverGone(Side),
}

impl<S: Sink + Send + 'static> Link<S> {
    async fn carry(self, client: TcpStream, peer: SocketAddr, upstream: Address) -> Result<()> {
        let here = client.local_addr().unwrap_or(peer);
        let accepted = Some((peer, here));
        let server = match net::connect(&upstream).await {
            Ok(server) => server,
            Err(error) => return self.refuse(client, accepted, &upstream, error).await,
        };
        // Latency is the recorded programs' business; a socket that cannot have the option works on.
        let _ = client.set_nodelay(true);
        let (Ok(dialled), Ok(address)) = (server.local_addr(), server.peer_addr()) else {
            // The upstream was there and is gone again, before it said where it was.
            let error = Error::network("connect to", &upstream, gone());
            return self.refuse(client, accepted, &upstream, error).await;
        };
        let route = Route { accepted, dialled: Some((dialled, address)) };
        let connection = self.recorder.open(peer, address, route)?;
        self.relay(connection, client, server).await
    }

    /// Tells the client that the upstream is not there the way TCP would: by a reset.
    async fn refuse(
        &self,
        client: TcpStream,
        accepted: Option<(SocketAddr, SocketAddr)>,
        upstream: &Address,
        error: Error,
    ) -> Result<()> {
        let known = upstream.resolve().await.ok().and_then(|found| found.first().copied());
        if let (Some((peer, here)), route) = (accepted, Route { accepted, dialled: None }) {
            let connection = self.recorder.open(peer, known.unwrap_or(here), route)?;
            self.recorder.event(connection, Kind::Reset { side: Side::Server })?;
            (self.observer)(&Notice::Unreachable { connection, error });
        }
        net::abort(client);
        Ok(())
    }

    async fn relay(
        self,
        connection: ConnectionId,
        mut client: TcpStream,
        mut server: TcpStream,
    ) -> Result<()> {
        let aborted = {
            let (from_client, to_client) = client.split();
            let (from_server, to_server) = server.split();
            let up = self.pass(connection, Side::Client, from_client, to_server);
            let down = self.pass(connection, Side::Server, from_server, to_client);
            tokio::pin!(up, down);
            tokio::select! {
                first = &mut up => settle(first?, down).await?,
                first = &mut down => settle(first?, up).await?,
            }
        };
        if let Some(side) = aborted {
            self.recorder.event(connection, Kind::Reset { side })?;
            (self.observer)(&Notice::Reset { connection, side });
            net::abort(if side == Side::Client { server } else { client });
        }
        Ok(())
    }

    /// Carries the bytes of `side` until it ends or the other end takes no more.
    async fn pass(
        &self,
        connection: ConnectionId,
        side: Side,
        from: ReadHalf<'_>,
        mut to: WriteHalf<'_>,
    ) -> Result<Ended> {
        loop {
            if from.readable().await.is_err() {
                return Ok(Ended::SenderGone(side));
            }
            // Taken anew for each burst: a thousand idle connections hold no buffers.
            let mut buffer = Vec::with_capacity(READ_SIZE);
            loop {
                buffer.clear();
                match from.try_read_buf(&mut buffer) {
                    Ok(0) => {
                        self.recorder.event(connection, Kind::Eof { side })?;
                        return Ok(match to.shutdown().await {
                            Ok(()) => Ended::Eof,
                            Err(_) => Ended::ReceiverGone(side.other()),
                        });
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                    Err(_) => return Ok(Ended::SenderGone(side)),
                }
                self.recorder.event(connection, Kind::Data { side, bytes: &buffer })?;
                let (delivered, failed) = write_all(&mut to, &buffer).await;
                if delivered > 0 {
                    let length = delivered as u64;
                    self.recorder.event(connection, Kind::Delivered { side, length })?;
                }
                if failed {
                    return Ok(Ended::ReceiverGone(side.other()));
                }
            }
        }
    }
}

/// Sees the other direction through as the end of the first one allows, and says who aborted.
async fn settle(first: Ended, other: impl Future<Output = Result<Ended>>) -> Result<Option<Side>> {
    match first {
        Ended::Eof => match other.await? {
            Ended::Eof => Ok(None),
            Ended::SenderGone(side) | Ended::ReceiverGone(side) => Ok(Some(side)),
        },
        Ended::SenderGone(side) => Ok(Some(side)),
        // It hears nothing any more, but what it said before may still be on its way to us.
        Ended::ReceiverGone(side) => {
            if let Ok(ended) = timeout(DRAIN, other).await {
                ended?;
            }
            Ok(Some(side))
        }
    }
}

/// Writes all of `bytes`, or as much as is taken; returns how much, and whether it failed.
async fn write_all(to: &mut WriteHalf<'_>, bytes: &[u8]) -> (usize, bool) {
    let mut written = 0;
    while written < bytes.len() {
        match to.write(&bytes[written..]).await {
            Ok(0) | Err(_) => return (written, true),
            Ok(more) => written += more,
        }
    }
    (written, false)
}

fn gone() -> std::io::Error {
    std::io::ErrorKind::NotConnected.into()
}
