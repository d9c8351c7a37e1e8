//! What a file is by its first bytes.

use super::{pcap, pcapng};

/// Whether bytes begin as a pcap or a pcapng does.
pub(super) fn is_capture(bytes: &[u8]) -> bool {
    pcap::Header::magic(bytes) || pcapng::begins(bytes)
}

/// Whether bytes are too few to say, and may become the beginning of a pcap or a pcapng.
pub(super) fn may_become_capture(bytes: &[u8]) -> bool {
    bytes.len() < pcap::HEADER && (bytes.len() < 4 || is_capture(bytes))
}

/// What is no capture is instead, from its first bytes.
pub(super) fn looks_like(bytes: &[u8]) -> String {
    const KINDS: [(&[u8], &str); 10] = [
        (b"\x1f\x8b", "it is compressed by gzip; decompress it first (gunzip)"),
        (b"\x28\xb5\x2f\xfd", "it is compressed by zstd; decompress it first (unzstd)"),
        (b"\xfd7zXZ\0", "it is compressed by xz; decompress it first (unxz)"),
        (b"BZh", "it is compressed by bzip2; decompress it first (bunzip2)"),
        (b"\x04\x22\x4d\x18", "it is compressed by lz4; decompress it first (unlz4)"),
        (b"PK\x03\x04", "it is a zip archive"),
        (b"snoop\0\0\0", "it is a snoop capture; convert it first (editcap)"),
        (b"\x54\x52\x53\x4e", "it is a NetMon capture; convert it first (editcap)"),
        (b"\x7fELF", "it is a program"),
        (b"\x89PNG", "it is a picture"),
    ];
    if bytes.is_empty() {
        return "it is empty".to_owned();
    }
    if let Some((_, what)) = KINDS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return (*what).to_owned();
    }
    if is_capture(bytes) {
        return "it ends inside its header".to_owned();
    }
    if matches!(bytes, [0x80, 2..=5, ..]) && (bytes[1] < 4 || bytes.get(2) == Some(&0x95)) {
        return "it is a Python pickle".to_owned();
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        // A character cut by the end of what was read is no reason to call it binary.
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "",
    };
    if !text.is_empty() && text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()) {
        return "it is text".to_owned();
    }
    let begin: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("it begins with {}, which neither pcap nor pcapng does", begin.join(" "))
}
