//! From events to messages: each side's bytes, cut and decoded by its format.

mod assembler;
pub mod explain;
mod formats;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

pub use assembler::{Assembler, Output, Receive};
pub use formats::{Formats, FormatsByCapture, FormatsByPort};

use crate::session::{ConnectionId, Event, Frame, Kind, Side, Start, Timestamp};
use crate::wire::json::write_integer;
use crate::wire::{Fault, Format, Split, Value};

/// One message of one side of a connection: its bytes, and its value or why it has none.
#[derive(Clone, Debug)]
pub struct Message {
    /// Whose.
    pub connection: ConnectionId,
    /// Who sent it.
    pub side: Side,
    /// Its number among the messages of both sides of the connection, from 0.
    pub index: u64,
    /// When it was complete.
    pub time: Timestamp,
    /// Where it begins, in bytes of what its side sent.
    pub offset: u64,
    /// The capture's frame in which it was complete; `None` when live.
    pub frame: Option<Frame>,
    /// The format it was read by.
    pub format: Format,
    /// Whether its borders stand in the bytes or were guessed.
    pub split: Split,
    /// All its bytes, prefix and terminator included.
    pub raw: Vec<u8>,
    /// What it says.
    pub body: std::result::Result<Value, Fault>,
    /// Protocol Buffers fields that the schema does not know.
    pub unknown: Option<Value>,
}

impl Message {
    /// Its line in `--json`: an object without a line's end.
    pub fn to_json(&self) -> String {
        let mut line = String::with_capacity(256);
        self.append_json(&mut line);
        line
    }

    /// Appends what [`to_json`](Message::to_json) says.
    pub fn append_json(&self, line: &mut String) {
        line_start(line, self.connection, Some(self.side));
        line.push_str(r#","index":"#);
        write_integer(self.index, line);
        let _ = write!(line, r#","time":"{}""#, self.time);
        line.push_str(r#","offset":"#);
        write_integer(self.offset, line);
        line.push_str(r#","size":"#);
        write_integer(self.raw.len(), line);
        line_frame(line, self.frame);
        line.push_str(r#","format":""#);
        line.push_str(self.format.spelling());
        line.push('"');
        if self.split == Split::Guessed {
            line.push_str(r#","split":"guessed""#);
        }
        match &self.body {
            Ok(value) => {
                line.push_str(r#","value":"#);
                self.format.append_json(value, line);
            }
            Err(fault) => {
                let message = serde_json::Value::from(fault.message.as_str());
                let (kind, at) = (fault.kind.name(), fault.at);
                let _ = write!(
                    line,
                    r#","error":{{"kind":"{kind}","at":{at},"message":{message}}},"raw":"{}""#,
                    BASE64.encode(&self.raw)
                );
            }
        }
        if let Some(unknown) = &self.unknown {
            line.push_str(r#","unknown":"#);
            self.format.append_json(unknown, line);
        }
        line.push('}');
    }
}

/// The line in `--json` of an event that is no data, at `offset` bytes of its side; `None` of events
/// that concern recorders only.
pub fn event_to_json(event: &Event<'_>, offset: u64) -> Option<String> {
    let (name, side) = match event.kind {
        Kind::Open { .. } => ("open", None),
        Kind::Gap { side, .. } => ("gap", Some(side)),
        Kind::Eof { side } => ("eof", Some(side)),
        Kind::Reset { side } => ("reset", Some(side)),
        Kind::Cut => ("cut", None),
        Kind::Data { .. } | Kind::Delivered { .. } | Kind::Note(_) => return None,
    };
    let mut line = String::with_capacity(160);
    line_start(&mut line, event.connection, side);
    let _ = write!(line, r#","time":"{}""#, event.at);
    if side.is_some() {
        let _ = write!(line, r#","offset":{offset}"#);
    }
    line_frame(&mut line, event.frame);
    let _ = write!(line, r#","event":"{name}""#);
    match event.kind {
        Kind::Open { client, server, start, .. } => {
            let start = match start {
                Start::Seen => "seen",
                Start::Missed => "missed",
            };
            let _ = write!(line, r#","client":"{client}","server":"{server}","start":"{start}""#);
        }
        Kind::Gap { length, .. } => match length {
            Some(length) => {
                let _ = write!(line, r#","length":{length}"#);
            }
            None => line.push_str(r#","length":null"#),
        },
        _ => {}
    }
    line.push('}');
    Some(line)
}

fn line_start(line: &mut String, connection: ConnectionId, side: Option<Side>) {
    line.push_str(r#"{"connection":"#);
    write_integer(connection.0, line);
    if let Some(side) = side {
        line.push_str(r#","side":""#);
        line.push_str(side.name());
        line.push('"');
    }
}

/// The frame, and of several captures read as one the capture's number, but for the first one's.
fn line_frame(line: &mut String, frame: Option<Frame>) {
    let Some(Frame { capture, number, .. }) = frame else { return };
    line.push_str(r#","frame":"#);
    write_integer(number, line);
    if capture > 0 {
        line.push_str(r#","capture":"#);
        write_integer(capture, line);
    }
}
