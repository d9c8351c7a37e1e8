//! What a message says.

use super::super::framing::too_long;
use super::super::pool::Claim;
use super::super::text::{self, InUse};
use super::super::{Codec, Fault, Format, Settings, Value, pickle, protobuf};

/// How much one node of a pickle's value takes while it is decoded, with its places in other nodes and
/// in the machine's tables, in bytes.
const NODE_SIZE: usize = 64;
/// Pickles up to this size are not counted while they are decoded: it takes no time.
const UNCOUNTED: usize = 1 << 16;

/// A message's value, and the fields that its schema does not know. Text is in this encoding.
pub(super) fn decode(
    format: &Format,
    encoding: InUse,
    bytes: &[u8],
) -> Result<(Value, Option<Value>), Fault> {
    let settings = format.settings();
    let longest = settings.limits.longest();
    if bytes.len() > longest {
        return Err(too_long(longest));
    }
    match format.codec() {
        Codec::Text(_) => text::decode(encoding.encoding(), bytes).map(|value| (value, None)),
        Codec::Pickle => decode_pickle(bytes, settings).map(|value| (value, None)),
        Codec::Protobuf(Some(message)) => protobuf::decode(message, bytes),
        Codec::Protobuf(None) => protobuf::decode_by_number(bytes).map(|value| (value, None)),
        Codec::Raw | Codec::Auto => Ok((Value::bytes(bytes), None)),
    }
}

/// The value of a pickle, if the process has room for it.
pub(super) fn decode_pickle(bytes: &[u8], settings: &Settings) -> Result<Value, Fault> {
    if bytes.len() <= UNCOUNTED {
        return pickle::decode(bytes, &settings.limits);
    }
    // Its bytes twice, as they are and in the value, and a node for each of them at most.
    let (copies, nodes) = (2 * bytes.len(), settings.limits.nodes.min(bytes.len()));
    let mut claim = Claim::new(&settings.pool, settings.process);
    if !claim.set(copies) {
        return Err(settings.exhausted(0));
    }
    let room = (claim.up_to(copies + nodes * NODE_SIZE) - copies) / NODE_SIZE;
    if room >= nodes {
        return pickle::decode(bytes, &settings.limits);
    }
    let limits = pickle::Limits { nodes: room, ..settings.limits.clone() };
    pickle::decode(bytes, &limits).map_err(|fault| match fault.exceeds("nodes") {
        true => settings.exhausted(fault.at),
        false => fault,
    })
}
