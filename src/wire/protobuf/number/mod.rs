//! Fields by number alone: messages without a schema, and fields that a schema does not know.
//!
//! A message is a mapping from field numbers, as strings, to what stands on the wire:
//!
//! | wire type | value |
//! | --- | --- |
//! | varint | an integer, unsigned |
//! | 32 bits | `{"fixed32": N, "float": F}`; `float` is the same bits, if a finite zero or normal number |
//! | 64 bits | `{"fixed64": N, "double": F}`, in the same way |
//! | group | `{"group": {…}}`, by number again |
//! | length-delimited | `{"guess": "text"}`, `{"guess": {…}}` by number again, or bytes |
//!
//! A field that occurs more than once is a list of these. What is length-delimited may be a string, a
//! message or bytes, and the wire does not say which: it is taken for a string if it is printable UTF-8,
//! else for a message if it is one that is written back to the very same bytes, else for bytes.
//!
//! The order of the mapping is that in which the fields first occur, and is kept when it is written. So
//! what was read is written back to the same bytes, but for two things that only the outermost message
//! and groups in it can have (what is guessed is looked through for them): occurrences of a field with
//! another one between them, which come together; and varints that are longer than they need be.
//!
//! Written are also a plain string and a truth value (a varint), a negative integer (its 64-bit two's
//! complement, as `int32` and `int64` are), a plain mapping by number (a message), `float` or `double`
//! alone, and keys that are integers.

mod decode;
mod encode;
mod fields;
mod names;
mod shape;
mod text;

pub use decode::decode_by_number;
pub use encode::encode_by_number;
pub(super) use encode::occurrences;
pub(super) use fields::Fields;
