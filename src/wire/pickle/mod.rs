//! Python's pickle, read and written without ever running it.
//!
//! ```text
//! a stream ─▶ Splitter ─▶ one pickle ─▶ decode ─▶ Value ─▶ encode ─▶ bytes
//!                                          └─▶ from_slice ─▶ T      to_vec ◀─ T
//! ```
//!
//! [`Splitter`] finds where a pickle ends, [`decode`] builds the value tree of exactly one, and
//! [`encode`] writes one. Nothing is imported, called or looked up on the say of the bytes: what a
//! pickle asks for beyond plain data becomes [`Node::Object`](crate::wire::value::Node::Object), the
//! request itself. `set`, `frozenset`, `bytearray`, `bytes` and `_codecs.encode` as CPython's pickler
//! writes them at protocols below 4 are plain data, and are read as such.
//!
//! What a peer sends is bounded by [`Limits`] in time and memory, and nothing here recurses.

mod bounds;
mod constructor;
mod container;
mod depth;
mod emit;
mod hash;
mod keys;
mod literal;
mod machine;
mod memo;
mod object;
mod opcode;
mod output;
mod reader;
mod scalar;
mod splitter;
mod stack;
mod text;
mod typed;

pub use constructor::is_plain_constructor;
pub use emit::encode;
pub use machine::{decode, salvage};
pub use opcode::opcode_name;
pub use splitter::{Progress, Splitter};
pub use typed::{from_slice, to_vec};

/// The protocol that `pickle.dumps` of Python 3.8 to 3.13 writes.
pub const DEFAULT_PROTOCOL: u8 = 4;

/// What a pickle from a peer may take. Each has a default that ordinary traffic does not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one pickle: 64 MiB. More than 1 GiB counts as 1 GiB.
    pub bytes: usize,
    /// Nodes of its value, of which an object counts as four: 4 million.
    pub nodes: usize,
    /// Entries of its memo: 1 million.
    pub memo: usize,
    /// Bytes of a line of text, as protocol 0 writes: 1 MiB.
    pub line: usize,
    /// Digits of an integer written as text: 4,300, as CPython's own limit.
    pub digits: usize,
    /// How deep containers are nested: 512.
    pub depth: usize,
    /// How deep a key of a mapping or a member of a set is nested: 64.
    pub key_depth: usize,
    /// How many nodes a key or a member has, counting shared ones each time, because that is what
    /// hashing it takes elsewhere: 10,000.
    pub key_nodes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: 64 << 20,
            nodes: 4_000_000,
            memo: 1_000_000,
            line: 1 << 20,
            digits: 4_300,
            depth: 512,
            key_depth: 64,
            key_nodes: 10_000,
        }
    }
}

impl Limits {
    /// For what we wrote ourselves: no limit but those of the arena.
    fn none() -> Limits {
        let most = usize::MAX;
        Limits {
            bytes: most,
            nodes: most,
            memo: most,
            line: most,
            digits: most,
            depth: most,
            key_depth: most,
            key_nodes: most,
        }
    }
}
