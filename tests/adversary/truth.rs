//! What a reader has to make of a connection's packets: by the documented policy, from what is known of
//! each packet, without sequence numbers.

use std::fmt;

use wirespool::capture::Overlap;
use wirespool::session::{Side, Start};

use crate::packet::Packet;

#[derive(Debug, PartialEq, Eq)]
pub struct Truth {
    pub start: Start,
    pub sides: [SideTruth; 2],
    pub reset: Option<Side>,
    pub cut: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct SideTruth {
    /// Each byte, or that it is missing.
    pub bytes: Vec<Option<u8>>,
    pub eof: bool,
    /// How many bytes differed from earlier ones, where that is certain.
    pub differing: Option<u64>,
}

impl Truth {
    /// The truth about a connection of which these are the packets, in the capture's order.
    pub fn of(packets: &[&Packet], overlap: Overlap) -> Truth {
        let sides = Side::BOTH.map(|side| of_side(packets, side, overlap));
        let reset = packets.iter().find(|packet| packet.rst).map(|packet| packet.side);
        Truth {
            start: if packets[0].syn { Start::Seen } else { Start::Missed },
            cut: reset.is_none() && sides.iter().any(|side| !side.eof),
            reset,
            sides,
        }
    }
}

/// In what two truths differ, in words.
pub fn differences(expected: &[Truth], found: &[Truth]) -> Vec<String> {
    if expected.len() != found.len() {
        return vec![format!("{} connections instead of {}", found.len(), expected.len())];
    }
    let mut differences = Vec::new();
    for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
        let about = |truth: &Truth| (truth.start, truth.reset, truth.cut);
        if about(expected) != about(found) {
            let (expected, found) = (about(expected), about(found));
            differences.push(format!("connection {number}: {found:?} instead of {expected:?}"));
        }
        for side in Side::BOTH {
            let (expected, found) = (&expected.sides[side.index()], &found.sides[side.index()]);
            if expected != found {
                let [expected, found] = [expected, found].map(SideTruth::to_string);
                differences.push(format!(
                    "connection {number}, {side}:\n   read {found}\n  there {expected}"
                ));
            }
        }
    }
    differences
}

impl fmt::Display for SideTruth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes ", self.bytes.len())?;
        for byte in &self.bytes {
            match byte {
                Some(byte) => write!(f, "{byte:02x}")?,
                None => f.write_str("--")?,
            }
        }
        write!(f, ", end {}, differing {:?}", self.eof, self.differing)
    }
}

fn of_side(packets: &[&Packet], side: Side, overlap: Overlap) -> SideTruth {
    let mut bytes: Vec<Option<u8>> = Vec::new();
    let mut differing = 0;
    let own = || packets.iter().filter(|packet| packet.side == side);
    for packet in own().filter(|packet| !packet.keep_alive) {
        let handed_out = bytes.iter().position(Option::is_none).unwrap_or(bytes.len());
        if packet.payload.len() == 1 && packet.position + 1 == handed_out {
            // It may be a keep-alive.
            continue;
        }
        bytes.resize(bytes.len().max(packet.range().end), None);
        for (at, new) in packet.range().zip(&packet.payload[..packet.captured]) {
            if bytes[at].is_some_and(|old| old != *new) {
                differing += 1;
            }
            if bytes[at].is_none() || overlap == Overlap::Last && at >= handed_out {
                bytes[at] = Some(*new);
            }
        }
    }
    let eof = own().any(|packet| packet.fin);
    let peers = || packets.iter().filter(|packet| packet.side != side);
    let acknowledged = peers().map(|packet| packet.acknowledged).max().unwrap_or(0);
    let captured = own().filter(|packet| !packet.payload.is_empty() && !packet.keep_alive);
    let seen = captured.map(|packet| packet.range().end).max().unwrap_or(0).max(passed(peers()));
    bytes.resize(bytes.len().max(acknowledged), None);
    // Whether the last number was a byte's or a FIN's that is missing can be told only while the peer
    // goes on and acknowledges it.
    let ended = acknowledged < bytes.len() || peers().any(|packet| packet.fin);
    if !eof && bytes.len() == seen + 1 && ended {
        bytes.pop();
    }
    let odd = own().any(|packet| packet.keep_alive || packet.captured < packet.payload.len());
    let certain = !odd && bytes.iter().all(Option::is_some);
    SideTruth { bytes, eof, differing: certain.then_some(differing) }
}

/// What the peer has acknowledged when it sends on, and acknowledges again: that is waited for no more.
fn passed<'a>(peers: impl Iterator<Item = &'a &'a Packet>) -> usize {
    let (mut before, mut passed) = (0, 0);
    for packet in peers {
        if packet.fin || !packet.payload.is_empty() {
            passed = passed.max(packet.acknowledged.min(before));
        }
        before = packet.acknowledged;
    }
    passed
}
