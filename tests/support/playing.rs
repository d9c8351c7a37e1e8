//! Plays sessions written down by hand: to a server on a thread, and as the server of a client on one.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use wirespool::Format;
use wirespool::net::{self, Address};
use wirespool::replay::{Options, Receipt, Script, Serving, replay, serve};

use super::{Line, feed, feed_at, run, server};

/// Between two lines, unless a test says otherwise: apart enough to have been recorded in order.
pub const STEP: Duration = Duration::from_millis(1);

pub fn script(format: &str, lines: &[Line<'_>]) -> Arc<Script> {
    script_paced(format, STEP, lines)
}

pub fn script_paced(format: &str, step: Duration, lines: &[Line<'_>]) -> Arc<Script> {
    let format = Format::parse(format).unwrap();
    Arc::new(Script::read(format, |sink| feed(sink, 0, step, lines)).unwrap())
}

/// A script whose lines happened at so many microseconds.
pub fn script_at(format: &str, lines: &[(i64, Line<'_>)]) -> Arc<Script> {
    let format = Format::parse(format).unwrap();
    Arc::new(Script::read(format, |sink| feed_at(sink, 0, 0, lines)).unwrap())
}

/// Patient enough for a busy machine where an answer must come, and for a test where none must.
pub fn patience(patience: Duration) -> Options {
    Options { patience, ..Options::default() }
}

pub fn play_to(address: SocketAddr, script: Arc<Script>, options: Options) -> Receipt {
    run(async move { replay(script, &address.into(), &options).await.unwrap() })
}

pub fn play(script: Arc<Script>, peer: impl FnOnce(TcpStream) + Send + 'static) -> Receipt {
    let (address, _peer) = server(peer);
    play_to(address, script, Options::default())
}

/// Replays the script to a server on a thread; the receipt, and what the server returned.
pub fn replay_to<T: Send + 'static>(
    script: Arc<Script>,
    options: Options,
    handle: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (Receipt, T) {
    let (address, serving) = server(handle);
    let receipt = play_to(address, script, options);
    (receipt, serving.join().unwrap())
}

/// A script of several connections, a millisecond between any two lines of one.
pub fn script_of(format: &str, connections: &[&[Line<'_>]]) -> Arc<Script> {
    let format = Format::parse(format).unwrap();
    let read = Script::read(format, |sink| {
        let mut numbered = (0..).zip(connections);
        numbered.try_for_each(|(number, lines)| feed(sink, number, STEP, lines))
    });
    Arc::new(read.unwrap())
}

/// Serves the script to clients on a thread; the receipt, and what the thread returned.
pub fn serve_to<T: Send + 'static>(
    script: Arc<Script>,
    options: Options,
    clients: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> (Receipt, T) {
    serve_as(script, options, Serving::default(), clients)
}

/// The same, with more to say about who may come.
pub fn serve_as<T: Send + 'static>(
    script: Arc<Script>,
    options: Options,
    serving: Serving,
    clients: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> (Receipt, T) {
    run(async move {
        let listener = net::listen(&Address::loopback(0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients = tokio::task::spawn_blocking(move || clients(address));
        let receipt = serve(script, listener, &options, &serving).await.unwrap();
        (receipt, clients.await.unwrap())
    })
}
