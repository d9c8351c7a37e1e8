//! What a file looks like that is no pickle. It is a word for whoever named the wrong file, and decides
//! nothing: what the bytes ask for is listed, whatever they look like.

use crate::wire::pickle::Audit;
use crate::wire::{FaultKind, visible};

/// How much of a file is looked at, in bytes.
const LOOKED_AT: usize = 4096;

/// How files begin, and what they are.
static BEGINNINGS: &[(&[u8], &str)] = &[
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x7fELF", "an ELF program"),
    (b"\x93NUMPY", "an array as numpy.save writes it"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"\xfd7zXZ\0", "data compressed by xz (`xz -dc FILE | wirespool audit -`)"),
    (b"BZh", "data compressed by bzip2 (`bzip2 -dc FILE | wirespool audit -`)"),
    (b"\x28\xb5\x2f\xfd", "data compressed by zstd (`zstd -dc FILE | wirespool audit -`)"),
    (b"\x04\x22\x4d\x18", "data compressed by lz4 (`lz4 -dc FILE | wirespool audit -`)"),
    (b"\x78\x01", "data compressed by zlib, as joblib does"),
    (b"\x78\x5e", "data compressed by zlib, as joblib does"),
    (b"\x78\x9c", "data compressed by zlib, as joblib does"),
    (b"\x78\xda", "data compressed by zlib, as joblib does"),
    (b"%PDF-", "a PDF document"),
    (b"version https://git-lfs.", "a pointer of Git LFS (`git lfs pull` fetches the file)"),
];

/// What a file looks like that begins so, where that is no pickle.
pub(super) fn looks_like(beginning: &[u8], audit: &Audit) -> Option<&'static str> {
    let fault = audit.fault()?;
    let known = BEGINNINGS.iter().find(|(magic, _)| beginning.starts_with(magic));
    if let Some(&(_, words)) = known {
        return Some(words);
    }
    // Protocol 0 is text as well: what breaks off is no other text for that, nor what asks for
    // something before it breaks.
    let breaks_off = fault.kind == FaultKind::Truncated && fault.at > 0;
    let asks = audit.requests().iter().any(|request| {
        let global = audit.global(request);
        !request.after_error
            && global.is_some_and(|(module, name)| is_name(module) && is_name(name))
    });
    (!breaks_off && !asks && is_text(beginning)).then_some("text")
}

fn is_text(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = match str::from_utf8(beginning) {
        Ok(text) => text,
        // A character that is cut.
        Err(error) if error.error_len().is_none() => {
            str::from_utf8(&beginning[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let lines = text.replace(['\n', '\r', '\t', '\u{c}', '\u{feff}'], " ");
    // A few bytes can be anything.
    lines.len() >= 4 && visible(&lines) == lines
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
}
