//! Where the packets of a capture come from.

/// An interface that packets were captured from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// As the system calls it: `lo`.
    pub name: String,
    /// What its packets begin with: a number of <https://www.tcpdump.org/linktypes.html>.
    pub link_type: u32,
    /// Which packets were wanted, as an expression of libpcap's; all without one.
    pub filter: Option<String>,
}

impl Interface {
    /// One from which all packets are wanted.
    pub fn new(name: impl Into<String>, link_type: u32) -> Interface {
        Interface { name: name.into(), link_type, filter: None }
    }
}

/// What was counted on an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets that came and were wanted; `None` where that is how many are in the file.
    pub received: Option<u64>,
    /// Packets among them that were lost before they could be written.
    pub dropped: u64,
}
