//! Records that make no sense are said with their places, and passed over where that can be done.

use std::fs;
use std::path::Path;

use wirespool::Error;
use wirespool::capture::{Counters, Reader};
use wirespool::session::{Side, Timestamp};

use super::blocks::{Big, INTERFACE, Little, OLD_PACKET, Order, SIMPLE_PACKET, STATISTICS};
use super::log::{Log, Seen};
use super::network::{self, ACK, Packet};
use Side::Client;

const RAW: u16 = 101;

/// An IP packet of a connection that goes on: each has one byte.
fn ip(index: u32) -> Vec<u8> {
    Packet::new(true, 1 + index, 1, ACK).with(&[b'a' + index as u8]).ip()
}

fn beginning() -> Vec<u8> {
    [Little.section(&[]), Little.interface(RAW, 0, &[])].concat()
}

fn packet(index: u32) -> Vec<u8> {
    Little.packet(0, u64::from(index), &ip(index), &[])
}

fn read(file: Vec<u8>) -> (Log, Counters) {
    let (log, result, counters) = try_to_read(file);
    result.unwrap();
    (log, counters)
}

fn try_to_read(file: Vec<u8>) -> (Log, Result<(), Error>, Counters) {
    let source = std::io::Cursor::new(file);
    let mut reader = Reader::from_stream(source, Path::new("damaged")).unwrap();
    let mut log = Log::default();
    let result = reader.read_all(&mut log);
    (log, result, reader.summary())
}

/// What the client sent, with a dot for each byte that is missing.
fn sent(log: &Log) -> String {
    log.bytes(Client).iter().map(|byte| char::from(byte.unwrap_or(b'.'))).collect()
}

#[test]
fn a_block_whose_lengths_disagree_is_passed_over() {
    let mut damaged = packet(1);
    let end = damaged.len() - 4;
    damaged[end] ^= 0x40;
    let begins = (beginning().len() + packet(0).len()) as u64;
    for rest in [vec![packet(2), packet(3)], vec![]] {
        let file = [beginning(), packet(0), damaged.clone(), rest.concat()].concat();
        let (log, counters) = read(file);
        assert_eq!(sent(&log), if rest.is_empty() { "a" } else { "a.cd" });
        assert_eq!((counters.packets, counters.damaged), (2 + rest.len() as u64, 1));
        assert_eq!(counters.damages[0].offset, begins);
        let said = counters.damage();
        assert_eq!(said[0], "1 packet whose record in the file makes no sense");
        let place = format!("at byte {begins} a block claims 76 bytes at its begin, 12 at its end");
        assert_eq!(said[1], place);
    }
}

#[test]
fn where_no_block_follows_one_whose_lengths_disagree_the_file_ends() {
    let mut damaged = packet(1);
    damaged[4] = damaged[4].wrapping_sub(16);
    let begins = (beginning().len() + packet(0).len()) as u64;
    let file = [beginning(), packet(0), damaged, packet(2)].concat();
    let (log, result, _) = try_to_read(file);
    assert!(matches!(result, Err(Error::Damaged { offset, .. }) if offset == begins), "{result:?}");
    assert_eq!(sent(&log), "a");
}

#[test]
fn a_section_that_is_damaged_still_ends_the_one_before() {
    let mut damaged = Big.section(&[]);
    let end = damaged.len() - 1;
    damaged[end] ^= 0x40;
    let file = [
        beginning(),
        packet(0),
        damaged,
        // There is no interface in it yet.
        Big.packet(0, 1, &ip(1), &[]),
        Big.interface(RAW, 0, &[]),
        Big.packet(0, 2, &ip(2), &[]),
    ]
    .concat();
    let (log, counters) = read(file);
    assert_eq!(sent(&log), "a.c");
    assert_eq!((counters.damaged, counters.damaged_blocks), (1, 1));
    assert!(counters.damages[1].reason.contains("interface 0"), "{counters:?}");
}

