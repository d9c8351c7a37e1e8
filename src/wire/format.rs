//! Formats: which codec and framing a side's bytes are in, parsed from `CODEC[:MESSAGE][/FRAMING]`; of
//! text `:ENCODING` takes the place of `:MESSAGE`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use super::framing::Framing;
use super::protobuf::{self, MessageType, Schema};
use super::text::{self, Encoding};
use super::{Settings, Value, json, pickle};
use crate::{Error, Result};

/// A codec and a framing: `text/line`, `pickle`, `protobuf:pb.TempEvent/u32be`.
///
/// ```
/// use wirespool::Format;
///
/// let format: Format = "pickle/self".parse()?;
/// assert_eq!(format.to_string(), "pickle"); // the framing it has anyway is not spelled out
/// assert!("text/self".parse::<Format>().is_err());
/// # Ok::<(), wirespool::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    codec: Codec,
    framing: Framing,
    settings: Arc<Settings>,
    spelling: Arc<str>,
}

/// How a message's bytes become a value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Codec {
    /// Text in this encoding: a value is a string.
    Text(Encoding),
    /// Python's pickle, any protocol; nothing is run.
    Pickle,
    /// Protocol Buffers: by this message's fields, or by field numbers alone.
    Protobuf(Option<MessageType>),
    /// Bytes as they are.
    Raw,
    /// To be found out from the first bytes.
    Auto,
}

impl Format {
    /// The format of this spelling, with the messages that are built in.
    pub fn parse(spelling: &str) -> Result<Format> {
        Format::parse_with(spelling, Schema::built_in())
    }

    /// The format of this spelling, with the messages of `schema`.
    pub fn parse_with(spelling: &str, schema: &Schema) -> Result<Format> {
        parse(spelling, schema)
            .map_err(|reason| Error::Format { given: spelling.to_owned(), reason })
    }

    /// `raw`: each chunk is a message, its value the bytes.
    pub fn raw() -> Format {
        Format::new(Codec::Raw, Framing::Chunk)
    }

    /// `auto`: to be found out from the first bytes.
    pub fn auto() -> Format {
        Format::new(Codec::Auto, Framing::Chunk)
    }

    /// The codec with a framing that suits it.
    pub(super) fn new(codec: Codec, framing: Framing) -> Format {
        let mut spelling = codec.to_string();
        if framing != codec.default_framing() {
            spelling.push_str(&format!("/{framing}"));
        }
        Format { codec, framing, settings: Arc::default(), spelling: spelling.into() }
    }

    /// How a message's bytes become a value.
    pub fn codec(&self) -> &Codec {
        &self.codec
    }

    /// Where messages end.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The shortest spelling, as [`Display`](fmt::Display) writes it.
    pub fn spelling(&self) -> &str {
        &self.spelling
    }

    /// Whether message ends stand in the bytes themselves, so that the same bytes are the same
    /// messages however they come. Not so for `chunk`, `idle`, `guess` and `auto`.
    pub fn is_delimited(&self) -> bool {
        self.framing.is_delimited()
    }

    /// The same messages cut otherwise; itself if they cannot be cut so.
    pub fn with_framing(&self, framing: Framing) -> Format {
        if framing == self.framing || !self.codec.suits(framing) {
            return self.clone();
        }
        Format::new(self.codec.clone(), framing).with_settings(&self.settings)
    }

    /// The same messages in another encoding, for text whose spelling names none.
    ///
    /// # Errors
    /// [`Error::Format`] if it is no text, or names another encoding.
    pub fn with_encoding(self, encoding: Encoding) -> Result<Format> {
        let reason = match self.codec {
            Codec::Text(Encoding::UTF_8) => {
                return Ok(self.in_encoding(encoding));
            }
            Codec::Text(own) if own == encoding => return Ok(self),
            Codec::Text(own) => format!("it names {own}, and the encoding {encoding} is given"),
            _ => format!(
                "the encoding {encoding} is given, which only text has; name a text format, such as text/line"
            ),
        };
        Err(Error::Format { given: self.spelling.to_string(), reason })
    }

