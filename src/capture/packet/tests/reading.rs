//! Packets read one after the other, and what is cut into fragments.

use super::super::Other;
use super::super::fragments::{Fragmentation, Fragments};
use super::build::*;
use crate::session::Timestamp;

/// What is read of packets, one after the other.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) fragments: Fragments,
    now: i64,
}

impl Reading {
    pub(super) fn wait(&mut self, time: i64) {
        self.now += time;
    }

    /// The payload, and how long it was.
    pub(super) fn read(&mut self, packet: &[u8]) -> Result<(Vec<u8>, u32), Other> {
        self.read_cut(packet, packet.len())
    }

    pub(super) fn read_cut(&mut self, packet: &[u8], kept: usize) -> Result<(Vec<u8>, u32), Other> {
        let length = packet.len() as u32;
        let segment = self.fragments.segment(Timestamp(self.now), RAW, &packet[..kept], length)?;
        Ok((segment.payload.to_vec(), segment.length))
    }

    /// Reads packets of which none is a segment.
    pub(super) fn hold<'a>(&mut self, packets: impl IntoIterator<Item = &'a Vec<u8>>) {
        for packet in packets {
            assert_eq!(self.read(packet), Err(Other::Fragment));
        }
    }

    pub(super) fn finish(mut self) -> Fragmentation {
        self.fragments.finish();
        let seen = self.fragments.seen();
        self.fragments.finish();
        assert_eq!(self.fragments.seen(), seen);
        seen
    }
}

/// A packet's payload in fragments of `size`, over IPv4 or IPv6.
pub(super) fn cut(
    is_ipv6: bool,
    id: u8,
    protocol: u8,
    payload: &[u8],
    size: usize,
) -> Vec<Vec<u8>> {
    let count = payload.len().div_ceil(size);
    let parts = payload
        .chunks(size)
        .enumerate()
        .map(|(index, part)| piece(is_ipv6, id, protocol, index * size, index + 1 < count, part));
    parts.collect()
}

pub(super) fn piece(
    is_ipv6: bool,
    id: u8,
    protocol: u8,
    offset: usize,
    more: bool,
    part: &[u8],
) -> Vec<u8> {
    if is_ipv6 {
        ipv6_fragment(protocol, id, offset as u16 | u16::from(more), part)
    } else {
        let field = (offset / 8) as u16 | if more { 0x2000 } else { 0 };
        ipv4_fragment(protocol, id.into(), field, part)
    }
}

pub(super) fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

pub(super) fn whole(count: u64) -> Fragmentation {
    Fragmentation { whole: count, ..Fragmentation::default() }
}
