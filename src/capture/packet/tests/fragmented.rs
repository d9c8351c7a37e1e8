//! Fragments.

use super::super::fragments::Fragmentation;
use super::super::{Other, Unread};
use super::build::*;
use super::reading::*;

const SECOND: i64 = 1_000_000_000;

#[test]
fn fragments_make_a_packet_in_any_order() {
    let data = payload(60);
    for is_ipv6 in [false, true] {
        let packets = cut(is_ipv6, 1, 6, &tcp(&data), 24);
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut reading = Reading::default();
            reading.hold(order[..3].iter().map(|&index| &packets[index]));
            assert_eq!(reading.read(&packets[order[3]]), Ok((data.clone(), 60)));
            assert_eq!(reading.finish(), whole(1));
        }
    }
}

#[test]
fn packets_are_told_apart_by_ends_identification_and_protocol() {
    let (one, other) = (payload(40), vec![9; 40]);
    let mut reading = Reading::default();
    let first = cut(false, 1, 6, &tcp(&one), 32);
    let second = cut(false, 2, 6, &tcp(&other), 32);
    let mut from_elsewhere = cut(false, 1, 6, &tcp(&other), 32);
    from_elsewhere.iter_mut().for_each(|packet| packet[15] = 99);
    let of_another_protocol = cut(false, 1, 4, &hello_of(&other), 32);
    reading.hold([&first[0], &second[0], &from_elsewhere[0], &of_another_protocol[0]]);
    reading.hold([&of_another_protocol[1]]);
    assert_eq!(reading.read(&from_elsewhere[1]), Ok((other.clone(), 40)));
    assert_eq!(reading.read(&first[1]), Ok((one, 40)));
    assert_eq!(reading.read(&of_another_protocol[2]), Ok((other.clone(), 40)));
    assert_eq!(reading.read(&second[1]), Ok((other, 40)));
    assert_eq!(reading.finish(), whole(4));
}

fn hello_of(data: &[u8]) -> Vec<u8> {
    ipv4(6, &tcp(data))
}

#[test]
fn fragments_that_are_captured_twice_are_no_second_packet() {
    for is_ipv6 in [false, true] {
        let packets = cut(is_ipv6, 1, 6, &tcp(&payload(60)), 40);
        let mut reading = Reading::default();
        reading.hold([&packets[0], &packets[0]]);
        assert!(reading.read(&packets[1]).is_ok());
        reading.hold([&packets[1], &packets[0]]);
        assert_eq!(reading.finish(), whole(1));
    }
}

#[test]
fn an_identification_may_come_again() {
    let mut reading = Reading::default();
    for data in [payload(60), vec![1; 60], payload(60)] {
        let packets = cut(false, 1, 6, &tcp(&data), 40);
        reading.hold([&packets[0]]);
        assert_eq!(reading.read(&packets[1]), Ok((data, 60)));
        reading.wait(2 * SECOND);
    }
    assert_eq!(reading.finish(), whole(3));
}

#[test]
fn the_first_bytes_of_ipv4_win() {
    let data = payload(60);
    let whole_segment = tcp(&data);
    let mut reading = Reading::default();
    let other = [0xff; 32];
    reading.hold([
        &piece(false, 1, 6, 0, true, &whole_segment[..32]),
        &piece(false, 1, 6, 48, true, &whole_segment[48..64]),
        // Before, between and behind what is there, which it contradicts.
        &piece(false, 1, 6, 24, true, &[&other[..8], &whole_segment[32..48], &other[..8]].concat()),
    ]);
    let last = piece(false, 1, 6, 56, false, &[&other[..8], &whole_segment[64..]].concat());
    assert_eq!(reading.read(&last), Ok((data, 60)));
    assert_eq!(reading.finish(), Fragmentation { contradictory: 1, ..whole(1) });
}

#[test]
fn an_overlap_drops_an_ipv6_packet_with_all_that_still_comes() {
    let segment = tcp(&payload(60));
    let mut reading = Reading::default();
    reading.hold([
        &piece(true, 1, 6, 0, true, &segment[..32]),
        &piece(true, 1, 6, 24, true, &segment[24..40]),
        &piece(true, 1, 6, 32, true, &segment[32..40]),
        &piece(true, 1, 6, 40, false, &segment[40..]),
        &piece(true, 1, 6, 0, true, &segment[..32]),
    ]);
    assert_eq!(reading.finish(), Fragmentation { overlapping: 1, ..whole(0) });
}

