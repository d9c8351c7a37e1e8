//! What lies ahead of a hole. Sans-I/O.

use std::collections::BTreeMap;

use super::Stamp;
use super::covered::Covered;
use super::policy::Overlap;

/// What a held piece costs beside its bytes.
pub(super) const OVERHEAD: usize = 128;

/// Pieces by position, without overlaps.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pieces: BTreeMap<i64, Piece>,
    /// Where the pieces are.
    covered: Covered,
    cost: usize,
}

/// A part of a segment that waits for what is before it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) content: Content,
    pub(super) stamp: Stamp,
}

#[derive(Debug)]
pub(super) enum Content {
    Bytes(Vec<u8>),
    /// So many bytes of a segment that was captured without them.
    Cut(i64),
}

impl Piece {
    fn length(&self) -> i64 {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() as i64,
            Content::Cut(length) => *length,
        }
    }

    fn cost(&self) -> usize {
        match &self.content {
            Content::Bytes(bytes) => bytes.len() + OVERHEAD,
            Content::Cut(_) => OVERHEAD,
        }
    }
}

/// How a segment agrees with what was there before, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreement {
    /// Positions that were there already.
    pub(super) again: i64,
    /// Those of them at which the bytes differ.
    pub(super) differing: i64,
    /// Positions that come too late to be handed out.
    pub(super) late: i64,
}

impl Ahead {
    /// What is held costs, bookkeeping included.
    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The first piece's position, and since when it is there.
    pub(super) fn first(&self) -> Option<(i64, Stamp)> {
        self.pieces.first_key_value().map(|(&start, piece)| (start, piece.stamp))
    }

    /// Where the last piece ends.
    pub(super) fn end(&self) -> Option<i64> {
        self.pieces.last_key_value().map(|(&start, piece)| start + piece.length())
    }

    /// Takes out the first piece if it begins at `position` or before.
    pub(super) fn take(&mut self, position: i64) -> Option<Piece> {
        let first = self.pieces.first_entry().filter(|first| *first.key() <= position)?;
        let (start, piece) = first.remove_entry();
        self.cost -= piece.cost();
        self.covered.remove_before(start + piece.length());
        Some(piece)
    }

    /// Puts `bytes` at `position`. It takes time in proportion to their number, however many pieces are
    /// there.
    pub(super) fn insert(
        &mut self,
        stamp: Stamp,
        position: i64,
        bytes: &[u8],
        overlap: Overlap,
        agreement: &mut Agreement,
    ) {
        if bytes.is_empty() {
            return;
        }
        let end = position + bytes.len() as i64;
        let before = self.pieces.range(..=position).next_back();
        let first = before.map_or(position, |(&start, _)| start);
        let part =
            |from: i64, to: i64| &bytes[(from - position) as usize..(to - position) as usize];
        let (mut at, mut lacking, mut cut) = (position, Vec::new(), Vec::new());
        for (&start, piece) in self.pieces.range_mut(first..end) {
            let (from, to) = (start.max(position), (start + piece.length()).min(end));
            if from >= to {
                continue;
            }
            let Content::Bytes(old) = &mut piece.content else {
                cut.push(start);
                continue;
            };
            if at < from {
                lacking.push((at, from));
            }
            let (here, old) = (part(from, to), &mut old[(from - start) as usize..]);
            let differing = here.iter().zip(&*old).filter(|(new, old)| new != old).count();
            agreement.again += to - from;
            agreement.differing += differing as i64;
            if overlap == Overlap::Last && differing > 0 {
                old[..here.len()].copy_from_slice(here);
                piece.stamp = stamp;
            }
            at = to;
        }
        if at < end {
            lacking.push((at, end));
        }
        // What one capture of these bytes lacked, another has.
        for start in cut {
            self.narrow(start, position, end);
        }
        for (from, to) in lacking {
            self.hold(from, Content::Bytes(part(from, to).to_vec()), stamp);
        }
        self.covered.add(position, end);
    }

