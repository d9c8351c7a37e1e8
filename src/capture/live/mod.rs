//! Packets from an interface, by a program that may capture them: dumpcap, else tcpdump.
//!
//! ```text
//! program (which there is, its command) ─▶ process (runs, says words) ─▶ capture (its packets)
//!                                                   └─▶ refusal (why it does not, what mends it)
//! ```
//!
//! Nothing is linked to libpcap, and nothing here needs a privilege: the program has it, or not.

mod capture;
mod host;
mod process;
mod program;
mod progress;
mod refusal;
mod words;

pub use capture::{Ended, LiveCapture};
pub use process::Interrupter;
pub use progress::{Progress, Reached};

/// What to capture.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Which interfaces: at least one.
    pub interfaces: Vec<String>,
    /// Which packets, as an expression of libpcap's; all without one.
    pub filter: Option<String>,
    /// How many bytes the kernel holds for each interface until they are taken.
    pub buffer: u64,
}

impl LiveOptions {
    /// What the kernel holds if nobody says otherwise: with the 2 MiB that are usual, a burst on loopback
    /// loses packets.
    pub const BUFFER: u64 = 64 * 1024 * 1024;

    /// The interfaces, in words.
    pub fn interfaces_in_words(&self) -> String {
        self.interfaces.join(", ")
    }
}
