//! Headers, each before what it carries, written independently of the code under test.

use super::super::{Content, Other, Segment, parse};

pub(super) const ETHERNET: u32 = 1;
pub(super) const RAW: u32 = 101;
pub(super) const HELLO: &[u8] = b"hello";

/// From port 1000 to 80, with the numbers 7 and 9.
pub(super) fn tcp(payload: &[u8]) -> Vec<u8> {
    let ports = [1000u16.to_be_bytes(), 80u16.to_be_bytes()].concat();
    let rest = [0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 4, 0, 0xba, 0xad, 0, 0];
    [&ports[..], &rest, payload].concat()
}

pub(super) fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (8 + payload.len() as u16).to_be_bytes();
    let [port_high, port_low] = port.to_be_bytes();
    [&[0xc0, 0, port_high, port_low, high, low, 0, 0], payload].concat()
}

/// From `10.0.0.1` to `10.0.0.2`.
pub(super) fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, 0x4000, payload)
}

pub(super) fn ipv4_fragment(protocol: u8, id: u16, field: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    let ([id_high, id_low], [flags, offset]) = (id.to_be_bytes(), field.to_be_bytes());
    let header = [0x45, 0, high, low, id_high, id_low, flags, offset, 64, protocol, 0, 0];
    [&header[..], &[10, 0, 0, 1, 10, 0, 0, 2], payload].concat()
}

/// From `fe80::1` to `fe80::2`.
pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let address = |last: u8| [&[0xfe, 0x80][..], &[0; 13], &[last]].concat();
    [&[0x60, 0, 0, 0, high, low, next, 64][..], &address(1), &address(2), payload].concat()
}

/// A fragment header, and behind it a part.
pub(super) fn ipv6_fragment(next: u8, id: u8, field: u16, payload: &[u8]) -> Vec<u8> {
    let [offset, more] = field.to_be_bytes();
    ipv6(44, &[&[next, 0, offset, more, 0, 0, 0, id], payload].concat())
}

pub(super) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    [&[0xee; 12][..], &kind.to_be_bytes(), payload].concat()
}

/// `hello` over TCP over IPv4.
pub(super) fn hello() -> Vec<u8> {
    ipv4(6, &tcp(HELLO))
}

/// `hello` over TCP over IPv6.
pub(super) fn hello_ipv6() -> Vec<u8> {
    ipv6(6, &tcp(HELLO))
}

/// What is read of a whole frame that has no fragment.
pub(super) fn read(link_type: u32, frame: &[u8]) -> Result<Segment<'_>, Other> {
    read_cut(link_type, frame, frame.len())
}

/// What is read of the first bytes of a frame.
pub(super) fn read_cut(link_type: u32, frame: &[u8], kept: usize) -> Result<Segment<'_>, Other> {
    match parse(link_type, &frame[..kept], frame.len() as u32)? {
        Content::Segment(segment) => Ok(segment),
        Content::Fragment(_) => Err(Other::Fragment),
    }
}

/// That a frame is `hello`, and cut anywhere either that it is cut, or how much is missing.
pub(super) fn says_hello(name: &str, link_type: u32, frame: &[u8]) {
    let segment = read(link_type, frame).unwrap_or_else(|other| panic!("{name}: {other:?}"));
    assert_eq!((segment.payload, segment.length), (HELLO, 5), "{name}");
    assert_eq!((segment.source.port, segment.destination.port), (1000, 80), "{name}");
    assert_eq!((segment.sequence, segment.acknowledgement), (7, Some(9)), "{name}");
    for kept in 0..frame.len() {
        match read_cut(link_type, frame, kept) {
            Ok(segment) => {
                assert_eq!(segment.length, 5, "{name}, cut to {kept}");
                assert!(HELLO.starts_with(segment.payload), "{name}, cut to {kept}");
            }
            Err(other) => assert_eq!(other, Other::Cut, "{name}, cut to {kept}"),
        }
    }
}
