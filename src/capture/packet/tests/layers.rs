//! Link types, Ethernet and what is like it, IP and TCP.

use super::super::{Other, Unread, parse};
use super::build::*;

/// 802.11 data from a station, with these bits in both bytes of frame control, and with these bytes
/// behind the addresses.
fn wireless(kind: u8, flags: u8, behind: &[u8]) -> Vec<u8> {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    [&[kind, flags], &[0; 22][..], behind, &snap, &hello()].concat()
}

#[test]
fn every_link_type_is_read() {
    let ip = hello();
    let after = |header: &[u8]| [header, &ip].concat();
    let radiotap = |fields: &[u8], frame: Vec<u8>| {
        [&[0, 0, 4 + fields.len() as u8, 0], fields, &frame].concat()
    };
    let macos = [&[108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0][..], &[0; 96], &ethernet(0x0800, &ip)];
    let nflog = |order: fn(u16) -> [u8; 2]| {
        let field = |kind: u16, value: &[u8]| {
            let header = [order(4 + value.len() as u16), order(kind)].concat();
            let mut field = [&header, value].concat();
            field.resize(field.len().next_multiple_of(4), 0);
            field
        };
        [&[2, 0, 0, 0][..], &field(1, &[8, 0, 1, 0]), &field(10, b"rule\0"), &field(9, &ip)]
            .concat()
    };
    for (name, link_type, frame) in [
        ("Ethernet", 1, ethernet(0x0800, &ip)),
        ("raw", 101, ip.clone()),
        ("raw, of BSD", 12, hello_ipv6()),
        ("raw, of OpenBSD", 14, ip.clone()),
        ("IPv4", 228, ip.clone()),
        ("IPv6", 229, hello_ipv6()),
        ("null, little-endian", 0, after(&[2, 0, 0, 0])),
        ("null, big-endian", 0, after(&[0, 0, 0, 2])),
        ("null, IPv6 of Windows", 0, [vec![23, 0, 0, 0], hello_ipv6()].concat()),
        ("loop, IPv6", 108, [vec![0, 0, 0, 24], hello_ipv6()].concat()),
        ("cooked", 113, after(&[&[0; 14][..], &[8, 0]].concat())),
        (
            "cooked, LLC",
            113,
            after(&[&[0; 14][..], &[0, 4, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]].concat()),
        ),
        ("cooked, second version", 276, after(&[&[8, 0][..], &[0; 18]].concat())),
        ("PPP", 9, after(&[0xff, 3, 0, 0x21])),
        ("PPP without address", 9, after(&[0, 0x21])),
        ("PPP with a short protocol", 9, after(&[0x21])),
        ("PPP in HDLC", 50, after(&[0xff, 3, 0, 0x21])),
        ("Cisco's HDLC", 50, after(&[0x0f, 0, 8, 0])),
        ("Cisco's HDLC alone", 104, after(&[0x8f, 0, 8, 0])),
        ("PPPoE alone", 51, after(&[0x11, 0, 0, 1, 0, 47, 0, 0x21])),
        ("pppd", 166, after(&[1, 3, 0, 0x21])),
        ("PPP with a direction", 204, after(&[0, 0xff, 3, 0, 0x21])),
        ("MPLS", 219, after(&[0, 0, 0x11, 64])),
        ("IPsec of BSD", 109, after(&[2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("firewall log", 117, after(&[&[61, 2][..], &[0; 62]].concat())),
        ("firewall log of Linux", 239, nflog(u16::to_le_bytes)),
        ("firewall log of Linux, big-endian", 239, nflog(u16::to_be_bytes)),
        ("macOS", 258, macos.concat()),
        ("802.11", 105, wireless(0x08, 0x01, &[])),
        ("802.11 with quality of service", 105, wireless(0x88, 0x02, &[0, 0])),
        ("802.11 with high throughput", 105, wireless(0x88, 0x82, &[0; 6])),
        ("802.11 between access points", 105, wireless(0x88, 0x03, &[0; 8])),
        ("radiotap", 127, radiotap(&[0; 4], wireless(0x08, 0x01, &[]))),
        // A time, flags that say the header is padded.
        (
            "radiotap with padding",
            127,
            radiotap(
                &[&[3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0; 8], &[0x20]].concat(),
                wireless(0x88, 0x01, &[0; 4]),
            ),
        ),
    ] {
        says_hello(name, link_type, &frame);
    }
    assert_eq!(parse(147, &ip, 45), Err(Other::LinkType));
}

#[test]
fn what_ethernet_carries_is_read() {
    let ip = hello();
    let after = |header: &[u8]| [header, &ip].concat();
    let pseudowire = |header: &[u8]| [header, &ethernet(0x0800, &ip)].concat();
    let with_length = |payload: Vec<u8>| ethernet(payload.len() as u16, &payload);
    for (name, frame) in [
        ("IPv6", ethernet(0x86dd, &hello_ipv6())),
        ("a tag", ethernet(0x8100, &after(&[0, 5, 8, 0]))),
        ("two tags", ethernet(0x88a8, &after(&[0, 5, 0x81, 0, 0, 6, 8, 0]))),
        (
            "five tags",
            ethernet(0x9100, &after(&[&[0, 1, 0x81, 0].repeat(4)[..], &[0, 1, 8, 0]].concat())),
        ),
        ("a tag, LLC", ethernet(0x8100, &after(&[0, 5, 0, 53, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0]))),
        ("a tag of a virtual interface", ethernet(0x8926, &after(&[0, 0, 0, 0, 8, 0]))),
        ("MPLS", ethernet(0x8847, &after(&[0, 0, 0x10, 64, 0, 0, 0x11, 64]))),
        ("Ethernet over MPLS", ethernet(0x8847, &pseudowire(&[0, 0, 0x11, 64]))),
        (
            "Ethernet over MPLS, controlled",
            ethernet(0x8848, &pseudowire(&[0, 0, 0x11, 64, 0, 0, 0, 1])),
        ),
        ("PPPoE", ethernet(0x8864, &after(&[0x11, 0, 0, 1, 0, 47, 0, 0x21]))),
        (
            "PPPoE, IPv6",
            ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 67, 0, 0x57], &hello_ipv6()[..]].concat()),
        ),
        ("PPPoE, MPLS", ethernet(0x8864, &after(&[0x11, 0, 0, 1, 0, 51, 2, 0x81, 0, 0, 0x11, 64]))),
        ("a provider's backbone", ethernet(0x88e7, &pseudowire(&[0; 4]))),
        ("SNAP", with_length(after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]))),
        ("SNAP of bridges", with_length(after(&[0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0]))),
        ("LLC", with_length(after(&[6, 6, 3]))),
        ("ISO's identifiers", with_length(after(&[0xfe, 0xfe, 3, 0xcc]))),
        ("LLC in a jumbo frame", ethernet(0x8870, &after(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]))),
    ] {
        says_hello(name, ETHERNET, &frame);
    }
    for kind in [0x0806, 0x88cc, 0x0101, 0x0026] {
        assert_eq!(parse(ETHERNET, &ethernet(kind, &[0; 46]), 60), Err(Other::NotIp), "{kind:x}");
    }
}

