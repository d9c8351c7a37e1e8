//! `wirespool encode`: a value to bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD as BASE64, Engine as _};
use clap::Args;

use super::arguments::{SchemaArguments, in_encoding, parsed};
use super::failure::{At, Failure};
use super::printer::written;
use super::{DONE, Outcome};
use crate::project::FormatChoice;
use crate::wire::value::Node;
use crate::wire::{Encoding, Format, encode, encode_with_unknown, json};
use crate::{Error, Result};

/// Write a value's bytes to stdout
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool encode -f pickle '{\"1\": 25, \"2\": 60}' > telemetry.pickle
  wirespool encode -f protobuf:pb.TempEvent/varint '{\"device_id\": 123}' | od -c
  wirespool decode -f pickle telemetry.pickle --json > messages.json
  wirespool encode --messages messages.json > same.pickle")]
pub(super) struct Arguments {
    /// The value: for text the text itself, for raw base64, else JSON; - reads a value a line
    #[arg(allow_hyphen_values = true, required_unless_present = "messages")]
    value: Option<String>,
    /// What to encode it as; --messages say it themselves
    #[arg(short, long, value_name = "FORMAT", required_unless_present = "messages")]
    format: Option<String>,
    /// Write the messages again that `show --json` or `decode --json` printed to FILE, or - for standard
    /// input: their value with its unknown fields, or the raw bytes of what was no message
    #[arg(long, value_name = "FILE", conflicts_with = "value")]
    messages: Option<PathBuf>,
    /// The encoding of a text format that names none, as latin-1, cp1251, utf-16le, shift_jis
    #[arg(long, value_name = "NAME", value_parser = parsed::<Encoding>)]
    encoding: Option<Encoding>,
    #[command(flatten)]
    schema: SchemaArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let schema = &arguments.schema;
    let format = |spelling| in_encoding(schema.format(spelling)?, arguments.encoding);
    let given = arguments.format.as_deref().map(format).transpose()?;
    if let Some(path) = &arguments.messages {
        return messages(path, given.as_ref(), schema);
    }
    let (Some(format), Some(value)) = (given, &arguments.value) else {
        // clap requires both where there are no messages.
        return Ok(DONE);
    };
    let one = |text: &str| -> std::result::Result<(), Failure> {
        let bytes = format
            .read_value(text)
            .and_then(|value| encode(&format, &value))
            .map_err(|error| hinted(error, text))
            .at("VALUE")?;
        Ok(written(io::stdout().write_all(&bytes))?)
    };
    if value != "-" {
        one(value)?;
        return Ok(DONE);
    }
    for line in io::stdin().lock().lines() {
        one(&line.map_err(|source| Error::file("read", "standard input", source))?)?;
    }
    Ok(DONE)
}

/// Writes the messages again that a file has as JSON lines.
fn messages(path: &Path, given: Option<&Format>, schema: &SchemaArguments) -> Outcome {
    let input: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(path).map_err(|source| Error::file("open", path, source))?;
        Box::new(BufReader::new(opened))
    };
    let choice = schema.choice(Arc::default())?;
    let mut formats = Formats { given, choice: &choice, known: HashMap::new() };
    let mut output = BufWriter::new(io::stdout().lock());
    for (line, number) in input.lines().zip(1_u64..) {
        let line = line.map_err(|source| Error::file("read", path, source))?;
        let bytes = again(&line, &mut formats)
            .map_err(|error| Error::Usage(format!("line {number}: {error}")))
            .at("--messages")?;
        written(output.write_all(&bytes))?;
    }
    written(output.flush())?;
    Ok(DONE)
}

/// The formats that messages say they are in.
struct Formats<'a> {
    /// What is written in another format is written in this one.
    given: Option<&'a Format>,
    choice: &'a FormatChoice,
    known: HashMap<String, Format>,
}

impl Formats<'_> {
    /// The format to write a message in that was read as `spelling`.
    fn of(&mut self, spelling: Option<&str>) -> Result<Format> {
        match (self.given, spelling) {
            // What was no message any more stays what it is.
            (Some(given), Some(spelling)) if spelling != "raw" => Ok(given.clone()),
            (Some(given), None) => Ok(given.clone()),
            (_, Some(spelling)) => {
                if let Some(known) = self.known.get(spelling) {
                    return Ok(known.clone());
                }
                let format = self.choice.parse(spelling)?;
                self.known.insert(spelling.to_owned(), format.clone());
                Ok(format)
            }
            (None, None) => Err(refuse("it has no \"format\", and there is no --format")),
        }
    }
}

/// The bytes of a message that was printed as this line; none of an event.
fn again(line: &str, formats: &mut Formats<'_>) -> Result<Vec<u8>> {
    let mut record = json::parse(line)?;
    let Node::Dict(members) = record.node(record.root()) else {
        return Err(refuse("it is no object"));
    };
    let members = record.entries(*members);
    let member = |name: &str| {
        let found = members.iter().find(|(key, _)| record.as_str(*key) == Some(name));
        found.map(|&(_, item)| item)
    };
    let text = |name: &str| member(name).and_then(|item| record.as_str(item));
    if let Some(raw) = text("raw") {
        return BASE64.decode(raw).map_err(|error| refuse(&format!("raw is no base64: {error}")));
    }
    let (value, unknown) = (member("value"), member("unknown"));
    let Some(value) = value else {
        return match member("event") {
            Some(_) => Ok(Vec::new()),
            None => Err(refuse(
                "it has neither \"value\" nor \"raw\", as lines of `show --json` have; `encode -` takes \
                 values alone",
            )),
        };
    };
    let format = formats.of(text("format"))?;
    let unknown = unknown.map(|unknown| {
        let mut fields = record.clone();
        fields.set_root(unknown);
        fields
    });
    record.set_root(value);
    encode_with_unknown(&format, &record, unknown.as_ref())
}

/// The error, with what was meant where what is given is a whole message, or a file.
fn hinted(error: Error, text: &str) -> Error {
    let Error::Value { format, reason } = error else { return error };
    let hint = if text.starts_with("{\"connection\":") {
        "; it is a message as `show --json` prints it, which --messages takes"
    } else if Path::new(text).is_file() {
        "; it is a file, of which - takes the values from standard input"
    } else {
        ""
    };
    Error::Value { format, reason: reason + hint }
}

fn refuse(reason: &str) -> Error {
    Error::Usage(reason.to_owned())
}
