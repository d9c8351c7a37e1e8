//! pcap and pcapng files from and to events.
//!
//! ```text
//! writing   Writer: synthesis (both TCP stacks) ─▶ frame (bytes) ─▶ file (preamble, records, batch)
//! reading   CaptureFile: source (compression) ─▶ input ─▶ records (pcap, pcapng) ─▶ packet (segment)
//!           Reader: of one file or several ─▶ reassembly (connections, each of two streams)
//! ```
//!
//! `label` and `mark` are what both sides of it share: how a capture of ours says that it is one, and
//! what its segments say beside. `joined` makes one event again of what became several segments.

mod batch;
mod capture_file;
mod compression;
mod counters;
mod digest;
mod file;
mod frame;
mod growing;
mod identity;
mod input;
mod interface;
mod joined;
mod label;
mod link_type;
pub mod live;
mod magic;
mod mark;
mod origin;
mod packet;
mod packet_writer;
mod pcap;
mod pcapng;
mod preamble;
mod reader;
mod reassembly;
mod record;
mod records;
mod shared;
mod source;
mod synthesis;
mod writer;

pub use capture_file::CaptureFile;
pub use counters::{Counters, Damage};
pub use identity::FileIdentity;
pub use interface::{Counts, Interface};
pub use origin::{Capturer, Origin};
pub use packet::{Fragmentation, Unread};
pub use packet_writer::{Packet, PacketWriter};
pub use reader::Reader;
pub use reassembly::{Overlap, Policy, Reached};
pub use shared::SharedWriter;
pub use writer::{MadeFrom, Summary, Writer, WriterOptions};