#[test]
fn what_is_wrong_with_a_packet_is_said() {
    for (block, words) in [
        (Little.packet(7, 0, &ip(1), &[]), "of interface 7, which is not described"),
        (Little.block(6, &Little.words(&[0, 0, 0, 1000, 1000])), "a packet of 1000 bytes"),
        (Little.block(6, &Little.words(&[0, 0, 0])), "too short"),
        (Little.block(OLD_PACKET, &[0; 8]), "too short"),
        (Little.block(OLD_PACKET, &[9; 40]), "bytes ends behind its block"),
        (Little.block(SIMPLE_PACKET, &[]), "too short"),
    ] {
        let (log, counters) = read([beginning(), packet(0), block, packet(2)].concat());
        assert_eq!(sent(&log), "a.c", "{words}");
        assert_eq!((counters.packets, counters.damaged), (3, 1));
        assert!(counters.damages[0].reason.contains(words), "{counters:?}");
        // Wireshark numbers it, too.
        assert_eq!(log.0.last().unwrap().frame, Some(3));
    }
}

#[test]
fn options_that_run_beyond_their_block_cost_no_packet() {
    let cut = [Little.option(1, b"fine"), vec![1, 0, 0xff, 0xff, b'x', b'x', b'x', b'x']].concat();
    let file = [
        Little.section(&cut),
        Little.interface(RAW, 0, &[Little.option(9, &[9]), cut.clone()].concat()),
        Little.packet(0, 5, &ip(0), &cut),
        Little.block(STATISTICS, &[Little.words(&[0, 0, 0]), cut].concat()),
        packet(1),
    ]
    .concat();
    let (log, counters) = read(file);
    assert_eq!(sent(&log), "ab");
    assert_eq!(log.0[0].at, Timestamp(5), "the option before is read");
    assert_eq!((counters.packets, counters.damaged, counters.damaged_blocks), (2, 0, 4));
    let said = counters.damage();
    assert_eq!(said[0], "4 blocks or lists of options in the file that make no sense");
    assert!(said[1].contains("at byte 0 the options of a block run beyond its end; at byte"));
}

#[test]
fn options_without_an_end_and_padding_are_no_damage() {
    for options in [
        vec![],
        Little.option(1, b"no end"),
        [Little.option(1, b"an end"), vec![0; 4]].concat(),
        [vec![0; 4], b"what is behind the end is nothing".to_vec()].concat(),
        vec![1, 0],
    ] {
        let file = [
            Little.section(&options),
            Little.interface(RAW, 0, &options),
            Little.packet(0, 0, &ip(0), &options),
        ];
        let (log, counters) = read(file.concat());
        assert_eq!((sent(&log).as_str(), counters.warnings()), ("a", vec![]), "{options:x?}");
    }
}

#[test]
fn an_interface_that_makes_no_sense_keeps_its_number() {
    let mut disagrees = Little.interface(RAW, 0, &[]);
    disagrees[16] ^= 1;
    for damaged in [Little.block(INTERFACE, &[1, 0, 0, 0]), disagrees] {
        let file = [
            Little.section(&[]),
            damaged,
            Little.interface(RAW, 0, &[]),
            Little.packet(1, 0, &ip(0), &[]),
            Little.packet(0, 0, &ip(1), &[]),
        ];
        let (log, counters) = read(file.concat());
        assert_eq!(sent(&log), "a");
        assert_eq!((counters.damaged, counters.damaged_blocks), (1, 1));
    }
}

#[test]
fn damage_before_the_first_packet_of_a_file_is_counted_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("capture");
    let custom = Little.block(0x0bad, &[0; 8]);
    let file = [beginning(), custom, Little.block(STATISTICS, &[]), packet(0)].concat();
    fs::write(&path, file).unwrap();
    let (log, counters) = Log::read(&path);
    assert_eq!((counters.packets, counters.damaged_blocks), (1, 1));
    assert_eq!(log.0[0].frame, Some(2), "a custom block is a frame");
}

