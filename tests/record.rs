//! The proxy against real sockets: what it passes on, and what it records.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use support::{
    Happened, Kept, dial, echo, half_close, read_exactly, read_to_end, reset, run, server,
};
use wirespool::net::{self, Address, Recorder, Stop};
use wirespool::record::{Limits, Observer, proxy};
use wirespool::session::{Event, Side, Sink};
use wirespool::{Error, Result};

/// Runs `client` against a proxy before `upstream`; returns what was recorded, what was noticed, and
/// what the client returned.
fn through_proxy<T: Send + 'static>(
    upstream: SocketAddr,
    client: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> (Kept, Vec<String>, T) {
    let kept = Kept::default();
    let recorder = Arc::new(Recorder::new(kept.clone()));
    let notices = Arc::new(Mutex::new(Vec::new()));
    let heard = notices.clone();
    let observer: Observer = Arc::new(move |notice| heard.lock().unwrap().push(notice.to_string()));
    let returned = run(async {
        let listener = net::listen(&Address::loopback(0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = std::thread::spawn(move || client(address));
        let limits = Limits { connections: Some(1), ..Limits::default() };
        proxy(listener, upstream.into(), recorder, limits, observer).await.unwrap();
        client.join().unwrap()
    });
    let notices = notices.lock().unwrap().clone();
    (kept, notices, returned)
}

#[test]
fn what_passes_is_what_was_sent_and_what_is_recorded() {
    let (upstream, serving) = server(echo);
    let (kept, notices, echoed) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        let mut echoed = Vec::new();
        for piece in [b"one".as_slice(), b"two and a bit", b"three"] {
            stream.write_all(piece).unwrap();
            echoed.extend(read_exactly(&mut stream, piece.len()));
        }
        echoed
    });
    let sent = b"onetwo and a bitthree".to_vec();
    assert_eq!(echoed, sent);
    assert_eq!(serving.join().unwrap(), sent);
    assert_eq!(kept.bytes(Side::Client), sent);
    assert_eq!(kept.bytes(Side::Server), sent);
    assert!(kept.has(&Happened::Eof(Side::Client)) && kept.has(&Happened::Eof(Side::Server)));
    assert_eq!(notices, Vec::<String>::new());
}

#[test]
fn a_half_close_is_passed_on_while_the_answer_still_comes_back() {
    let (upstream, serving) = server(|mut stream| {
        let question = read_to_end(&mut stream);
        stream.write_all(b"the answer").unwrap();
        question
    });
    let (kept, _, answer) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        stream.write_all(b"the question").unwrap();
        half_close(&stream);
        read_to_end(&mut stream)
    });
    assert_eq!(serving.join().unwrap(), b"the question");
    assert_eq!(answer, b"the answer");
    let happened: Vec<Happened> = kept.all().into_iter().map(|(_, happened)| happened).collect();
    let place = |wanted: &Happened| happened.iter().position(|one| one == wanted).unwrap();
    let client_ended = place(&Happened::Eof(Side::Client));
    assert!(client_ended < place(&Happened::Data(Side::Server, b"the answer".to_vec())));
}

#[test]
fn a_reset_of_the_client_resets_the_server() {
    let (upstream, serving) = server(|mut stream| {
        let heard = read_exactly(&mut stream, 5);
        (heard, stream.read(&mut [0; 16]).map_err(|error| error.kind()))
    });
    let (kept, notices, ()) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        stream.write_all(b"hello").unwrap();
        reset(stream);
    });
    let (heard, ended) = serving.join().unwrap();
    assert_eq!(heard, b"hello");
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    assert!(kept.has(&Happened::Reset(Side::Client)), "{kept:?}");
    assert_eq!(notices, ["connection 0: reset by the client"]);
}

#[test]
fn a_reset_of_the_server_resets_the_client() {
    let (upstream, _serving) = server(|mut stream| {
        read_exactly(&mut stream, 5);
        reset(stream);
    });
    let (kept, notices, ended) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        stream.write_all(b"hello").unwrap();
        stream.read(&mut [0; 16]).map_err(|error| error.kind())
    });
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    assert!(kept.has(&Happened::Reset(Side::Server)), "{kept:?}");
    assert_eq!(notices, ["connection 0: reset by the server"]);
}

#[test]
fn the_last_words_of_a_server_that_hangs_up_on_a_talking_client_arrive() {
    let (upstream, _serving) = server(|mut stream| {
        read_exactly(&mut stream, 1);
        stream.write_all(b"go away").unwrap();
        half_close(&stream);
        // Dropped with bytes unread: the kernel resets what comes after.
    });
    let (kept, _, heard) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        // More than all socket buffers on the way hold, so that it is still talking.
        let _ = stream.write_all(&vec![b'x'; 32 << 20]);
        let mut heard = Vec::new();
        let _ = stream.read_to_end(&mut heard);
        heard
    });
    assert_eq!(kept.bytes(Side::Server), b"go away");
    // The client's own kernel may drop what it holds when the reset arrives first.
    assert!(heard.is_empty() || heard == b"go away");
}

