//! What a pickle from a peer may take.

use std::str::FromStr;

use crate::wire::framing::MAXIMUM_LENGTH;
use crate::{Error, Result};

/// The most bytes, and nodes, that a value has room for: its numbers have 32 bits.
pub(super) const ARENA: usize = 1 << 30;
/// The deepest nesting that can be told from any deeper one: depths have 15 bits.
pub(super) const DEEPEST: usize = 30_000;
/// The deepest key: Python hashes it by recursion, on whatever stack a thread has.
const DEEPEST_KEY: usize = 1_000;

/// What a pickle from a peer may take. Each has a default that ordinary traffic does not meet. A
/// message of another codec is bounded by `bytes`.
///
/// # Memory
/// Reading takes memory in proportion to the pickle: at its peak 3 bytes of heap for each byte of
/// telemetry (a list of mappings), and 26 at the most where each byte is a node, as in a list of
/// `None`, but with the default limits never more than some 170 MB: 16 bytes for a node, 4 for a place
/// on the stack or in the memo, 4 for each element of a container, and the strings once. The pickle's
/// own bytes come on top.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one pickle, and of any message: 64 MiB. More than 1 GiB counts as 1 GiB.
    pub bytes: usize,
    /// Nodes of its value, of which an object counts as eight and an integer beyond 64 bits as four:
    /// 4 million. Containers may have three times as many elements in all.
    pub nodes: usize,
    /// Entries of its memo: 1 million.
    pub memo: usize,
    /// Bytes of a line of text, as protocol 0 writes: 1 MiB.
    pub line: usize,
    /// Digits of an integer written as text: 4,300, as CPython's own limit.
    pub digits: usize,
    /// How deep containers are nested: 512.
    pub depth: usize,
    /// How deep a key of a mapping or a member of a set is nested: 64.
    pub key_depth: usize,
    /// How many nodes a key or a member has, counting shared ones each time, because that is what
    /// hashing it takes elsewhere: 10,000.
    pub key_nodes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            bytes: MAXIMUM_LENGTH,
            nodes: 4_000_000,
            memo: 1_000_000,
            line: 1 << 20,
            digits: 4_300,
            depth: 512,
            key_depth: 64,
            key_nodes: 10_000,
        }
    }
}

impl Limits {
    /// What [`set`](Limits::set) takes, each with `_` for `-` as well.
    pub const NAMES: [&str; 8] =
        ["bytes", "nodes", "memo", "line", "digits", "depth", "key-depth", "key-nodes"];

    /// Sets the limit of this name.
    ///
    /// # Errors
    /// [`Error::Usage`] for a name there is not, which lists those there are, and for more than a
    /// value has room for: 1 GiB, 2^30 nodes, a depth of 30,000, of
    /// keys 1,000.
    pub fn set(&mut self, name: &str, value: usize) -> Result<()> {
        let Some(limit) = self.named(name) else { return Err(unknown(name, &Limits::NAMES)) };
        let most = match name.replace('_', "-").as_str() {
            "bytes" | "nodes" => ARENA,
            "depth" => DEEPEST,
            "key-depth" => DEEPEST_KEY,
            _ => usize::MAX,
        };
        if value > most {
            return Err(Error::Usage(format!("the limit {name} can be {most} at most")));
        }
        *limit = value;
        Ok(())
    }

    /// The longest pickle in effect, in bytes: no value has room for more than 1 GiB.
    pub(in crate::wire) fn longest(&self) -> usize {
        self.bytes.min(ARENA)
    }

    /// The limit of this name.
    pub(in crate::wire) fn named(&mut self, name: &str) -> Option<&mut usize> {
        Some(match name.replace('_', "-").as_str() {
            "bytes" => &mut self.bytes,
            "nodes" => &mut self.nodes,
            "memo" => &mut self.memo,
            "line" => &mut self.line,
            "digits" => &mut self.digits,
            "depth" => &mut self.depth,
            "key-depth" => &mut self.key_depth,
            "key-nodes" => &mut self.key_nodes,
            _ => return None,
        })
    }

    /// For what we wrote ourselves: no limit but those of the arena.
    pub(super) fn none() -> Limits {
        let most = usize::MAX;
        Limits {
            bytes: most,
            nodes: most,
            memo: most,
            line: most,
            digits: most,
            depth: most,
            key_depth: most,
            key_nodes: most,
        }
    }
}

