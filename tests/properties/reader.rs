//! Whatever a file holds, reading it ends, and nothing of it depends on how its bytes come.

use std::io::{self, Read};
use std::path::Path;

use wirespool::capture::{Counters, Reader};
use wirespool::session::{Event, Sink};

/// The first byte says how the rest comes; the rest is a file.
pub fn holds(input: &[u8]) {
    let Some((&seed, file)) = input.split_first() else { return };
    let Some(whole) = read(file, usize::MAX) else { return };
    let Seen { counters, .. } = &whole;
    assert!(counters.damages.len() <= 4);
    assert!(counters.damages.is_sorted_by_key(|damage| damage.offset));
    assert!(counters.segments <= counters.packets);
    assert!(counters.damaged <= counters.packets);
    let _ = counters.warnings();
    if counters.compression_damage.is_none() {
        // How much comes out before damage is noticed does depend on it.
        assert_eq!(read(file, 1 + usize::from(seed)).as_ref(), Some(&whole));
    }
    if counters.compression.is_some() {
        return;
    }
    // A record has eight bytes at least, beside what it holds.
    assert!(counters.packets <= file.len() as u64 / 8);
    let places = counters.damages.iter().map(|damage| damage.offset).chain(counters.truncated);
    places.for_each(|offset| assert!(offset < file.len() as u64));
    if let Some(cut) = read(&file[..file.len() * 2 / 3], usize::MAX) {
        // A block whose lengths disagree is passed over where the file ends behind it.
        assert!(cut.counters.packets <= counters.packets + 1);
    }
}

#[derive(Debug, PartialEq)]
struct Seen {
    events: Vec<String>,
    error: Option<String>,
    counters: Counters,
}

/// Reads a file that comes in pieces; `None` if it is no capture.
fn read(file: &[u8], piece: usize) -> Option<Seen> {
    let source = Pieces { file: file.to_vec(), at: 0, piece };
    let mut reader = Reader::from_stream(source, Path::new("any")).ok()?;
    let mut log = Log(Vec::new());
    let error = reader.read_all(&mut log).err().map(|error| error.to_string());
    Some(Seen { events: log.0, error, counters: reader.summary() })
}

struct Pieces {
    file: Vec<u8>,
    at: usize,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = into.len().min(self.piece);
        let count = (&self.file[self.at..]).read(&mut into[..length])?;
        self.at += count;
        Ok(count)
    }
}

struct Log(Vec<String>);

impl Sink for Log {
    fn event(&mut self, event: &Event<'_>) -> wirespool::Result<()> {
        self.0.push(format!("{event:?}"));
        Ok(())
    }
}
