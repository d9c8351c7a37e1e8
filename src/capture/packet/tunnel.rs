//! Tunnels: GRE, and those over UDP.
//!
//! A tunnel over UDP is known by its port and by a header that makes sense: anything may use a port.

use super::slice::Slice;
use super::{Layer, Next, Other, Unread};

/// GRE, RFC 2784 and RFC 2890.
pub(super) fn gre(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    let (flags, protocol) = (data.u16(0)?, data.u16(2)?);
    match flags & 7 {
        0 if flags & ROUTING != 0 => return Err(Other::Unread(Unread::RoutedGre)),
        0 => {}
        1 => return Err(Other::Unread(Unread::Pptp)),
        _ => return Err(Other::NotTcp),
    }
    let present = [CHECKSUM, KEY, SEQUENCE].iter().filter(|&flag| flags & flag != 0).count();
    let data = data.after(4 + 4 * present)?;
    match protocol {
        // ERSPAN: its first version has no header, and is known by GRE having no sequence number.
        0x88be if flags & SEQUENCE == 0 => Layer::Ethernet.of(data),
        0x88be => Layer::Ethernet.of(data.after(8)?),
        // The third version, whose last bit says that there is more of it.
        0x22eb => {
            let more = if data.u8(11)? & 1 != 0 { 8 } else { 0 };
            Layer::Ethernet.of(data.after(12 + more)?)
        }
        _ => Layer::EtherType(protocol).of(data),
    }
}

/// A tunnel over UDP, from UDP's header on; [`Other::NotTcp`] if it is none.
pub(super) fn udp(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let (source, destination) = (data.u16(0)?, data.u16(2)?);
    let data = data.after(8)?;
    let found = match (destination, source) {
        // By Linux's number from before there was one, too.
        (4789 | 8472, _) => vxlan(data),
        (6081, _) => geneve(data),
        (2152, _) => gtp(data),
        (1701, _) => l2tp(data),
        (3544, _) | (_, 3544) => teredo(data),
        _ => return Err(Other::NotTcp),
    };
    match found {
        // Shorter than the header would be.
        Err(Other::Malformed) => Err(Other::NotTcp),
        found => found,
    }
}

/// RFC 7348, section 5, with the policy of a group that Linux and others put into it.
fn vxlan(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const NETWORK: u8 = 0x08;
    const GROUP: u8 = 0x80;
    let [flags, reserved, group @ ..] = data.array::<4>(0)?;
    let makes_sense = flags & !GROUP == NETWORK
        && (flags & GROUP != 0 || reserved == 0 && group == [0; 2])
        && data.u8(7)? == 0;
    if makes_sense { Layer::Ethernet.of(data.after(8)?) } else { Err(Other::NotTcp) }
}

/// RFC 8926, section 3.4.
fn geneve(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let [first, second] = data.array(0)?;
    let (version, options) = (first >> 6, usize::from(first & 0x3f) * 4);
    let protocol = data.u16(2)?;
    let makes_sense = version == 0
        && second & 0x3f == 0
        && matches!(protocol, 0x6558 | 0x0800 | 0x86dd | 0x8847)
        && data.u8(7)? == 0;
    if makes_sense {
        Layer::EtherType(protocol).of(data.after(8 + options)?)
    } else {
        Err(Other::NotTcp)
    }
}

/// GTP-U of version 1, 3GPP TS 29.281, section 5: what a mobile device sends and gets.
fn gtp(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const USER_DATA: u8 = 255;
    let [flags, kind] = data.array(0)?;
    let length = usize::from(data.u16(2)?);
    if flags & 0xf8 != 0x30 || kind != USER_DATA || length + 8 > data.length {
        return Err(Other::NotTcp);
    }
    let mut header = 8;
    if flags & 7 != 0 {
        header += 4;
        // Extension headers, each with its length in words of four bytes, and the next one's type.
        let mut next = if flags & 4 != 0 { data.u8(header - 1)? } else { 0 };
        while next != 0 {
            let words = usize::from(data.u8(header)?);
            if words == 0 {
                return Err(Other::Malformed);
            }
            header += words * 4;
            next = data.u8(header - 1)?;
        }
    }
    Layer::Ip.of(data.after(header)?)
}

/// L2TP of version 2, RFC 2661, section 3.1: PPP in it.
fn l2tp(data: Slice<'_>) -> Result<Next<'_>, Other> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const RESERVED: u16 = 0x34f0;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    let flags = data.u16(0)?;
    if flags & 0x000f == 3 && flags & CONTROL == 0 {
        return Err(Other::Unread(Unread::L2tp));
    }
    if flags & (CONTROL | RESERVED) != 0 || flags & 0x000f != 2 {
        return Err(Other::NotTcp);
    }
    let mut header = 6;
    if flags & LENGTH != 0 {
        if usize::from(data.u16(2)?) > data.length {
            return Err(Other::NotTcp);
        }
        header += 2;
    }
    if flags & SEQUENCE != 0 {
        header += 4;
    }
    if flags & OFFSET != 0 {
        header += 2 + usize::from(data.u16(header)?);
    }
    let data = data.after(header)?;
    // With the address and control bytes of HDLC, or without.
    match data.array(0)? {
        [0xff, 0x03] => Layer::Ppp.of(data.after(2)?),
        _ => Layer::Ppp.of(data),
    }
}

/// RFC 4380, section 5.1.1: IPv6, with up to two indications before it.
fn teredo(mut data: Slice<'_>) -> Result<Next<'_>, Other> {
    if data.u16(0)? == 1 {
        // An identifier and an authentication value, of the lengths given, a nonce and a byte.
        data = data.after(4 + usize::from(data.u8(2)?) + usize::from(data.u8(3)?) + 9)?;
    }
    if data.u16(0)? == 0 {
        data = data.after(8)?;
    }
    let makes_sense = data.u8(0)? >> 4 == 6 && 40 + usize::from(data.u16(4)?) <= data.length;
    if makes_sense { Layer::Ipv6.of(data) } else { Err(Other::NotTcp) }
}
