//! What was seen of a side.

/// The bytes that a side began with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<'a> {
    pub(super) bytes: &'a [u8],
    /// Where each chunk ends in them; not of one that the sample is cut in.
    pub(super) ends: &'a [usize],
    pub(super) next: Next,
}

/// What follows a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Anything: the sample was long enough.
    Unknown,
    /// Nothing for a while, or nothing that was recorded.
    Pause,
    /// The side's end: nothing completes what was begun.
    End,
}

impl<'a> Sample<'a> {
    pub(super) fn new(bytes: &'a [u8], ends: &'a [usize], next: Next) -> Sample<'a> {
        Sample { bytes, ends, next }
    }

    /// Whether nothing completes what was begun.
    pub(super) fn is_ended(&self) -> bool {
        self.next == Next::End
    }

    /// The chunks that are whole.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(move |(start, &end)| &bytes[start..end])
    }
}
