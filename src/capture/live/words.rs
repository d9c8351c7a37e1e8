//! What capturing programs say.

use super::program::Kind;
use crate::capture::interface::Counts;

/// How many lines of what a program said are passed on.
const LAST: usize = 3;

/// Lines that say nothing of what went wrong: how it began, and what it counted.
const BENIGN: [&str; 12] = [
    "Capturing on ",
    "File: ",
    "Packets captured: ",
    "Packets received/dropped on interface ",
    "tcpdump: listening on ",
    "tcpdump: verbose output suppressed",
    "Please check to make sure",
    "Warning: ",
    "dropped privs to ",
    " packet captured",
    " packets captured",
    "See the User's Guide",
];

/// What a program could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// Capture, for want of a privilege.
    Permission,
    /// Find the interface.
    Interface,
    /// Understand the filter, with why.
    Filter(String),
    /// Something else, in its words.
    Other(String),
}

/// What a program complains of that has ended before it captured.
pub(super) fn complaint(kind: Kind, words: &str, interfaces: &[String]) -> Complaint {
    let small = words.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| small.contains(part));
    if says(&["permission", "operation not permitted", "not permitted to capture"]) {
        return Complaint::Permission;
    }
    if says(&["no device named", "no such device", "device not configured"]) {
        return Complaint::Interface;
    }
    let last = last_words(words);
    match kind {
        Kind::Dumpcap => match words.split_once("capture filter (") {
            Some((_, reason)) => {
                Complaint::Filter(reason.split(").").next().unwrap_or(reason).to_owned())
            }
            None => Complaint::Other(last),
        },
        Kind::Tcpdump => match last.strip_prefix("tcpdump: ") {
            // What it says of an interface begins with its name.
            Some(reason)
                if !interfaces.iter().any(|name| reason.starts_with(&format!("{name}: "))) =>
            {
                Complaint::Filter(reason.to_owned())
            }
            _ => Complaint::Other(last),
        },
    }
}

/// The last lines that say what went wrong, as one.
pub(super) fn last_words(words: &str) -> String {
    let lines: Vec<&str> = words
        .split(['\n', '\r'])
        .map(str::trim)
        .filter(|line| !line.is_empty() && !BENIGN.iter().any(|benign| line.contains(benign)))
        .filter(|line| counted_line(line).is_none())
        .collect();
    lines[lines.len().saturating_sub(LAST)..].join("; ")
}

/// What tcpdump says at its end that it counted.
pub(super) fn counted(words: &str) -> Option<Counts> {
    let of = |what: &str| {
        let mut lines = words.lines().filter_map(counted_line);
        lines.find(|(_, said)| *said == what).map(|(count, _)| count)
    };
    Some(Counts { received: of("received by filter"), dropped: of("dropped by kernel")? })
}

/// `3 packets dropped by kernel` → 3, and what they were.
fn counted_line(line: &str) -> Option<(u64, &str)> {
    let (count, rest) = line.trim().split_once(' ')?;
    let rest = rest.strip_prefix("packets ").or_else(|| rest.strip_prefix("packet "))?;
    Some((count.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint_of(kind: Kind, words: &str) -> Complaint {
        complaint(kind, words, &["lo".to_owned()])
    }

    #[test]
    fn what_a_program_complains_of_is_understood() {
        use Kind::{Dumpcap, Tcpdump};
        for (kind, words, expected) in [
            (
                Dumpcap,
                "Capturing on 'Loopback: lo'\ndumpcap: You do not have permission to capture on device \
                 \"lo\".\n(socket: Operation not permitted)\n",
                Complaint::Permission,
            ),
            (
                Tcpdump,
                "tcpdump: lo: You don't have permission to perform this capture on that device\n(socket: \
                 Operation not permitted)\n",
                Complaint::Permission,
            ),
            (Dumpcap, "dumpcap: There is no device named \"no\".\n", Complaint::Interface),
            (Tcpdump, "tcpdump: lo: No such device exists\n(x)\n", Complaint::Interface),
            (
                Dumpcap,
                "dumpcap: Invalid capture filter \"tcp prt\" for interface 'lo'.\n\nThat string isn't a \
                 valid capture filter (can't parse filter expression: syntax error).\nSee the User's \
                 Guide for a description of the capture filter syntax.\n",
                Complaint::Filter("can't parse filter expression: syntax error".to_owned()),
            ),
            (
                Tcpdump,
                "tcpdump: can't parse filter expression: syntax error\n",
                Complaint::Filter("can't parse filter expression: syntax error".to_owned()),
            ),
            (
                Tcpdump,
                "tcpdump: lo: That device is not up\n",
                Complaint::Other("tcpdump: lo: That device is not up".to_owned()),
            ),
            (Dumpcap, "dumpcap: what\never\n", Complaint::Other("dumpcap: what; ever".to_owned())),
        ] {
            assert_eq!(complaint_of(kind, words), expected, "{words}");
        }
    }

    #[test]
    fn what_was_lost_is_read_from_tcpdumps_last_lines() {
        let words = "tcpdump: listening on lo, link-type EN10MB (Ethernet)\n1 packet captured\n\
                     4 packets received by filter\n3 packets dropped by kernel\n";
        assert_eq!(counted(words), Some(Counts { received: Some(4), dropped: 3 }));
        assert_eq!(last_words(words), "");
        assert_eq!(counted("tcpdump: listening on lo\n"), None);
    }
}
