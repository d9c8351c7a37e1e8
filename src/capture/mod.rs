//! pcap and pcapng files from and to events.
//!
//! ```text
//! writing   Writer ─▶ synthesis (both TCP stacks) ─▶ frame (bytes) ─▶ file (records, batches)
//! reading   records (pcap, pcapng) ─▶ packet (TCP segment) ─▶ reassembly, stream ─▶ Reader
//! ```
//!
//! `label` is what both sides of it share: how a capture of ours says that it is one.

mod file;
mod frame;
mod label;
mod packet;
mod pcap;
mod pcapng;
mod reader;
mod reassembly;
mod records;
mod stream;
mod synthesis;
mod writer;

pub use reader::{Counters, Origin, Reader};
pub use writer::{Summary, Writer, WriterOptions};
