//! Protocol Buffers: by a message's descriptor, or by field numbers alone.
//!
//! With a descriptor, a value is a mapping by the `.proto`'s field names, in field number order;
//! unset fields are left out. Integers are integers, bytes are bytes, an enum is its value's name
//! (its number where it has none), a map a mapping with keys of their own type. A `float` is the
//! double it equals. JSON follows the proto3 mapping, see [`json`]; the messages of `google.protobuf` that
//! have forms of their own there have them in values, too: a `Timestamp` is a string, an `Int64Value` an
//! integer, a `Struct` a mapping. An extension's name is its full name in brackets.
//!
//! What a message's descriptor does not know stands beside the value: by number, see [`number`], and of
//! messages inside it by path (`readings[2].9`, of a map `by_id[0].value.9`). It is written back behind
//! the known fields of its message.
//!
//! Without a descriptor, a value is a mapping by field number that says of each field how it is written,
//! see [`number`].

mod decode;
mod encode;
#[cfg(any(feature = "python", test))]
mod flat;
pub(super) mod guess;
pub mod json;
mod layout;
pub mod number;
mod scalar;
pub(super) mod scan;
mod schema;
mod special;
mod unknown;

pub(super) use decode::decode;
pub(super) use encode::encode;
#[cfg(feature = "python")]
pub(crate) use flat::Scalar;
pub(super) use number::{decode_by_number, encode_by_number};
pub use schema::{MessageType, Schema};

/// The messages that are built in, as prost generates them from `proto/`.
pub mod pb {
    #![allow(clippy::all)]
    include!(concat!(env!("OUT_DIR"), "/pb.rs"));
}

/// How deep messages and groups may be nested, as in the reference implementations.
const MAXIMUM_DEPTH: usize = 100;

/// How many nodes a message may have: what takes a byte on the wire takes dozens in memory.
const MAXIMUM_NODES: usize = 4 << 20;
