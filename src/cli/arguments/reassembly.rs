//! How connections are put together.

use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::duration;
use crate::capture::{Overlap, Policy};

/// How connections are put together.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reassembly")]
pub(crate) struct ReassemblyArguments {
    /// Which bytes count where two segments differ about the same position: first, or last as long as they
    /// wait behind a hole
    #[arg(long, value_name = "WHICH", default_value = "first", value_parser = overlap)]
    overlap: Overlap,
    /// Give up on a hole when one side holds this much behind it, such as 64MB or 16MiB
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = size)]
    held_per_side: usize,
    /// Give up on the longest open hole when all connections hold this much behind theirs
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    held_in_all: usize,
    /// Give up on a hole after this time of the capture without a word of the peer that it waits for it,
    /// too; or never
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = patience)]
    give_up_after: Patience,
    /// Know so many connections at a time; beyond that forget the longest quiet
    #[arg(long, value_name = "N", default_value_t = Policy::default().connections,
          value_parser = connections)]
    known_connections: usize,
}

/// How long a hole is waited for, if not for ever.
#[derive(Clone, Copy, Debug)]
struct Patience(Option<Duration>);

impl ReassemblyArguments {
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            overlap: self.overlap,
            held_per_side: self.held_per_side,
            held_in_all: self.held_in_all,
            patience: self.give_up_after.0,
            connections: self.known_connections,
        }
    }
}

fn overlap(given: &str) -> Result<Overlap, String> {
    match given {
        "first" => Ok(Overlap::First),
        "last" => Ok(Overlap::Last),
        _ => Err("the first or the last bytes count".to_owned()),
    }
}

fn patience(given: &str) -> Result<Patience, String> {
    match given {
        "never" => Ok(Patience(None)),
        _ => duration(given).map(|time| Patience(Some(time))),
    }
}

fn connections(given: &str) -> Result<usize, String> {
    match usize::from_str(given) {
        Ok(number @ 1..) => Ok(number),
        _ => Err("expected a whole number from 1".to_owned()),
    }
}

/// A number of bytes with its unit, decimal or binary: `500`, `64MB`, `16MiB`.
fn size(given: &str) -> Result<usize, String> {
    let digits = given.find(|c: char| !c.is_ascii_digit()).unwrap_or(given.len());
    let (number, unit) = given.split_at(digits);
    let unit = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "kib" => Some(1 << 10),
        "mib" => Some(1 << 20),
        "gib" => Some(1 << 30),
        _ => None,
    };
    let bytes =
        number.parse().ok().zip(unit).and_then(|(number, unit)| usize::checked_mul(number, unit));
    bytes.ok_or_else(|| "expected a number of bytes with its unit, as 64MB or 16MiB".to_owned())
}
