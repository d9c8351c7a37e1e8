//! Why nothing can be captured, and the command that mends it.

use std::io::{self, ErrorKind};

use super::process::End;
use super::program::Program;
use super::words::{self, Complaint};
use super::{LiveOptions, host};
use crate::Error;

/// Why a program does not capture.
pub(super) enum Refusal {
    /// It may not; another one might.
    NotPermitted,
    /// No other one would, either.
    Other(Error),
}

impl Refusal {
    /// Of a program that the system does not start.
    pub(super) fn not_started(
        program: &Program,
        options: &LiveOptions,
        source: &io::Error,
    ) -> Refusal {
        match source.kind() {
            ErrorKind::PermissionDenied => Refusal::NotPermitted,
            _ => {
                let path = program.path.display();
                Refusal::Other(error(
                    options,
                    source.kind(),
                    format!("cannot run {path}: {source}"),
                ))
            }
        }
    }

    /// Of a program that has ended before it captured.
    pub(super) fn of(program: &Program, options: &LiveOptions, end: io::Result<End>) -> Refusal {
        let name = program.kind.name();
        let end = match end {
            Ok(end) => end,
            Err(source) => {
                return Refusal::Other(error(options, source.kind(), format!("{name}: {source}")));
            }
        };
        Refusal::Other(match words::complaint(program.kind, &end.words, &options.interfaces) {
            Complaint::Permission => return Refusal::NotPermitted,
            Complaint::Interface => no_interface(program, options),
            Complaint::Filter(reason) => {
                let filter = options.filter.as_deref().unwrap_or_default();
                Error::Usage(format!(
                    "{filter:?} is no filter: {reason}; write it as pcap-filter(7) says, such as \
                     'tcp port 12345'"
                ))
            }
            Complaint::Other(said) if said.is_empty() => {
                error(options, ErrorKind::Other, format!("{name} ended at once ({})", end.how()))
            }
            Complaint::Other(said) => error(options, ErrorKind::Other, said),
        })
    }
}

/// There is no program at all.
pub(super) fn nothing_installed(options: &LiveOptions) -> Error {
    let mends = match host::install() {
        Some(command) => format!("install dumpcap by `{}`", as_root(command)),
        None => "install dumpcap, which comes with Wireshark, or tcpdump".to_owned(),
    };
    error(options, ErrorKind::NotFound, format!("there is neither dumpcap nor tcpdump; {mends}"))
}

/// tcpdump alone is there, and several interfaces were asked for.
pub(super) fn one_interface(options: &LiveOptions) -> Error {
    let mends = match host::install() {
        Some(command) => format!("install dumpcap by `{}`", as_root(command)),
        None => "install dumpcap, which comes with Wireshark".to_owned(),
    };
    error(
        options,
        ErrorKind::NotFound,
        format!("tcpdump captures from one interface at a time; {mends}, or record from any"),
    )
}

/// These programs are there and may not, the one that is preferred first.
pub(super) fn not_permitted(options: &LiveOptions, programs: &[Program]) -> Error {
    let names: Vec<&str> = programs.iter().map(|program| program.kind.name()).collect();
    let reason = format!("{} may not; {}", names.join(" and "), mend(&programs[0]));
    error(options, ErrorKind::PermissionDenied, reason)
}

/// What lets a program capture that may not.
fn mend(program: &Program) -> String {
    if host::is_root() {
        return "not even root may here, as in a container: start it with --cap-add=NET_RAW \
                --cap-add=NET_ADMIN"
            .to_owned();
    }
    if cfg!(target_os = "macos") {
        return "run `sudo chown $USER /dev/bpf*` once after each start of the machine, or wirespool by \
                sudo"
            .to_owned();
    }
    let name = program.kind.name();
    match host::group_to_join(&program.path) {
        Some(host::Group { name: group, has_us: true }) => format!(
            "you are in the group {group}, which may run {name}, but were not when you logged in: log \
             in again"
        ),
        Some(host::Group { name: group, .. }) => {
            let user = host::user().unwrap_or_else(|| "$USER".to_owned());
            format!(
                "the group {group} may run {name}: run `sudo usermod -aG {group} {user}` once and log in \
                 again, or wirespool by sudo"
            )
        }
        None => {
            // A link has no capabilities of its own.
            let path = program.path.canonicalize().unwrap_or_else(|_| program.path.clone());
            format!(
                "run `sudo setcap cap_net_raw,cap_net_admin=eip {}` once, or wirespool by sudo",
                path.display()
            )
        }
    }
}

fn no_interface(program: &Program, options: &LiveOptions) -> Error {
    let known = program.interfaces();
    let unknown: Vec<&str> = options
        .interfaces
        .iter()
        .filter(|name| !known.contains(name))
        .map(String::as_str)
        .collect();
    let unknown = match unknown.is_empty() {
        true => options.interfaces_in_words(),
        false => unknown.join(", "),
    };
    Error::Usage(format!("there is no interface {unknown}; there are {}", known.join(", ")))
}

fn as_root(command: &str) -> String {
    // Homebrew refuses root.
    match host::is_root() || cfg!(target_os = "macos") {
        true => command.to_owned(),
        false => format!("sudo {command}"),
    }
}

fn error(options: &LiveOptions, kind: ErrorKind, reason: String) -> Error {
    Error::Capture { interface: options.interfaces_in_words(), kind, reason }
}
