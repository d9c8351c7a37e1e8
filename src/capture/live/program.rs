//! Which programs can capture, and how they are told what.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::LiveOptions;
use crate::capture::preamble::SNAPLEN;

/// Where systems keep programs that are not in everybody's PATH.
const FOLDERS: [&str; 5] = [
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/opt/homebrew/bin",
    "/Applications/Wireshark.app/Contents/MacOS",
];

/// A program that captures packets.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) kind: Kind,
    pub(super) path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of Wireshark: writes pcapng, takes any number of interfaces, and often may what its user may not.
    Dumpcap,
    /// Of libpcap: writes pcap.
    Tcpdump,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Dumpcap => "dumpcap",
            Kind::Tcpdump => "tcpdump",
        }
    }

    /// How long a packet may take from the interface to us: how long each has the system gather packets
    /// before it takes them, and a little.
    pub(super) fn transit(self) -> Duration {
        match self {
            Kind::Dumpcap => Duration::from_millis(250 + 50),
            Kind::Tcpdump => Duration::from_millis(1_000 + 100),
        }
    }
}

impl Program {
    /// Those that are installed, in the order in which they are tried.
    pub(super) fn find() -> Vec<Program> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> =
            std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from)).collect();
        [Kind::Dumpcap, Kind::Tcpdump]
            .into_iter()
            .filter_map(|kind| Some(Program { kind, path: find(kind.name(), &folders)? }))
            .collect()
    }

    /// Its name and version: `dumpcap 4.0.17`. Without one if it does not say any.
    pub(super) fn description(&self) -> String {
        let name = self.kind.name();
        let output = Command::new(&self.path).arg("--version").stdin(Stdio::null()).output();
        let version = output.ok().and_then(|output| {
            // tcpdump used to say it on stderr.
            let words = [output.stdout, output.stderr].concat();
            version(&String::from_utf8_lossy(&words)).map(str::to_owned)
        });
        version.map_or(name.to_owned(), |version| format!("{name} {version}"))
    }

    /// The words that make it capture, and write what comes to its standard output as it comes.
    pub(super) fn words(&self, options: &LiveOptions) -> Vec<OsString> {
        let buffer = options.buffer.max(1);
        let snaplen = SNAPLEN.to_string();
        let mut words: Vec<String> = Vec::new();
        let mut add = |given: &[&str]| words.extend(given.iter().map(|word| (*word).to_owned()));
        match self.kind {
            Kind::Dumpcap => {
                // What stands before the first interface holds for all.
                add(&["-q", "-s", &snaplen, "-B", &buffer.div_ceil(1024 * 1024).to_string()]);
                if let Some(filter) = &options.filter {
                    add(&["-f", filter]);
                }
                for interface in &options.interfaces {
                    add(&["-i", interface]);
                }
                if options.interfaces.len() > 1 {
                    // Threads hand packets on through a queue, of 1,000 unless it is told otherwise.
                    add(&["-C", &buffer.to_string()]);
                }
                add(&["-w", "-"]);
            }
            Kind::Tcpdump => {
                // Not in immediate mode: Linux would then keep a quarter of a megabyte for each packet,
                // and a burst of some hundreds would not fit.
                add(&["-n", "-U", "--time-stamp-precision=nano"]);
                add(&["-s", &snaplen, "-B", &buffer.div_ceil(1024).to_string()]);
                for interface in &options.interfaces {
                    add(&["-i", interface]);
                }
                add(&["-w", "-"]);
                if let Some(filter) = &options.filter {
                    add(&["--", filter]);
                }
            }
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// The interfaces that it could capture from, as it lists them.
    pub(super) fn interfaces(&self) -> Vec<String> {
        let output = Command::new(&self.path).arg("-D").stdin(Stdio::null()).output();
        output.map_or(Vec::new(), |output| {
            let lines = String::from_utf8_lossy(&output.stdout).into_owned();
            lines.lines().filter_map(listed).map(str::to_owned).collect()
        })
    }
}

/// The first of these folders that has it; one that may not be run counts: it tells what is missing.
fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let is_program = |path: &Path| {
        path.metadata()
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// The first word that is a version: `4.0.17`.
fn version(words: &str) -> Option<&str> {
    words
        .split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .map(|word| word.trim_end_matches([',', '.', ')']))
}

/// The interface in a line of `-D`, as `3. lo (Loopback)` or `3.lo [Up, Running]`.
fn listed(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once('.')?;
    number.parse::<u32>().ok()?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_whatever_is_said_around_it() {
        for (words, expected) in [
            ("Dumpcap (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0)", Some("4.0.17")),
            ("Dumpcap 4.4.1.\n", Some("4.4.1")),
            ("tcpdump version 4.99.3\nlibpcap version 1.10.3", Some("4.99.3")),
            ("tcpdump version 4.99.3, libpcap 1", Some("4.99.3")),
            ("no version", None),
            ("", None),
        ] {
            assert_eq!(version(words), expected, "{words}");
        }
    }

    #[test]
    fn interfaces_are_read_from_either_list() {
        for (line, expected) in [
            ("1. eth0", Some("eth0")),
            ("3. lo (Loopback)", Some("lo")),
            ("2.any (Pseudo-device that captures on all interfaces) [Up]", Some("any")),
            ("", None),
            ("Capturing.on 'lo'", None),
        ] {
            assert_eq!(listed(line), expected, "{line}");
        }
    }

    #[test]
    fn both_are_told_the_same() {
        let options = LiveOptions {
            interfaces: vec!["lo".to_owned()],
            filter: Some("tcp port 7".to_owned()),
            buffer: LiveOptions::BUFFER,
        };
        let words = |kind| {
            let words = Program { kind, path: PathBuf::new() }.words(&options);
            let words: Vec<String> =
                words.into_iter().map(|word| word.into_string().unwrap()).collect();
            words.join(" ")
        };
        assert_eq!(words(Kind::Dumpcap), "-q -s 262144 -B 64 -f tcp port 7 -i lo -w -");
        assert_eq!(
            words(Kind::Tcpdump),
            "-n -U --time-stamp-precision=nano -s 262144 -B 65536 -i lo -w - -- \
             tcp port 7"
        );
    }
}
