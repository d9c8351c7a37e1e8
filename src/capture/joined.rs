//! What one event's bytes or gap became several segments of, as one event again.

use super::mark::{Frame, Mark};
use crate::Result;
use crate::session::{Event, Kind, Side, Sink};

/// How many bytes are put together at most: no read, and no segment of a network, brings more.
const MOST: usize = 16 * 1024 * 1024;

/// The parts that wait for the one that ends them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    waiting: Option<Part>,
}

#[derive(Debug)]
struct Part {
    /// When, where and in which frame the latest came.
    latest: Event<'static>,
    side: Side,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Bytes(Vec<u8>),
    Missing(Option<u64>),
}

impl Parts {
    /// The sink for the events of one frame that the writer made; what is complete goes to `sink`.
    pub(super) fn joining<'a>(&'a mut self, frame: Frame, sink: &'a mut dyn Sink) -> Joining<'a> {
        Joining { parts: self, frame, sink }
    }

    /// Hands out what waits: its end does not come.
    pub(super) fn flush(&mut self, sink: &mut dyn Sink) -> Result<()> {
        let Some(Part { latest, side, body }) = self.waiting.take() else { return Ok(()) };
        let kind = match &body {
            Body::Bytes(bytes) => Kind::Data { side, bytes },
            Body::Missing(length) => Kind::Gap { side, length: *length },
        };
        sink.event(&Event { kind, ..latest })
    }

    /// What waits, if `event` brings more of it.
    fn before(&mut self, event: &Event<'_>) -> Option<Body> {
        let is_more = |part: &mut Part| {
            let Part { latest, side: own, body } = part;
            let (Kind::Data { side, .. } | Kind::Gap { side, .. }) = event.kind else {
                return false;
            };
            let fits = match (body, event.kind) {
                (Body::Bytes(held), Kind::Data { bytes, .. }) => held.len() + bytes.len() <= MOST,
                (Body::Missing(_), Kind::Gap { .. }) => true,
                _ => false,
            };
            let of = |event: &Event<'_>| (event.connection, event.at);
            fits && *own == side && of(latest) == of(event)
        };
        self.waiting.take_if(is_more).map(|part| part.body)
    }
}

/// Puts the events of one frame behind the parts before it.
pub(super) struct Joining<'a> {
    parts: &'a mut Parts,
    frame: Frame,
    sink: &'a mut dyn Sink,
}

impl Sink for Joining<'_> {
    fn event(&mut self, event: &Event<'_>) -> Result<()> {
        let before = self.parts.before(event);
        self.parts.flush(self.sink)?;
        let (side, body) = match (event.kind, before) {
            (Kind::Data { side, bytes }, Some(Body::Bytes(mut held))) => {
                held.extend_from_slice(bytes);
                (side, Body::Bytes(held))
            }
            (Kind::Data { side, bytes }, _) if self.frame.goes_on => {
                (side, Body::Bytes(bytes.to_vec()))
            }
            (Kind::Gap { side, length }, before) => {
                let before = match before {
                    Some(Body::Missing(length)) => length,
                    _ => Some(0),
                };
                let sum = before.zip(length).map(|(before, length)| before.saturating_add(length));
                let length = match self.frame.mark {
                    Some(Mark::Gap(length)) => length,
                    _ => sum,
                };
                (side, Body::Missing(length))
            }
            // What came in one segment, as nearly all does, is not copied.
            _ => return self.sink.event(event),
        };
        self.parts.waiting = Some(Part { latest: Event { kind: Kind::Cut, ..*event }, side, body });
        if self.frame.goes_on { Ok(()) } else { self.parts.flush(self.sink) }
    }
}
