//! Tunnels.

use super::super::{DEPTH, Other, Unread};
use super::build::*;

const VXLAN: &[u8] = &[8, 0, 0, 0, 0, 0, 42, 0];

#[test]
fn what_is_in_a_tunnel_is_read() {
    let (ip, frame) = (hello(), ethernet(0x0800, &hello()));
    let gre = |header: &[u8], inner: &[u8]| ipv4(47, &[header, inner].concat());
    let over_udp = |port: u16, header: &[u8], inner: &[u8]| udp(port, &[header, inner].concat());
    let teredo = |header: &[u8]| ipv4(17, &over_udp(3544, header, &hello_ipv6()));
    let gtp = |header: &[u8]| {
        let [high, low] = (header.len() as u16 - 8 + ip.len() as u16).to_be_bytes();
        let mut header = header.to_vec();
        header[2..4].copy_from_slice(&[high, low]);
        ipv6(17, &over_udp(2152, &header, &ip))
    };
    let l2tp = |header: &[u8]| ipv4(17, &over_udp(1701, header, &ip));
    for (name, packet) in [
        ("IPv4 in IPv4", ipv4(4, &ip)),
        ("IPv6 in IPv4", ipv4(41, &hello_ipv6())),
        ("IPv4 in IPv6", ipv6(4, &ip)),
        ("IPv6 in IPv6", ipv6(41, &hello_ipv6())),
        ("GRE", gre(&[0, 0, 8, 0], &ip)),
        ("GRE, IPv6", gre(&[0, 0, 0x86, 0xdd], &hello_ipv6())),
        ("GRE with a checksum", gre(&[0x80, 0, 8, 0, 1, 2, 0, 0], &ip)),
        ("GRE with a key", gre(&[0x20, 0, 8, 0, 1, 2, 3, 4], &ip)),
        ("GRE with all", gre(&[&[0xb0, 0, 8, 0][..], &[9; 12]].concat(), &ip)),
        ("GRE with Ethernet", gre(&[0, 0, 0x65, 0x58], &frame)),
        ("GRE with MPLS", gre(&[0, 0, 0x88, 0x47, 0, 0, 0x11, 64], &ip)),
        ("GRE with PPP", gre(&[0, 0, 0x88, 0x0b, 0, 0x21], &ip)),
        ("ERSPAN I", gre(&[0, 0, 0x88, 0xbe], &frame)),
        (
            "ERSPAN II",
            gre(&[&[0x10, 0, 0x88, 0xbe][..], &[0, 0, 0, 1], &[0x10; 8]].concat(), &frame),
        ),
        (
            "ERSPAN III",
            gre(&[&[0x10, 0, 0x22, 0xeb][..], &[0, 0, 0, 1], &[0x20; 12]].concat(), &frame),
        ),
        (
            "ERSPAN III with more",
            gre(
                &[&[0x10, 0, 0x22, 0xeb][..], &[0, 0, 0, 1], &[0x21; 12], &[0; 8]].concat(),
                &frame,
            ),
        ),
        ("Ethernet in IP", ipv4(97, &[&[0x30, 0], &frame[..]].concat())),
        ("MPLS in IP", ipv6(137, &[&[0, 0, 0x11, 64], &ip[..]].concat())),
        ("VXLAN", ipv4(17, &over_udp(4789, VXLAN, &frame))),
        ("VXLAN over IPv6", ipv6(17, &over_udp(4789, VXLAN, &frame))),
        ("VXLAN of Linux", ipv4(17, &over_udp(8472, VXLAN, &frame))),
        ("VXLAN with a group", ipv4(17, &over_udp(4789, &[0x88, 8, 1, 2, 0, 0, 42, 0], &frame))),
        ("Geneve", ipv4(17, &over_udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 42, 0], &frame))),
        ("Geneve with IP", ipv4(17, &over_udp(6081, &[0, 0, 8, 0, 0, 0, 42, 0], &ip))),
        (
            "Geneve with options",
            ipv4(17, &over_udp(6081, &[&[2, 0x40, 8, 0, 0, 0, 42, 0][..], &[1; 8]].concat(), &ip)),
        ),
        ("GTP", gtp(&[0x30, 255, 0, 0, 0, 0, 0, 1])),
        ("GTP with a number", gtp(&[0x32, 255, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0])),
        (
            "GTP with extension headers",
            gtp(&[0x34, 255, 0, 0, 0, 0, 0, 1, 0, 9, 0, 0x85, 1, 0, 9, 0x20, 1, 0, 0, 0]),
        ),
        ("L2TP", l2tp(&[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21])),
        ("L2TP with all", l2tp(&[0x4a, 2, 0, 50, 0, 1, 0, 2, 0, 3, 0, 4, 0, 2, 9, 9, 0, 0x21])),
        ("Teredo", teredo(&[])),
        ("Teredo with an origin", teredo(&[0, 0, 1, 2, 3, 4, 5, 6])),
        (
            "Teredo with authentication",
            teredo(
                &[&[0, 1, 1, 2][..], &[7; 3], &[8; 8], &[0], &[0, 0, 1, 2, 3, 4, 5, 6]].concat(),
            ),
        ),
    ] {
        says_hello(name, RAW, &packet);
    }
}

