//! Plays the clients of a script.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::clock::Clock;
use super::options::Options;
use super::pace::{Pace, later};
use super::players::{Players, flushed};
use super::receipt::Receipt;
use super::script::Script;
use crate::Result;
use crate::net::{self, Address};
use crate::session::Side;

/// Plays the recorded clients to the server at `to`: each connection is opened at its recorded time,
/// all side by side unless the options say otherwise. A server that cannot be reached is a failed
/// connection of the receipt.
///
/// # Errors
/// What the sink says that takes the replay down, if there is one.
pub async fn replay(script: Arc<Script>, to: &Address, options: &Options) -> Result<Receipt> {
    flushed(options, play(script, to, options)).await
}

async fn play(script: Arc<Script>, to: &Address, options: &Options) -> Result<Receipt> {
    let mut pace = Pace::new(Instant::now(), options.speed);
    let mut players = Players::new(script.clone(), Side::Client, options);
    // Servers may take clients by the order in which they come, so it is kept however near they stand.
    let mut before: Option<oneshot::Receiver<()>> = None;
    for (index, conversation) in script.conversations.iter().enumerate() {
        if let Some(refusal) = players.refusal(index) {
            players.unplayed(index, refusal);
            continue;
        }
        if options.serial {
            players.settle().await?;
            pace = pace.anchored(conversation.due, Instant::now());
        }
        let due = pace.due(conversation.due);
        let (begun, next) = oneshot::channel();
        let turn = Turn { before: before.replace(next), begun };
        players.spawn(
            index,
            pace,
            connect(to.clone(), due, turn, players.clock.clone(), players.options.clone()),
        );
    }
    let mut receipt = players.receipt().await?;
    let servers = script.servers();
    if servers.len() > 1 {
        let servers: Vec<String> = servers.iter().map(SocketAddr::to_string).collect();
        let servers = servers.join(", ");
        receipt.notes.push(format!("connections to {servers} were recorded; all went to {to}"));
    }
    Ok(receipt)
}

/// When a connection may be dialled: once the one before it has been.
struct Turn {
    before: Option<oneshot::Receiver<()>>,
    begun: oneshot::Sender<()>,
}

/// Dials when it is time to; says why there is no connection.
async fn connect(
    to: Address,
    due: Instant,
    turn: Turn,
    clock: Clock,
    options: Arc<Options>,
) -> std::result::Result<TcpStream, String> {
    let deadline = later(due.max(Instant::now()), options.patience);
    tokio::select! {
        () = clock.sleep_until(due) => {}
        () = options.stop.requested() => return Err("stopped before it began".to_owned()),
    }
    let dialled = async {
        if let Some(before) = turn.before {
            // One that gave up before it dialled is not waited for either.
            let _ = before.await;
        }
        net::connect_saying(&to, || turn.begun.send(()).unwrap_or(())).await
    };
    tokio::select! {
        biased;
        connected = timeout_at(deadline.into(), dialled) => match connected {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => {
                let seconds = options.patience.as_secs_f64();
                Err(format!("stalled: cannot connect to {to} within {seconds:.1} s"))
            }
        },
        () = options.stop.requested() => Err(format!("stopped while connecting to {to}")),
    }
}
