//! Listening, dialling, and ending connections the way the other end did.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::pin::pin;
use std::task::Poll;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Address;
use crate::{Error, Result};

/// How many clients may wait to be accepted; the kernel caps it at its own limit.
const BACKLOG: u32 = 1024;

/// Listens at the first of the host's addresses, IPv4 first. Port 0 lets the system choose.
///
/// SO_REUSEADDR is set: connections of an earlier run in TIME_WAIT do not block the port, a listener
/// that is there does.
///
/// # Errors
/// [`Error::Network`] if the name has no address or the port cannot be had.
pub async fn listen(address: &Address) -> Result<TcpListener> {
    let failed = |source| Error::network("listen on", address, source);
    let socket_address = address.resolve().await?[0];
    let socket = socket_for(socket_address).map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(socket_address).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)
}

/// Dials each of the host's addresses in turn, IPv4 first, and returns the first connection made,
/// with Nagle's algorithm off: bytes leave when they are written.
///
/// # Errors
/// [`Error::Network`] with the last failure if none answers.
pub async fn connect(address: &Address) -> Result<TcpStream> {
    connect_saying(address, || ()).await
}

/// The same, and calls `begun` as soon as the first of the addresses has been dialled: of two that
/// are dialled one after the other, a server that is near takes the first one first.
///
/// # Errors
/// [`Error::Network`] with the last failure if none answers.
pub async fn connect_saying(address: &Address, begun: impl FnOnce()) -> Result<TcpStream> {
    let mut begun = Some(begun);
    let mut last = io::Error::other("no address was tried");
    for socket_address in address.resolve().await? {
        let mut dialling = pin!(connect_to(socket_address));
        // It dials when it is first looked at.
        let answer = poll_fn(|context| Poll::Ready(dialling.as_mut().poll(context))).await;
        if let Some(begun) = begun.take() {
            begun();
        }
        let connected = match answer {
            Poll::Ready(connected) => connected,
            Poll::Pending => dialling.await,
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(Error::network("connect to", address, last))
}

/// Refuses to pass clients on to where they come from: that would dial itself until no descriptor is left.
///
/// # Errors
/// [`Error::Usage`] if `to` is where `listener` listens.
pub async fn refuse_loop(to: &Address, listener: &TcpListener) -> Result<()> {
    let Some(here) = listener.local_addr().ok().filter(|here| here.port() == to.port()) else {
        return Ok(());
    };
    // A name that cannot be looked up is said when a client comes: the server may not be there yet.
    let upstream = to.resolve().await.unwrap_or_default();
    // One that listens on all addresses is there on loopback, and to dial "all addresses" dials loopback.
    let is_near = |one: &SocketAddr| one.ip().is_loopback() || one.ip().is_unspecified();
    let meets = |one: &SocketAddr, other: &SocketAddr| one.ip().is_unspecified() && is_near(other);
    if upstream.iter().any(|one| *one == here || meets(&here, one) || meets(one, &here)) {
        let reason = format!("{to} is where wirespool itself listens; name the server's address");
        return Err(Error::Usage(reason));
    }
    Ok(())
}

/// Ends a connection by RST, discarding what the kernel has not sent yet.
pub fn abort(stream: TcpStream) {
    // If the option cannot be set the close is an ordinary one, and there is nobody left to tell.
    let _ = stream.set_zero_linger();
}

/// Whether a read or write failed because the other end aborted the connection.
pub fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::NotConnected
    )
}

/// How many bytes written to the connection the other end's kernel has not acknowledged (RFC 9293,
/// SND.NXT - SND.UNA, plus what waits to be sent; a FIN counts as one).
///
/// `None` where the system does not tell.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn unacknowledged(stream: &TcpStream) -> Option<u64> {
    let mut queued: libc::c_int = 0;
    // SAFETY: TIOCOUTQ (SIOCOUTQ on sockets) writes one int through the pointer, which is valid for
    // the call; the descriptor is open because `stream` is borrowed.
    let status = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &mut queued) };
    (status == 0).then(|| u64::try_from(queued).unwrap_or(0))
}

/// How many bytes written to the connection the other end's kernel has not acknowledged: this system
/// does not tell.
#[cfg(not(target_os = "linux"))]
pub fn unacknowledged(_stream: &TcpStream) -> Option<u64> {
    None
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = socket_for(address)?.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn socket_for(address: SocketAddr) -> io::Result<TcpSocket> {
    if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }
}