#[test]
fn mpls_of_what_is_not_known_is_no_ip() {
    for payload in [&[0x12; 60][..], &[0; 60], &[0x12; 6]] {
        let frame = ethernet(0x8847, &[&[0, 0, 0x11, 64], payload].concat());
        assert_eq!(parse(ETHERNET, &frame, frame.len() as u32), Err(Other::NotIp));
    }
}

#[test]
fn what_is_encrypted_or_in_pieces_is_named() {
    for (link_type, frame, unread) in [
        (ETHERNET, ethernet(0x88e5, &[0; 40]), Unread::Macsec),
        (RAW, ipv4(50, &[0; 40]), Unread::Esp),
        (RAW, ipv6(50, &[0; 40]), Unread::Esp),
        (RAW, ipv4(108, &[0; 40]), Unread::IpComp),
        (RAW, ipv4(115, &[0; 40]), Unread::L2tp),
        (9, vec![0xff, 3, 0, 0x2d, 0, 0], Unread::Ppp),
        (105, wireless(0x08, 0x41, &[]), Unread::EncryptedWireless),
        (105, wireless(0x08, 0x05, &[]), Unread::WirelessParts),
        (105, wireless(0x88, 0x01, &[0x80, 0]), Unread::WirelessParts),
    ] {
        assert_eq!(read(link_type, &frame), Err(Other::Unread(unread)));
    }
    for (kind, flags) in [(0x80, 0), (0xb4, 0), (0x48, 1), (0x09, 0)] {
        let frame = wireless(kind, flags, &[]);
        assert_eq!(read(105, &frame), Err(Other::NotIp), "{kind:x}");
    }
}

#[test]
fn padding_is_no_data() {
    let frame = |mut packet: Vec<u8>| {
        packet.extend([0xaa; 20]);
        ethernet(if packet[0] == 0x45 { 0x0800 } else { 0x86dd }, &packet)
    };
    for packet in [hello(), hello_ipv6()] {
        let frame = frame(packet);
        let segment = read(ETHERNET, &frame).unwrap();
        assert_eq!((segment.payload, segment.length), (HELLO, 5));
    }
}

#[test]
fn a_packet_without_a_length_is_as_long_as_its_frame() {
    let mut offloaded = hello();
    offloaded[2..4].fill(0);
    says_hello("IPv4", RAW, &offloaded);
    let mut offloaded = hello_ipv6();
    offloaded[4..6].fill(0);
    says_hello("IPv6", RAW, &offloaded);
}

#[test]
fn a_packet_is_not_longer_than_its_frame() {
    let mut packet = hello();
    packet[3] += 100;
    let segment = read(RAW, &packet).unwrap();
    assert_eq!((segment.payload, segment.length), (HELLO, 5));
}

