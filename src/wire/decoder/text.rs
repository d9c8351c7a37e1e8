//! Text as a stream of characters: a message per chunk, and one for what is no text in it.

use super::super::framing::{HALF, too_long};
use super::super::text::{self, Rest, Scanned};
use super::{Arrival, Codec, Decoded, Decoder, Fault, FaultKind, Piece, Value};

/// How many pieces of a chunk may be no text, each a message of its own, and one more for every so many
/// bytes of the chunk. What is behind the last of them is one message: bytes that are hardly text would take
/// many times their size as messages.
const PIECES: usize = 16;
const BYTES_PER_PIECE: usize = 256;

impl Decoder {
    /// A message without the byte order mark that it begins with, of which the decoder takes note.
    pub(super) fn without_mark<'a>(&mut self, piece: Piece<'a>) -> Piece<'a> {
        if piece.lost || piece.fault.is_some() || !matches!(self.format.codec(), Codec::Text(_)) {
            return piece;
        }
        let mark = self.text.pass_mark(&piece.raw[piece.header..]);
        Piece { header: piece.header + mark, ..piece }
    }

    /// Gives all text and all that is none, but for a character that is not whole at the end; says how
    /// many bytes it is. Of a character whose beginning is missing the first `half` bytes are left.
    pub(super) fn cut_text(
        &mut self,
        half: &mut usize,
        arrival: Arrival,
        pending: &[u8],
        out: &mut dyn FnMut(Decoded),
    ) -> usize {
        let mut start = std::mem::take(half).min(pending.len());
        if start > 0 {
            let fault = Fault::new(FaultKind::Truncated, 0, HALF);
            self.give(Piece::broken(&pending[..start], arrival, fault), out);
        }
        // Only where the side begins is it a mark, and not a character: chunks are cut anywhere.
        let mut header = match self.offset {
            0 => self.text.pass_mark(pending),
            _ => 0,
        };
        let (encoding, longest) = (self.text.encoding(), self.longest());
        let mut pieces = PIECES + pending.len() / BYTES_PER_PIECE;
        loop {
            let Scanned { text, length, rest } = encoding.scan(&pending[start + header..]);
            let length = header + length;
            if length > 0 {
                let piece = Piece { header, ..Piece::new(&pending[start..][..length], arrival) };
                let body = match length {
                    _ if length > longest => Err(too_long(longest)),
                    _ => Ok(Value::text(&text)),
                };
                self.hand_on(piece, (body, None), out);
                start += length;
                header = 0;
            }
            if !matches!(rest, Rest::Invalid(_)) {
                return start;
            }
            let rest = &pending[start..];
            let length = match pieces {
                0 => encoding.finished(rest),
                _ => encoding.invalid_run(rest),
            };
            let fault = text::invalid(encoding, &rest[..encoding.invalid_run(rest)], 0);
            self.give(Piece::broken(&rest[..length], arrival, fault), out);
            start += length;
            pieces = pieces.saturating_sub(1);
        }
    }
}
