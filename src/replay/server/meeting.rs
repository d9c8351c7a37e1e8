//! Hears a client out until it is known which recorded one it is.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep_until;

use super::introduction::{Beginnings, Introduction, Known};
use crate::net::Stop;
use crate::replay::pace::later;
use crate::replay::peer::{Connected, End};
use crate::session::Timestamp;
use crate::wire::Arrival;

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;
/// How soon a client goes on whose first message nothing but silence ends.
const QUIET: Duration = Duration::from_millis(50);

/// A client that has been heard out.
pub(super) struct Met {
    /// The connection, with what was read of it.
    pub(super) connected: Connected,
    pub(super) client: SocketAddr,
    /// When it came.
    pub(super) at: Instant,
    /// Which recorded beginnings it said; none if it said nothing, or something else.
    pub(super) beginnings: Vec<usize>,
}

/// Reads what a client says first: until it is known, it has ended, or `patience` is over since it came,
/// however it spreads its words. One that has said nothing is not waited for once `hurry` is requested.
pub(super) async fn meet(
    stream: TcpStream,
    client: SocketAddr,
    beginnings: Arc<Beginnings>,
    patience: Duration,
    hurry: Stop,
) -> Met {
    let at = Instant::now();
    let mut introduction = Introduction::new(&beginnings);
    let (mut end, mut last, deadline) = (None, at, later(at, patience));
    let beginnings = loop {
        let until = match introduction.known() {
            Known::Begins(numbers) => break numbers,
            Known::Nobody => break Vec::new(),
            Known::NotYet => deadline,
            Known::Soon => later(last, QUIET).min(deadline),
        };
        tokio::select! {
            read = read(&stream) => match read {
                Ok(bytes) => {
                    last = Instant::now();
                    introduction.take(Arrival { at: Timestamp::now(), frame: None }, &bytes);
                }
                Err(how) => {
                    end = Some(how);
                    introduction.end();
                }
            },
            () = sleep_until(until.into()) => introduction.end(),
            () = hurry.requested(), if introduction.is_silent() => introduction.end(),
        }
    };
    let connected = Connected { stream, heard: introduction.into_heard(), end };
    Met { connected, client, at, beginnings }
}

/// What comes next, or how the client has ended.
async fn read(stream: &TcpStream) -> Result<Vec<u8>, End> {
    loop {
        let mut bytes = Vec::with_capacity(READ_SIZE);
        let read = match stream.readable().await {
            Ok(()) => stream.try_read_buf(&mut bytes),
            Err(error) => Err(error),
        };
        match read {
            Ok(0) => return Err(End::Eof),
            Ok(_) => return Ok(bytes),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // Broken in whatever way, nothing more can be heard of it.
            Err(_) => return Err(End::Reset),
        }
    }
}
