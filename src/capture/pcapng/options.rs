//! The options at the end of a block.

use super::Fault;
use crate::capture::pcap::Fields;

/// The options of a block: a code and a value each. Many writers leave their end away.
pub(super) struct Options<'a> {
    rest: &'a [u8],
    big_endian: bool,
    is_cut: bool,
}

impl<'a> Options<'a> {
    /// The options that begin at `at`, as far as they make sense.
    pub(super) fn new(body: &'a [u8], at: usize, big_endian: bool) -> Options<'a> {
        Options { rest: body.get(at..).unwrap_or(&[]), big_endian, is_cut: false }
    }

    /// Passes over all that were not looked at.
    ///
    /// # Errors
    /// [`Fault::Options`] if one of them runs beyond the block.
    pub(super) fn end(mut self) -> Result<(), Fault> {
        self.by_ref().for_each(drop);
        if self.is_cut { Err(Fault::Options) } else { Ok(()) }
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let fields = Fields { bytes: self.rest.get(..4)?, big_endian: self.big_endian };
        let (code, length) = (fields.u16(0), usize::from(fields.u16(2)));
        if code == 0 {
            return None;
        }
        let value = self.rest.get(4..4 + length);
        self.is_cut = value.is_none();
        self.rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        value.map(|value| (code, value))
    }
}
