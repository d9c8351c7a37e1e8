//! Arguments that several commands share.

mod formats;
mod reassembly;
mod selection;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

pub(super) use formats::{FormatArguments, ReadingArguments, SchemaArguments, in_encoding};
pub(super) use reassembly::ReassemblyArguments;

pub(super) use selection::{ConnectionArguments, MessageArguments};

use super::failure::{At, Failure};
use super::live;
use super::printer::Look;
use crate::Error;
use crate::capture::Writer;
use crate::message::Formats;
use crate::replay::{Carry, Compare, Path, Rules, Tolerance};
use crate::session::Side;

/// How messages are compared.
#[derive(Debug, Args)]
#[command(next_help_heading = "Comparison")]
pub(super) struct RuleArguments {
    /// What to compare: values (where the format is known, else bytes), bytes or none
    #[arg(long, value_name = "WHAT", default_value = "values", value_parser = parsed::<Compare>)]
    compare: Compare,
    /// Leave out what this JSONPath selects, or every field of this name; may be given several times
    #[arg(long, value_name = "PATH", value_parser = parsed::<Path>)]
    ignore: Vec<Path>,
    /// Take numbers for equal that differ by no more than N; may be given several times
    #[arg(long, value_name = "PATH=N", value_parser = parsed::<Tolerance>)]
    tolerance: Vec<Tolerance>,
    /// Compare this list in any order; may be given several times
    #[arg(long, value_name = "PATH", value_parser = parsed::<Path>)]
    unordered: Vec<Path>,
}

impl RuleArguments {
    /// The rules, with what is carried.
    pub(super) fn rules(&self, carry: &[Carry]) -> Result<Rules, Failure> {
        let rules = Rules {
            compare: self.compare,
            ignore: self.ignore.clone(),
            tolerance: self.tolerance.clone(),
            unordered: self.unordered.clone(),
            carry: carry.to_vec(),
        };
        rules.check().at("--compare")?;
        Ok(rules)
    }
}

/// What clap reads by its own spelling, errors in our words.
pub(super) fn parsed<T: FromStr<Err = Error>>(given: &str) -> Result<T, String> {
    given.parse().map_err(|error: Error| error.to_string())
}

/// How to print messages.
#[derive(Debug, Args)]
pub(super) struct PrintArguments {
    /// Print JSON lines
    #[arg(long)]
    json: bool,
    /// Print all bytes below each message
    #[arg(long, conflicts_with = "json")]
    hex: bool,
    /// Print also when connections open, half-close, are reset or cut
    #[arg(long)]
    pub(super) events: bool,
}

impl PrintArguments {
    pub(super) fn look(&self) -> Look {
        match (self.json, self.hex) {
            (true, _) => Look::Json,
            (false, true) => Look::Hex,
            (false, false) => Look::Lines,
        }
    }
}

/// When a live command ends by itself.
#[derive(Debug, Args)]
pub(super) struct LimitArguments {
    /// End after this time, such as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) duration: Option<Duration>,
    /// End when N connections have closed
    #[arg(long, value_name = "N")]
    pub(super) connections: Option<u64>,
}

/// Where to write a capture, if anywhere.
#[derive(Debug, Args)]
pub(super) struct OutputArguments {
    /// Write a capture; .pcapng or .pcap by its ending
    #[arg(short = 'o', short_alias = 'w', long = "output", value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Overwrite the capture if it exists
    #[arg(long)]
    pub(super) force: bool,
}

impl OutputArguments {
    /// The capture's writer, if one was asked for.
    pub(super) fn writer(&self, formats: Option<&Formats>) -> Result<Option<Writer>, Failure> {
        let create = |path| live::writer(path, self.force, formats);
        self.output.as_deref().map(create).transpose()
    }
}

/// Where the system has a process's standard input.
const STANDARD_INPUT: &str = "/dev/stdin";

/// A capture to read; `-` is standard input.
pub(super) fn capture_path() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().map(|given| match given.as_os_str() == "-" {
        true => PathBuf::from(STANDARD_INPUT),
        false => given,
    })
}

/// The longest time that can be asked for.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// A length of time with its unit: `5ms`, `1s`, `2m 30s`.
pub(super) fn duration(given: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(given)
        .map_err(|error| format!("{error}; write a number with its unit, as 500ms or 2s"))?;
    // Deadlines are sums of these; the system's clock cannot hold any sum.
    if time > LONGEST {
        return Err("a century is the most".to_owned());
    }
    Ok(time)
}

pub(super) fn whole(given: &str) -> Result<u64, String> {
    given.parse().map_err(|_| "expected a whole number".to_owned())
}

pub(super) fn connection(given: &str) -> Result<u64, String> {
    given.parse().map_err(|_| "connections are numbered from 0, as `show` prints them".to_owned())
}

pub(super) fn port(given: &str) -> Result<u16, String> {
    given.parse().map_err(|_| "a port is a number up to 65535".to_owned())
}

fn side(given: &str) -> Result<Side, String> {
    match given {
        "client" => Ok(Side::Client),
        "server" => Ok(Side::Server),
        _ => Err("a side is client or server".to_owned()),
    }
}