#[test]
fn a_server_that_is_not_there_is_told_by_a_reset_and_said() {
    // Bound and closed: nobody listens there now.
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (kept, notices, ended) = through_proxy(nobody, |address| {
        dial(address).read(&mut [0; 16]).map_err(|error| error.kind())
    });
    assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    let happened: Vec<Happened> = kept.all().into_iter().map(|(_, happened)| happened).collect();
    assert_eq!(happened, [Happened::Open, Happened::Reset(Side::Server)]);
    assert_eq!(notices.len(), 1);
    assert!(notices[0].contains(&format!("cannot connect to {nobody}")), "{notices:?}");
    assert!(notices[0].contains("refused"), "{notices:?}");
}

#[test]
fn a_server_that_does_not_read_slows_the_client_down_and_not_the_memory_up() {
    const OFFERED: usize = 64 << 20;
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (upstream, serving) = server(move |mut stream| {
        released.recv().unwrap();
        read_to_end(&mut stream).len()
    });
    let (kept, _, before_release) = through_proxy(upstream, move |address| {
        let stream = dial(address);
        stream.set_nonblocking(true).unwrap();
        let piece = vec![b'x'; 1 << 16];
        let mut sent = 0;
        let mut full_since = None::<std::time::Instant>;
        // Full, and full for a while: nothing on the way takes any more.
        while full_since.is_none_or(|since| since.elapsed().as_millis() < 300) && sent < OFFERED {
            match (&stream).write(&piece) {
                Ok(more) => (sent, full_since) = (sent + more, None),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    full_since.get_or_insert_with(std::time::Instant::now);
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        }
        release.send(()).unwrap();
        half_close(&stream);
        stream.set_nonblocking(false).unwrap();
        let mut stream = stream;
        read_to_end(&mut stream);
        sent
    });
    assert!(before_release < OFFERED, "all {OFFERED} bytes were taken though nobody read");
    assert_eq!(serving.join().unwrap(), before_release);
    assert_eq!(kept.bytes(Side::Client).len(), before_release);
}

#[test]
fn nothing_is_acknowledged_that_was_not_handed_on() {
    let (upstream, _serving) = server(echo);
    let (kept, _, ()) = through_proxy(upstream, |address| {
        let mut stream = dial(address);
        stream.write_all(&[7; 100_000]).unwrap();
        read_exactly(&mut stream, 100_000);
    });
    for side in Side::BOTH {
        let (mut read, mut delivered) = (0, 0);
        for (_, happened) in kept.all() {
            match happened {
                Happened::Data(of, bytes) if of == side => read += bytes.len() as u64,
                Happened::Delivered(of, length) if of == side => delivered += length,
                _ => {}
            }
            assert!(delivered <= read);
        }
        assert_eq!((read, delivered), (100_000, 100_000));
    }
}

#[test]
fn a_client_beyond_those_that_were_asked_for_is_refused_and_does_not_hang() {
    let (upstream, _echo) = server(echo);
    let (_, _, refused) = through_proxy(upstream, |address| {
        let mut first = dial(address);
        first.write_all(b"one").unwrap();
        read_exactly(&mut first, 3);
        TcpStream::connect(address).map_err(|error| error.kind()).err()
    });
    assert_eq!(refused, Some(ErrorKind::ConnectionRefused));
}

#[test]
fn a_sink_that_fails_ends_the_recording() {
    struct Full;
    impl Sink for Full {
        fn event(&mut self, _: &Event<'_>) -> Result<()> {
            let source = std::io::Error::from(ErrorKind::StorageFull);
            Err(Error::File { action: "write", path: "session.pcapng".into(), source })
        }
    }
    let (upstream, _serving) = server(echo);
    let error = run(async {
        let listener = net::listen(&Address::loopback(0)).await.unwrap();
        let client = dial(listener.local_addr().unwrap());
        let recorder = Arc::new(Recorder::new(Full));
        let recorded =
            proxy(listener, upstream.into(), recorder, Limits::default(), Arc::new(|_| {})).await;
        drop(client);
        recorded.unwrap_err()
    });
    assert!(error.to_string().contains("cannot write session.pcapng"), "{error}");
}

#[test]
fn a_stop_ends_the_recording_and_closes_its_connections() {
    let (upstream, serving) = server(echo);
    let stop = Stop::new();
    run(async {
        let listener = net::listen(&Address::loopback(0)).await.unwrap();
        let mut client = dial(listener.local_addr().unwrap());
        let limits = Limits { stop: stop.clone(), ..Limits::default() };
        let recorder = Arc::new(Recorder::new(Kept::default()));
        let recording =
            tokio::spawn(proxy(listener, upstream.into(), recorder, limits, Arc::new(|_| {})));
        let client = tokio::task::spawn_blocking(move || {
            client.write_all(b"x").unwrap();
            read_exactly(&mut client, 1);
            stop.request();
            read_to_end(&mut client)
        });
        recording.await.unwrap().unwrap();
        assert_eq!(client.await.unwrap(), b"");
    });
    assert_eq!(serving.join().unwrap(), b"x");
}
