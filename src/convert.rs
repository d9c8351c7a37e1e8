//! Captures → one clean capture: what connections carried, without what the network did to it.
//!
//! A [`Reader`](crate::capture::Reader)'s events are written by a [`Writer`](crate::capture::Writer), by way
//! of [`Selecting`](crate::session::Selecting) where not all are meant. Payload, its times, its order and its
//! ends are kept, and so is what is known to be missing; retransmissions, duplicates and what came out of
//! order are gone. Connections are numbered anew by whoever reads the result. Here is what the new capture
//! says of the old ones.

use crate::capture::Origin;

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
