//! Captures that are compressed: gzip and zstd.
//!
//! Both decoders have a fixed amount of memory, however much comes out of them.

use std::io::{self, BufRead, Read};

use flate2::bufread::MultiGzDecoder;

use super::counters::Damage;
use super::source::Original;

/// How many compressed bytes are read at once.
const READ: usize = 64 * 1024;

/// How many of them a decoder is given at once: damage is found in what it was given last.
const GIVEN: usize = 1024;

/// How many bytes are decompressed at once. A decoder that meets damage gives nothing of what it began
/// with: this much is lost before it, at most, beside what gzip has not handed out (32 KiB).
const STEP: usize = 8 * 1024;

/// The largest window of zstd, as a power of two: what its own command takes without being told, and
/// writes at its highest level. It bounds the memory that a frame can ask for.
const ZSTD_WINDOW: u32 = 27;

/// How a capture may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// RFC 1952, of any number of members.
    Gzip,
    /// RFC 8878, of any number of frames.
    Zstd,
}

impl Compression {
    /// How many bytes [`of`](Compression::of) looks at.
    pub(super) const MAGIC: usize = 4;

    /// What a file's first bytes say; its name says nothing.
    pub(super) fn of(bytes: &[u8]) -> Option<Compression> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
            // A frame to be skipped, as pzstd puts one before each of its own.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Compression::Zstd),
            _ => None,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        }
    }
}

/// Decompresses until the data ends, or makes no sense.
pub(super) struct Decompressor {
    compression: Compression,
    decoder: Decoder,
    damage: Option<Damage>,
}

enum Decoder {
    Gzip(MultiGzDecoder<Compressed>),
    Zstd(zstd::Decoder<'static, Compressed>),
}

impl Decompressor {
    /// Begins at the beginning of `original`, of which some was `read`.
    pub(super) fn new(
        compression: Compression,
        original: Original,
        read: &[u8],
    ) -> io::Result<Decompressor> {
        let compressed = Compressed {
            original,
            buffer: read.to_vec(),
            start: 0,
            end: read.len(),
            read: read.len() as u64,
            failed: false,
        };
        let decoder = match compression {
            Compression::Gzip => Decoder::Gzip(MultiGzDecoder::new(compressed)),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(compressed)?;
                decoder.window_log_max(ZSTD_WINDOW)?;
                Decoder::Zstd(decoder)
            }
        };
        Ok(Decompressor { compression, decoder, damage: None })
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// Where the data is damaged or cut off, in compressed bytes; known once 0 bytes were read.
    pub(super) fn damage(&self) -> Option<&Damage> {
        self.damage.as_ref()
    }

    /// The file's own bytes, of which what is left can be read when decompressing is over.
    pub(super) fn original(&mut self) -> &mut Original {
        &mut self.compressed().original
    }

    /// Reads some decompressed bytes; 0 at the end, and where nothing more comes out.
    ///
    /// # Errors
    /// What reading the file says.
    pub(super) fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.damage.is_some() {
            return Ok(0);
        }
        let length = into.len().min(STEP);
        let into = &mut into[..length];
        let read = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(into),
            Decoder::Zstd(decoder) => decoder.read(into),
        };
        let error = match read {
            Ok(count) => return Ok(count),
            Err(error) => error,
        };
        let name = self.compression.name();
        let compressed = self.compressed();
        if compressed.failed {
            return Err(error);
        }
        let is_cut_off = error.kind() == io::ErrorKind::UnexpectedEof;
        let reason = match is_cut_off {
            true => format!("the {name} data is cut off"),
            false => format!("the {name} data is damaged ({error})"),
        };
        // A change that still makes sense is noticed later, by a checksum at the latest.
        self.damage =
            Some(Damage { offset: compressed.offset(), reason, is_doubtful: !is_cut_off });
        Ok(0)
    }

    fn compressed(&mut self) -> &mut Compressed {
        match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Zstd(decoder) => decoder.get_mut(),
        }
    }
}

/// Compressed bytes on their way into a decoder.
struct Compressed {
    original: Original,
    buffer: Vec<u8>,
    /// What is read and not yet decompressed.
    start: usize,
    end: usize,
    /// How many bytes of the file were read.
    read: u64,
    /// Whether the last error is one of reading, and not of the decoder.
    failed: bool,
}

impl Compressed {
    /// How far the decoder has come.
    fn offset(&self) -> u64 {
        self.read - (self.end - self.start) as u64
    }
}

impl BufRead for Compressed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.start == self.end {
            self.buffer.resize(READ, 0);
            let read = self.original.read(&mut self.buffer);
            self.failed = read.is_err();
            (self.start, self.end) = (0, read?);
            self.read += self.end as u64;
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + GIVEN)])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }
}

impl Read for Compressed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(into)?;
        self.consume(count);
        Ok(count)
    }
}