    /// The same text in another encoding; itself if it is no text.
    pub(crate) fn in_encoding(&self, encoding: Encoding) -> Format {
        match self.codec {
            Codec::Text(own) if own != encoding => {
                let format = Format::new(Codec::Text(encoding), self.framing);
                format.with_settings(&self.settings)
            }
            _ => self.clone(),
        }
    }

    /// The same messages, their bytes left as they are. It is spelled as this one: what a message is
    /// does not change by how it is looked at.
    pub(crate) fn undecoded(&self) -> Format {
        Format { codec: Codec::Raw, ..self.clone() }
    }

    /// How bytes of this format may be read.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The same format, read so.
    pub fn with_settings(self, settings: &Arc<Settings>) -> Format {
        Format { settings: settings.clone(), ..self }
    }

    /// The value that a person writes as `text`, in this format: the text itself for `text`, base64
    /// for `raw`, [tagged JSON](super::json) for the others.
    pub fn read_value(&self, text: &str) -> Result<Value> {
        match self.codec {
            Codec::Text(_) => Ok(Value::text(text)),
            Codec::Raw => match BASE64_STANDARD.decode(text.trim()) {
                Ok(bytes) => Ok(Value::bytes(&bytes)),
                Err(error) => Err(self.refuse(format!("a raw value is base64: {error}"))),
            },
            Codec::Pickle | Codec::Protobuf(_) => {
                json::read(text).map_err(|reason| self.refuse(reason))
            }
            Codec::Auto => Err(self.unwritable()),
        }
    }

    /// The value as JSON: of a protobuf message with a schema the proto3 JSON mapping with the
    /// `.proto`'s field names, else [tagged JSON](super::json).
    pub fn write_json(&self, value: &Value) -> String {
        let mut json = String::new();
        self.append_json(value, &mut json);
        json
    }

    /// Appends what [`write_json`](Format::write_json) says.
    pub(crate) fn append_json(&self, value: &Value, json: &mut String) {
        match &self.codec {
            Codec::Protobuf(Some(message)) => protobuf::json::write(message, value, json),
            _ => json::write(value, json),
        }
    }

    /// A message without prefix or terminator, with fields that its schema does not know.
    pub(super) fn encode_body(&self, value: &Value, unknown: Option<&Value>) -> Result<Vec<u8>> {
        if value.is_empty() {
            return Err(self.refuse("there is no value".to_owned()));
        }
        if unknown.is_some() && !matches!(self.codec, Codec::Protobuf(Some(_))) {
            let reason = "only protobuf with a message has unknown fields";
            return Err(self.refuse(reason.to_owned()));
        }
        match &self.codec {
            Codec::Text(encoding) => {
                text::encode(*encoding, value).map_err(|reason| self.refuse(reason))
            }
            Codec::Raw => match value.as_bytes(value.root()) {
                Some(bytes) => Ok(bytes.to_vec()),
                None => Err(self.refuse(format!(
                    "raw takes bytes, not {}",
                    value.node(value.root()).describe()
                ))),
            },
            Codec::Pickle => pickle::encode(value, pickle::DEFAULT_PROTOCOL),
            Codec::Protobuf(Some(message)) => {
                protobuf::encode(message, value, unknown).map_err(|reason| self.refuse(reason))
            }
            Codec::Protobuf(None) => {
                protobuf::encode_by_number(value).map_err(|reason| self.refuse(reason))
            }
            Codec::Auto => Err(self.unwritable()),
        }
    }

    /// The error of a value that this format cannot carry.
    pub(super) fn refuse(&self, reason: String) -> Error {
        Error::Value { format: self.spelling.to_string(), reason }
    }

    fn unwritable(&self) -> Error {
        Error::Format {
            given: self.spelling.to_string(),
            reason: "auto only reads; name the format to write".to_owned(),
        }
    }
}

