//! `wirespool encode`: a value to bytes.

use std::io::{BufRead, Write};

use clap::Args;

use super::arguments::SchemaArguments;
use super::failure::{At, Failure};
use super::printer::written;
use super::{DONE, Outcome};
use crate::Error;
use crate::wire::encode;

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
    #[command(flatten)]
    schema: SchemaArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let format = arguments.schema.format(&arguments.format)?;
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
