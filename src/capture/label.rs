//! What a capture of ours says of itself: written by the writer, recognised by the reader.
//!
//! A pcapng section has room for words. A pcap has none; there the MAC addresses are the hint.

use std::net::SocketAddr;

use super::origin::{Capturer, Origin};
use super::writer::MadeFrom;
use crate::session::{Route, Side};

/// The first five octets of every MAC address in a synthesised capture: locally administered,
/// unicast (IEEE 802-2014, 8.4.4), then `wspl`. No card has it.
pub(super) const MAC_PREFIX: [u8; 5] = [0x02, b'w', b's', b'p', b'l'];

/// The name of the program, as `shb_userappl` and the section's comment say it.
const PROGRAM: &str = "wirespool";

/// What may be concluded from a synthesised capture, and what not.
const WHAT_IS_REAL: &str = "headers synthesised; payload, read times, order and ends are real; \
                            RTT, windows, segmentation are not";

/// The same of a capture that was made from another one.
const WHAT_IS_THE_ORIGINALS: &str = "headers synthesised; payload, its times and order, gaps and ends are \
                                     the original's; RTT, windows, segmentation are not";

const RECORDED: &str = "Recorded by wirespool ";
const CONVERTED: &str = "Converted by wirespool ";
const CAPTURED: &str = "Captured by wirespool ";
const THROUGH: &str = " through ";
const FORMAT: &str = "wirespool-format: ";
const ORIGINAL: &str = "wirespool-original: ";
const ROUTE: &str = "wirespool-route:";

/// The MAC address of one end of a synthesised connection.
pub(super) fn mac(side: Side) -> [u8; 6] {
    let [a, b, c, d, e] = MAC_PREFIX;
    [a, b, c, d, e, side.index() as u8 + 1]
}

/// Who sent an Ethernet frame whose addresses are those of [`mac`].
#[inline]
pub(super) fn sender(ethernet: &[u8]) -> Option<Side> {
    let (to, from) = (ethernet.get(..6)?, ethernet.get(6..12)?);
    if !to.starts_with(&MAC_PREFIX) {
        return None;
    }
    Side::BOTH.into_iter().find(|&side| from == mac(side) && to == mac(side.other()))
}

/// The section header's `shb_userappl`; of packets that another program captured, it too.
pub(super) fn application(through: Option<&str>) -> String {
    let through = through.map(|program| format!("{THROUGH}{program}")).unwrap_or_default();
    format!("{PROGRAM} {}{through}", env!("CARGO_PKG_VERSION"))
}

/// What the packets of a capture of ours are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Made<'a> {
    /// Synthesised.
    Synthesised(&'a MadeFrom),
    /// As another program captured them.
    Captured {
        /// That program, with its version.
        through: &'a str,
    },
}

/// The interface's description.
pub(super) fn description(made_from: &MadeFrom) -> String {
    match made_from {
        MadeFrom::Sockets => format!("sockets, recorded by {PROGRAM}: {WHAT_IS_REAL}"),
        MadeFrom::Captures(_) => {
            format!("connections, converted by {PROGRAM}: {WHAT_IS_THE_ORIGINALS}")
        }
    }
}

/// The section header's comment, for people and for [`section`].
pub(super) fn comment(made: Made<'_>, format: Option<&str>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = match made {
        Made::Captured { through } => {
            format!("{CAPTURED}{version}{THROUGH}{through}: packets as they were on the interface.")
        }
        Made::Synthesised(MadeFrom::Sockets) => format!("{RECORDED}{version}: {WHAT_IS_REAL}."),
        Made::Synthesised(MadeFrom::Captures(originals)) => {
            let mut text = format!("{CONVERTED}{version}: {WHAT_IS_THE_ORIGINALS}.");
            for original in originals.iter().take(ORIGINALS_NAMED) {
                add_line(&mut text, ORIGINAL, original);
            }
            text
        }
    };
    if let Some(format) = format {
        add_line(&mut text, FORMAT, format);
    }
    text
}

/// How many originals a capture names: an option's length has 16 bits.
const ORIGINALS_NAMED: usize = 12;