impl Codec {
    /// The framing of a format that names none.
    pub fn default_framing(&self) -> Framing {
        match self {
            Codec::Text(_) | Codec::Protobuf(None) | Codec::Raw | Codec::Auto => Framing::Chunk,
            Codec::Pickle => Framing::Codec,
            Codec::Protobuf(Some(_)) => Framing::Guess,
        }
    }

    /// The encoding of what is text in it: where lines end. UTF-8 ends them as bytes do.
    pub(crate) fn encoding(&self) -> Encoding {
        match self {
            Codec::Text(encoding) => *encoding,
            _ => Encoding::UTF_8,
        }
    }

    /// Whether messages of this codec can be framed so.
    fn suits(&self, framing: Framing) -> bool {
        match framing {
            Framing::Chunk | Framing::Prefix(_) | Framing::Varint | Framing::Idle(_) => true,
            Framing::Line => matches!(self, Codec::Text(_) | Codec::Raw),
            Framing::Codec => matches!(self, Codec::Pickle),
            Framing::Guess => matches!(self, Codec::Protobuf(Some(_))),
        }
    }
}

fn parse(spelling: &str, schema: &Schema) -> std::result::Result<Format, String> {
    let (codec, framing) = match spelling.split_once('/') {
        Some((codec, framing)) => (codec, Some(framing)),
        None => (spelling, None),
    };
    let (name, message) = match codec.split_once(':') {
        Some((name, message)) => (name, Some(message)),
        None => (codec, None),
    };
    let codec = match (name, message) {
        ("protobuf", Some(message)) => Codec::Protobuf(Some(schema.message(message)?)),
        ("protobuf", None) => Codec::Protobuf(None),
        ("text", name) => Codec::Text(name.map(Encoding::named).transpose()?.unwrap_or_default()),
        ("pickle", None) => Codec::Pickle,
        ("raw", None) => Codec::Raw,
        ("auto", None) => Codec::Auto,
        ("pickle" | "raw" | "auto", Some(message)) => {
            return Err(format!(
                "only protobuf takes a message and text an encoding; leave out {:?}",
                format!(":{message}")
            ));
        }
        ("json" | "jsonl" | "ndjson", _) => return Err("JSON lines are text/line".to_owned()),
        _ => {
            return Err("write CODEC[:MESSAGE][/FRAMING] with the codec text, pickle, protobuf, \
                        raw or auto, such as text/line or protobuf:pb.TempEvent"
                .to_owned());
        }
    };
    let Some(framing) = framing else {
        let framing = codec.default_framing();
        return Ok(Format::new(codec, framing));
    };
    if codec == Codec::Auto {
        return Err("auto finds the framing, too; leave it out".to_owned());
    }
    let framing = Framing::parse(framing)?;
    if !codec.suits(framing) {
        let suitable = Framing::PLAIN.iter().filter(|known| codec.suits(**known));
        let suitable: Vec<_> = suitable.map(Framing::to_string).collect();
        let hint = match (&codec, framing) {
            (Codec::Protobuf(None), Framing::Guess) => ", and with guess if a message is named",
            _ => "",
        };
        return Err(format!(
            "{codec} does not go with {framing}; it goes with {}, idle=MS{hint}",
            suitable.join(", ")
        ));
    }
    Ok(Format::new(codec, framing))
}

/// The shortest spelling: `pickle` for `pickle/self`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.spelling)
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(spelling: &str) -> Result<Format> {
        Format::parse(spelling)
    }
}

/// The spelling in a format: `text`, `text:cp1251`, `protobuf:pb.TempEvent`.
impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Codec::Text(Encoding::UTF_8) => f.write_str("text"),
            Codec::Text(encoding) => write!(f, "text:{encoding}"),
            Codec::Pickle => f.write_str("pickle"),
            Codec::Protobuf(None) => f.write_str("protobuf"),
            Codec::Protobuf(Some(message)) => write!(f, "protobuf:{}", message.name()),
            Codec::Raw => f.write_str("raw"),
            Codec::Auto => f.write_str("auto"),
        }
    }
}
