//! What may be wrong with a block.

use std::fmt;

use super::INTERFACES;

/// Why a block, or what is in it, makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Fault {
    /// The lengths at its begin and at its end differ.
    Lengths(u32, u32),
    /// It is shorter than its kind has to be.
    Short,
    /// The packet does not fit into it.
    Beyond(u32),
    /// A packet of an interface that is not described.
    Interface(u32),
    /// More interfaces than are known.
    Interfaces,
    /// A section of a version that is not known: what its blocks mean is not, either.
    Version(u16, u16),
    /// Its options run beyond its end.
    Options,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Lengths(begin, end) => {
                write!(f, "a block claims {begin} bytes at its begin, {end} at its end")
            }
            Fault::Short => f.write_str("a block is too short for what it is"),
            Fault::Beyond(length) => write!(f, "a packet of {length} bytes ends behind its block"),
            Fault::Interface(id) => {
                write!(f, "a packet is of interface {id}, which is not described")
            }
            Fault::Interfaces => {
                write!(f, "a section has more than {INTERFACES} interfaces, which is the limit")
            }
            Fault::Version(major, minor) => {
                write!(
                    f,
                    "a section is of version {major}.{minor}, which is not known, and left out"
                )
            }
            Fault::Options => f.write_str("the options of a block run beyond its end"),
        }
    }
}
