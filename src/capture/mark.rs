//! What a segment of a converted capture says that TCP has no word for, in an option of the kind for
//! experiments (RFC 6994): pcap has no other place for it, and programs that do not know it pass over it.
//!
//! ```text
//! kind 254 | length | "wspl" | 1                  a connection begins here
//! kind 254 | length | "wspl" | 2 | length: u64    so long is the gap that ends here; all ones: unknown
//! ```

use super::label;
use crate::session::Side;

/// RFC 4727, section 2.2.
const EXPERIMENTAL: u8 = 254;

/// The experiment's identifier.
const IDENTIFIER: [u8; 4] = *b"wspl";

const BEGINS: u8 = 1;
const GAP: u8 = 2;

/// The most room that a mark takes in a TCP header, padding included.
pub(super) const MAX_LENGTH: usize = 16;

/// What a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A connection begins, whatever the addresses and ports were used for before.
    Begins,
    /// The gap that ends with this segment is so long, or of a length that nobody knows. Without it,
    /// a gap is as long as its segments.
    Gap(Option<u64>),
}

impl Mark {
    /// The option, without padding.
    pub(super) fn option(self) -> Vec<u8> {
        let mut option = vec![EXPERIMENTAL, 0];
        option.extend(IDENTIFIER);
        match self {
            Mark::Begins => option.push(BEGINS),
            Mark::Gap(length) => {
                option.push(GAP);
                option.extend(length.unwrap_or(u64::MAX).to_be_bytes());
            }
        }
        option[1] = option.len() as u8;
        option
    }

    /// Finds a mark among TCP options.
    fn find(mut options: &[u8]) -> Option<Mark> {
        loop {
            match *options {
                // The end of the options, and no operation.
                [] | [0, ..] => return None,
                [1, ref rest @ ..] => options = rest,
                [kind, length, ..] => {
                    let option = options.get(..usize::from(length).max(2))?;
                    let body = option[2..].strip_prefix(&IDENTIFIER);
                    if let (EXPERIMENTAL, Some(body)) = (kind, body) {
                        return Mark::parse(body);
                    }
                    options = &options[option.len()..];
                }
                [_] => return None,
            }
        }
    }

    fn parse(body: &[u8]) -> Option<Mark> {
        match *body {
            [BEGINS] => Some(Mark::Begins),
            [GAP, ref length @ ..] => {
                let length = u64::from_be_bytes(length.try_into().ok()?);
                Some(Mark::Gap(Some(length).filter(|&length| length != u64::MAX)))
            }
            _ => None,
        }
    }
}

/// A frame that the writer made, beside the segment that it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Who sent it.
    pub(super) side: Side,
    /// Whether what it carries goes on in the next one: it is the part of a read, or of a gap, that
    /// one segment has room for.
    pub(super) goes_on: bool,
    pub(super) mark: Option<Mark>,
}

impl Frame {
    /// Reads an Ethernet frame; `None` of one that the writer did not make.
    #[inline]
    pub(super) fn read(frame: &[u8]) -> Option<Frame> {
        label::sender(frame).and_then(|side| Frame::sent(side, frame))
    }

    fn sent(side: Side, frame: &[u8]) -> Option<Frame> {
        const ETHERNET: usize = 14;
        const IPV4: usize = 20;
        const IPV6: usize = 40;
        const PUSH: u8 = 0x08;
        let ip = if frame.get(ETHERNET)? >> 4 == 4 { IPV4 } else { IPV6 };
        let tcp = frame.get(ETHERNET + ip..)?;
        let header = usize::from(tcp.get(12)? >> 4) * 4;
        let options = tcp.get(20..header).unwrap_or(&[]);
        Some(Frame { side, goes_on: tcp.get(13)? & PUSH == 0, mark: Mark::find(options) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_found_among_other_options() {
        for mark in [Mark::Begins, Mark::Gap(None), Mark::Gap(Some(0)), Mark::Gap(Some(1 << 40))] {
            let option = mark.option();
            assert!(option.len() <= MAX_LENGTH);
            let options = [&[2, 4, 0xff, 0xd7, 1, 3, 3, 14][..], &option, &[0, 0]].concat();
            assert_eq!(Mark::find(&options), Some(mark));
            // Cut short, or after the end of the options, there is none.
            assert_eq!(Mark::find(&options[..options.len() - 3]), None);
            assert_eq!(Mark::find(&[&[0], &option[..]].concat()), None);
        }
    }

    #[test]
    fn options_of_others_are_no_mark() {
        let others: [&[u8]; 5] = [b"", &[254], &[254, 0], b"\xfe\x07wspX\x01", b"\xfe\x07wspl\x09"];
        for options in others {
            assert_eq!(Mark::find(options), None, "{options:?}");
        }
    }
}