fn add_line(text: &mut String, name: &str, value: &str) {
    // A line of its own must stay one line, and all of them short.
    text.push('\n');
    text.push_str(name);
    text.extend(value.chars().filter(|c| !c.is_control()).take(1024));
}

/// What a section's comment says, if it is one of ours.
pub(super) fn section(comment: &str) -> Option<Origin> {
    let mut lines = comment.lines();
    let first = lines.next()?;
    let values =
        |name| lines.clone().filter_map(move |line| line.strip_prefix(name)).map(str::to_owned);
    let format = values(FORMAT).next();
    let who = |line: &str| line.split(':').next().unwrap_or(line).to_owned();
    if let Some(version) = first.strip_prefix(RECORDED) {
        return Some(Origin::Recorded { version: Some(who(version)), format });
    }
    if let Some(version) = first.strip_prefix(CONVERTED) {
        let (version, originals) = (Some(who(version)), values(ORIGINAL).collect());
        return Some(Origin::Converted { version, originals, format });
    }
    let who = who(first.strip_prefix(CAPTURED)?);
    let (version, through) = who.split_once(THROUGH)?;
    let by = Some(Capturer { version: version.to_owned(), through: through.to_owned() });
    Some(Origin::Captured { by, format })
}

/// The comment on a SYN: the real socket pairs, each as the near and the far end.
pub(super) fn route_comment(route: &Route) -> String {
    let pair = |pair: Option<(SocketAddr, SocketAddr)>| match pair {
        Some((from, to)) => format!("{from} -> {to}"),
        None => "none".to_owned(),
    };
    format!("{ROUTE} accepted {}; dialled {}", pair(route.accepted), pair(route.dialled))
}

/// The inverse of [`route_comment`].
pub(super) fn route(comment: &str) -> Option<Route> {
    let line = comment.lines().find_map(|line| line.strip_prefix(ROUTE))?;
    let (accepted, dialled) = line.split_once(';')?;
    let pair = |text: &str, word: &str| {
        let text = text.trim().strip_prefix(word)?.trim();
        if text == "none" {
            return Some(None);
        }
        let (from, to) = text.split_once(" -> ")?;
        Some(Some((from.parse().ok()?, to.parse().ok()?)))
    };
    Some(Route { accepted: pair(accepted, "accepted")?, dialled: pair(dialled, "dialled")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_comment_is_read_back() {
        let version = || env!("CARGO_PKG_VERSION").to_owned();
        for spelling in [None, Some("protobuf:pb.TempEvent/u32be")] {
            let format = spelling.map(str::to_owned);
            let recorded = Origin::Recorded { version: Some(version()), format: format.clone() };
            assert_eq!(
                section(&comment(Made::Synthesised(&MadeFrom::Sockets), spelling)),
                Some(recorded)
            );
            let by = Capturer { version: version(), through: "dumpcap 4.0.17".to_owned() };
            let captured = Origin::Captured { by: Some(by), format };
            let through = Made::Captured { through: "dumpcap 4.0.17" };
            assert_eq!(section(&comment(through, spelling)), Some(captured));
            let originals = vec!["a.pcap, captured".to_owned(), "b".to_owned()];
            let made_from = MadeFrom::Captures(originals.clone());
            let format = spelling.map(str::to_owned);
            let converted = Origin::Converted { version: Some(version()), originals, format };
            assert_eq!(section(&comment(Made::Synthesised(&made_from), spelling)), Some(converted));
        }
        for comment in ["Recorded by something else", "Captured by wirespool 1", ""] {
            assert_eq!(section(comment), None);
        }
    }

    #[test]
    fn a_route_is_read_back() {
        let pair = |a: &str, b: &str| Some((a.parse().unwrap(), b.parse().unwrap()));
        for accepted in [None, pair("127.0.0.1:50000", "127.0.0.1:4000")] {
            for dialled in [None, pair("[::1]:50001", "[2001:db8::1]:12345")] {
                let route_in = Route { accepted, dialled };
                assert_eq!(route(&route_comment(&route_in)), Some(route_in));
            }
        }
        assert_eq!(route("hello"), None);
    }
}
