//! The loop that accepts connections and sees them through, for the proxy and the listening endpoint.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::net::{Recorder, Stop};
use crate::session::{ConnectionId, Side, Sink};
use crate::{Error, Result};

/// How often a sink hears that time passes.
const TICK: Duration = Duration::from_millis(20);
/// Every so many ticks the sink is flushed: twice a second, where at most one second may be lost.
const TICKS_PER_FLUSH: u32 = 25;
/// How long to leave the system alone after it could not accept (no descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Once asked to end: how long nothing may happen on open connections before they are closed, and how
/// long that is waited for.
const SETTLED: Duration = Duration::from_millis(100);
const SETTLING: Duration = Duration::from_secs(1);

/// When a recording ends by itself.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Accept so many connections, and end when they have closed.
    pub connections: Option<u64>,
    /// End after this time.
    pub duration: Option<Duration>,
    /// End when asked: once what clients sent before has been carried and recorded, so far as that
    /// takes no more than a second.
    pub stop: Stop,
}

/// Hears of what a person should know at once; the recording goes on.
pub type Observer = Arc<dyn Fn(&Notice) + Send + Sync>;

/// What a person should know at once.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// The upstream could not be reached; the client was closed by a reset.
    Unreachable {
        /// Which connection.
        connection: ConnectionId,
        /// Why.
        error: Error,
    },
    /// One end aborted the connection; the other end was told by a reset.
    Reset {
        /// Which connection.
        connection: ConnectionId,
        /// Which end.
        side: Side,
    },
    /// A waiting client could not be accepted; it is tried again.
    NotAccepted(std::io::Error),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Notice::Unreachable { connection, error } => {
                write!(f, "connection {connection}: {error}; the client was closed")
            }
            Notice::Reset { connection, side } => {
                write!(f, "connection {connection}: reset by the {side}")
            }
            Notice::NotAccepted(error) => write!(f, "cannot accept a client: {error}; trying on"),
        }
    }
}

/// Accepts until the limits say otherwise, and runs `handle` for each connection. Connections still
/// open at the end are closed.
///
/// # Errors
/// The first error of a handler, which is one of the sink: what cannot be recorded must not go on as
/// if it were.
pub(super) async fn accept<S, F>(
    listener: TcpListener,
    recorder: &Recorder<S>,
    limits: &Limits,
    observer: &Observer,
    handle: impl Fn(TcpStream, SocketAddr) -> F,
) -> Result<()>
where
    S: Sink,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let mut handlers = JoinSet::new();
    let mut left = limits.connections.unwrap_or(u64::MAX);
    let mut listener = Some(listener).filter(|_| left > 0);
    let mut ticks = 0;
    let mut settling: Option<Settling> = None;
    let mut ticker = interval(TICK);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let deadline = async {
        match limits.duration {
            Some(duration) => sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(deadline);
    let ended = async {
        while left > 0 || !handlers.is_empty() {
            tokio::select! {
                accepted = next(listener.as_ref()) => match accepted {
                    Ok((stream, peer)) => {
                        left -= 1;
                        if left == 0 {
                            // Whoever comes now is refused by the system, and does not wait in vain.
                            listener = None;
                        }
                        handlers.spawn(handle(stream, peer));
                    }
                    Err(error) => {
                        observer(&Notice::NotAccepted(error));
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = handlers.join_next() => match ended {
                    Ok(outcome) => outcome?,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                _ = ticker.tick() => {
                    recorder.tick()?;
                    ticks += 1;
                    if ticks % TICKS_PER_FLUSH == 0 {
                        recorder.flush()?;
                    }
                    if let Some(settling) = &mut settling
                        && settling.is_over(recorder.events(), handlers.is_empty())
                    {
                        break;
                    }
                }
                () = limits.stop.requested(), if settling.is_none() => {
                    settling = Some(Settling::new(recorder.events()));
                    ticker.reset();
                }
                () = &mut deadline => break,
            }
        }
        Ok(())
    }
    .await;
    // After a failure too: whoever gave the recorder wants it back whole, to complete the file.
    handlers.shutdown().await;
    ended.and(recorder.flush())
}

/// The client that comes next; never returns without a listener.
async fn next(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// The time between being asked to end and ending, in which what is on its way arrives: a client that
/// has sent and closed must not find its last words missing because the end came a moment later.
struct Settling {
    begun: Instant,
    /// How many events there were when it was last looked, and since when.
    events: u64,
    quiet_since: Instant,
}

impl Settling {
    fn new(events: u64) -> Settling {
        let now = Instant::now();
        Settling { begun: now, events, quiet_since: now }
    }

    /// Whether nothing more is to be expected, a tick or more after it began or was last asked.
    fn is_over(&mut self, events: u64, all_closed: bool) -> bool {
        let now = Instant::now();
        if events != self.events {
            self.events = events;
            self.quiet_since = now;
            return now - self.begun >= SETTLING;
        }
        // Clients that waited to be accepted have been, by this tick.
        all_closed || now - self.quiet_since >= SETTLED
    }
}
