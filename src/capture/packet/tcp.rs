//! TCP, RFC 9293.

use super::Other;
use super::end::End;
use super::network::Ends;
use super::slice::Slice;

/// A TCP segment as it stands in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Segment<'a> {
    pub(in crate::capture) source: End,
    pub(in crate::capture) destination: End,
    /// Whether an address of them that is mapped into IPv6 is an IPv4 address.
    pub(in crate::capture) is_ipv4: bool,
    pub(in crate::capture) sequence: u32,
    /// Where the ACK flag is set.
    pub(in crate::capture) acknowledgement: Option<u32>,
    pub(in crate::capture) syn: bool,
    pub(in crate::capture) fin: bool,
    pub(in crate::capture) rst: bool,
    /// Whether the sender takes no more bytes; unknown where the header is cut before the window.
    pub(in crate::capture) window_closed: bool,
    /// Where the URG flag is set: how far after `sequence` the urgent data ends; unknown where the
    /// header is cut before it.
    pub(in crate::capture) urgent: Option<u16>,
    /// The payload, as far as it was captured.
    pub(in crate::capture) payload: &'a [u8],
    /// How long the payload was on the wire.
    pub(in crate::capture) length: u32,
}

/// RFC 9293, section 3.1. The first fourteen bytes are enough. The checksum is not looked at: loopback
/// and offloading leave it unfilled.
#[inline(always)]
pub(super) fn segment(ends: Ends, data: Slice<'_>) -> Result<Segment<'_>, Other> {
    let fields = data.header::<14>()?;
    let u16 = |at: usize| u16::from_be_bytes([fields[at], fields[at + 1]]);
    let u32 = |at: usize| u32::from(u16(at)) << 16 | u32::from(u16(at + 2));
    let header = usize::from(fields[12] >> 4) * 4;
    if header < 20 {
        return Err(Other::Malformed);
    }
    let flags = fields[13];
    let payload = data.after(header)?;
    Ok(Segment {
        source: End { address: ends.source, port: u16(0) },
        destination: End { address: ends.destination, port: u16(2) },
        is_ipv4: ends.is_ipv4,
        sequence: u32(4),
        acknowledgement: (flags & 0x10 != 0).then(|| u32(8)),
        fin: flags & 0x01 != 0,
        syn: flags & 0x02 != 0,
        rst: flags & 0x04 != 0,
        window_closed: data.u16(14).is_ok_and(|window| window == 0),
        urgent: if flags & 0x20 != 0 { data.u16(18).ok() } else { None },
        payload: payload.bytes,
        length: u32::try_from(payload.length).map_err(|_| Other::Malformed)?,
    })
}
