//! Clients that are none of the recorded ones: they are closed, or passed on to another server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::net::{self, Stop};
use crate::replay::options::{Miss, Options};
use crate::replay::peer::{Connected, End};
use crate::session::{Kind, Route, Side};
use crate::wire::visible;
use crate::{Error, Result};

/// How much is shown of what one said, in bytes.
const SHOWN: usize = 60;

/// Clients that were none of the recorded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// How many were closed. Something came that was not recorded: the replay has failed.
    pub closed: u64,
    /// How many were passed on.
    pub passed: u64,
    /// The first of them.
    pub clients: Vec<UnmatchedClient>,
}

/// A client that was none of the recorded ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnmatchedClient {
    /// Its address.
    pub client: String,
    /// Why it was none of them, in words.
    pub reason: String,
    /// To which address it was passed on; `None` if it was closed.
    pub passed_to: Option<String>,
    /// How many bytes of it were heard, or passed on.
    pub bytes_received: u64,
    /// How many bytes the other server answered, and it took.
    pub bytes_sent: u64,
}

impl Unmatched {
    /// Of how many clients something is kept; the others are counted.
    pub const KEPT: usize = 20;

    pub(super) fn add(&mut self, one: UnmatchedClient) {
        match one.passed_to {
            Some(_) => self.passed += 1,
            None => self.closed += 1,
        }
        if self.clients.len() < Unmatched::KEPT {
            self.clients.push(one);
        }
    }
}

/// Sees to the clients that are none of the recorded ones.
pub(super) struct Strangers {
    options: Arc<Options>,
    passing: JoinSet<Result<UnmatchedClient>>,
    abandoned: Stop,
    unmatched: Unmatched,
}

impl Strangers {
    pub(super) fn new(options: &Options) -> Strangers {
        let options = Arc::new(options.clone());
        let (passing, abandoned) = (JoinSet::new(), Stop::new());
        Strangers { options, passing, abandoned, unmatched: Unmatched::default() }
    }

    /// A client that is none of the recorded ones, and why.
    ///
    /// # Errors
    /// What the sink says that takes the replay down.
    pub(super) fn admit(
        &mut self,
        connected: Connected,
        client: SocketAddr,
        reason: String,
        miss: &Miss,
    ) -> Result<()> {
        let stranger = UnmatchedClient {
            client: client.to_string(),
            reason,
            passed_to: None,
            bytes_received: connected.heard.len() as u64,
            bytes_sent: 0,
        };
        match miss {
            Miss::Pass(to) if connected.end != Some(End::Reset) => {
                let (to, options, abandoned) =
                    (to.clone(), self.options.clone(), self.abandoned.clone());
                self.passing.spawn(async move {
                    let cut = async {
                        tokio::select! {
                            () = options.stop.requested() => {}
                            () = abandoned.requested() => {}
                        }
                    };
                    pass(connected, client, &to, stranger, &options, cut).await
                });
            }
            _ => {
                take_down_closed(&connected, client, &self.options)?;
                self.unmatched.add(stranger);
            }
        }
        Ok(())
    }

    /// How many have been closed.
    pub(super) fn closed(&self) -> u64 {
        self.unmatched.closed
    }

    /// Whether nobody is being passed on.
    pub(super) fn is_idle(&self) -> bool {
        self.passing.is_empty()
    }

    /// Passes nothing on any more.
    pub(super) fn abandon(&self) {
        self.abandoned.request();
    }

    /// Waits until one that was passed on has ended; never ends if there is none.
    ///
    /// # Errors
    /// That it could not be recorded.
    pub(super) async fn ended(&mut self) -> Result<()> {
        match self.passing.join_next().await {
            Some(Ok(passed)) => self.unmatched.add(passed?),
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
        Ok(())
    }

    /// Who came.
    pub(super) fn into_unmatched(self) -> Unmatched {
        self.unmatched
    }
}

/// What a client said first, for a person.
pub(super) fn said(heard: &[u8]) -> String {
    if heard.is_empty() {
        return "it said nothing".to_owned();
    }
    let (shown, more) = match heard.get(..SHOWN) {
        Some(shown) if heard.len() > SHOWN => (shown, "…"),
        _ => (heard, ""),
    };
    let text = String::from_utf8_lossy(shown);
    format!("it said {}{more} ({} bytes)", visible(&format!("{text:?}")), heard.len())
}

/// Carries what passes between a client and the server at `to`, until `cut`.
async fn pass(
    connected: Connected,
    client: SocketAddr,
    to: &net::Address,
    stranger: UnmatchedClient,
    options: &Options,
    cut: impl Future<Output = ()>,
) -> Result<UnmatchedClient> {
    let Connected { stream, heard, .. } = connected;
    let server = match timeout(options.patience, net::connect(to)).await {
        Ok(Ok(server)) => server,
        failed => {
            let why = match failed {
                Ok(Err(error)) => error.to_string(),
                _ => {
                    format!("cannot connect to {to} within {:.1} s", options.patience.as_secs_f64())
                }
            };
            let reason = format!("{}; it could not be passed on: {why}", stranger.reason);
            net::abort(stream);
            return Ok(UnmatchedClient { reason, ..stranger });
        }
    };
    let record = match &options.record {
        Some(record) => {
            let route = route(&stream, client, Some(&server))?;
            let address = route.dialled.map_or(client, |(_, address)| address);
            Some((record, record.open(client, address, route)?))
        }
        None => None,
    };
    let counted = [AtomicU64::new(0), AtomicU64::new(0)];
    let tell = |kind: Kind<'_>| {
        if let Kind::Delivered { side, length } = kind {
            counted[side.index()].fetch_add(length, Ordering::Relaxed);
        }
        record.map_or(Ok(()), |(record, connection)| record.event(connection, kind))
    };
    let reason = tokio::select! {
        biased;
        relayed = net::relay(stream, server, heard, tell) => relayed.map(|_| stranger.reason)?,
        () = cut => format!("{}; cut off at the end", stranger.reason),
    };
    let [bytes_received, bytes_sent] = counted.map(AtomicU64::into_inner);
    let passed_to = Some(to.to_string());
    Ok(UnmatchedClient { reason, passed_to, bytes_received, bytes_sent, client: stranger.client })
}

/// Takes down what a client said that is closed.
fn take_down_closed(connected: &Connected, client: SocketAddr, options: &Options) -> Result<()> {
    let Some(record) = &options.record else { return Ok(()) };
    let route = route(&connected.stream, client, None)?;
    let here = route.accepted.map_or(client, |(_, here)| here);
    let connection = record.open(client, here, route)?;
    let (side, bytes) = (Side::Client, connected.heard.as_slice());
    if !bytes.is_empty() {
        record.event(connection, Kind::Data { side, bytes })?;
        record.event(connection, Kind::Delivered { side, length: bytes.len() as u64 })?;
    }
    match connected.end {
        Some(End::Reset) => return record.event(connection, Kind::Reset { side }),
        Some(End::Eof) => record.event(connection, Kind::Eof { side })?,
        None => {}
    }
    record.event(connection, Kind::Eof { side: Side::Server })
}

/// The sockets of a client's connection, and of the one it is passed on to.
fn route(stream: &TcpStream, client: SocketAddr, to: Option<&TcpStream>) -> Result<Route> {
    let failed = |source| Error::network("look at", "a connection", source);
    let accepted = Some((client, stream.local_addr().map_err(failed)?));
    let dialled = match to {
        Some(to) => Some((to.local_addr().map_err(failed)?, to.peer_addr().map_err(failed)?)),
        None => None,
    };
    Ok(Route { accepted, dialled })
}