#[test]
fn a_jumbogram_says_its_length_in_an_option() {
    let payload = vec![7; 200_000];
    let segment = tcp(&payload);
    // One byte of padding, six bytes of another option, the length.
    for before in [&[][..], &[0, 1, 5, 0, 0, 0, 0, 0]] {
        let [a, b, c, d] = ((8 + before.len() + segment.len()) as u32).to_be_bytes();
        let header = [&[6, before.len() as u8 / 8], before, &[0xc2, 4, a, b, c, d]].concat();
        let mut packet = ipv6(0, &[header, segment.clone()].concat());
        packet[4..6].fill(0);
        // A frame check sequence, which is no data.
        packet.extend([0xaa; 4]);
        let segment = read(RAW, &packet).unwrap();
        assert_eq!((segment.payload, segment.length), (&payload[..], 200_000));
    }
}

#[test]
fn options_and_extension_headers_are_passed_over() {
    let segment = tcp(HELLO);
    let before = |headers: &[&[u8]]| [headers.concat(), segment.clone()].concat();
    let mut with_options = hello();
    with_options[0] = 0x46;
    with_options[3] += 4;
    with_options.splice(20..20, [1, 1, 1, 0]);
    let authentication = |next| [&[next, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1][..], &[0; 12]].concat();
    let many: Vec<u8> =
        [[60, 0, 1, 4, 0, 0, 0, 0].repeat(3999), vec![6, 0, 1, 4, 0, 0, 0, 0]].concat();
    for (name, packet) in [
        ("options", with_options),
        ("authentication over IPv4", ipv4(51, &before(&[&authentication(6)]))),
        (
            "authentication over IPv6",
            ipv6(51, &before(&[&authentication(60), &[6, 0, 1, 4, 0, 0, 0, 0]])),
        ),
        ("hop-by-hop", ipv6(0, &before(&[&[6, 0, 1, 4, 0, 0, 0, 0]]))),
        (
            "mobility, HIP, shim6",
            ipv6(
                135,
                &before(&[
                    &[139, 0, 0, 0, 0, 0, 0, 0],
                    &[140, 0, 0, 0, 0, 0, 0, 0],
                    &[6, 0, 0, 0, 0, 0, 0, 0],
                ]),
            ),
        ),
        ("a fragment that is all of it", ipv6_fragment(6, 1, 0, &segment)),
    ] {
        says_hello(name, RAW, &packet);
    }
    assert_eq!(read(RAW, &ipv6(60, &before(&[&many]))).unwrap().payload, HELLO);
    // No next header; one that only IPv6 has.
    assert_eq!(read(RAW, &ipv6(59, &segment)), Err(Other::NotTcp));
    assert_eq!(read(RAW, &ipv4(60, &before(&[&[6, 0, 1, 4, 0, 0, 0, 0]]))), Err(Other::NotTcp));
    // A chain that leads beyond the packet.
    assert_eq!(read(RAW, &ipv6(0, &[6, 9, 0, 0, 0, 0, 0, 0])), Err(Other::Malformed));
}

#[test]
fn a_packet_under_way_by_stations_goes_to_the_last_one() {
    let stations = |kind: u8, left: u8, last: &[usize]| {
        let mut header = vec![6, 4, kind, left, 0, 0, 0, 0];
        header.extend([[0x33; 16], [0x44; 16]].concat());
        for at in last {
            header[8 + 16 * at] = 0xff;
        }
        ipv6(43, &[header, tcp(HELLO)].concat())
    };
    let to = |packet: &[u8]| read(RAW, packet).unwrap().destination.address.to_be_bytes()[0];
    assert_eq!(to(&stations(0, 1, &[1])), 0xff);
    assert_eq!(to(&stations(4, 2, &[0])), 0xff);
    // Where it has arrived, and of a kind that is not known.
    assert_eq!(to(&stations(0, 0, &[0, 1])), 0xfe);
    assert_eq!(to(&stations(9, 1, &[0, 1])), 0xfe);
    says_hello("a routing header", RAW, &stations(4, 2, &[0]));
}

#[test]
fn lengths_that_contradict_each_other_are_malformed() {
    let changed = |at: usize, to: u8| {
        let mut packet = hello();
        packet[at] = to;
        packet
    };
    for packet in [
        // The IP header's length, the packet's, the TCP header's, short and long.
        changed(0, 0x44),
        changed(3, 19),
        changed(3, 39),
        changed(32, 0x40),
        changed(32, 0xf0),
    ] {
        assert_eq!(read(RAW, &packet), Err(Other::Malformed));
    }
    assert_eq!(read(RAW, &[0x50; 40]), Err(Other::NotIp));
    assert_eq!(read(228, &hello_ipv6()), Err(Other::Malformed));
    assert_eq!(read(229, &hello()), Err(Other::Malformed));
}
