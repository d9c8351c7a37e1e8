//! What of this machine decides how somebody comes to capture: its packages, its groups, who they are.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::process::{getegid, geteuid, getgroups};

/// Whether we are root.
pub(super) fn is_root() -> bool {
    geteuid().is_root()
}

/// The command that installs dumpcap, where it is known.
pub(super) fn install() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("brew install wireshark");
    }
    let release = fs::read_to_string("/etc/os-release").ok()?;
    install_on(&release)
}

/// The same for a system that describes itself so (os-release(5)).
fn install_on(release: &str) -> Option<&'static str> {
    let value = |name: &str| {
        let mut lines = release.lines();
        lines.find_map(|line| Some(line.strip_prefix(name)?.strip_prefix('=')?.trim_matches('"')))
    };
    // The system itself, then those that it is like, nearest first.
    let names = [value("ID"), value("ID_LIKE")];
    names.into_iter().flatten().flat_map(str::split_whitespace).find_map(|name| match name {
        "debian" | "ubuntu" => Some("apt install tshark"),
        "fedora" | "rhel" | "centos" => Some("dnf install wireshark-cli"),
        "arch" => Some("pacman -S wireshark-cli"),
        "alpine" => Some("apk add tshark"),
        "suse" | "opensuse" => Some("zypper install wireshark"),
        _ => None,
    })
}

/// Which group may run a program that we may not, and whether we are meant to be in it.
pub(super) struct Group {
    pub(super) name: String,
    /// Whether the system has us in it, if not since we logged in.
    pub(super) has_us: bool,
}

/// The group that may run this program, if that is what keeps us from it.
pub(super) fn group_to_join(program: &Path) -> Option<Group> {
    let found = program.metadata().ok()?;
    let (mode, owner, group) = (found.permissions().mode(), found.uid(), found.gid());
    let is_ours = owner == geteuid().as_raw() || is_root();
    let is_open = mode & 0o001 != 0;
    let groups = getgroups().unwrap_or_default();
    let is_member = getegid().as_raw() == group || groups.iter().any(|one| one.as_raw() == group);
    if is_ours || is_open || is_member || group == 0 || mode & 0o010 == 0 {
        return None;
    }
    let known = fs::read_to_string("/etc/group").ok()?;
    group_of(&known, group, user().as_deref())
}

/// The line of a group in /etc/group: `wireshark:x:117:alice,bob`.
fn group_of(known: &str, number: u32, user: Option<&str>) -> Option<Group> {
    known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id, members) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_it = id.parse() == Ok(number);
        let has_us = user.is_some_and(|user| members.split(',').any(|member| member == user));
        is_it.then(|| Group { name: name.to_owned(), has_us })
    })
}

/// Our name, as the system has it.
pub(super) fn user() -> Option<String> {
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let number = geteuid().as_raw().to_string();
    let listed = known.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id == number).then(|| name.to_owned())
    });
    // Of a directory service the environment knows more than the file.
    listed.or_else(|| std::env::var("USER").ok()).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_installs_dumpcap_is_known_of_the_usual_systems() {
        for (release, expected) in [
            ("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", Some("apt install tshark")),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Some("apt install tshark")),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Some("dnf install wireshark-cli")),
            ("ID=alpine\n", Some("apk add tshark")),
            ("ID=plan9\n", None),
            ("", None),
        ] {
            assert_eq!(install_on(release), expected, "{release}");
        }
    }

    #[test]
    fn a_group_says_who_is_in_it() {
        let known = "root:x:0:\nwireshark:x:117:alice,bob\n";
        for (user, expected) in [(Some("bob"), true), (Some("carol"), false), (None, false)] {
            let group = group_of(known, 117, user).unwrap();
            assert_eq!((group.name.as_str(), group.has_us), ("wireshark", expected));
        }
        assert!(group_of(known, 118, None).is_none());
    }
}
