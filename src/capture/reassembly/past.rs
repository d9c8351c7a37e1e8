//! What was handed out last, to compare it with what is sent again. Sans-I/O.

use std::collections::VecDeque;

use super::ahead::Agreement;

/// How many bytes of a side are remembered. Beyond that a retransmission is counted, but not compared.
const REMEMBERED: usize = 16 << 10;

/// How many gaps of a side are remembered.
const GAPS: usize = 16;

/// The last bytes of a side that were handed out, and the last gaps.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The bytes before the next position, as far back as no gap is among them.
    bytes: VecDeque<u8>,
    /// From where to where.
    gaps: VecDeque<(i64, i64)>,
}

impl Past {
    /// How much memory the bytes take.
    pub(super) fn cost(&self) -> usize {
        self.bytes.capacity()
    }

    /// Forgets the bytes.
    pub(super) fn forget(&mut self) {
        self.bytes = VecDeque::new();
    }

    /// Remembers the next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let bytes = &bytes[bytes.len().saturating_sub(REMEMBERED)..];
        let excess = (self.bytes.len() + bytes.len()).saturating_sub(REMEMBERED);
        self.bytes.drain(..excess);
        self.bytes.extend(bytes);
    }

    /// Remembers a gap.
    pub(super) fn gap(&mut self, from: i64, to: i64) {
        self.bytes.clear();
        match self.gaps.back_mut() {
            Some(last) if last.1 == from => last.1 = to,
            _ => {
                if self.gaps.len() == GAPS {
                    self.gaps.pop_front();
                }
                self.gaps.push_back((from, to));
            }
        }
    }

    /// Compares a part of a segment, of which `bytes` are there and `length` there were, with what was
    /// handed out before `next`.
    pub(super) fn compare(
        &self,
        next: i64,
        position: i64,
        bytes: &[u8],
        length: i64,
        agreement: &mut Agreement,
    ) {
        let end = position + length;
        // Before the first byte nothing was handed out, either.
        let missing = std::iter::once((i64::MIN, 0)).chain(self.gaps.iter().copied());
        let late = missing.map(|(from, to)| (to.min(end) - from.max(position)).max(0)).sum::<i64>();
        let known = next - self.bytes.len() as i64;
        let from = position.max(known);
        let here = bytes.get((from - position) as usize..).unwrap_or(&[]);
        let there = self.bytes.range(((from - known) as usize).min(self.bytes.len())..);
        agreement.differing +=
            here.iter().zip(there).filter(|(new, old)| new != old).count() as i64;
        agreement.late += late;
        agreement.again += length - late;
    }
}
