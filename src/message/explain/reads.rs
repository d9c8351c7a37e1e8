//! Where the reads of a program end.

use std::collections::VecDeque;

use super::finding::Reading;

/// Where a read ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Border {
    /// In bytes of what the side sent.
    pub(super) end: u64,
    /// The first and the last frame in it.
    pub(super) frames: Option<(u64, u64)>,
}

/// Cuts what comes into reads.
#[derive(Debug)]
pub(super) struct Reads {
    reading: Reading,
    recv: u64,
    /// Where the read begins that goes on, how far it is, and of which frames.
    start: u64,
    end: u64,
    frames: Option<(u64, u64)>,
    /// Whether it has read once since it last said something: now it is held up.
    has_read: bool,
}

impl Reads {
    /// At the first byte, with reads of at most `recv` bytes.
    pub(super) fn new(reading: Reading, recv: u64) -> Reads {
        Reads { reading, recv: recv.max(1), start: 0, end: 0, frames: None, has_read: false }
    }

    /// So many more bytes have come with this frame. Reads that end go to `borders`.
    pub(super) fn chunk(
        &mut self,
        length: u64,
        frame: Option<u64>,
        borders: &mut VecDeque<Border>,
    ) {
        let mut rest = length;
        while rest > 0 {
            let taken = rest.min(self.recv - (self.end - self.start));
            rest -= taken;
            self.end += taken;
            let first = self.frames.map(|(first, _)| first).or(frame);
            self.frames = first.zip(frame);
            let is_full = self.end - self.start == self.recv;
            let ends = match self.reading {
                Reading::AtOnce => is_full || rest == 0,
                Reading::HeldUp => is_full || !self.has_read,
            };
            if ends {
                self.close(borders);
            }
        }
    }

    /// The program has said something itself, so it was not held up; or nothing more comes.
    pub(super) fn catch_up(&mut self, borders: &mut VecDeque<Border>) {
        self.close(borders);
        self.has_read = false;
    }

    fn close(&mut self, borders: &mut VecDeque<Border>) {
        if self.end > self.start {
            borders.push_back(Border { end: self.end, frames: self.frames.take() });
            self.start = self.end;
            self.has_read = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(reading: Reading, chunks: &[u64]) -> Vec<(u64, Option<(u64, u64)>)> {
        let (mut reads, mut borders) = (Reads::new(reading, 10), VecDeque::new());
        for (&length, frame) in chunks.iter().zip(1..) {
            reads.chunk(length, Some(frame), &mut borders);
        }
        reads.catch_up(&mut borders);
        borders.iter().map(|border| (border.end, border.frames)).collect()
    }

    #[test]
    fn at_once_each_chunk_is_read_by_itself_and_a_long_one_in_pieces() {
        let found = ends(Reading::AtOnce, &[3, 25, 10, 1]);
        let one = |end, frame| (end, Some((frame, frame)));
        assert_eq!(found, [one(3, 1), one(13, 2), one(23, 2), one(28, 2), one(38, 3), one(39, 4)]);
    }

    #[test]
    fn held_up_the_first_chunk_is_read_by_itself_and_then_reads_are_full() {
        let found = ends(Reading::HeldUp, &[3, 4, 4, 4, 9]);
        assert_eq!(
            found,
            [(3, Some((1, 1))), (13, Some((2, 4))), (23, Some((4, 5))), (24, Some((5, 5)))]
        );
        let found = ends(Reading::HeldUp, &[25, 3]);
        assert_eq!(found, [(10, Some((1, 1))), (20, Some((1, 1))), (28, Some((1, 2)))]);
    }

    #[test]
    fn who_says_something_is_not_held_up() {
        let (mut reads, mut borders) = (Reads::new(Reading::HeldUp, 10), VecDeque::new());
        for _ in 0..2 {
            reads.chunk(2, None, &mut borders);
            reads.chunk(2, None, &mut borders);
            reads.chunk(2, None, &mut borders);
            reads.catch_up(&mut borders);
        }
        let ends: Vec<u64> = borders.iter().map(|border| border.end).collect();
        assert_eq!(ends, [2, 6, 8, 12]);
    }
}
