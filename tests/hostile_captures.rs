//! Captures made to take memory or time.
//!
//! One test, because the memory is counted for the whole process. It prints what each took (`cargo test
//! --release --test hostile_captures -- --nocapture`).

#![allow(clippy::unwrap_used)]

use std::io::Read;
use std::path::Path;
use std::time::Instant;

use wirespool::Result;
use wirespool::capture::Reader;
use wirespool::session::{Event, Sink};

#[path = "hostile/memory.rs"]
mod memory;

#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;

/// As many connections as come; without optimisation a million take too long for each run of the tests.
const FLOOD: u32 = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

/// All of a payload is captured.
const WHOLE: usize = usize::MAX;

const SYN: u8 = 2;
const ACK: u8 = 16;

/// Packets of a number each, as many as asked for: their ends, sequence, flags and payload.
struct Packets<F> {
    next: u32,
    most: u32,
    packet: F,
    /// How much of a payload is captured.
    snapped: usize,
    left: Vec<u8>,
}

/// What a packet is: the client's address and port, the sequence number, flags, how much payload.
type Made = (u32, u16, u32, u8, usize);

impl<F: FnMut(u32) -> Made> Packets<F> {
    fn new(most: u32, snapped: usize, packet: F) -> Packets<F> {
        let header = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 101];
        let left = header.iter().flat_map(|word| word.to_le_bytes()).collect();
        Packets { next: 0, most, packet, snapped, left }
    }
}

impl<F: FnMut(u32) -> Made> Read for Packets<F> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.left.len() < buffer.len() && self.next < self.most {
            let (address, port, sequence, flags, length) = (self.packet)(self.next);
            let seconds = 1_000_000 + self.next / 100_000;
            self.next += 1;
            let captured = 40 + length.min(self.snapped);
            let length = 40 + length;
            for word in [seconds, 0, captured as u32, length as u32] {
                self.left.extend(word.to_le_bytes());
            }
            self.left.extend([0x45, 0]);
            self.left.extend((length as u16).to_be_bytes());
            self.left.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
            self.left.extend(address.to_be_bytes());
            self.left.extend([10, 0, 0, 1]);
            self.left.extend(port.to_be_bytes());
            self.left.extend(80u16.to_be_bytes());
            self.left.extend(sequence.to_be_bytes());
            self.left.extend([0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
            self.left.resize(self.left.len() + captured - 40, b'x');
        }
        let length = buffer.len().min(self.left.len());
        buffer[..length].copy_from_slice(&self.left[..length]);
        self.left.drain(..length);
        Ok(length)
    }
}

struct Nowhere;

impl Sink for Nowhere {
    fn event(&mut self, _: &Event<'_>) -> Result<()> {
        Ok(())
    }
}

/// Reads it all, with so much of each payload captured; how much memory that took at most, in MB, and what is said of it.
fn read(
    name: &str,
    most: u32,
    snapped: usize,
    packet: impl FnMut(u32) -> Made + Send + 'static,
) -> (usize, Vec<String>) {
    let before = memory::taken();
    memory::restart();
    let started = Instant::now();
    let mut reader =
        Reader::from_stream(Packets::new(most, snapped, packet), Path::new(name)).unwrap();
    reader.read_all(&mut Nowhere).unwrap();
    let megabytes = (memory::most() - before) / 1_000_000;
    println!("{name}: {megabytes} MB, {:.1} s", started.elapsed().as_secs_f64());
    (megabytes, reader.reached().warnings())
}

#[test]
fn hostile_captures_take_bounded_memory_and_what_was_cut_is_said() {
    // Each packet is of another connection.
    let syns =
        |number: u32| (0x0b00_0000 + number / 50_000, (number % 50_000) as u16, number, SYN, 0);
    let (megabytes, said) = read("SYNs", FLOOD, WHOLE, syns);
    assert!(megabytes < 200, "{megabytes} MB");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("more than 131072 connections at a time"), "{said:?}");

    // Each of a thousand connections has a hole, behind which more and more is sent.
    let holes = |number: u32| {
        let (connection, round) = (number % 1_000, number / 1_000);
        let flags = if round == 0 { SYN } else { ACK };
        (
            0x0b00_0000,
            connection as u16,
            round * 1_400 + u32::from(round > 0) * 9,
            flags,
            1_400 * (round > 0) as usize,
        )
    };
    let (megabytes, said) = read("holes", 190_000, WHOLE, holes);
    assert!(megabytes < 400, "{megabytes} MB");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("holes given up with 256MiB held behind holes in all"), "{said:?}");

    // Of one connection come bytes one by one, each behind a hole of its own.
    let crumbs = |number: u32| match number {
        0 => (0x0b00_0000, 1, 0, SYN, 0),
        _ => (0x0b00_0000, 1, 4_000_000 - number * 2, ACK, 1),
    };
    let (megabytes, said) = read("crumbs", 150_000, WHOLE, crumbs);
    assert!(megabytes < 60, "{megabytes} MB");
    assert!(said[0].contains("with 16MiB held behind it on one side"), "{said:?}");

    // Each byte is sent again and again, by a thousand connections.
    let remembered = |number: u32| {
        let (connection, round) = (number % 1_000, number / 1_000);
        (0x0b00_0000, connection as u16, 1 + round / 2 * 1_400, ACK, 1_400)
    };
    let (megabytes, said) = read("retransmissions", 60_000, WHOLE, remembered);
    assert!(megabytes < 60, "{megabytes} MB");
    assert_eq!(said, Vec::<String>::new());

    // Behind a hole bytes come one by one, then segments over all of them of which one byte is captured:
    // to pass each held byte for each of these would take minutes.
    let shadows = |number: u32| match number {
        0 => (0x0b00_0000, 1, 0, SYN, 0),
        1..=60_000 => (0x0b00_0000, 1, 1 + number, ACK, 1),
        _ => (0x0b00_0000, 1, 2, ACK, 60_000),
    };
    let (megabytes, said) = read("shadows", 70_000, 1, shadows);
    assert!(megabytes < 60, "{megabytes} MB");
    assert_eq!(said, Vec::<String>::new());
}
