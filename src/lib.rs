//! wirespool records TCP sessions to pcap, reads any capture back as messages (UTF-8 text, Python
//! pickle, Protocol Buffers), and replays them against either side.
//!
//! # Layout
//!
//! Events flow one way: sources yield [`session::Event`]s into any number of [`session::Sink`]s.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`session`] | what happened on connections, as plain data |
//! | [`wire`] | bytes in, values out: framings, codecs, the value tree; no sockets, no clock |
//! | [`net`] | addresses, listening, dialling, half-close and reset |
//! | [`capture`] | pcap and pcapng files from and to events |
//! | [`project`] | which format is whose: what is given, what a capture says, `wirespool.toml`, schema files |
//! | [`message`] | from events to messages, by each connection's format |
//! | [`record`] | the in-line proxy and the endpoints: sources of events |
//! | [`replay`] | from events to a script, its player, and the receipt |
//! | [`convert`] | from captures to one clean capture |
//! | [`load`] | from captures to a script: what [`capture`] and [`replay`] do not know of each other |
//! | [`cli`] | the `wirespool` command: the only place that prints |
//! | `python` | the Python module (feature `python`) |

#![warn(clippy::unwrap_used)]

pub mod capture;
pub mod cli;
pub mod convert;
mod error;
pub mod load;
pub mod message;
pub mod net;
pub mod project;
#[cfg(feature = "python")]
mod python;
pub mod record;
pub mod replay;
pub mod session;
pub mod wire;

pub use error::{Error, Result};
pub use message::Message;
pub use wire::{Format, Value};
