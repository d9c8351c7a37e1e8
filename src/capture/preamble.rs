//! What stands around the packets of an output file.

use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriteError, PcapWriter};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::interface_statistics::{
    InterfaceStatisticsBlock, InterfaceStatisticsOption,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgWriteError, PcapNgWriter};
use pcap_file::{DataLink, Endianness};

use super::batch::Batch;
use super::interface::{Counts, Interface};
use super::label::Made;
use super::writer::MadeFrom;
use super::{label, packet};

/// The most that a record may hold, as the file announces it.
pub(super) const SNAPLEN: u32 = 262_144;

/// What a file says before its first packet.
pub(super) struct Preamble {
    comment: String,
    hardware: String,
    application: String,
    /// At least one.
    pub(super) interfaces: Vec<Interface>,
    description: Option<String>,
}

impl Preamble {
    /// Of a capture that is synthesised, whose messages have this format.
    pub(super) fn synthesised(made_from: &MadeFrom, format: Option<&str>) -> Preamble {
        let source = match made_from {
            MadeFrom::Sockets => "sockets",
            MadeFrom::Captures(_) => "captures",
        };
        Preamble {
            comment: label::comment(Made::Synthesised(made_from), format),
            hardware: format!("none: headers synthesised from {source}"),
            application: label::application(None),
            interfaces: vec![Interface::new("wirespool", packet::ETHERNET)],
            description: Some(label::description(made_from)),
        }
    }

    /// Of packets that came from these interfaces `through` a program, whose messages have this format.
    pub(super) fn captured(
        interfaces: &[Interface],
        through: &str,
        format: Option<&str>,
    ) -> Preamble {
        Preamble {
            comment: label::comment(Made::Captured { through }, format),
            hardware: std::env::consts::ARCH.to_owned(),
            application: label::application(Some(through)),
            interfaces: interfaces.to_vec(),
            description: None,
        }
    }
}

/// Begins a pcap, whose packets have this link type.
pub(super) fn pcap(
    batch: Batch,
    link_type: u32,
) -> std::result::Result<PcapWriter<Batch>, PcapWriteError> {
    let header = PcapHeader {
        snaplen: SNAPLEN,
        datalink: DataLink::from(link_type),
        ts_resolution: PcapTsResolution::NanoSecond,
        endianness: Endianness::Little,
        ..PcapHeader::default()
    };
    PcapWriter::with_header(batch, header)
}

/// Begins a pcapng: its section, which says who recorded it, and its interfaces.
pub(super) fn pcapng(
    batch: Batch,
    preamble: Preamble,
) -> std::result::Result<PcapNgWriter<Batch>, PcapNgWriteError> {
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Common(CommonOption::Comment(preamble.comment.into())),
            SectionHeaderOption::Hardware(preamble.hardware.into()),
            SectionHeaderOption::OS(std::env::consts::OS.into()),
            SectionHeaderOption::UserApplication(preamble.application.into()),
        ],
        ..SectionHeaderBlock::default()
    };
    let mut writer = PcapNgWriter::with_section_header(batch, section)?;
    for interface in preamble.interfaces {
        let mut options = vec![InterfaceDescriptionOption::IfName(interface.name.into())];
        let description = preamble.description.clone();
        options
            .extend(description.map(|text| InterfaceDescriptionOption::IfDescription(text.into())));
        options.push(InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO));
        if let Some(filter) = interface.filter {
            // A zero before it says that it is an expression of libpcap's.
            let filter = [b"\0", filter.as_bytes()].concat();
            options.push(InterfaceDescriptionOption::IfFilter(filter.into()));
        }
        options.push(InterfaceDescriptionOption::IfOs(std::env::consts::OS.into()));
        writer.write_pcapng_block(InterfaceDescriptionBlock {
            linktype: DataLink::from(interface.link_type),
            snaplen: SNAPLEN,
            options,
        })?;
    }
    Ok(writer)
}

/// What ends a pcapng, of each interface.
pub(super) fn statistics(
    interface_id: u32,
    (first, last): (Duration, Duration),
    packets: u64,
    counts: Counts,
) -> InterfaceStatisticsBlock<'static> {
    InterfaceStatisticsBlock {
        interface_id,
        timestamp: last,
        options: vec![
            InterfaceStatisticsOption::IsbStartTime(first),
            InterfaceStatisticsOption::IsbEndTime(last),
            InterfaceStatisticsOption::IsbIfRecv(counts.received.unwrap_or(packets)),
            // What the kernel dropped, too, as dumpcap has it: Wireshark shows no other count.
            InterfaceStatisticsOption::IsbIfDrop(counts.dropped),
            InterfaceStatisticsOption::IsbOsDrop(0),
            InterfaceStatisticsOption::IsbUsrDeliv(packets),
        ],
    }
}
