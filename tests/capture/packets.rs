//! What the writer of captured packets writes.

use std::fs;
use std::path::Path;

use wirespool::capture::{Counts, Interface, Origin, Packet, PacketWriter, Reader, WriterOptions};
use wirespool::session::Timestamp;

use super::log::Log;
use super::tshark::Tshark;

const AT: Timestamp = Timestamp(1_795_000_000_123_456_789);
const FRAME: [u8; 60] = [7; 60];

/// Writes two packets of which only the first 60 bytes were kept, from the second and the first interface.
fn write(path: &Path) {
    let filter = Some("tcp port 7".to_owned());
    let interfaces = [Interface { filter, ..Interface::new("lo", 1) }, Interface::new("eth0", 1)];
    let options = WriterOptions { format: Some("pickle".to_owned()), ..WriterOptions::default() };
    let mut writer = PacketWriter::create(path, &options, &interfaces, "dumpcap 4.0.17").unwrap();
    for interface in [1, 0] {
        let comment = Some("as it came");
        let packet =
            Packet { interface, at: AT, captured: &FRAME, length: 1_500, direction: None, comment };
        writer.packet(packet).unwrap();
    }
    let counts = Counts { received: Some(9), dropped: 7 };
    assert_eq!(writer.finish(&[counts]).unwrap(), 2);
}

#[test]
fn packets_are_kept_as_they_were_captured() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.pcap", "a.pcapng"] {
        let path = directory.path().join(name);
        write(&path);
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.windows(60).filter(|window| *window == FRAME).count(), 2, "{name}");
        let (_, counters) = Log::read(&path);
        assert_eq!((counters.packets, counters.span), (2, Some((AT, AT))), "{name}");
        let Some(tshark) = Tshark::find() else { continue };
        let fields = ["-T", "fields", "-e", "frame.time_epoch", "-e", "frame.len"];
        let line = "1795000000.123456789\t1500\n";
        assert_eq!(tshark.run(&path, &fields), line.repeat(2), "{name}");
    }
}

#[test]
fn a_pcapng_keeps_interfaces_and_what_was_lost_and_says_who_captured() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcapng");
    write(&path);
    let (_, counters) = Log::read(&path);
    assert_eq!(counters.dropped, 7);
    let origin = Reader::open(&path).unwrap().origin().clone();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        origin.to_string(),
        format!("captured by wirespool {version} through dumpcap 4.0.17")
    );
    assert_eq!(origin.format(), Some("pickle"));
    assert!(!origin.is_synthesised());
    if let Some(tshark) = Tshark::find() {
        let fields = ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"];
        assert_eq!(tshark.run(&path, &fields), "eth0\tas it came\nlo\tas it came\n");
    }
}

#[test]
fn a_pcap_says_nothing_of_who_captured() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.pcap");
    write(&path);
    assert_eq!(Reader::open(&path).unwrap().origin(), &Origin::default());
}

#[test]
fn a_pcap_has_one_link_type() {
    let directory = tempfile::tempdir().unwrap();
    let [pcap, pcapng] = ["a.pcap", "a.pcapng"].map(|name| directory.path().join(name));
    let interfaces = [Interface::new("lo", 1), Interface::new("any", 276)];
    let create =
        |path| PacketWriter::create(path, &WriterOptions::default(), &interfaces, "dumpcap 4.0.17");
    assert!(create(&pcapng).is_ok());
    let refused = create(&pcap).err().unwrap().to_string();
    assert!(refused.contains("end the name"), "{refused}");
    assert!(!pcap.exists(), "nothing is left behind");
}
