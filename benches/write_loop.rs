//! The least that a sender can do: the bytes of a file, so many at a time, as fast as the peer takes
//! them. What `replay --speed max` is measured against; see replay.py.
//!
//! `write_loop ADDRESS FILE SIZE`

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [address, path, size] = words.as_slice() else {
        // By `cargo bench`, which gives it nothing to write.
        println!("run by benches/replay.py: make bench");
        return Ok(());
    };
    let size = size.parse().map_err(std::io::Error::other)?;
    let bytes = std::fs::read(path)?;
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    for message in bytes.chunks(size) {
        stream.write_all(message)?;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new())?;
    Ok(())
}
