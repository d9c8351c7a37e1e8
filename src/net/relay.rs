//! Two connections made one: bytes, half-closes and resets are passed on as they happen.

use std::future::Future;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::time::timeout;

use crate::Result;
use crate::net;
use crate::session::{Kind, Side};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;
/// How long the last words of an end that no longer listens are still carried to the other end.
const DRAIN: Duration = Duration::from_secs(1);

/// Carries what passes between `client` and `server` until both have ended, and says to `tell` what
/// happens, before it happens to the other end. `early` is what was read of the client already. Nothing
/// is read from one end faster than the other takes it. Returns who aborted, if either did; then the
/// other end is aborted as well.
///
/// # Errors
/// What `tell` says.
pub async fn relay(
    mut client: TcpStream,
    mut server: TcpStream,
    early: Vec<u8>,
    tell: impl Fn(Kind<'_>) -> Result<()>,
) -> Result<Option<Side>> {
    let aborted = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pass(Side::Client, early, from_client, to_server, &tell);
        let down = pass(Side::Server, Vec::new(), from_server, to_client, &tell);
        tokio::pin!(up, down);
        tokio::select! {
            first = &mut up => settle(first?, down).await?,
            first = &mut down => settle(first?, up).await?,
        }
    };
    if let Some(side) = aborted {
        tell(Kind::Reset { side })?;
        net::abort(if side == Side::Client { server } else { client });
    }
    Ok(aborted)
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

/// Carries the bytes of `side` until it ends or the other end takes no more.
async fn pass(
    side: Side,
    early: Vec<u8>,
    from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    tell: &impl Fn(Kind<'_>) -> Result<()>,
) -> Result<Ended> {
    if !early.is_empty() && !carry(side, &early, &mut to, tell).await? {
        return Ok(Ended::ReceiverGone(side.other()));
    }
    drop(early);
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
                    tell(Kind::Eof { side })?;
                    return Ok(match to.shutdown().await {
                        Ok(()) => Ended::Eof,
                        Err(_) => Ended::ReceiverGone(side.other()),
                    });
                }
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => return Ok(Ended::SenderGone(side)),
            }
            if !carry(side, &buffer, &mut to, tell).await? {
                return Ok(Ended::ReceiverGone(side.other()));
            }
        }
    }
}

/// Hands on all of `bytes`; false if the receiver takes no more.
async fn carry(
    side: Side,
    bytes: &[u8],
    to: &mut WriteHalf<'_>,
    tell: &impl Fn(Kind<'_>) -> Result<()>,
) -> Result<bool> {
    tell(Kind::Data { side, bytes })?;
    let (delivered, failed) = write_all(to, bytes).await;
    if delivered > 0 {
        tell(Kind::Delivered { side, length: delivered as u64 })?;
    }
    Ok(!failed)
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
