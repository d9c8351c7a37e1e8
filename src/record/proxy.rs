//! The in-line proxy: dials the upstream for each client and passes on bytes, half-closes and resets
//! as they happen, recording each before it leaves.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::accept::{Limits, Notice, Observer, accept};
use crate::net::{self, Address, Recorder};
use crate::session::{Kind, Route, Side, Sink};
use crate::{Error, Result};

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
        let tell = |kind: Kind<'_>| self.recorder.event(connection, kind);
        if let Some(side) = net::relay(client, server, Vec::new(), tell).await? {
            (self.observer)(&Notice::Reset { connection, side });
        }
        Ok(())
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
}

fn gone() -> std::io::Error {
    std::io::ErrorKind::NotConnected.into()
}
