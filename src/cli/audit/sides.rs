//! Which messages are pickles to look into, and what is left of a side where no more can be found.

use std::collections::BTreeMap;

use super::report::Report;
use crate::Result;
use crate::message::{Message, Output, Receive};
use crate::session::{ConnectionId, Event, Kind, Note, Selection, Side, Timestamp};
use crate::wire::pickle::{self, Limits};
use crate::wire::{Fault, FaultKind, Format, Framing};

/// How much of what follows a broken pickle is looked through, in bytes.
const AFTER: usize = 1 << 20;
/// How many broken pickles wait for what follows, at once.
const BROKEN: usize = 64;

/// Takes messages, and has those that are pickles audited.
pub(super) struct Sides<'r> {
    selection: Selection,
    limits: Limits,
    /// Pickles after which no other can be found, each with what came since.
    broken: BTreeMap<(ConnectionId, Side), Message>,
    /// How much of each side was not looked at, and as what it was read, in which capture.
    unread: BTreeMap<(ConnectionId, Side), (Format, u64, usize)>,
    report: &'r mut Report,
}

impl<'r> Sides<'r> {
    pub(super) fn new(limits: Limits, selection: Selection, report: &'r mut Report) -> Sides<'r> {
        Sides { selection, limits, broken: BTreeMap::new(), unread: BTreeMap::new(), report }
    }

    /// Says what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        while let Some((_, message)) = self.broken.pop_first() {
            self.audit_last(&message)?;
        }
        for ((connection, side), (format, length, capture)) in self.unread {
            self.report.in_capture(capture);
            self.report.unread(connection, side, &format, length)?;
        }
        Ok(())
    }

    fn message(&mut self, mut message: Message) -> Result<()> {
        if !self.takes(message.side, message.time) {
            return Ok(());
        }
        let side = (message.connection, message.side);
        // What is left of a side where no message can be found any more.
        if message.format.spelling() == "raw"
            && let Some(broken) = self.broken.get_mut(&side)
            && broken.raw.len() < AFTER
        {
            broken.raw.append(&mut message.raw);
            return Ok(());
        }
        if !is_pickle(&message.format) {
            let length = message.raw.len() as u64;
            let capture = capture_of(&message);
            let (_, unread, _) = self.unread.entry(side).or_insert((message.format, 0, capture));
            *unread += length;
            return Ok(());
        }
        if let Some(broken) = self.broken.remove(&side) {
            self.audit(&broken)?;
        }
        let lost = message.body.as_ref().is_err_and(|fault| fault.kind != FaultKind::Truncated);
        if lost && message.raw.len() < AFTER && self.broken.len() < BROKEN {
            // What follows may be more of it.
            self.broken.insert(side, message);
            return Ok(());
        }
        self.audit(&message)
    }

    fn event(&mut self, event: &Event<'_>, offset: u64) -> Result<()> {
        match event.kind {
            Kind::Gap { side, .. } => {
                self.give_broken((event.connection, side))?;
                if self.takes(side, event.at) {
                    self.report.in_capture(event.capture());
                    return self.report.gap(event, offset);
                }
            }
            Kind::Eof { side } => return self.give_broken((event.connection, side)),
            Kind::Reset { .. } | Kind::Cut => {
                for side in Side::BOTH {
                    self.give_broken((event.connection, side))?;
                }
            }
            Kind::Note(Note::Overlap { side, length }) if self.takes(side, event.at) => {
                self.report.in_capture(event.capture());
                return self.report.contradiction(event, side, length);
            }
            Kind::Open { .. } | Kind::Data { .. } | Kind::Delivered { .. } | Kind::Note(_) => {}
        }
        Ok(())
    }

    fn takes(&self, side: Side, at: Timestamp) -> bool {
        self.selection.takes_side(side) && self.selection.takes_time(at)
    }

    fn give_broken(&mut self, side: (ConnectionId, Side)) -> Result<()> {
        match self.broken.remove(&side) {
            Some(message) => self.audit_last(&message),
            None => Ok(()),
        }
    }

    /// A broken pickle after which no other was found on its side.
    fn audit_last(&mut self, message: &Message) -> Result<()> {
        self.audit(message)?;
        if message.format.framing() == Framing::Codec
            && let Err(fault) = &message.body
        {
            self.report.not_read_on(message.raw.len().saturating_sub(fault.at) as u64);
        }
        Ok(())
    }

    fn audit(&mut self, message: &Message) -> Result<()> {
        let pickle = message.format.framing().unwrap(&message.raw);
        let header = message.raw.len() - pickle.len();
        let mut audit = pickle::audit(pickle, &self.limits);
        if let Err(fault) = &message.body {
            let at = fault.at.saturating_sub(header);
            audit.blame(Fault { at, ..fault.clone() });
        }
        self.report.in_capture(capture_of(message));
        self.report.pickle(message, header, audit)
    }
}

/// Which of the captures that are read as one it was complete in.
fn capture_of(message: &Message) -> usize {
    message.frame.map_or(0, |frame| frame.capture)
}

/// Whether messages of this format are pickles, decoded or not.
pub(super) fn is_pickle(format: &Format) -> bool {
    format.spelling().split('/').next() == Some("pickle")
}

impl Receive for Sides<'_> {
    fn receive(&mut self, output: Output<'_>) -> Result<()> {
        match output {
            Output::Message(message) => self.message(message),
            Output::Event { event, offset } => self.event(event, offset),
        }
    }
}
