//! Captures → one clean capture: what connections carried, without what the network did to it.

use std::collections::HashSet;
use std::net::SocketAddr;

use crate::Result;
use crate::capture::{Origin, Summary, Writer};
use crate::session::{ConnectionId, Event, Kind, Sink};

/// Which connections are written: by number, client and server.
pub type Choose = Box<dyn Fn(ConnectionId, SocketAddr, SocketAddr) -> bool + Send>;

/// A sink that writes the connections that are chosen.
///
/// Payload, its times, its order and its ends are kept, and so is what is known to be missing;
/// retransmissions, duplicates and what came out of order are gone. Connections are numbered anew by
/// whoever reads the result.
pub struct Converter {
    writer: Writer,
    choose: Choose,
    left_out: HashSet<ConnectionId>,
}

/// What was written, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// What is in the new capture.
    pub written: Summary,
    /// How many connections were not chosen.
    pub left_out: u64,
}

impl Converter {
    /// Writes to `writer`, which [was told](crate::capture::MadeFrom::Captures) that it comes from
    /// captures.
    pub fn new(writer: Writer, choose: Choose) -> Converter {
        Converter { writer, choose, left_out: HashSet::new() }
    }

    /// Completes the new capture.
    ///
    /// # Errors
    /// As [`Writer::finish`].
    pub fn finish(self) -> Result<Conversion> {
        let left_out = self.left_out.len() as u64;
        Ok(Conversion { written: self.writer.finish()?, left_out })
    }
}

impl Sink for Converter {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        if let Kind::Open { client, server, .. } = event.kind
            && !(self.choose)(event.connection, client, server)
        {
            self.left_out.insert(event.connection);
        }
        match self.left_out.contains(&event.connection) {
            true => Ok(()),
            false => self.writer.event(event),
        }
    }
}

/// What is said of an original in the new capture: how it is called, and where it comes from.
pub fn original(name: &str, origin: &Origin) -> String {
    format!("{name}, {origin}")
}

/// The message format that all captures say they were recorded as; nothing if one says another.
pub fn common_format<'a>(origins: impl IntoIterator<Item = &'a Origin>) -> Option<String> {
    let mut formats = origins.into_iter().map(Origin::format);
    let first = formats.next()??;
    formats.all(|format| format == Some(first)).then(|| first.to_owned())
}
