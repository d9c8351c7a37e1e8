//! Reads a capture by the library alone: every byte in order goes into a checksum.
//! `cargo bench --bench reassemble -- FILE`

use std::path::Path;

use wirespool::Result;
use wirespool::capture::Reader;
use wirespool::session::{Event, Kind, Sink};

/// Takes each byte into account, so that none is left unread.
#[derive(Default)]
struct Checksum {
    bytes: u64,
    sum: u64,
}

impl Sink for Checksum {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Kind::Data { bytes, .. } = event.kind {
            self.bytes += bytes.len() as u64;
            let (words, rest) = bytes.as_chunks::<8>();
            let words = words.iter().map(|word| u64::from_le_bytes(*word));
            let rest = rest.iter().map(|byte| u64::from(*byte));
            self.sum = words.chain(rest).fold(self.sum, |sum, word| sum.rotate_left(1) ^ word);
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let mut sink = Checksum::default();
    // cargo bench adds a word of its own.
    for file in std::env::args_os().skip(1).filter(|word| word != "--bench") {
        Reader::open(Path::new(&file))?.read_all(&mut sink)?;
    }
    println!("{} bytes, {:016x}", sink.bytes, sink.sum);
    Ok(())
}
