//! Plays the server of a script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, sleep_until};

use super::options::{Options, Serving};
use super::pace::{Pace, Speed, later};
use super::players::{Players, flushed};
use super::receipt::Receipt;
use super::script::Script;
use crate::session::Side;
use crate::{Error, Result};

/// How long a client that has already connected may take to be seen.
const CLOSING: Duration = Duration::from_millis(100);

/// Plays the recorded server to whoever connects to `listener`: clients are taken for the recorded
/// connections in the order in which they come, and each one's clock starts when it does. Returns when
/// every recorded connection has been played. Clients after the first are waited for up to the patience
/// beyond the recorded time.
///
/// # Errors
/// What the sink says that takes the replay down, if there is one.
pub async fn serve(
    script: Arc<Script>,
    listener: TcpListener,
    options: &Options,
    serving: &Serving,
) -> Result<Receipt> {
    flushed(options, play(script, listener, options, serving)).await
}

async fn play(
    script: Arc<Script>,
    listener: TcpListener,
    options: &Options,
    serving: &Serving,
) -> Result<Receipt> {
    let mut players = Players::new(script.clone(), Side::Server, options);
    let mut begun: Option<Instant> = None;
    let asked = serving.connections.unwrap_or(u64::MAX);
    for (index, conversation) in script.conversations.iter().enumerate() {
        if index as u64 >= asked {
            players.unplayed(index, format!("not played: only {asked} were asked for"));
            continue;
        }
        if let Some(refusal) = players.refusal(index) {
            players.unplayed(index, refusal);
            continue;
        }
        let deadline = match begun {
            Some(begun) => {
                let recorded = Pace::new(begun, Speed::RECORDED).due(conversation.opened);
                Some(later(recorded.max(Instant::now()), options.patience))
            }
            None => serving.wait.map(|wait| later(Instant::now(), wait)),
        };
        match next_client(&listener, deadline, options, serving).await {
            Ok(stream) => {
                let now = Instant::now();
                begun.get_or_insert(now.checked_sub(conversation.opened).unwrap_or(now));
                // Without the option small answers may wait for an acknowledgement; they still arrive.
                let _ = stream.set_nodelay(true);
                let pace = Pace::new(now, options.speed).anchored(conversation.due, now);
                players.spawn(index, pace, async { Ok(stream) });
            }
            Err(reason) => players.unplayed(index, reason),
        }
    }
    // Clients beyond the recorded ones are refused by the system.
    drop(listener);
    players.receipt().await
}

/// The client that comes next, or why none will.
async fn next_client(
    listener: &TcpListener,
    deadline: Option<Instant>,
    options: &Options,
    serving: &Serving,
) -> std::result::Result<TcpStream, String> {
    let since = Instant::now();
    let patience_ends = async {
        match deadline {
            Some(deadline) => sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    // A client that has connected by now is in the queue, but the runtime may not know it yet.
    let closed = async {
        serving.closing.requested().await;
        sleep(CLOSING).await;
    };
    tokio::select! {
        biased;
        accepted = listener.accept() => match accepted {
            Ok((stream, _)) => Ok(stream),
            Err(error) => Err(Error::network("accept", "a client", error).to_string()),
        },
        () = options.stop.requested() => Err("stopped before a client came".to_owned()),
        () = closed => Err("no client came for it".to_owned()),
        () = patience_ends => Err(format!(
            "stalled: no client came for it within {:.1} s",
            since.elapsed().as_secs_f64()
        )),
    }
}
