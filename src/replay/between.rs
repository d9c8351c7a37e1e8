//! Plays both ends around a server: its clients, and the servers that it itself asks.

use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::time::sleep_until;

use super::client::replay;
use super::options::{Options, Serving};
use super::pace::{Pace, later};
use super::receipt::Receipt;
use super::script::Script;
use super::server::serve;
use crate::net::{Address, Stop};
use crate::{Error, Result};

/// Plays the recorded clients of a server to the one at `to`, and the server that it was recorded to
/// dial to whatever connects to `listener`, at once. The server in the middle may dial when its clients
/// have gone; what nobody has dialled by the patience after they are done, and after its recorded time,
/// has failed. For which connections are which see [`Script::split`].
///
/// # Errors
/// What the sink says that takes the replay down, if there is one.
pub async fn replay_between(
    (clients, dependency): (Script, Script),
    to: &Address,
    listener: TcpListener,
    options: &Options,
) -> Result<Receipt> {
    let serving = Serving::default();
    let pace = Pace::new(Instant::now(), options.speed);
    let last = dependency.conversations.iter().map(|one| pace.due(one.due)).max();
    let answered_all = Stop::new();
    let asking = async {
        let receipt = replay(Arc::new(clients), to, options).await;
        let now = Instant::now();
        let given_up = later(last.map_or(now, |last| last.max(now)), options.patience);
        if receipt.is_ok() {
            tokio::select! {
                () = sleep_until(given_up.into()) => {}
                () = answered_all.requested() => {}
                () = options.stop.requested() => {}
            }
        }
        serving.closing.request();
        receipt
    };
    let answering = async {
        let receipt = serve(Arc::new(dependency), listener, options, &serving).await;
        answered_all.request();
        receipt
    };
    let (asked, answered) = tokio::join!(asking, answering);
    Ok(asked?.with(answered?))
}

impl Script {
    /// Parts the connections of the server in the middle from those it dialled itself: two scripts, of
    /// its clients and of its dependency. The server in the middle is the recorded one at the port
    /// `to`, if there is one; else any but the one at the port `listen`, if that leaves one; else the
    /// one of the connection with the lowest number.
    ///
    /// # Errors
    /// [`Error::Usage`] if only one server was recorded.
    pub fn split(self, to: u16, listen: u16) -> Result<(Script, Script)> {
        let servers = self.servers();
        let middle = match servers.as_slice() {
            [] => return Ok((self, Script { conversations: Vec::new(), absent: Vec::new() })),
            [only] => {
                return Err(Error::Usage(format!(
                    "only connections to {only} were recorded; what it dialled itself is needed \
                     to be its dependency"
                )));
            }
            [first, ..] => {
                let at = |port: u16| servers.iter().find(|one| one.port() == port);
                let mut others = servers.iter().filter(|one| one.port() != listen);
                match (at(to), others.next(), others.next()) {
                    (Some(named), ..) => *named,
                    (None, Some(only), None) => *only,
                    _ => *first,
                }
            }
        };
        let (clients, dependency) =
            self.conversations.into_iter().partition(|one| one.server == middle);
        let clients = Script { conversations: clients, absent: self.absent };
        Ok((clients, Script { conversations: dependency, absent: Vec::new() }))
    }
}
