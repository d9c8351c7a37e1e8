//! IEEE 802.11, and radiotap before it.

use super::slice::Slice;
use super::{Layer, Next, Other, Unread};

/// Radiotap, <https://www.radiotap.org>, and then 802.11.
pub(super) fn radiotap(data: Slice<'_>) -> Result<Next<'_>, Other> {
    let length = usize::from(data.u16_little_endian(2)?);
    // Bitmaps of what is present go on as long as their last bit is set.
    let mut fields = 4;
    let present = data.u32_little_endian(fields)?;
    while data.u32_little_endian(fields)? & 1 << 31 != 0 {
        fields += 4;
    }
    fields += 4;
    // The first field is a time, eight bytes at a multiple of eight; the second one the flags.
    if present & 1 != 0 {
        fields = fields.next_multiple_of(8) + 8;
    }
    let flags = if present & 2 != 0 { data.u8(fields)? } else { 0 };
    frame(data.after(length)?, flags & 0x20 != 0)
}

/// IEEE 802.11, section 9.3.2: data frames. With `padded` the header is padded to a multiple of four
/// bytes, as some cards do.
pub(super) fn frame(data: Slice<'_>, padded: bool) -> Result<Next<'_>, Other> {
    let [kind, flags] = data.array(0)?;
    // Version 0, data, and not one without any.
    if kind & 0b1111 != 0b1000 || kind & 0x40 != 0 {
        return Err(Other::NotIp);
    }
    if flags & 0x40 != 0 {
        return Err(Other::Unread(Unread::EncryptedWireless));
    }
    let (more_fragments, number) = (flags & 0x04 != 0, data.u8(22)? & 0x0f);
    let mut header = 24;
    if flags & 0x03 == 0x03 {
        // From an access point to another: a fourth address.
        header += 6;
    }
    let mut aggregated = false;
    if kind & 0x80 != 0 {
        aggregated = data.u8(header)? & 0x80 != 0;
        header += if flags & 0x80 != 0 { 6 } else { 2 };
    }
    if more_fragments || number != 0 || aggregated {
        return Err(Other::Unread(Unread::WirelessParts));
    }
    if padded {
        header = header.next_multiple_of(4);
    }
    Layer::Llc.of(data.after(header)?)
}
