//! Plays both ends around a server: its clients, and the servers that it itself asks.

use std::sync::Arc;

use tokio::net::TcpListener;

use super::client::replay;
use super::options::{Options, Serving};
use super::receipt::Receipt;
use super::script::Script;
use super::server::serve;
use crate::net::Address;
use crate::{Error, Result};

/// Plays the recorded clients of a server to the one at `to`, and the server that it was recorded to
/// dial to whatever connects to `listener`, at once. What nobody has dialled when the clients are done
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
    let asking = async {
        let receipt = replay(Arc::new(clients), to, options).await;
        serving.closing.request();
        receipt
    };
    let answering = serve(Arc::new(dependency), listener, options, &serving);
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