#[test]
fn fragments_that_cannot_be_a_part_are_malformed() {
    for is_ipv6 in [false, true] {
        let segment = tcp(&payload(60));
        let packets = cut(is_ipv6, 1, 6, &segment, 40);
        let mut reading = Reading::default();
        for (offset, more, part) in [
            // Not of whole words, empty, beyond the longest packet.
            (0, true, &segment[..33]),
            (40, true, &[]),
            (40, false, &[]),
            (65_528, false, &segment[..8]),
        ] {
            let packet = piece(is_ipv6, 1, 6, offset, more, part);
            assert_eq!(reading.read(&packet), Err(Other::Malformed), "{offset} {more}");
        }
        reading.hold([&packets[0]]);
        // An end before what is there.
        let within = piece(is_ipv6, 1, 6, 8, false, &segment[8..32]);
        assert_eq!(reading.read(&within), Err(Other::Malformed));
        assert!(reading.read(&packets[1]).is_ok());

        let mut reading = Reading::default();
        reading.hold([&packets[1]]);
        // Another end, and something behind it.
        let other_end = piece(is_ipv6, 1, 6, 40, false, &segment[40..72]);
        assert_eq!(reading.read(&other_end), Err(Other::Malformed));
        let behind = piece(is_ipv6, 1, 6, 80, true, &segment[..8]);
        assert_eq!(reading.read(&behind), Err(Other::Malformed));
        assert!(reading.read(&packets[0]).is_ok());
    }
}

#[test]
fn of_cut_fragments_the_length_is_known() {
    let data = payload(100);
    let packets = cut(false, 1, 6, &tcp(&data), 64);
    let mut reading = Reading::default();
    assert_eq!(reading.read_cut(&packets[0], 60), Err(Other::Fragment));
    // The header, and twenty bytes; what stands behind the hole is a part of it.
    assert_eq!(reading.read(&packets[1]), Ok((data[..20].to_vec(), 100)));
    reading.hold([&packets[0]]);
    let packets = cut(false, 2, 6, &tcp(&data), 64);
    reading.hold([&packets[0]]);
    assert_eq!(reading.read_cut(&packets[1], 30), Ok((data[..54].to_vec(), 100)));
    assert_eq!(reading.finish(), whole(2));
    // Cut within the header, there is nothing to go by.
    let packets = cut(false, 2, 6, &tcp(&data), 64);
    let mut reading = Reading::default();
    assert_eq!(reading.read_cut(&packets[0], 30), Err(Other::Fragment));
    assert_eq!(reading.read(&packets[1]), Err(Other::Cut));
    assert_eq!(reading.read_cut(&packets[0], 19), Err(Other::Cut));
}

#[test]
fn what_never_comes_in_whole_is_counted() {
    let packets = cut(false, 1, 6, &tcp(&payload(60)), 24);
    let mut reading = Reading::default();
    reading.hold(&packets[..3]);
    reading.wait(59 * SECOND);
    reading.hold([&packets[2]]);
    reading.wait(2 * SECOND);
    // The packet that it would have completed is given up.
    reading.hold([&packets[3]]);
    assert_eq!(reading.fragments.seen(), Fragmentation { incomplete: 1, left_over: 4, ..whole(0) });
    let seen = reading.finish();
    assert_eq!(seen, Fragmentation { incomplete: 2, left_over: 5, ..whole(0) });
    assert_eq!(seen.damage(), ["5 fragments of 2 IP packets that never came in whole"]);
}

#[test]
fn a_clock_that_stands_still_does_not_keep_a_packet_forever() {
    let packets = cut(false, 1, 6, &tcp(&payload(60)), 40);
    let mut reading = Reading::default();
    reading.hold([&packets[0]]);
    for _ in 0..=1 << 20 {
        assert_eq!(reading.read(&[]), Err(Other::Malformed));
    }
    reading.hold([&packets[1]]);
    assert_eq!(reading.finish(), Fragmentation { incomplete: 2, left_over: 2, ..whole(0) });
}

