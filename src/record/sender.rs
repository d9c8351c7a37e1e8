//! A client that sends messages at a steady pace and hears what comes back.

use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

use super::Endpoint;
use crate::net::Stop;
use crate::session::Sink;
use crate::{Error, Result};

/// How [`send`] goes about it.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The time from one message to the next, kept from the first one's on; zero for no pause.
    pub interval: Duration,
    /// How long a silence may last after the last message, before the peer's close.
    pub patience: Duration,
    /// Ends the sending early, as the end of the messages would.
    pub stop: Stop,
}

/// Sends every message, half-closes, and reads answers until the peer closes, or is silent for longer
/// than the patience. Answers are read from the start. Returns how many messages were sent.
///
/// # Errors
/// [`Error::Network`](crate::Error::Network) if the connection broke before the peer closed it,
/// [`Error::Interrupted`] if the stop came in the middle of a message, and what the sink says.
pub async fn send<S: Sink>(
    endpoint: &Endpoint<S>,
    mut messages: Receiver<Vec<u8>>,
    sending: &Sending,
) -> Result<u64> {
    let sent = async {
        let begin = Instant::now();
        let mut sent: u64 = 0;
        loop {
            let next = tokio::select! {
                next = messages.recv() => next,
                () = sending.stop.requested() => None,
            };
            let Some(bytes) = next else { break };
            // Counted from the beginning, so that no delay adds up.
            let pause = sending.interval.mul_f64(sent as f64);
            tokio::select! {
                () = sleep_until(begin + pause) => {}
                () = sending.stop.requested() => break,
            }
            tokio::select! {
                written = endpoint.write(&bytes) => written?,
                // It is not known how much of the message the peer has: not all was sent.
                () = sending.stop.requested() => return Err(Error::Interrupted),
            }
            sent += 1;
        }
        endpoint.finish().await?;
        Ok::<u64, Error>(sent)
    };
    tokio::pin!(sent);
    let mut closed = false;
    let sent = loop {
        tokio::select! {
            done = &mut sent => break done?,
            heard = endpoint.read(), if !closed => closed = heard?.is_none(),
        }
    };
    while !closed {
        tokio::select! {
            heard = timeout(sending.patience, endpoint.read()) => match heard {
                Ok(heard) => closed = heard?.is_none(),
                Err(_silence) => break,
            },
            () = sending.stop.requested() => break,
        }
    }
    Ok(sent)
}
