//! Conversations made by chance, recorded by the proxy into a file, and played from that file.
//!
//! On loopback everything happens within microseconds: nearly all that is recorded so may have crossed.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use wirespool::capture::{Reader, Writer, WriterOptions};
use wirespool::net::{self, Address, Recorder};
use wirespool::record::{Limits, proxy};
use wirespool::replay::{Outcome, Receipt, Script};
use wirespool::session::Side;
use wirespool::{Format, Result};

use super::any::conversation;
use crate::support::Line;
use crate::support::actor::act;
use crate::support::playing::{patience, replay_to, serve_to};
use crate::support::{dial, run, server};

/// The script of `lines`, spoken by a client to a server through the proxy.
fn recorded(lines: &[Line<'static>], name: &str, format: &str) -> Result<Script> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let (spoken, heard) = (lines.to_vec(), lines.to_vec());
    let (upstream, serving) = server(move |stream| act(stream, Side::Server, &heard));
    let writer = Arc::new(Mutex::new(Some(Writer::create(&path, WriterOptions::default())?)));
    let recorder = Arc::new(Recorder::new(writer.clone()));
    run(async {
        let listener = net::listen(&Address::loopback(0)).await?;
        let address = listener.local_addr().unwrap();
        let client = std::thread::spawn(move || act(dial(address), Side::Client, &spoken));
        let limits = Limits { connections: Some(1), ..Limits::default() };
        let played = proxy(listener, upstream.into(), recorder, limits, Arc::new(|_| {})).await;
        client.join().unwrap();
        played
    })?;
    serving.join().unwrap();
    writer.lock().unwrap().take().unwrap().finish()?;
    Script::read(Format::parse(format)?, |sink| Reader::open(&path)?.read_all(sink))
}

fn play(ours: Side, script: Arc<Script>, lines: &[Line<'static>]) -> Receipt {
    let live = lines.to_vec();
    match ours {
        Side::Client => {
            let act = move |stream| act(stream, Side::Server, &live);
            replay_to(script, patience(Duration::from_secs(5)), act).0
        }
        Side::Server => {
            let client = move |address: SocketAddr| act(dial(address), Side::Client, &live);
            serve_to(script, patience(Duration::from_secs(5)), client).0
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn what_the_proxy_recorded_is_played_from_either_side(
        lines in conversation(), ng in any::<bool>(), line in any::<bool>()
    ) {
        let name = if ng { "session.pcapng" } else { "session.pcap" };
        let format = if line { "text/line" } else { "raw" };
        let script = Arc::new(recorded(&lines, name, format).unwrap());
        let said = |side: Side| lines.iter().any(|line| line.side() == side && line.said().is_some());
        for ours in Side::BOTH {
            let receipt = play(ours, script.clone(), &lines);
            let expected = match (said(ours), said(ours.other())) {
                (_, true) => Outcome::Verified,
                (true, false) => Outcome::Delivered,
                (false, false) => Outcome::Failed,
            };
            prop_assert_eq!(receipt.outcome, expected, "{}, as {}: {}", format, ours, receipt);
            let [one] = receipt.connections.as_slice() else { panic!("{receipt}") };
            prop_assert_eq!((one.reordered, one.clamped), (0, 0), "{}, as {}: {}", format, ours, receipt);
            prop_assert!(one.tainted.is_empty() && one.notes.is_empty(), "{}", receipt);
        }
    }
}
