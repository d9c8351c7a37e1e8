//! Pickles, one after the other or each behind its length.
//!
//! From protocol 2 on a pickle begins with PROTO, which is no character and rarely anything else. Those
//! of protocols 0 and 1 begin with any opcode, and those of protocol 0 are text: that whole pickles, one
//! behind the other, decode to their last byte is what no other bytes do.

use super::framed::Framed;
use super::{Evidence, Found, Sample, Strength};
use crate::wire::framing::Framing;
use crate::wire::pickle::{Limits, Progress, Splitter, decode};
use crate::wire::search::PROTO;
use crate::wire::{Codec, FaultKind};

/// How much is seen of a pickle that is not whole, to be called one.
const BEGUN: usize = 16;
/// The same of one behind a length: the length says nothing yet.
const BEGUN_FRAMED: usize = 1024;
/// How much several pickles without PROTO take that are no chance, in bytes.
const SEVERAL: usize = 24;
/// How much a single one takes that is no chance, in bytes, and how many values it holds.
const SINGLE: (usize, usize) = (16, 3);

/// Pickles, one after the other.
pub(super) fn stream(sample: &Sample<'_>, limits: &Limits) -> Result<Found, String> {
    let bytes = sample.bytes;
    let protocol = protocol(bytes);
    let mut splitter = Splitter::new(limits);
    let (mut whole, mut values, mut start) = (0, 0, 0);
    while start < bytes.len() {
        let rest = &bytes[start..];
        if rest[0] == PROTO && rest.len() > 1 && self::protocol(rest).is_none()
            || (rest[0] == PROTO) != (bytes[0] == PROTO)
        {
            return Err(format!("byte {start} begins no pickle as those before it"));
        }
        match splitter.feed(rest) {
            Progress::NeedMore if sample.is_ended() => {
                return Err(format!("the pickle that begins at byte {start} is not whole"));
            }
            Progress::NeedMore => break,
            Progress::Failed(fault) => {
                let at = start + fault.at;
                return Err(format!("byte {at} is part of no pickle"));
            }
            Progress::Complete { consumed } => {
                values += values_of(&rest[..consumed], limits)
                    .ok_or_else(|| format!("byte {start} begins no pickle that can be read"))?;
                whole += 1;
                start += consumed;
            }
        }
    }
    let begun = bytes.len() - start;
    let strength = match (protocol, whole) {
        (Some(_), 0) if begun < BEGUN => Strength::Weak,
        (Some(_), 0) => Strength::Fair,
        (Some(_), _) => Strength::Sure,
        (None, 0) => return Err("no whole pickle was seen".to_owned()),
        (None, 1) if start < SINGLE.0 || values < SINGLE.1 => Strength::Weak,
        (None, 1) => Strength::Fair,
        (None, _) if start < SEVERAL => Strength::Weak,
        (None, _) => Strength::Sure,
    };
    let kind = match protocol {
        Some(protocol) => format!("protocol {protocol}"),
        None => "protocol 0 or 1".to_owned(),
    };
    let reason = match whole {
        0 => format!("the first {begun} bytes of a pickle of {kind}"),
        1 => format!("a whole pickle of {kind}"),
        _ => format!("{whole} whole pickles of {kind}, one after the other"),
    };
    Ok(found(Framing::Codec, strength, reason))
}

/// Pickles, each behind its length.
pub(super) fn framed(framed: &Framed<'_>, limits: &Limits) -> Option<Found> {
    let Framed { bodies, begun, .. } = framed;
    let size = framed.size();
    let first = bodies.first().unwrap_or(begun);
    let is_marked = protocol(first).is_some();
    if framed.empty > 0 || begun.first().is_some_and(|byte| (*byte == PROTO) != is_marked) {
        return None;
    }
    if !bodies
        .iter()
        .all(|body| protocol(body).is_some() == is_marked && values_of(body, limits).is_some())
    {
        return None;
    }
    if !begun.is_empty() && Splitter::new(limits).feed(begun) != Progress::NeedMore {
        return None;
    }
    let is_enough = match (is_marked, bodies.len()) {
        (true, 0) => framed.width() >= 4 && begun.len() >= BEGUN_FRAMED,
        (true, _) => true,
        (false, 0) => false,
        (false, 1) => framed.width() >= 4 && size >= SINGLE.0,
        (false, _) => size >= SEVERAL,
    };
    let reason = match bodies.len() {
        0 => "a length, and the beginning of a pickle behind it".to_owned(),
        1 => "1 message, a whole pickle behind its length".to_owned(),
        count => format!("{count} messages, each a whole pickle behind its length"),
    };
    is_enough.then(|| found(framed.framing, Strength::Sure, reason))
}

fn found(framing: Framing, strength: Strength, reason: String) -> Found {
    Found { codec: Codec::Pickle, framing, evidence: Evidence::Pickles, strength, reason }
}

/// The protocol that a pickle says it has: 2 to 5.
fn protocol(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [PROTO, protocol @ 2..=5, ..] => Some(*protocol),
        _ => None,
    }
}

/// How many values the one pickle holds that the bytes are, if they are one. One that takes more than
/// is allowed is one, too, if it says that it is: the first bytes of anything may ask for too much.
fn values_of(bytes: &[u8], limits: &Limits) -> Option<usize> {
    match decode(bytes, limits) {
        Ok(value) => Some(value.len()),
        Err(fault) => (fault.kind == FaultKind::Limit && protocol(bytes).is_some()).then_some(0),
    }
}
