//! PPP, RFC 1661, and what is framed like it.

use super::slice::Slice;
use super::{Layer, Next, Other, Unread};

/// From the protocol number on, of which the first byte may be left away if it is zero (RFC 1661,
/// section 6.5).
pub(super) fn ppp(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let first = data.u8(0)?;
    let (protocol, data) = match first & 1 {
        1 => (first.into(), data.after(1)?),
        _ => (data.u16(0)?, data.after(2)?),
    };
    match protocol {
        0x0021 => Layer::Ipv4.of(data),
        0x0057 => Layer::Ipv6.of(data),
        0x0281 | 0x0283 => Layer::Mpls.of(data),
        // Van Jacobson's compressed TCP, multilink, encryption, compression of datagrams and of headers.
        0x002d | 0x002f | 0x003d | 0x0053 | 0x0055 | 0x0061 | 0x0063 | 0x0069 | 0x00fb | 0x00fd => {
            Err(Other::Unread(Unread::Ppp))
        }
        _ => Err(Other::NotIp),
    }
}

/// With the address and control bytes of HDLC, which may be left away (RFC 1662, section 3.1; RFC 1661,
/// section 6.6), or Cisco's framing, which has an EtherType in place of PPP's protocol.
pub(super) fn framed(data: Slice<'_>) -> Result<Next<'_>, Other> {
    match data.u8(0)? {
        0xff if data.u8(1)? == 0x03 => Layer::Ppp.of(data.after(2)?),
        0x0f | 0x8f => Layer::EtherType(data.u16(2)?).of(data.after(4)?),
        _ => Layer::Ppp.of(data),
    }
}
