//! A live end that does what one side of a written-down session did, and wants to see the other do its part.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use wirespool::session::Side;

use super::{Line, half_close, read_exactly, reset};

impl Line<'_> {
    /// Who did it.
    pub fn side(&self) -> Side {
        match self {
            Line::Client(_) | Line::ClientCloses | Line::ClientResets => Side::Client,
            Line::Server(_) | Line::ServerCloses | Line::ServerResets => Side::Server,
            Line::Gap(_) | Line::Cut => unreachable!("nobody does it"),
        }
    }

    /// What was said, if anything.
    pub fn said(&self) -> Option<&[u8]> {
        match self {
            Line::Client(bytes) | Line::Server(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Does `side`'s part of `lines`, each line only when all before it have been seen to happen.
pub fn act(mut stream: TcpStream, side: Side, lines: &[Line<'_>]) {
    for line in lines {
        let own = line.side() == side;
        match *line {
            Line::Client(bytes) | Line::Server(bytes) if own => stream.write_all(bytes).unwrap(),
            Line::Client(bytes) | Line::Server(bytes) => {
                assert_eq!(read_exactly(&mut stream, bytes.len()), bytes);
            }
            Line::ClientCloses | Line::ServerCloses if own => half_close(&stream),
            Line::ClientCloses | Line::ServerCloses => {
                assert_eq!(stream.read(&mut [0]).unwrap(), 0, "something instead of an end");
            }
            Line::ClientResets | Line::ServerResets if own => return reset(stream),
            Line::ClientResets | Line::ServerResets => {
                let ended = stream.read(&mut [0]).unwrap_err();
                assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
            }
            Line::Gap(_) | Line::Cut => {}
        }
    }
}