#[test]
fn the_ends_are_those_in_the_tunnel() {
    let packet = ipv6(17, &udp(4789, &[VXLAN, &ethernet(0x0800, &hello())].concat()));
    let segment = read(RAW, &packet).unwrap();
    assert_eq!(segment.source.socket(segment.is_ipv4), "10.0.0.1:1000".parse().unwrap());
    assert_eq!(segment.destination.socket(segment.is_ipv4), "10.0.0.2:80".parse().unwrap());
}

#[test]
fn other_udp_on_the_ports_of_tunnels_is_no_tunnel() {
    let question =
        b"\x30\x39\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03org\x00\x00\x01\x00\x01";
    for port in [53, 4789, 8472, 6081, 2152, 1701, 3544] {
        for payload in [&question[..], b"", b"\x08", b"temperature 21.5\n", &[0xff; 100]] {
            let packet = ipv4(17, &udp(port, payload));
            assert_eq!(read(RAW, &packet), Err(Other::NotTcp), "{port} {payload:x?}");
        }
    }
    // What GTP and L2TP say to each other of their tunnels.
    let echo = udp(2152, &[0x32, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0]);
    let hello = udp(1701, &[0xc8, 2, 0, 20, 0, 1, 0, 0, 0, 1, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6]);
    assert_eq!(read(RAW, &ipv4(17, &echo)), Err(Other::NotTcp));
    assert_eq!(read(RAW, &ipv4(17, &hello)), Err(Other::NotTcp));
}

#[test]
fn a_tunnel_that_is_not_read_is_named() {
    let gre = |header: [u8; 4]| ipv4(47, &[&header[..], &[0; 40]].concat());
    for (packet, unread) in [
        (gre([0x30, 0x81, 0x88, 0x0b]), Unread::Pptp),
        (gre([0x40, 0, 8, 0]), Unread::RoutedGre),
        (ipv4(17, &udp(1701, &[0, 3, 0, 0, 0, 0, 0, 1, 0, 0])), Unread::L2tp),
    ] {
        assert_eq!(read(RAW, &packet), Err(Other::Unread(unread)));
    }
    assert_eq!(read(RAW, &gre([0, 2, 8, 0])), Err(Other::NotTcp));
    // A keep-alive of GRE.
    assert_eq!(read(RAW, &gre([0, 0, 0, 0])), Err(Other::NotIp));
}

#[test]
fn tunnels_in_tunnels_are_read_up_to_a_depth() {
    let nested = |depth| (1..depth).fold(hello(), |inner, _| ipv4(4, &inner));
    assert_eq!(read(RAW, &nested(DEPTH)).unwrap().payload, HELLO);
    assert_eq!(read(RAW, &nested(DEPTH + 1)), Err(Other::Unread(Unread::Depth)));
    assert_eq!(read(RAW, &nested(3000)), Err(Other::Unread(Unread::Depth)));
    assert!(Unread::Depth.to_string().contains(&DEPTH.to_string()));
}
