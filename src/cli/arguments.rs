//! Arguments that several commands share.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};

use super::failure::{At, Failure};
use super::live;
use super::printer::Look;
use crate::Error;
use crate::capture::Writer;
use crate::message::Formats;
use crate::project::{Configuration, FILE_NAME, FormatChoice, SchemaFiles};
use crate::replay::{Carry, Compare, Path, Rules, Tolerance};
use crate::session::{ConnectionId, Side};
use crate::wire::{Encoding, Format, Limit, Settings};

/// The formats to read messages by.
#[derive(Debug, Args)]
pub(super) struct FormatArguments {
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
    pub(super) reading: ReadingArguments,
}

/// How far a guess may go, what a message may take, and which messages there are.
#[derive(Debug, Args)]
pub(super) struct ReadingArguments {
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
    pub(super) resync: bool,
    #[command(flatten)]
    schema: SchemaArguments,
}

/// Below which heading they stand. A heading of all of them would stand above what follows them, too.
const SCHEMA: &str = "Schema";

/// Where messages are defined that formats name.
#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
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
    pub(super) fn choice(&self, settings: Arc<Settings>) -> Result<FormatChoice, Failure> {
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
    pub(super) fn format(&self, spelling: &str) -> Result<Format, Failure> {
        self.choice(Arc::default())?.parse(spelling).at("--format")
    }
}

impl ReadingArguments {
    /// The format `spelling` stands for, with these settings.
    pub(super) fn format(&self, spelling: &str) -> Result<Format, Failure> {
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
pub(super) fn in_encoding(format: Format, encoding: Option<Encoding>) -> Result<Format, Failure> {
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
    pub(super) fn choice(&self) -> Result<FormatChoice, Failure> {
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
    pub(super) fn of_port(&self, port: u16) -> Result<Formats, Failure> {
        self.choice()?.of_port(port).ok_or_else(|| {
            let reason = format!("-f FORMAT is missing, and no {FILE_NAME} knows port {port}");
            Failure::from(Error::Usage(reason))
        })
    }
}

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

/// Which messages to print.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Selection {
    /// Print at most N messages
    #[arg(short = 'n', long = "count", value_name = "N", value_parser = whole)]
    pub(super) count: Option<u64>,
    /// Print only connection N; may be given several times
    #[arg(long, value_name = "N", value_parser = connection)]
    pub(super) connection: Vec<u64>,
    /// Print only what one side sent: client or server
    #[arg(long, value_parser = side)]
    pub(super) side: Option<Side>,
    /// Print only connections with this port at either end
    #[arg(long, value_parser = port)]
    pub(super) port: Option<u16>,
}

impl Selection {
    /// Whether a connection is among those asked for.
    pub(super) fn takes(&self, connection: ConnectionId) -> bool {
        self.connection.is_empty() || self.connection.contains(&connection.0)
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

/// `NAME=N`, for a name that there is.
fn limit(given: &str) -> Result<Limit, String> {
    let limit = parsed::<Limit>(given)?;
    Settings::default().limit(limit.clone()).map_err(|error| error.to_string())?;
    Ok(limit)
}

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

fn whole(given: &str) -> Result<u64, String> {
    given.parse().map_err(|_| "expected a whole number".to_owned())
}

fn connection(given: &str) -> Result<u64, String> {
    given.parse().map_err(|_| "connections are numbered from 0, as `show` prints them".to_owned())
}

fn port(given: &str) -> Result<u16, String> {
    given.parse().map_err(|_| "a port is a number up to 65535".to_owned())
}

fn side(given: &str) -> Result<Side, String> {
    match given {
        "client" => Ok(Side::Client),
        "server" => Ok(Side::Server),
        _ => Err("a side is client or server".to_owned()),
    }
}
