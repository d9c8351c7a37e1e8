//! What messages are: formats, encodings, schemas, and how bytes are read.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::super::failure::{At, Failure};
use super::{duration, parsed};
use crate::Error;
use crate::message::Formats;
use crate::project::{Configuration, FILE_NAME, FormatChoice, SchemaFiles};
use crate::wire::{Encoding, Format, Limit, Settings};

/// The formats to read messages by.
#[derive(Debug, Args)]
pub(in crate::cli) struct FormatArguments {
    /// What the messages are: text, pickle, protobuf:pb.TempEvent, raw, auto; with a framing text/line,
    /// pickle/u32be, protobuf:pb.TempEvent/varint
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
    /// What the client sends, where that is something else than the server does
    #[arg(long, value_name = "FORMAT")]
    client_format: Option<String>,
    /// What the server sends
    #[arg(long, value_name = "FORMAT")]
    server_format: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) reading: ReadingArguments,
}

/// How far a guess may go, what a message may take, and which messages there are.
#[derive(Debug, Args)]
pub(in crate::cli) struct ReadingArguments {
    /// How long `guess` waits for a Protocol Buffers message to go on after a read's end
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = duration)]
    guess_window: Duration,
    /// Change what a message may take, as depth=1000 or bytes=256MiB: bytes, and of a pickle nodes,
    /// memo, line, digits, depth, key-depth, key-nodes; process is for all messages together that are
    /// not whole, or being decoded; may be given several times
    #[arg(long, value_name = "NAME=N", value_parser = limit)]
    limit: Vec<Limit>,
    /// The encoding of a text format that names none, as latin-1, cp1251, utf-16le, shift_jis: the same as
    /// text:cp1251
    #[arg(long, value_name = "NAME", value_parser = parsed::<Encoding>)]
    encoding: Option<Encoding>,
    /// After damaged or missing bytes look for the next pickle; it is marked as guessed, and all after it
    #[arg(long)]
    pub(in crate::cli) resync: bool,
    #[command(flatten)]
    schema: SchemaArguments,
}

/// Below which heading they stand. A heading of all of them would stand above what follows them, too.
const SCHEMA: &str = "Schema";

/// Where messages are defined that formats name.
#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArguments {
    /// Read messages from a .proto file, for -f protobuf:MESSAGE; may be given several times
    #[arg(long, help_heading = SCHEMA, value_name = "FILE")]
    proto: Vec<PathBuf>,
    /// Look for imported .proto files in DIR; without it in the folders of the files and in the working
    /// directory; may be given several times
    #[arg(short = 'I', long, help_heading = SCHEMA, value_name = "DIR")]
    include: Vec<PathBuf>,
    /// Read messages from a descriptor set, as protoc --include_imports --descriptor_set_out writes it; may
    /// be given several times
    #[arg(long, help_heading = SCHEMA, value_name = "FILE")]
    descriptor_set: Vec<PathBuf>,
    /// Do not look for a wirespool.toml with the formats of ports, here or in a folder around
    #[arg(long, help_heading = SCHEMA)]
    no_config: bool,
}

impl SchemaArguments {
    /// What is known of formats without those that are named, with these settings.
    pub(in crate::cli) fn choice(&self, settings: Arc<Settings>) -> Result<FormatChoice, Failure> {
        let configuration = match std::env::current_dir() {
            Ok(folder) if !self.no_config => Configuration::find(&folder)?,
            // A working directory that is gone has no file.
            _ => Configuration::default(),
        };
        let files = SchemaFiles {
            proto: self.proto.clone(),
            include: self.include.clone(),
            descriptor_set: self.descriptor_set.clone(),
        };
        let schema = files.read()?.before(configuration.schema());
        Ok(FormatChoice { schema, configuration, settings, ..FormatChoice::default() })
    }

    /// The format `spelling` stands for.
    pub(in crate::cli) fn format(&self, spelling: &str) -> Result<Format, Failure> {
        self.choice(Arc::default())?.parse(spelling).at("--format")
    }
}

impl ReadingArguments {
    /// The format `spelling` stands for, with these settings.
    pub(in crate::cli) fn format(&self, spelling: &str) -> Result<Format, Failure> {
        let format = self.schema.choice(self.settings()?)?.parse(spelling).at("--format")?;
        in_encoding(format, self.encoding)
    }

    /// How bytes are read, whatever their format is.
    fn settings(&self) -> Result<Arc<Settings>, Failure> {
        let (guess_window, resync) = (self.guess_window, self.resync);
        let mut settings = Settings { guess_window, resync, ..Settings::default() };
        self.limit.iter().cloned().try_for_each(|limit| settings.limit(limit)).at("--limit")?;
        Ok(Arc::new(settings))
    }
}

/// The format with the encoding that was given beside it, if one was.
pub(in crate::cli) fn in_encoding(
    format: Format,
    encoding: Option<Encoding>,
) -> Result<Format, Failure> {
    match encoding {
        Some(encoding) => Ok(format.with_encoding(encoding).at("--encoding")?),
        None => Ok(format),
    }
}

/// The formats of both sides with this encoding, where they are text and name none: one of them has to be.
fn in_encodings(
    given: [Option<Format>; 2],
    encoding: Encoding,
) -> Result<[Option<Format>; 2], Failure> {
    let mut is_any = false;
    let mut refused = None;
    let encoded = given.map(|format| {
        let format = format?;
        match format.clone().with_encoding(encoding) {
            Ok(encoded) => {
                is_any = true;
                Some(encoded)
            }
            Err(error) => {
                refused.get_or_insert(error);
                Some(format)
            }
        }
    });
    match refused {
        _ if is_any => Ok(encoded),
        Some(error) => Err(error).at("--encoding"),
        None => {
            let reason = "name the format that has this encoding, too, such as -f text/line";
            Err(Error::Usage(reason.to_owned())).at("--encoding")
        }
    }
}

impl FormatArguments {
    /// All that says what messages are.
    pub(in crate::cli) fn choice(&self) -> Result<FormatChoice, Failure> {
        let mut choice = self.reading.schema.choice(self.reading.settings()?)?;
        let parse = |spelling: &Option<String>, flag| {
            spelling.as_deref().map(|spelling| choice.parse(spelling).at(flag)).transpose()
        };
        let both = parse(&self.format, "--format")?;
        let client = parse(&self.client_format, "--client-format")?;
        let server = parse(&self.server_format, "--server-format")?;
        let given = [client.or_else(|| both.clone()), server.or(both)];
        choice.given = match self.reading.encoding {
            Some(encoding) => in_encodings(given, encoding)?,
            None => given,
        };
        Ok(choice)
    }

    /// The formats of a live connection to this port of a server: those given, else what wirespool.toml
    /// says.
    pub(in crate::cli) fn of_port(&self, port: u16) -> Result<Formats, Failure> {
        self.choice()?.of_port(port).ok_or_else(|| {
            let reason = format!("-f FORMAT is missing, and no {FILE_NAME} knows port {port}");
            Failure::from(Error::Usage(reason))
        })
    }
}

/// `NAME=N`, for a name that there is.
fn limit(given: &str) -> Result<Limit, String> {
    let limit = parsed::<Limit>(given)?;
    Settings::default().limit(limit.clone()).map_err(|error| error.to_string())?;
    Ok(limit)
}
