//! `wirespool encode`: a value to bytes.

use std::io::{BufRead, Write};

use clap::Args;

use super::arguments::{SchemaArguments, in_encoding, parsed};
use super::failure::{At, Failure};
use super::printer::written;
use super::{DONE, Outcome};
use crate::Error;
use crate::wire::{Encoding, encode};

/// Write a value's bytes to stdout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool encode -f pickle '{\"1\": 25, \"2\": 60}' > telemetry.pickle
  wirespool encode -f protobuf:pb.TempEvent/varint '{\"device_id\": 123}' | od -c")]
pub(super) struct Arguments {
    /// The value: for text the text itself, for raw base64, else JSON; - reads a value a line
    #[arg(allow_hyphen_values = true)]
    value: String,
    /// What to encode it as
    #[arg(short, long, value_name = "FORMAT")]
    format: String,
    /// The encoding of a text format that names none, as latin-1, cp1251, utf-16le, shift_jis
    #[arg(long, value_name = "NAME", value_parser = parsed::<Encoding>)]
    encoding: Option<Encoding>,
    #[command(flatten)]
    schema: SchemaArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let format = in_encoding(arguments.schema.format(&arguments.format)?, arguments.encoding)?;
    let one = |text: &str| -> Result<(), Failure> {
        let bytes =
            format.read_value(text).and_then(|value| encode(&format, &value)).at("VALUE")?;
        Ok(written(std::io::stdout().write_all(&bytes))?)
    };
    if arguments.value != "-" {
        one(&arguments.value)?;
        return Ok(DONE);
    }
    for line in std::io::stdin().lock().lines() {
        one(&line.map_err(|source| Error::file("read", "standard input", source))?)?;
    }
    Ok(DONE)
}
