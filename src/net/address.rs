//! `HOST:PORT`, `[::1]:PORT`, or `PORT`.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use tokio::net::lookup_host;

use crate::{Error, Result};

/// Where to listen or dial: a host, by name or number, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// `host` without brackets, and its port.
    pub fn new(host: impl Into<String>, port: u16) -> Address {
        Address { host: host.into(), port }
    }

    /// 127.0.0.1 at a port; port 0 lets the system choose one when listening.
    pub fn loopback(port: u16) -> Address {
        Address::new("127.0.0.1", port)
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, if it can be dialled: port 0 is nobody's.
    ///
    /// # Errors
    /// [`Error::Address`] for port 0.
    pub fn dialled(self) -> Result<Address> {
        match self.port {
            0 => {
                Err(Error::Address { given: self.to_string(), reason: "nobody listens at port 0" })
            }
            _ => Ok(self),
        }
    }

    /// All socket addresses the host has, IPv4 first: the order in which they are tried. The programs
    /// wirespool meets mostly bind 127.0.0.1 alone when they say `localhost`.
    ///
    /// # Errors
    /// [`Error::Network`] if the name has no address.
    pub async fn resolve(&self) -> Result<Vec<SocketAddr>> {
        let failed = |source| Error::network("look up", self, source);
        let mut found: Vec<SocketAddr> =
            lookup_host((self.host.as_str(), self.port)).await.map_err(failed)?.collect();
        found.sort_by_key(SocketAddr::is_ipv6);
        if found.is_empty() {
            let source = std::io::Error::other("the name has no address");
            return Err(Error::network("look up", self, source));
        }
        Ok(found)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(given: &str) -> Result<Address> {
        let failed = |reason| Error::Address { given: given.to_owned(), reason };
        let port = |text: &str| match text.parse() {
            Ok(port) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
            _ => Err(failed("the port is not a number from 0 to 65535")),
        };
        if let Some(rest) = given.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(failed("the ] is missing"))?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| failed("what stands in brackets is no IPv6 address"))?;
            let text = rest.strip_prefix(':').ok_or(failed("the port is missing"))?;
            return Ok(Address::new(host, port(text)?));
        }
        match given.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                Err(failed("an IPv6 address stands in brackets"))
            }
            Some(("", _)) => Err(failed("the host is missing")),
            Some((host, text)) if !host.contains(char::is_whitespace) => {
                Ok(Address::new(host, port(text)?))
            }
            Some(_) => Err(failed("a host holds no white space")),
            None if given.bytes().all(|byte| byte.is_ascii_digit()) && !given.is_empty() => {
                Ok(Address::loopback(port(given)?))
            }
            None => Err(failed("the port is missing")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::new(address.ip().to_string(), address.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_spellings_are_read_and_written_back() {
        for (given, written) in [
            ("12345", "127.0.0.1:12345"),
            ("localhost:1", "localhost:1"),
            ("[::1]:65535", "[::1]:65535"),
            ("0.0.0.0:0", "0.0.0.0:0"),
        ] {
            assert_eq!(given.parse::<Address>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn port_0_is_listened_on_but_not_dialled() {
        for given in ["0", "localhost:0", "[::1]:0"] {
            let address: Address = given.parse().unwrap();
            assert!(
                address.dialled().unwrap_err().to_string().contains("nobody listens at port 0")
            );
        }
        assert_eq!("1".parse::<Address>().unwrap().dialled().unwrap(), Address::loopback(1));
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for (given, reason) in [
            ("", "the port is missing"),
            ("localhost", "the port is missing"),
            ("localhost:", "the port is not a number"),
            ("localhost:+1", "the port is not a number"),
            ("localhost:65536", "the port is not a number"),
            (":1", "the host is missing"),
            ("::1:80", "stands in brackets"),
            ("[::1]80", "the port is missing"),
            ("[::1", "the ] is missing"),
            ("[nonsense]:80", "no IPv6 address"),
            ("a b:1", "no white space"),
        ] {
            let message = given.parse::<Address>().unwrap_err().to_string();
            assert!(message.contains(reason), "{given:?}: {message}");
        }
    }
}
