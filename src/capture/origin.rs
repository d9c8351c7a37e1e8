//! Where a capture comes from.

use std::fmt;

use super::mark::{Frame, Mark};

/// Where a capture comes from, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// Recorded by wirespool from sockets: headers, and with them RTT, windows and segmentation, are
    /// synthesised; payload, times, order and ends are real.
    Recorded {
        /// By which version; a pcap does not say.
        version: Option<String>,
        /// The spelling of the message format that was in use, if any was.
        format: Option<String>,
    },
    /// Made by wirespool from other captures: headers are synthesised; payload, times, order, gaps and
    /// ends are theirs.
    Converted {
        /// By which version; a pcap does not say.
        version: Option<String>,
        /// The other captures' names, each with what it said of its own origin; a pcap does not say.
        originals: Vec<String>,
        /// The spelling of the message format that they said they were recorded as, if they did.
        format: Option<String>,
    },
    /// Captured from a network: its packets are real.
    Captured {
        /// By which wirespool; `None` for any other tool, and for a pcap, which does not say.
        by: Option<Capturer>,
        /// The spelling of the message format that was in use, if any was.
        format: Option<String>,
    },
}

/// A wirespool that captured packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capturer {
    /// Its version.
    pub version: String,
    /// The program that it ran, with its version: `dumpcap 4.0.17`.
    pub through: String,
}

/// What says nothing of itself was captured by some tool.
impl Default for Origin {
    fn default() -> Origin {
        Origin::Captured { by: None, format: None }
    }
}

impl Origin {
    /// The spelling of the message format it was recorded as, where it says one.
    pub fn format(&self) -> Option<&str> {
        match self {
            Origin::Recorded { format, .. }
            | Origin::Converted { format, .. }
            | Origin::Captured { format, .. } => format.as_deref(),
        }
    }

    /// The version of the wirespool that recorded, converted or captured it, where it says one.
    pub fn version(&self) -> Option<&str> {
        match self {
            Origin::Recorded { version, .. } | Origin::Converted { version, .. } => {
                version.as_deref()
            }
            Origin::Captured { by, .. } => by.as_ref().map(|by| by.version.as_str()),
        }
    }

    /// Concludes from the first packet where the capture comes from, if it has not said so.
    pub(super) fn conclude(&mut self, first: Option<Frame>) {
        let Some(first) = first.filter(|_| *self == Origin::default()) else { return };
        let (version, format) = (None, None);
        *self = match first.mark {
            Some(Mark::Begins) => Origin::Converted { version, originals: Vec::new(), format },
            _ => Origin::Recorded { version, format },
        };
    }

    /// Whether headers are synthesised: transport figures would say nothing.
    pub fn is_synthesised(&self) -> bool {
        !matches!(self, Origin::Captured { .. })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Captured { by: None, .. } => f.write_str("captured"),
            Origin::Captured { by: Some(Capturer { version, through }), .. } => {
                write!(f, "captured by wirespool {version} through {through}")
            }
            Origin::Recorded { version, .. } => {
                write!(f, "recorded by wirespool{} (headers synthesised)", Version(version))
            }
            Origin::Converted { version, originals, .. } => {
                write!(f, "converted by wirespool{} (headers synthesised)", Version(version))?;
                match originals.as_slice() {
                    [] => Ok(()),
                    _ => write!(f, " from {}", originals.join("; ")),
                }
            }
        }
    }
}

/// A version, with the space before it, where it is known.
struct Version<'a>(&'a Option<String>);

impl fmt::Display for Version<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |version| write!(f, " {version}"))
    }
}
