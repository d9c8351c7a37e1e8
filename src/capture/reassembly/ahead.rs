//! What lies ahead of a hole. Sans-I/O.

use std::collections::BTreeMap;

use super::Stamp;
use super::policy::Overlap;

/// What a held piece costs beside its bytes.
pub(super) const OVERHEAD: usize = 128;

/// Pieces by position, without overlaps.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pieces: BTreeMap<i64, Piece>,
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
        let piece = first.remove();
        self.cost -= piece.cost();
        Some(piece)
    }

    /// Puts `bytes` at `position`.
    pub(super) fn insert(
        &mut self,
        stamp: Stamp,
        position: i64,
        bytes: &[u8],
        overlap: Overlap,
        agreement: &mut Agreement,
    ) {
        let end = position + bytes.len() as i64;
        let mut at = position;
        while at < end {
            let here = &bytes[(at - position) as usize..];
            let (start, stop) = self.around(at, end);
            let here = &here[..(stop - at) as usize];
            match start.and_then(|start| Some((start, self.pieces.get_mut(&start)?))) {
                None => self.hold(at, Content::Bytes(here.to_vec()), stamp),
                Some((start, Piece { content: Content::Bytes(old), stamp: held_since })) => {
                    let old = &mut old[(at - start) as usize..][..here.len()];
                    let differing = here.iter().zip(&*old).filter(|(new, old)| new != old).count();
                    agreement.again += here.len() as i64;
                    agreement.differing += differing as i64;
                    if overlap == Overlap::Last && differing > 0 {
                        old.copy_from_slice(here);
                        *held_since = stamp;
                    }
                }
                Some((start, Piece { content: Content::Cut(length), stamp: cut_at })) => {
                    // What one capture of these bytes lacked, another has.
                    let (cut_at, behind) = (*cut_at, start + *length - stop);
                    *length = at - start;
                    if at == start {
                        self.pieces.remove(&start);
                        self.cost -= OVERHEAD;
                    }
                    if behind > 0 {
                        self.hold(stop, Content::Cut(behind), cut_at);
                    }
                    self.hold(at, Content::Bytes(here.to_vec()), stamp);
                }
            }
            at = stop;
        }
    }

    /// Says that a segment has `length` more bytes from `position` that were not captured.
    pub(super) fn insert_cut(
        &mut self,
        stamp: Stamp,
        position: i64,
        length: i64,
        agreement: &mut Agreement,
    ) {
        let end = position + length;
        let mut at = position;
        while at < end {
            let (start, stop) = self.around(at, end);
            match start {
                Some(_) => agreement.again += stop - at,
                None => self.hold(at, Content::Cut(stop - at), stamp),
            }
            at = stop;
        }
    }

    /// Where the piece begins that is at `at`, if one is, and how far this is so, at most to `end`.
    fn around(&self, at: i64, end: i64) -> (Option<i64>, i64) {
        if let Some((&start, piece)) = self.pieces.range(..=at).next_back()
            && start + piece.length() > at
        {
            return (Some(start), (start + piece.length()).min(end));
        }
        let next = self.pieces.range(at..).next();
        (None, next.map_or(end, |(&start, _)| start.min(end)))
    }

    fn hold(&mut self, position: i64, content: Content, stamp: Stamp) {
        let piece = Piece { content, stamp };
        self.cost += piece.cost();
        self.pieces.insert(position, piece);
    }
}
