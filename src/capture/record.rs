//! What stands in a capture file, one after the other.

use super::pcapng::Fault;
use crate::session::Timestamp;

/// A packet as it stands in a file.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) at: Timestamp,
    /// Which of the interfaces of its section it is from, counted from 0.
    pub(super) interface: u32,
    pub(super) link_type: u32,
    pub(super) captured: &'a [u8],
    /// How long it was on the wire.
    pub(super) length: u32,
    /// Apart, as few have it and all are handed on.
    pub(super) beside: Option<Box<Beside<'a>>>,
}

/// What a record says beside its packet.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Beside<'a> {
    pub(super) comment: Option<&'a str>,
    /// How many packets before it the recorder says it lost.
    pub(super) dropped: u64,
    /// What of the record makes no sense.
    pub(super) fault: Option<Fault>,
}

impl<'a> Beside<'a> {
    /// `None` if there is nothing.
    pub(super) fn boxed(self) -> Option<Box<Beside<'a>>> {
        (self != Beside::default()).then(|| Box::new(self))
    }
}

/// What stands next in a file.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// A packet.
    Packet(Record<'a>),
    /// A packet's record, or another block, that makes no sense. What follows can be read.
    Damaged { is_packet: bool, fault: Fault },
    /// No packet, but Wireshark numbers it as a frame.
    Frame,
    /// No packet: to be passed over.
    Other,
    /// The file that is followed has no more yet.
    Waiting,
}
