//! Much at once, in both directions, to other ends that are in no hurry.

use std::io::{Read, Write};
use std::time::Duration;

use wirespool::replay::{Options, Outcome, Speed};

use crate::support::Line::*;
use crate::support::playing::{patience, replay_to, script_at, serve_to};
use crate::support::{dial, half_close, read_exactly, read_to_end};

/// More than the kernel holds of a connection on loopback.
const MUCH: usize = 16 << 20;

#[test]
fn both_sides_at_once_with_more_than_the_kernel_holds_is_no_deadlock() {
    let (question, answer) = (vec![b'q'; MUCH], vec![b'a'; MUCH]);
    let lines = [
        (10_000, Client(&question)),
        (10_100, Server(&answer)),
        (20_000, ClientCloses),
        (30_000, ServerCloses),
    ];
    let options = || Options { speed: Speed::Max, ..patience(Duration::from_secs(2)) };
    // Writes all before it reads anything: whoever does not read while writing hangs with it.
    let all = answer.clone();
    let (receipt, heard) = replay_to(script_at("raw", &lines), options(), move |mut stream| {
        stream.write_all(&all).unwrap();
        read_to_end(&mut stream).len()
    });
    assert_eq!((receipt.outcome, heard), (Outcome::Verified, MUCH), "{receipt}");
    let all = question.clone();
    let (receipt, heard) = serve_to(script_at("raw", &lines), options(), move |address| {
        let mut stream = dial(address);
        stream.write_all(&all).unwrap();
        half_close(&stream);
        read_to_end(&mut stream).len()
    });
    assert_eq!((receipt.outcome, heard), (Outcome::Verified, MUCH), "{receipt}");
}

#[test]
fn whoever_reads_slowly_but_reads_is_no_stall() {
    let much = vec![7; MUCH];
    let patience = patience(Duration::from_millis(300));
    let slowly = |mut stream: std::net::TcpStream| {
        let (mut length, mut buffer) = (0, vec![0; 1 << 20]);
        loop {
            std::thread::sleep(Duration::from_millis(30)); // the slowness itself, not a condition
            match stream.read(&mut buffer).unwrap() {
                0 => return length,
                more => length += more,
            }
        }
    };
    let lines = [(0, Client(&much)), (10_000, ClientCloses), (20_000, ServerCloses)];
    let (receipt, heard) = replay_to(script_at("raw", &lines), patience.clone(), slowly);
    assert_eq!((receipt.outcome, heard), (Outcome::Delivered, MUCH), "{receipt}");
    let lines = [
        (0, Client(b"go")),
        (10_000, Server(&much)),
        (20_000, ServerCloses),
        (30_000, ClientCloses),
    ];
    let (receipt, heard) = serve_to(script_at("raw", &lines), patience, move |address| {
        let mut stream = dial(address);
        stream.write_all(b"go").unwrap();
        slowly(stream)
    });
    assert_eq!((receipt.outcome, heard), (Outcome::Verified, MUCH), "{receipt}");
}

#[test]
fn an_echo_of_much_in_pieces_of_its_own_is_verified_from_either_side() {
    // As a proxy reads it: question and echo overlap, in pieces that no other run will have.
    let bytes: Vec<u8> = (0..MUCH).map(|place| (place / 4096) as u8).collect();
    let mut lines = Vec::new();
    let (mut sent, mut echoed, mut at) = (0, 0, 0);
    while echoed < MUCH {
        at += 50;
        if sent < MUCH && sent - echoed < 300_000 {
            let end = MUCH.min(sent + 65_536);
            lines.push((at, Client(&bytes[sent..end])));
            sent = end;
        } else {
            let end = sent.min(echoed + 43_211);
            lines.push((at, Server(&bytes[echoed..end])));
            echoed = end;
        }
    }
    lines.extend([(at + 10_000, ClientCloses), (at + 20_000, ServerCloses)]);
    let options = || Options { speed: Speed::Max, ..Options::default() };
    let (receipt, length) =
        replay_to(script_at("raw", &lines), options(), |stream| crate::support::echo(stream).len());
    assert_eq!((receipt.outcome, length), (Outcome::Verified, MUCH), "{receipt}");
    let all = bytes.clone();
    let (receipt, same) = serve_to(script_at("raw", &lines), options(), move |address| {
        let mut stream = dial(address);
        let mut reading = stream.try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            stream.write_all(&all).unwrap();
            half_close(&stream);
        });
        let heard = read_exactly(&mut reading, MUCH);
        writing.join().unwrap();
        read_to_end(&mut reading);
        heard == bytes
    });
    assert_eq!((receipt.outcome, same), (Outcome::Verified, true), "{receipt}");
}
