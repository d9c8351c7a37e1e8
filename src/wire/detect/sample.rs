//! What was seen of a side.

/// The bytes that a side began with.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) struct Sample<'a> {
    pub(super) bytes: &'a [u8],
    /// Where each chunk ends in them; not of one that the sample is cut in.
    pub(super) ends: &'a [usize],
    /// Whether the side has ended with them: then nothing completes what they begin.
    pub(super) is_ended: bool,
}

impl<'a> Sample<'a> {
    pub(in crate::wire) fn new(bytes: &'a [u8], ends: &'a [usize], is_ended: bool) -> Sample<'a> {
        Sample { bytes, ends, is_ended }
    }

    /// The chunks that are whole.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &'a [u8]> {
        let bytes = self.bytes;
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(self.ends).map(move |(start, &end)| &bytes[start..end])
    }
}
