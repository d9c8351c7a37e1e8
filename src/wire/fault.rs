//! Why one message could not be decoded.

use std::fmt;

/// Why bytes are no message, or a message is no value. The session goes on, the bytes are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where, in bytes from the message's first byte.
    pub at: usize,
    /// The same in words, without the kind and the place.
    pub message: String,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// No sender that keeps to the format writes this.
    Corrupt,
    /// The bytes end before the message does.
    Truncated,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// Larger, deeper or longer than the budget allows.
    Limit,
    /// Well-formed, but not what the schema says, or what a reader in Python allows.
    Schema,
}

impl Fault {
    /// A fault of this kind at this byte of the message.
    pub fn new(kind: FaultKind, at: usize, message: impl Into<String>) -> Fault {
        Fault { kind, at, message: message.into() }
    }

    /// Whether it is the fault of a message that exceeds the limit of this `name`.
    pub(super) fn exceeds(&self, name: &str) -> bool {
        self.kind == FaultKind::Limit && self.message.ends_with(&allows_more(name))
    }

    /// What was found at this byte of the message is more than the limit of this `name` allows: a
    /// command's `--limit`, a Python call's `limits`.
    #[cold]
    pub fn limit(at: usize, found: impl fmt::Display, name: &str) -> Fault {
        Fault::new(FaultKind::Limit, at, format!("{found}{}", allows_more(name)))
    }
}

fn allows_more(name: &str) -> String {
    format!("; limit {name}=N allows more")
}

impl FaultKind {
    /// All there are.
    #[cfg(feature = "python")]
    pub(crate) const ALL: [FaultKind; 5] = [
        FaultKind::Corrupt,
        FaultKind::Truncated,
        FaultKind::InvalidUtf8,
        FaultKind::Limit,
        FaultKind::Schema,
    ];

    /// The name used in JSON: `corrupt`, `truncated`, `invalid_utf8`, `limit`, `schema`.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Corrupt => "corrupt",
            FaultKind::Truncated => "truncated",
            FaultKind::InvalidUtf8 => "invalid_utf8",
            FaultKind::Limit => "limit",
            FaultKind::Schema => "schema",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.kind.name(), self.at, self.message)
    }
}

impl std::error::Error for Fault {}
