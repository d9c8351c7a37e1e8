//! tshark as the judge of what was written.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

const PROTOCOLS: [&str; 8] = ["data", "eth", "frame", "ip", "ipv6", "null", "raw", "tcp"];

pub struct Tshark {
    /// Where everything above TCP is switched off. `--only-protocols` would do, but 4.0 has not got it.
    profile: tempfile::TempDir,
}

impl Tshark {
    /// `None`, and a word about it, where there is no tshark.
    pub fn find() -> Option<&'static Tshark> {
        static FOUND: OnceLock<Option<Tshark>> = OnceLock::new();
        FOUND.get_or_init(Tshark::prepare).as_ref()
    }

    fn prepare() -> Option<Tshark> {
        let Ok(output) = Command::new("tshark").args(["-G", "protocols"]).output() else {
            eprintln!("skipped: no tshark on PATH");
            return None;
        };
        let table = String::from_utf8(output.stdout).unwrap();
        let names: BTreeSet<&str> =
            table.lines().filter_map(|line| line.split('\t').nth(2)).collect();
        let disabled = names.iter().filter(|name| !PROTOCOLS.contains(name));
        let disabled: String = disabled.map(|name| format!("{name}\n")).collect();
        let profile = tempfile::tempdir().unwrap();
        fs::write(profile.path().join("disabled_protos"), disabled).unwrap();
        Some(Tshark { profile })
    }

    pub fn run(&self, file: &Path, words: &[&str]) -> String {
        let checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];
        let output = Command::new("tshark")
            .env("WIRESHARK_CONFIG_DIR", self.profile.path())
            .args(["-n", "-r"])
            .arg(file)
            .args(checks)
            .args(words)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the expert says under Errors and Warns.
    pub fn complaints(&self, file: &Path) -> Vec<String> {
        let mut section = "";
        let mut found = Vec::new();
        let output = self.run(file, &["-q", "-z", "expert"]);
        for line in output.lines().map(str::trim) {
            if let Some((heading, _)) = line.split_once(" (")
                && ["Errors", "Warns", "Notes", "Chats"].contains(&heading)
            {
                section = heading;
            } else if ["Errors", "Warns"].contains(&section)
                && line.starts_with(|c: char| c.is_ascii_digit())
            {
                found.push(format!("{section}: {line}"));
            }
        }
        found
    }
}
