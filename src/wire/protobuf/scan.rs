//! The wire format: tags, varints and the extent of fields. Nothing is built, nothing recurses.

use super::MAXIMUM_DEPTH;
use crate::wire::framing::MAXIMUM_LENGTH;
use crate::wire::{Fault, FaultKind};

/// The wire types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Varint,
    Fixed64,
    Length,
    GroupStart,
    GroupEnd,
    Fixed32,
}

/// What a field begins with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tag {
    pub number: u32,
    pub wire: Wire,
    /// Where what follows the tag begins.
    pub end: usize,
}

/// What follows a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Length(&'a [u8]),
    /// The beginning or the end of a group: nothing follows its tag.
    Group,
}

/// The varint at `at` and where it ends; `None` if the bytes end before it does.
pub fn varint(bytes: &[u8], at: usize) -> Result<Option<(u64, usize)>, Fault> {
    let mut value = 0;
    for (index, &byte) in bytes[at..].iter().take(10).enumerate() {
        if index == 9 && byte > 1 {
            return Err(Fault::new(FaultKind::Corrupt, at, "a varint of more than 64 bits"));
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Ok(Some((value, at + index + 1)));
        }
    }
    Ok(None)
}

/// The tag at `at`; `None` if the bytes end before it does.
pub fn tag(bytes: &[u8], at: usize) -> Result<Option<Tag>, Fault> {
    let corrupt = |message: String| Err(Fault::new(FaultKind::Corrupt, at, message));
    let (value, end) = match varint(bytes, at)? {
        Some(found) => found,
        // A tag has five bytes at most.
        None if bytes.len() - at >= 5 => return corrupt("a tag of more than 32 bits".into()),
        None => return Ok(None),
    };
    let Ok(value) = u32::try_from(value) else {
        return corrupt("a tag of more than 32 bits".into());
    };
    let wire = match value & 7 {
        0 => Wire::Varint,
        1 => Wire::Fixed64,
        2 => Wire::Length,
        3 => Wire::GroupStart,
        4 => Wire::GroupEnd,
        5 => Wire::Fixed32,
        other => return corrupt(format!("there is no wire type {other}")),
    };
    match value >> 3 {
        0 => corrupt("there is no field number 0".into()),
        number => Ok(Some(Tag { number, wire, end })),
    }
}

/// What follows the tag, and where it ends; `None` if the bytes end before it does.
pub fn payload(bytes: &[u8], tag: Tag) -> Result<Option<(Payload<'_>, usize)>, Fault> {
    let at = tag.end;
    Ok(match tag.wire {
        Wire::Varint => varint(bytes, at)?.map(|(value, end)| (Payload::Varint(value), end)),
        Wire::Fixed64 => {
            bytes[at..].first_chunk().map(|b| (Payload::Fixed64(u64::from_le_bytes(*b)), at + 8))
        }
        Wire::Fixed32 => {
            bytes[at..].first_chunk().map(|b| (Payload::Fixed32(u32::from_le_bytes(*b)), at + 4))
        }
        Wire::GroupStart | Wire::GroupEnd => Some((Payload::Group, at)),
        Wire::Length => match varint(bytes, at)? {
            None => None,
            Some((length, start)) => match usize::try_from(length) {
                Ok(length) if length <= MAXIMUM_LENGTH => bytes[start..]
                    .get(..length)
                    .map(|payload| (Payload::Length(payload), start + length)),
                _ => {
                    let message = format!("field {} claims {length} bytes", tag.number);
                    return Err(Fault::new(FaultKind::Limit, at, message));
                }
            },
        },
    })
}

/// The groups that are open, outermost first.
#[derive(Debug, Default)]
pub struct Groups {
    open: Vec<u32>,
}

impl Groups {
    /// Whether no group is open.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes note of a tag at `at`.
    pub fn pass(&mut self, tag: Tag, at: usize) -> Result<(), Fault> {
        match tag.wire {
            Wire::GroupStart if self.open.len() >= MAXIMUM_DEPTH => Err(too_deep(at)),
            Wire::GroupStart => {
                self.open.push(tag.number);
                Ok(())
            }
            Wire::GroupEnd if self.open.pop() != Some(tag.number) => Err(not_open(tag, at)),
            _ => Ok(()),
        }
    }
}

/// A whole field, of a group with all that stands in it.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    pub tag: Tag,
    pub payload: Payload<'a>,
    /// The bytes of a length-delimited field, or between a group's tags; of other fields none.
    pub content: &'a [u8],
    /// Where what follows the tag (and the length, where there is one) begins.
    pub start: usize,
    /// Where the next field begins.
    pub end: usize,
}

/// The field at `at`; it is truncated if the bytes end before it does.
pub fn field(bytes: &[u8], at: usize) -> Result<Field<'_>, Fault> {
    let tag = tag(bytes, at)?.ok_or_else(|| truncated(at))?;
    let (payload, mut end) = payload(bytes, tag)?.ok_or_else(|| truncated(at))?;
    let (content, start) = match (payload, tag.wire) {
        (Payload::Length(content), _) => (content, end - content.len()),
        (_, Wire::GroupStart) => {
            let start = end;
            let (close, after) = group_end(bytes, tag.number, start)?;
            end = after;
            (&bytes[start..close], start)
        }
        (_, Wire::GroupEnd) => return Err(not_open(tag, at)),
        _ => (&bytes[..0], tag.end),
    };
    Ok(Field { tag, payload, content, start, end })
}

/// The end of the group whose first field begins at `start`: where its end tag begins, and ends.
fn group_end(bytes: &[u8], number: u32, start: usize) -> Result<(usize, usize), Fault> {
    let mut groups = Groups { open: vec![number] };
    let mut at = start;
    loop {
        let tag = tag(bytes, at)?.ok_or_else(|| truncated(at))?;
        groups.pass(tag, at)?;
        if groups.is_empty() {
            return Ok((at, tag.end));
        }
        at = payload(bytes, tag)?.ok_or_else(|| truncated(at))?.1;
    }
}

/// The fault of a group that ends without having begun.
pub fn not_open(tag: Tag, at: usize) -> Fault {
    let message = format!("the end of group {}, which is not open", tag.number);
    Fault::new(FaultKind::Corrupt, at, message)
}

/// The fault of bytes that end inside the field that begins at `at`.
pub fn truncated(at: usize) -> Fault {
    Fault::new(FaultKind::Truncated, at, "the message ends inside a field")
}

/// The fault of nesting beyond what is read.
pub fn too_deep(at: usize) -> Fault {
    Fault::new(FaultKind::Limit, at, format!("nested deeper than {MAXIMUM_DEPTH}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_of_ten_bytes_holds_64_bits_and_not_one_more() {
        let mut bytes = [0xff; 10];
        bytes[9] = 1;
        assert_eq!(varint(&bytes, 0), Ok(Some((u64::MAX, 10))));
        bytes[9] = 2;
        assert!(varint(&bytes, 0).is_err());
        assert_eq!(varint(&bytes[..9], 0), Ok(None));
        assert!(varint(&[0xff; 10], 0).is_err());
    }

    #[test]
    fn a_tag_has_a_number_and_a_wire_type_that_exist() {
        assert_eq!(tag(&[0x08], 0), Ok(Some(Tag { number: 1, wire: Wire::Varint, end: 1 })));
        assert!(tag(&[0x00], 0).is_err());
        assert!(tag(&[0x0e], 0).is_err());
        assert!(tag(&[0xff; 5], 0).is_err());
        assert_eq!(tag(&[0xff; 4], 0), Ok(None));
    }
}
