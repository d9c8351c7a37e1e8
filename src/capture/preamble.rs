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
use super::label;

/// The most that a record may hold, as the file announces it.
const SNAPLEN: u32 = 262_144;

/// Begins a pcap.
pub(super) fn pcap(batch: Batch) -> std::result::Result<PcapWriter<Batch>, PcapWriteError> {
    let header = PcapHeader {
        snaplen: SNAPLEN,
        datalink: DataLink::ETHERNET,
        ts_resolution: PcapTsResolution::NanoSecond,
        endianness: Endianness::Little,
        ..PcapHeader::default()
    };
    PcapWriter::with_header(batch, header)
}

/// Begins a pcapng: its section, which says who recorded it, and its one interface.
pub(super) fn pcapng(
    batch: Batch,
    format: Option<&str>,
) -> std::result::Result<PcapNgWriter<Batch>, PcapNgWriteError> {
    let section = SectionHeaderBlock {
        endianness: Endianness::Little,
        options: vec![
            SectionHeaderOption::Common(CommonOption::Comment(label::comment(format).into())),
            SectionHeaderOption::Hardware("none: headers synthesised from sockets".into()),
            SectionHeaderOption::OS(std::env::consts::OS.into()),
            SectionHeaderOption::UserApplication(label::application().into()),
        ],
        ..SectionHeaderBlock::default()
    };
    let interface = InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: SNAPLEN,
        options: vec![
            InterfaceDescriptionOption::IfName("wirespool".into()),
            InterfaceDescriptionOption::IfDescription(label::description().into()),
            InterfaceDescriptionOption::IfTsResol(InterfaceTsResolution::NANO),
        ],
    };
    let mut writer = PcapNgWriter::with_section_header(batch, section)?;
    writer.write_pcapng_block(interface)?;
    Ok(writer)
}

/// What ends a pcapng.
pub(super) fn statistics(
    (first, last): (Duration, Duration),
    packets: u64,
    dropped: u64,
) -> InterfaceStatisticsBlock<'static> {
    InterfaceStatisticsBlock {
        interface_id: 0,
        timestamp: last,
        options: vec![
            InterfaceStatisticsOption::IsbStartTime(first),
            InterfaceStatisticsOption::IsbEndTime(last),
            InterfaceStatisticsOption::IsbIfRecv(packets),
            InterfaceStatisticsOption::IsbIfDrop(dropped),
            InterfaceStatisticsOption::IsbOsDrop(0),
            InterfaceStatisticsOption::IsbUsrDeliv(packets),
        ],
    }
}