#[test]
fn only_the_first_places_are_kept() {
    let damaged = Little.packet(7, 0, &ip(1), &[]);
    let (_, counters) = read([beginning(), damaged.repeat(1000)].concat());
    assert_eq!((counters.damaged, counters.damages.len()), (1000, 4));
    assert!(counters.damage()[1].starts_with("the first of them: at byte 48 a packet"));
}

#[test]
fn more_interfaces_than_any_system_has_are_not_remembered() {
    let interfaces = Little.interface(RAW, 0, &[]).repeat(65_537);
    let file = [
        Little.section(&[]),
        interfaces,
        Little.packet(65_535, 0, &ip(0), &[]),
        Little.packet(65_536, 0, &ip(1), &[]),
    ];
    let (log, counters) = read(file.concat());
    assert_eq!(sent(&log), "a");
    assert_eq!((counters.damaged, counters.damaged_blocks), (1, 1));
    assert!(counters.damages[0].reason.contains("65536 interfaces, which is the limit"));
}

#[test]
fn sections_have_their_own_byte_order_and_interfaces() {
    let order = |order: Order, at: u32, padding: &[u8]| {
        let nanoseconds = order.option(9, &[9]);
        let ethernet = [&[0xee; 12][..], &[8, 0], &ip(at + 1)].concat();
        [
            order.section(padding),
            order.interface(RAW, 0, &[]),
            order.interface(1, 0, &nanoseconds),
            order.packet(0, 3, &ip(at), &[]),
            order.packet(1, 4, &ethernet, &[]),
        ]
        .concat()
    };
    let file = [order(Little, 0, b""), order(Big, 2, &Big.option(1, b"x")), order(Little, 4, b"")];
    let (log, counters) = read(file.concat());
    assert_eq!((sent(&log).as_str(), counters.warnings()), ("abcdef", vec![]));
    let times: Vec<_> = log.0.iter().filter(|one| matches!(one.seen, Seen::Data(..))).collect();
    let times: Vec<_> = times.iter().map(|one| one.at.nanoseconds()).collect();
    assert_eq!(times, [3000, 4, 3000, 4, 3000, 4]);
}

#[test]
fn a_section_of_an_unknown_version_is_left_out() {
    let mut unknown = Little.section(&[]);
    unknown[12] = 2;
    let contents = |index| [Little.interface(RAW, 0, &[]), Little.packet(0, 0, &ip(index), &[])];
    let file = [beginning(), packet(0), unknown, contents(1).concat()];
    let file = [file.concat(), Little.section(&[]), contents(2).concat()];
    let (log, counters) = read(file.concat());
    assert_eq!(sent(&log), "a.c");
    assert_eq!((counters.packets, counters.damaged_blocks), (2, 1));
    assert!(counters.damages[0].reason.contains("version 2.0"), "{counters:?}");
}

#[test]
fn what_recorders_say_that_they_lost_is_counted() {
    let lost = |count: u64| Little.option(4, &Little.u64(count));
    let old = |dropped: u16, index: u32| {
        let length = ip(index).len() as u32;
        let begin = [Little.u16(0), Little.u16(dropped), Little.words(&[0, 0, length, length])];
        let mut body = [begin.concat(), ip(index)].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        // This option is none of this block, which has a field for it.
        Little.block(OLD_PACKET, &[body, lost(9)].concat())
    };
    let statistics = |interface: u32, received: u64, by_system: u64| {
        let drops =
            [Little.option(5, &Little.u64(received)), Little.option(7, &Little.u64(by_system))];
        Little.block(STATISTICS, &[Little.words(&[interface, 0, 0]), drops.concat()].concat())
    };
    let packets = [Little.packet(0, 0, &ip(0), &lost(5)), old(2, 1), old(0xffff, 2)].concat();
    let (log, counters) = read([beginning(), packets.clone()].concat());
    assert_eq!((sent(&log).as_str(), counters.dropped), ("abc", 7));
    // The statistics count the same packets, and all of them.
    let file =
        [beginning(), packets, statistics(0, 1, 1), statistics(0, 20, 3), statistics(9, 1, 1)];
    let (_, counters) = read(file.concat());
    assert_eq!(counters.dropped, 23);
}

