//! Capture files: what is written is read back, Wireshark opens it clean, and what others wrote is read.

// What these tests share unwraps as the tests do.
#![allow(clippy::unwrap_used)]

// Each file of `capture/` would be a test of its own if it lay here.
#[path = "capture/blocks.rs"]
mod blocks;
#[path = "capture/compressed.rs"]
mod compressed;
#[path = "capture/damaged.rs"]
mod damaged;
#[path = "capture/log.rs"]
mod log;
#[path = "capture/network.rs"]
mod network;
#[path = "capture/odd_connections.rs"]
mod odd_connections;
#[path = "capture/packets.rs"]
mod packets;
#[path = "capture/policy.rs"]
mod policy;
#[path = "capture/reading.rs"]
mod reading;
#[path = "capture/reassembly.rs"]
mod reassembly;
#[path = "capture/several.rs"]
mod several;
#[path = "capture/tshark.rs"]
mod tshark;
#[path = "capture/writing.rs"]
mod writing;