    /// Says that a segment has `length` more bytes from `position` that were not captured. A few bytes of
    /// a capture can say that of many positions: it takes time only for what is new of them.
    pub(super) fn insert_cut(
        &mut self,
        stamp: Stamp,
        position: i64,
        length: i64,
        agreement: &mut Agreement,
    ) {
        if length == 0 {
            return;
        }
        agreement.again += length;
        for (from, to) in self.covered.lacking(position, position + length) {
            agreement.again -= to - from;
            self.hold(from, Content::Cut(to - from), stamp);
        }
        self.covered.add(position, position + length);
    }

    /// Leaves of the cut piece at `start` what is outside of `from` to `to`.
    fn narrow(&mut self, start: i64, from: i64, to: i64) {
        let Some(piece) = self.pieces.remove(&start) else { return };
        self.cost -= piece.cost();
        let end = start + piece.length();
        if start < from {
            self.hold(start, Content::Cut(from - start), piece.stamp);
        }
        if to < end {
            self.hold(to, Content::Cut(end - to), piece.stamp);
        }
    }

    fn hold(&mut self, position: i64, content: Content, stamp: Stamp) {
        let piece = Piece { content, stamp };
        self.cost += piece.cost();
        self.pieces.insert(position, piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a position holds: nothing, a byte that was not captured, or a byte.
    type Held = Option<Option<u8>>;

    const POSITIONS: usize = 48;

    /// A segment: where, its bytes, and how many more were not captured.
    fn segments() -> impl Strategy<Value = Vec<(usize, Vec<u8>, usize)>> {
        let bytes = prop::collection::vec(0..3u8, 0..8);
        prop::collection::vec((0..POSITIONS - 16, bytes, 0..8usize), 0..24)
    }

    proptest! {
        #[test]
        fn each_position_holds_what_came_for_it(segments in segments(), last: bool) {
            let overlap = if last { Overlap::Last } else { Overlap::First };
            let (mut ahead, mut model) = (Ahead::default(), [Held::None; POSITIONS]);
            for (position, bytes, cut) in segments {
                let mut found = Agreement::default();
                let at = position as i64;
                let behind = at + bytes.len() as i64;
                ahead.insert(Stamp::default(), at, &bytes, overlap, &mut found);
                ahead.insert_cut(Stamp::default(), behind, cut as i64, &mut found);

                let (mut again, mut differing) = (0, 0);
                let (here, rest) = model[position..].split_at_mut(bytes.len());
                for (held, byte) in here.iter_mut().zip(bytes) {
                    match held {
                        Some(Some(old)) => {
                            again += 1;
                            differing += i64::from(*old != byte);
                            *old = if last { byte } else { *old };
                        }
                        _ => *held = Some(Some(byte)),
                    }
                }
                for held in &mut rest[..cut] {
                    again += i64::from(held.is_some());
                    held.get_or_insert(None);
                }
                prop_assert_eq!((found.again, found.differing), (again, differing));
            }

            let mut held = [Held::None; POSITIONS];
            while let Some((start, _)) = ahead.first() {
                let piece = ahead.take(start).expect("it begins there");
                let content = match piece.content {
                    Content::Bytes(bytes) => bytes.into_iter().map(Some).collect(),
                    Content::Cut(length) => vec![None; length as usize],
                };
                for (held, content) in held[start as usize..].iter_mut().zip(content) {
                    prop_assert_eq!(held.replace(content), None);
                }
                // What is left is covered, and nothing else.
                let left = (0..POSITIONS as i64)
                    .filter(|at| ahead.covered.lacking(*at, at + 1).is_empty());
                let pieces = ahead.pieces.iter().flat_map(|(&at, piece)| at..at + piece.length());
                prop_assert!(left.eq(pieces));
            }
            prop_assert_eq!(held, model);
            prop_assert_eq!(ahead.cost(), 0);
        }
    }
}