#[test]
fn simple_packets_are_cut_by_their_interface() {
    let simple = |claims: u32, index: u32| {
        Little.block(SIMPLE_PACKET, &[Little.u32(claims), ip(index)].concat())
    };
    let length = ip(0).len() as u32;
    let file = [
        Little.section(&[]),
        Little.interface(RAW, 40, &[]),
        // All but the last byte of it is headers.
        simple(length, 0),
        Little.section(&[]),
        Little.interface(RAW, 0, &[]),
        simple(length, 1),
    ];
    let (log, counters) = read(file.concat());
    assert_eq!((sent(&log).as_str(), counters.warnings()), (".b", vec![]));
}

#[test]
fn link_types_that_are_not_read_are_named_and_counted() {
    let interfaces = (0..20u16).map(|number| Little.interface(300 + number, 0, &[]));
    let radio = Little.interface(189, 0, &[]);
    let packets = (0..22u32).map(|number| Little.packet(number.min(20), 0, &ip(0), &[]));
    let file = [Little.section(&[]), interfaces.collect::<Vec<_>>().concat(), radio];
    let (_, counters) = read([file.concat(), packets.collect::<Vec<_>>().concat()].concat());
    assert_eq!((counters.unknown_link, counters.unknown_links.len()), (22, 16));
    let file = [beginning(), Little.interface(189, 0, &[]), Little.interface(900, 0, &[])];
    let packets = [1, 2, 1].map(|interface| Little.packet(interface, 0, &ip(0), &[]));
    let (_, counters) = read([file.concat(), packets.concat()].concat());
    assert_eq!(
        counters.warnings(),
        ["3 packets of a link type that is not supported: USB_LINUX 2, number 900 1"]
    );
}

#[test]
fn every_kind_of_pcap_is_read_alike() {
    let frames: Vec<_> = (0..3).map(ip).collect();
    let plain = network::file(101, frames.iter().map(|frame| (frame.clone(), usize::MAX)));
    let (reference, _) = read(plain);
    for order in [Little, Big] {
        for (magic, header, fraction) in
            [(0xa1b2_c3d4, 16, 1000), (0xa1b2_3c4d, 16, 1_000_000), (0xa1b2_cd34, 24, 1000)]
        {
            for (version, swapped) in
                [((2, 4), false), ((2, 2), true), ((2, 3), true), ((2, 3), false), ((543, 0), true)]
            {
                let version = [order.u16(version.0), order.u16(version.1)].concat();
                // A snapshot length of nothing, and the length of check sequences above the link type.
                let rest = order.words(&[0, 0, 0, 0x4400_0065]);
                let mut file = [order.u32(magic), version, rest].concat();
                for (index, frame) in (0u32..).zip(&frames) {
                    // More was on the wire than is kept; the IP header says how much that is.
                    let lengths = [frame.len() as u32, frame.len() as u32 + 9];
                    let lengths = if swapped { [lengths[1], lengths[0]] } else { lengths };
                    let mut record = order.words(&[1_000_000, index * fraction]);
                    record.extend(order.words(&lengths));
                    record.resize(header, 0x77);
                    file.extend([record, frame.clone()].concat());
                }
                let (log, counters) = read(file);
                assert_eq!(log, reference, "{order:?} {magic:x}");
                assert_eq!(counters.warnings(), [""; 0]);
            }
        }
    }
}

#[test]
fn a_record_may_hold_more_than_it_says_was_on_the_wire() {
    let frame = ip(0);
    let mut file = network::file(101, [(frame.clone(), usize::MAX)]);
    file[24 + 12..24 + 16].copy_from_slice(&1u32.to_le_bytes());
    let (log, counters) = read(file);
    assert_eq!((sent(&log).as_str(), counters.warnings()), ("a", vec![]));
}
