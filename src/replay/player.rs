//! Plays a whole script: as the clients that were recorded, or as the server.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout_at};

use super::driver::drive;
use super::pace::{Pace, Speed, later};
use super::receipt::{ConnectionReceipt, Receipt};
use super::script::{Conversation, Script};
use crate::net::{self, Address, Stop};
use crate::session::Side;

/// How long a client that has already connected may take to be seen.
const CLOSING: Duration = Duration::from_millis(100);

/// How a script is played.
#[derive(Clone, Debug)]
pub struct Options {
    /// How fast.
    pub speed: Speed,
    /// How much longer than recorded the other end may take for each thing it is expected to do.
    pub patience: Duration,
    /// Play at most the first so many recorded connections; the others have failed.
    pub connections: Option<u64>,
    /// Ends the replay early; what was not played by then has failed.
    pub stop: Stop,
    /// Says that no further clients will come to [`serve`]: those that came are played to the end.
    pub closing: Stop,
}

impl Options {
    /// The patience of a replay that was given none.
    pub const PATIENCE: Duration = Duration::from_secs(5);
}

impl Default for Options {
    fn default() -> Options {
        Options {
            speed: Speed::RECORDED,
            patience: Options::PATIENCE,
            connections: None,
            stop: Stop::new(),
            closing: Stop::new(),
        }
    }
}

/// Plays the recorded clients to the server at `to`: each connection is opened at its recorded time,
/// all side by side. A server that cannot be reached is a failed connection of the receipt.
pub async fn replay(script: Arc<Script>, to: &Address, options: &Options) -> Receipt {
    let pace = Pace::new(Instant::now(), options.speed);
    let mut players = Players::new(script.clone(), Side::Client, options);
    for (index, conversation) in script.conversations.iter().enumerate() {
        let refused = refuse_gaps(conversation, Side::Client);
        let (to, due) = (to.clone(), pace.due(conversation.opened));
        players.spawn(index, pace, refused, move |options| async move {
            let deadline = later(due.max(Instant::now()), options.patience);
            tokio::select! {
                () = sleep_until(due.into()) => {}
                () = options.stop.requested() => return Err("stopped before it began".to_owned()),
            }
            match timeout_at(deadline.into(), net::connect(&to)).await {
                Ok(connected) => connected.map_err(|error| error.to_string()),
                Err(_) => {
                    let seconds = options.patience.as_secs_f64();
                    Err(format!("stalled: cannot connect to {to} within {seconds:.1} s"))
                }
            }
        });
    }
    players.receipt().await
}

/// Plays the recorded server to whoever connects to `listener`: clients are taken for the recorded
/// connections in the order in which they come, and each one's clock starts when it does. Returns when
/// every recorded connection has been played. The first client is waited for until the options' stop,
/// the others for the patience beyond the recorded time.
pub async fn serve(script: Arc<Script>, listener: TcpListener, options: &Options) -> Receipt {
    let mut players = Players::new(script.clone(), Side::Server, options);
    let mut begun: Option<Instant> = None;
    let asked = options.connections.unwrap_or(u64::MAX);
    for (index, conversation) in script.conversations.iter().enumerate() {
        if index as u64 >= asked {
            let reason = format!("not played: only {asked} were asked for");
            players.done(index, ConnectionReceipt::unplayed(conversation, Side::Server, reason));
            continue;
        }
        if let Some(refused) = refuse_gaps(conversation, Side::Server) {
            players.done(index, refused);
            continue;
        }
        let deadline = begun.map(|begun| {
            let recorded = Pace::new(begun, Speed::RECORDED).due(conversation.opened);
            later(recorded.max(Instant::now()), options.patience)
        });
        match next_client(&listener, deadline, options).await {
            Ok(stream) => {
                let now = Instant::now();
                begun.get_or_insert(now.checked_sub(conversation.opened).unwrap_or(now));
                // Without the option small answers may wait for an acknowledgement; they still arrive.
                let _ = stream.set_nodelay(true);
                let pace = Pace::new(now, options.speed).anchored(conversation.opened, now);
                players.spawn(index, pace, None, |_| async { Ok(stream) });
            }
            Err(reason) => {
                players
                    .done(index, ConnectionReceipt::unplayed(conversation, Side::Server, reason));
            }
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
) -> Result<TcpStream, String> {
    let patience_ends = async {
        match deadline {
            Some(deadline) => sleep_until(deadline.into()).await,
            None => std::future::pending().await,
        }
    };
    // A client that has connected by now is in the queue, but the runtime may not know it yet.
    let closed = async {
        options.closing.requested().await;
        sleep(CLOSING).await;
    };
    tokio::select! {
        biased;
        accepted = listener.accept() => match accepted {
            Ok((stream, _)) => Ok(stream),
            Err(error) => Err(format!("cannot accept a client: {error}")),
        },
        () = options.stop.requested() => Err("stopped before a client came".to_owned()),
        () = closed => Err("no client came for it".to_owned()),
        () = patience_ends => Err(format!(
            "stalled: no client came for it within {:.1} s beyond the recorded time",
            options.patience.as_secs_f64()
        )),
    }
}

/// The connections being played, and the receipts of those that are done.
struct Players<'a> {
    script: Arc<Script>,
    ours: Side,
    options: &'a Options,
    running: JoinSet<(usize, ConnectionReceipt)>,
    done: Vec<(usize, ConnectionReceipt)>,
}

impl Players<'_> {
    fn new(script: Arc<Script>, ours: Side, options: &Options) -> Players<'_> {
        Players { script, ours, options, running: JoinSet::new(), done: Vec::new() }
    }

    fn spawn<F>(
        &mut self,
        index: usize,
        pace: Pace,
        refused: Option<ConnectionReceipt>,
        connect: impl FnOnce(Options) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<TcpStream, String>> + Send,
    {
        if let Some(refused) = refused {
            return self.done(index, refused);
        }
        let (script, ours, options) = (self.script.clone(), self.ours, self.options.clone());
        self.running.spawn(async move {
            let conversation = &script.conversations[index];
            let receipt = match connect(options.clone()).await {
                Ok(stream) => {
                    drive(conversation, ours, stream, &script.format, pace, &options).await
                }
                Err(reason) => ConnectionReceipt::unplayed(conversation, ours, reason),
            };
            (index, receipt)
        });
    }

    fn done(&mut self, index: usize, receipt: ConnectionReceipt) {
        self.done.push((index, receipt));
    }

    async fn receipt(mut self) -> Receipt {
        while let Some(ended) = self.running.join_next().await {
            match ended {
                Ok(receipt) => self.done.push(receipt),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        self.done.sort_by_key(|&(index, _)| index);
        Receipt::new(self.ours, self.done.into_iter().map(|(_, receipt)| receipt).collect())
    }
}

/// What is missing of a recording can be neither sent nor expected.
fn refuse_gaps(conversation: &Conversation, ours: Side) -> Option<ConnectionReceipt> {
    let missing = conversation.missing;
    (missing.gaps > 0).then(|| {
        let reason = format!(
            "not played: the capture lacks {} bytes of it in {} places",
            missing.bytes, missing.gaps
        );
        ConnectionReceipt::unplayed(conversation, ours, reason)
    })
}
