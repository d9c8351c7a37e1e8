//! Python's pickle, read and written without ever running it.
//!
//! ```text
//! a stream ─▶ Splitter ─▶ one pickle ─▶ decode ─▶ Value ─▶ encode ─▶ bytes
//!                                          └─▶ from_slice ─▶ T      to_vec ◀─ T
//! ```
//!
//! [`Splitter`] finds where a pickle ends, [`decode`] builds the value tree of exactly one, and
//! [`encode`] writes one. [`audit()`] lists what one asks for. Nothing is imported, called or looked up on the say of the bytes: what a
//! pickle asks for beyond plain data becomes [`Node::Object`](crate::wire::value::Node::Object), the
//! request itself. `set`, `frozenset`, `bytearray`, `bytes` and `_codecs.encode` as CPython's pickler
//! writes them at protocols below 4 are plain data, and are read as such.
//!
//! What a peer sends is bounded by [`Limits`] in time and memory, and nothing here recurses.

mod audit;
mod bounds;
mod constructor;
mod container;
mod depth;
mod emit;
mod hash;
mod key;
mod keys;
mod limits;
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

pub use audit::{
    Audit, Counts, ExpectedName, ExpectedNames, Finding, Note, Request, RequestKind, SHOWN,
    Verdict, audit, note,
};
pub use constructor::is_plain_constructor;
pub use emit::{encode, encode_with_provenance};
pub(super) use limits::unknown as unknown_limit;
pub use limits::{Limit, Limits};
pub use machine::{Provenance, decode, decode_with_provenance, salvage};
pub use opcode::opcode_name;
pub use splitter::{Progress, Splitter};
pub use typed::{from_slice, to_vec};

/// The protocol that `pickle.dumps` of Python 3.8 to 3.13 writes.
pub const DEFAULT_PROTOCOL: u8 = 4;
