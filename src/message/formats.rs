//! Which format each side of each connection is in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::session::Side;
use crate::wire::protobuf::Schema;
use crate::wire::{Format, Settings};
use crate::{Error, Result};

/// The formats of a connection's two sides, which are often one.
///
/// Spelled as that one, or as `client=pickle server=text/line`: so a capture says what it was recorded as.
#[derive(Clone, Debug, PartialEq)]
pub struct Formats {
    sides: [Format; 2],
}

impl Formats {
    /// What the client sends, and what the server does.
    pub fn new(client: Format, server: Format) -> Formats {
        Formats { sides: [client, server] }
    }

    /// The formats of this spelling, with the messages of `schema`.
    ///
    /// # Errors
    /// [`Error::Format`].
    pub fn parse_with(spelling: &str, schema: &Schema) -> Result<Formats> {
        Formats::parse_by(spelling, |side| Format::parse_with(side, schema))
    }

    /// The formats of this spelling, where `parse` reads what is said of one side.
    ///
    /// # Errors
    /// [`Error::Format`], and those of `parse`.
    pub fn parse_by(spelling: &str, parse: impl Fn(&str) -> Result<Format>) -> Result<Formats> {
        let Some(sides) = spelling.strip_prefix(CLIENT) else {
            return Ok(parse(spelling)?.into());
        };
        let Some((client, server)) = sides.split_once(SERVER) else {
            let reason = format!("behind the client's the server's is missing, as{SERVER}text");
            return Err(Error::Format { given: spelling.to_owned(), reason });
        };
        Ok(Formats::new(parse(client)?, parse(server)?))
    }

    /// What this side sends.
    pub fn of(&self, side: Side) -> &Format {
        &self.sides[side.index()]
    }

    /// What both sides send, if that is the same.
    pub fn of_both(&self) -> Option<&Format> {
        let [client, server] = &self.sides;
        (client == server).then_some(client)
    }

    /// The formats that `change` makes of these.
    pub fn map(self, change: impl FnMut(Format) -> Format) -> Formats {
        Formats { sides: self.sides.map(change) }
    }

    /// The same formats, read so.
    pub fn with_settings(self, settings: &Arc<Settings>) -> Formats {
        self.map(|format| format.with_settings(settings))
    }
}

const CLIENT: &str = "client=";
const SERVER: &str = " server=";

impl From<Format> for Formats {
    fn from(format: Format) -> Formats {
        Formats::new(format.clone(), format)
    }
}

impl fmt::Display for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sides {
            [client, server] if client.spelling() == server.spelling() => client.fmt(f),
            [client, server] => write!(f, "{CLIENT}{client}{SERVER}{server}"),
        }
    }
}

/// The formats of connections, by the port of their server.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatsByPort {
    ports: BTreeMap<u16, Formats>,
    others: Formats,
}

impl FormatsByPort {
    /// Those of these ports, and of all others.
    pub fn new(ports: BTreeMap<u16, Formats>, others: Formats) -> FormatsByPort {
        FormatsByPort { ports, others }
    }

    /// The formats of a connection to this port; `None` where it is not known.
    pub fn of(&self, port: Option<u16>) -> &Formats {
        port.and_then(|port| self.ports.get(&port)).unwrap_or(&self.others)
    }

    /// The formats that `change` makes of these.
    pub fn map(self, change: impl Fn(Side, Format) -> Format) -> FormatsByPort {
        let change = |Formats { sides: [client, server] }| {
            Formats::new(change(Side::Client, client), change(Side::Server, server))
        };
        let ports = self.ports.into_iter().map(|(port, formats)| (port, change(formats)));
        FormatsByPort { ports: ports.collect(), others: change(self.others) }
    }

    /// The formats of all connections that do not have a port of their own.
    pub fn of_others(&self) -> &Formats {
        &self.others
    }
}

impl<F: Into<Formats>> From<F> for FormatsByPort {
    fn from(formats: F) -> FormatsByPort {
        FormatsByPort { ports: BTreeMap::new(), others: formats.into() }
    }
}

/// The formats of connections, by the capture in which they came into sight, of those that are read as
/// one: each may say what it was recorded as.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatsByCapture {
    captures: Vec<FormatsByPort>,
    others: FormatsByPort,
}

impl FormatsByCapture {
    /// Those of these captures, and of all others.
    pub fn new(captures: Vec<FormatsByPort>, others: FormatsByPort) -> FormatsByCapture {
        FormatsByCapture { captures, others }
    }

    /// The formats of a connection in the capture of this number to this port; `None` where that is not
    /// known.
    pub fn of(&self, capture: usize, port: Option<u16>) -> &Formats {
        self.captures.get(capture).unwrap_or(&self.others).of(port)
    }

    /// The formats that `change` makes of these.
    pub fn map(self, change: impl Fn(Side, Format) -> Format) -> FormatsByCapture {
        let FormatsByCapture { captures, others } = self;
        let captures = captures.into_iter().map(|one| one.map(&change)).collect();
        FormatsByCapture { captures, others: others.map(change) }
    }
}

impl<F: Into<FormatsByPort>> From<F> for FormatsByCapture {
    fn from(formats: F) -> FormatsByCapture {
        FormatsByCapture { captures: Vec::new(), others: formats.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(spelling: &str) -> Result<Formats> {
        Formats::parse_with(spelling, Schema::built_in())
    }

    #[test]
    fn formats_are_spelled_as_they_are_read() {
        for spelling in ["pickle", "client=pickle/u32be server=text/line", "auto"] {
            assert_eq!(parse(spelling).unwrap().to_string(), spelling);
        }
        assert_eq!(parse("client=text server=text").unwrap().to_string(), "text");
        for spelling in ["client=text", "client=text server=", "server=text", "client= server=text"]
        {
            assert!(parse(spelling).is_err(), "{spelling}");
        }
    }

    #[test]
    fn a_port_has_its_own_formats() {
        let [one, other] = ["pickle", "text"].map(|spelling| parse(spelling).unwrap());
        let formats = FormatsByPort::new([(80, one.clone())].into(), other.clone());
        assert_eq!(formats.of(Some(80)), &one);
        assert_eq!(formats.of(Some(81)), &other);
        assert_eq!(formats.of(None), &other);
    }

    #[test]
    fn a_capture_has_its_own_formats() {
        let [one, other] = ["pickle", "text"].map(|spelling| parse(spelling).unwrap());
        let formats = FormatsByCapture::new(vec![one.clone().into()], other.clone().into());
        assert_eq!(formats.of(0, Some(80)), &one);
        assert_eq!(formats.of(1, Some(80)), &other);
    }
}
