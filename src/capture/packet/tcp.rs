//! TCP, RFC 9293.

use std::net::SocketAddr;

use super::Other;
use super::network::Ends;
use super::slice::Slice;

/// A TCP segment as it stands in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Segment<'a> {
    pub(in crate::capture) source: SocketAddr,
    pub(in crate::capture) destination: SocketAddr,
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
    let header = usize::from(data.u8(12)? >> 4) * 4;
    if header < 20 {
        return Err(Other::Malformed);
    }
    let flags = data.u8(13)?;
    let payload = data.after(header)?;
    Ok(Segment {
        source: SocketAddr::new(ends.source, data.u16(0)?),
        destination: SocketAddr::new(ends.destination, data.u16(2)?),
        sequence: data.u32(4)?,
        acknowledgement: if flags & 0x10 != 0 { Some(data.u32(8)?) } else { None },
        fin: flags & 0x01 != 0,
        syn: flags & 0x02 != 0,
        rst: flags & 0x04 != 0,
        window_closed: data.u16(14).is_ok_and(|window| window == 0),
        urgent: if flags & 0x20 != 0 { data.u16(18).ok() } else { None },
        payload: payload.bytes,
        length: u32::try_from(payload.length).map_err(|_| Other::Malformed)?,
    })
}
