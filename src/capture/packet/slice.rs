//! Bytes of a frame, as far as they were captured.

use super::Other;

/// Bytes of which only the first may be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice<'a> {
    pub(super) bytes: &'a [u8],
    /// How many there were on the wire; at least as many as are there.
    pub(super) length: usize,
}

impl<'a> Slice<'a> {
    /// The first bytes of `length`. A length below what is there is a mistake of the writer: what is
    /// there is there.
    pub(super) fn new(bytes: &'a [u8], length: usize) -> Slice<'a> {
        Slice { bytes, length: length.max(bytes.len()) }
    }

    #[inline(always)]
    pub(super) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Other> {
        match self.bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(array) => Ok(*array),
            None => Err(self.lacks(at.saturating_add(N))),
        }
    }

    /// Why the first bytes are not all there.
    #[cold]
    fn lacks(&self, length: usize) -> Other {
        if length <= self.length { Other::Cut } else { Other::Malformed }
    }

    /// The first bytes of what is there, as a header has them in any case.
    #[inline(always)]
    pub(super) fn header<const N: usize>(&self) -> Result<&'a [u8; N], Other> {
        self.bytes.first_chunk::<N>().ok_or_else(|| self.lacks(N))
    }

    #[inline(always)]
    pub(super) fn u8(&self, at: usize) -> Result<u8, Other> {
        self.array::<1>(at).map(|[byte]| byte)
    }

    #[inline(always)]
    pub(super) fn u16(&self, at: usize) -> Result<u16, Other> {
        self.array(at).map(u16::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u32(&self, at: usize) -> Result<u32, Other> {
        self.array(at).map(u32::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u128(&self, at: usize) -> Result<u128, Other> {
        self.array(at).map(u128::from_be_bytes)
    }

    #[inline(always)]
    pub(super) fn u16_little_endian(&self, at: usize) -> Result<u16, Other> {
        self.array(at).map(u16::from_le_bytes)
    }

    #[inline(always)]
    pub(super) fn u32_little_endian(&self, at: usize) -> Result<u32, Other> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// What follows the first `at` bytes.
    #[inline(always)]
    pub(super) fn after(&self, at: usize) -> Result<Slice<'a>, Other> {
        let length = self.length.checked_sub(at).ok_or(Other::Malformed)?;
        Ok(Slice { bytes: self.bytes.get(at..).unwrap_or(&[]), length })
    }

    /// Not longer than a header says: what is behind that is padding. A header that says more than the
    /// frame had is not believed: what a peer has to send again shows in the sequence numbers.
    #[inline(always)]
    pub(super) fn shortened(&self, length: usize) -> Slice<'a> {
        let length = length.min(self.length);
        Slice { bytes: &self.bytes[..self.bytes.len().min(length)], length }
    }
}