/// The error of a limit that there is not.
pub(in crate::wire) fn unknown(name: &str, known: &[&str]) -> Error {
    Error::Usage(format!("no limit is called {name:?}; there are {}", known.join(", ")))
}

/// A limit as it is written: `depth=1000`, `bytes=256MiB`.
///
/// ```
/// let limit: wirespool::wire::Limit = "bytes=256MiB".parse()?;
/// assert_eq!((limit.name.as_str(), limit.value), ("bytes", 256 << 20));
/// # Ok::<(), wirespool::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Which one; whether there is one of this name, only who sets it knows.
    pub name: String,
    /// The most there may be.
    pub value: usize,
}

impl Limit {
    /// A number that may have the unit k, M or G for powers of 1000, KiB, MiB or GiB for those of 1024.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn amount(given: &str) -> std::result::Result<usize, &'static str> {
        let digits = given.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = given.split_at(digits);
        let unit: usize = match unit {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err("N is a number, alone or with k, M, G, KiB, MiB or GiB"),
        };
        match number.parse::<usize>() {
            Ok(number) => number.checked_mul(unit).ok_or("the number is too large"),
            Err(_) if number.is_empty() => Err("a number is missing"),
            Err(_) => Err("the number is too large"),
        }
    }
}

/// `NAME=N`, where N is an [`amount`](Limit::amount).
impl FromStr for Limit {
    type Err = Error;

    fn from_str(given: &str) -> Result<Limit> {
        let refuse = |reason: &str| Error::Usage(format!("{given:?} is no limit: {reason}"));
        let Some((name, amount)) = given.split_once('=') else {
            return Err(refuse("write NAME=N, as depth=1000 or bytes=256MiB"));
        };
        let value = Limit::amount(amount).map_err(refuse)?;
        Ok(Limit { name: name.to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_can_be_set_by_its_name_with_either_dash() {
        let mut limits = Limits::none();
        for (value, name) in Limits::NAMES.iter().enumerate() {
            limits.set(name, value).unwrap();
            assert_eq!(limits.named(&name.replace('-', "_")), Some(&mut { value }));
        }
        let Limits { bytes, nodes, memo, line, digits, depth, key_depth, key_nodes } = limits;
        let all = [bytes, nodes, memo, line, digits, depth, key_depth, key_nodes];
        assert_eq!(all, std::array::from_fn(|value| value));
    }

    #[test]
    fn a_limit_that_there_is_not_is_refused_with_those_there_are() {
        let error = Limits::default().set("deptj", 1).unwrap_err().to_string();
        assert_eq!(
            error,
            "no limit is called \"deptj\"; there are bytes, nodes, memo, line, digits, depth, \
             key-depth, key-nodes"
        );
    }

    #[test]
    fn a_limit_beyond_what_a_value_has_room_for_is_refused_with_the_most() {
        let mut limits = Limits::default();
        let mut refused = |name, value| limits.set(name, value).unwrap_err().to_string();
        assert_eq!(refused("depth", 30_001), "the limit depth can be 30000 at most");
        assert_eq!(refused("key_depth", 1_001), "the limit key_depth can be 1000 at most");
        assert_eq!(refused("bytes", usize::MAX), "the limit bytes can be 1073741824 at most");
        limits.set("depth", 30_000).unwrap();
    }

    #[test]
    fn a_limit_is_written_as_its_name_and_a_number_with_a_unit() {
        let of = |given: &str| given.parse::<Limit>().map(|limit| limit.value).ok();
        for (given, value) in [
            ("depth=0", 0),
            ("depth=1000", 1000),
            ("nodes=5k", 5_000),
            ("nodes=5M", 5_000_000),
            ("nodes=5G", 5_000_000_000),
            ("bytes=1KiB", 1024),
            ("bytes=64MiB", 64 << 20),
            ("bytes=2GiB", 2 << 30),
        ] {
            assert_eq!(of(given), Some(value), "{given}");
        }
        for given in [
            "",
            "depth",
            "depth=",
            "depth=k",
            "depth=-1",
            "depth=1.5",
            "depth=1 k",
            "depth=1K",
            "depth=99999999999999999999",
            "depth=99999999999999999G",
        ] {
            assert_eq!(of(given), None, "{given}");
        }
    }
}
