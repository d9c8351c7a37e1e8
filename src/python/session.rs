//! Events and times.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDateTime, PyDelta, PyTzInfo};

use super::net;
use crate::message::{Message, Output};
use crate::session::{Kind, Note, Start, Timestamp};

/// The time in UTC, to the microsecond: Python's datetime counts no nanoseconds.
pub(super) fn datetime(py: Python<'_>, time: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    const DAY: i64 = 86_400_000_000;
    let microseconds = time.nanoseconds().div_euclid(1000);
    let (days, rest) = (microseconds.div_euclid(DAY), microseconds.rem_euclid(DAY));
    let utc = PyTzInfo::utc(py)?.to_owned();
    let epoch = PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, Some(&utc))?;
    // Nanoseconds in 64 bits span 106,751 days; a day has fewer than 2^17 seconds.
    let (seconds, rest) = (rest / 1_000_000, rest % 1_000_000);
    epoch.add(PyDelta::new(py, days as i32, seconds as i32, rest as i32, false)?)
}

/// One thing that happened on a connection.
///
/// `kind` is `"open"`, `"data"`, `"gap"`, `"eof"`, `"reset"`, `"cut"` (the capture ended with the
/// connection open) or `"note"`. What a kind does not have is None.
#[pyclass(module = "wirespool", frozen)]
pub(super) struct Event {
    /// What happened.
    #[pyo3(get)]
    kind: &'static str,
    /// Which connection, counted from 0 by first packet.
    #[pyo3(get)]
    connection: u64,
    at: Timestamp,
    /// The capture's frame number, from 1.
    #[pyo3(get)]
    frame: Option<u64>,
    /// In which of the captures that frame stands that were opened as one, from 0.
    #[pyo3(get)]
    capture: Option<usize>,
    /// Who sent it: "client" or "server".
    #[pyo3(get)]
    side: Option<&'static str>,
    /// Where it stands in the bytes of its side.
    #[pyo3(get)]
    offset: Option<u64>,
    /// How many bytes came, are missing, or were sent again; None where the capture does not show it.
    #[pyo3(get)]
    length: Option<u64>,
    bytes: Option<Vec<u8>>,
    /// Who dialled, as (host, port), when it opens.
    #[pyo3(get)]
    client: Option<(String, u16)>,
    /// Who was dialled, as (host, port), when it opens.
    #[pyo3(get)]
    server: Option<(String, u16)>,
    /// When it opens: "seen" with its handshake, or "missed".
    #[pyo3(get)]
    start: Option<&'static str>,
    /// Of a note: "retransmission", "overlap" (the bytes differ), "discarded", "urgent", "stray_reset", "guessed_role", "damaged" or "dropped".
    #[pyo3(get)]
    note: Option<&'static str>,
}

impl Event {
    /// The event that an assembler of raw chunks yields; `None` of those that concern recorders only.
    pub(super) fn of(output: Output<'_>) -> Option<Event> {
        match output {
            Output::Message(message) => Some(Event::data(message)),
            Output::Event { event, offset } => {
                let new = Event {
                    kind: "",
                    connection: event.connection.0,
                    at: event.at,
                    frame: event.frame.map(|frame| frame.number),
                    capture: event.frame.map(|frame| frame.capture),
                    side: None,
                    offset: None,
                    length: None,
                    bytes: None,
                    client: None,
                    server: None,
                    start: None,
                    note: None,
                };
                Event { offset: Some(offset), ..new }.filled(event.kind)
            }
        }
    }

    fn data(message: Message) -> Event {
        Event {
            kind: "data",
            connection: message.connection.0,
            at: message.time,
            frame: message.frame.map(|frame| frame.number),
            capture: message.frame.map(|frame| frame.capture),
            side: Some(message.side.name()),
            offset: Some(message.offset),
            length: Some(message.raw.len() as u64),
            bytes: Some(message.raw),
            client: None,
            server: None,
            start: None,
            note: None,
        }
    }

    fn filled(self, kind: Kind<'_>) -> Option<Event> {
        Some(match kind {
            Kind::Data { .. } | Kind::Delivered { .. } => return None,
            Kind::Open { client, server, start, .. } => Event {
                kind: "open",
                offset: None,
                client: Some(net::pair(client)),
                server: Some(net::pair(server)),
                start: Some(match start {
                    Start::Seen => "seen",
                    Start::Missed => "missed",
                }),
                ..self
            },
            Kind::Gap { side, length } => {
                Event { kind: "gap", side: Some(side.name()), length, ..self }
            }
            Kind::Eof { side } => Event { kind: "eof", side: Some(side.name()), ..self },
            Kind::Reset { side } => Event { kind: "reset", side: Some(side.name()), ..self },
            Kind::Cut => Event { kind: "cut", offset: None, ..self },
            Kind::Note(note) => {
                let (name, side, length) = match note {
                    Note::Retransmission { side, length } => {
                        ("retransmission", Some(side.name()), Some(length))
                    }
                    Note::Overlap { side, length } => ("overlap", Some(side.name()), Some(length)),
                    Note::Discarded { side, length } => {
                        ("discarded", Some(side.name()), Some(length))
                    }
                    Note::Urgent { side, .. } => ("urgent", Some(side.name()), None),
                    Note::StrayReset { side } => ("stray_reset", Some(side.name()), None),
                    Note::GuessedRole => ("guessed_role", None, None),
                    // Whoever writes captures needs to know.
                    Note::Answered => return None,
                    Note::Damaged => ("damaged", None, None),
                    Note::Dropped(packets) => ("dropped", None, Some(packets)),
                };
                Event { kind: "note", note: Some(name), side, length, offset: None, ..self }
            }
        })
    }

    /// Whether bytes are missing here.
    pub(super) fn is_gap(&self) -> bool {
        self.kind == "gap"
    }
}

#[pymethods]
impl Event {
    /// When, as a datetime in UTC, to the microsecond.
    #[getter]
    fn time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        datetime(py, self.at)
    }

    /// When, in nanoseconds since 1970.
    #[getter]
    fn time_ns(&self) -> i64 {
        self.at.nanoseconds()
    }

    /// The bytes, of data.
    #[getter]
    fn bytes<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.bytes.as_deref().map(|bytes| PyBytes::new(py, bytes))
    }

    fn __repr__(&self) -> String {
        let mut words = format!("<Event {} connection={}", self.kind, self.connection);
        if let Some(note) = self.note {
            words.push_str(&format!(" {note}"));
        }
        if let Some(side) = self.side {
            words.push_str(&format!(" side={side:?}"));
        }
        if let Some(offset) = self.offset {
            words.push_str(&format!(" offset={offset}"));
        }
        if let Some(length) = self.length {
            words.push_str(&format!(" length={length}"));
        }
        if let (Some(client), Some(server)) = (&self.client, &self.server) {
            words.push_str(&format!(" {}:{} -> {}:{}", client.0, client.1, server.0, server.1));
        }
        words + &format!(" time={}>", self.at)
    }
}
