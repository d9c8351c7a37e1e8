//! pcap and pcapng files from and to events.
//!
//! ```text
//! writing   Writer: synthesis (both TCP stacks) ─▶ frame (bytes) ─▶ file (preamble, records, batch)
//! reading   Reader: records (pcap, pcapng) ─▶ packet (segment) ─▶ reassembly ─▶ connection ─▶ stream
//! ```
//!
//! `label` is what both sides of it share: how a capture of ours says that it is one.

mod batch;
mod connection;
mod digest;
mod file;
mod frame;
mod identity;
mod label;
mod packet;
mod pcap;
mod pcapng;
mod preamble;
mod reader;
mod reassembly;
mod records;
mod shared;
mod stream;
mod synthesis;
mod writer;

pub use identity::FileIdentity;
pub use reader::{Counters, Origin, Reader};
pub use shared::SharedWriter;
pub use writer::{Summary, Writer, WriterOptions};