#[test]
fn too_many_packets_push_out_the_oldest() {
    let mut reading = Reading::default();
    let old = cut(false, 1, 6, &tcp(&payload(60)), 40);
    reading.hold([&old[0]]);
    for id in 0..5000u16 {
        let first = ipv4_fragment(6, 1000 + id, 0x2000, &tcp(&payload(60))[..40]);
        reading.hold([&first]);
    }
    assert!(reading.fragments.held() <= 4097);
    reading.hold([&old[1]]);
    assert_eq!(reading.finish(), Fragmentation { incomplete: 5002, left_over: 5002, ..whole(0) });
}

#[test]
fn what_is_held_is_bounded_in_bytes() {
    let mut reading = Reading::default();
    let large = vec![0; 65_000];
    for id in 0..1000 {
        reading.hold([&ipv4_fragment(6, id, 0x2000, &large)]);
    }
    assert!(reading.fragments.cost() <= 17 * 1024 * 1024);
    assert_eq!(reading.finish().incomplete, 1000);
}

#[test]
fn only_udp_that_is_a_tunnel_is_put_together() {
    let vxlan = [&[8, 0, 0, 0, 0, 0, 42, 0][..], &ethernet(0x0800, &hello())].concat();
    let tunnel = cut(true, 1, 17, &udp(4789, &vxlan), 48);
    let mut reading = Reading::default();
    reading.hold(&tunnel[1..]);
    assert_eq!(reading.read(&tunnel[0]), Ok((HELLO.to_vec(), 5)));
    // Of other UDP nothing is missing.
    let question = cut(true, 2, 17, &udp(53, &payload(100)), 48);
    reading.hold([&question[2]]);
    assert_eq!(reading.read(&question[0]), Err(Other::NotTcp));
    assert_eq!(reading.read(&question[1]), Err(Other::NotTcp));
    reading.hold([&cut(true, 3, 17, &udp(53, &payload(100)), 48)[1]]);
    // Of a tunnel there is.
    reading.hold([&cut(true, 4, 17, &udp(4789, &vxlan), 48)[0]]);
    assert_eq!(reading.finish(), Fragmentation { incomplete: 1, left_over: 1, ..whole(1) });
}

#[test]
fn fragments_in_a_fragmented_tunnel_are_put_together() {
    let data = payload(200);
    let mut reading = Reading::default();
    let inner = cut(false, 1, 6, &tcp(&data), 120);
    let outer: Vec<_> = inner
        .iter()
        .enumerate()
        .flat_map(|(id, inner)| cut(true, id as u8, 4, inner, 64))
        .collect();
    let (last, before) = outer.split_last().unwrap();
    reading.hold(before);
    assert_eq!(reading.read(last), Ok((data, 200)));
    assert_eq!(reading.finish(), whole(3));
}

#[test]
fn fragments_do_not_hide_how_deep_a_tunnel_is() {
    let nested =
        |depth: usize, packet: Vec<u8>| (0..depth).fold(packet, |inner, _| ipv4(4, &inner));
    for (outside, inside, read) in
        [(4, 3, Ok((HELLO.to_vec(), 5))), (5, 3, Err(Other::Unread(Unread::Depth)))]
    {
        let packets = cut(false, 1, 4, &nested(inside - 1, hello()), 24);
        let packets: Vec<_> = packets.into_iter().map(|packet| nested(outside, packet)).collect();
        let (last, before) = packets.split_last().unwrap();
        let mut reading = Reading::default();
        reading.hold(before);
        assert_eq!(reading.read(last), read);
    }
}

#[test]
fn the_first_fragment_says_what_an_ipv6_packet_carries() {
    let segment = tcp(HELLO);
    let options = [&[6, 0, 1, 4, 0, 0, 0, 0][..], &segment].concat();
    let mut reading = Reading::default();
    // The others may say anything (RFC 8200, section 4.5).
    reading.hold([&ipv6_fragment(17, 1, 16, &options[16..])]);
    assert_eq!(reading.read(&ipv6_fragment(60, 1, 1, &options[..16])), Ok((HELLO.to_vec(), 5)));
}
