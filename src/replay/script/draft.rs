//! A script while events come in.

use std::collections::HashMap;

use super::bulk::{self, Pieces};
use super::{Action, Conversation, Gap, Script, Step};
use crate::Result;
use crate::message::{Assembler, FormatsByCapture, Output};
use crate::session::{ConnectionId, Event, Frame, Kind, Sink, Timestamp};

/// Gathers a [`Script`].
#[derive(Debug, Default)]
pub(super) struct Draft {
    conversations: Vec<(Times, Conversation)>,
    places: HashMap<ConnectionId, usize>,
}

/// The recorded times of a conversation: they become distances once the earliest of all is known.
#[derive(Debug)]
struct Times {
    opened: Timestamp,
    steps: Vec<Moment>,
    pieces: Pieces,
}

/// When something happened, and in which of the capture's frames.
#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Timestamp,
    frame: Option<Frame>,
}

impl Moment {
    /// Whether it was after `other` in the capture, which a clock that was set back does not change.
    fn is_after(self, other: Moment) -> bool {
        self.frame.zip(other.frame).is_some_and(|(frame, other)| frame > other)
    }
}

impl Draft {
    /// Reads captures from `source`, which feeds the sink it is given, as `formats` say.
    ///
    /// # Errors
    /// What `source` says.
    pub(super) fn read(
        &mut self,
        formats: FormatsByCapture,
        source: impl FnOnce(&mut dyn Sink) -> Result<()>,
    ) -> Result<()> {
        let read_as = formats.clone();
        let mut assembler = Assembler::new(formats, |output: Output<'_>| {
            self.take(&read_as, output);
            Ok(())
        });
        source(&mut assembler)?;
        assembler.finish()
    }

    /// The script of all that was read.
    pub(super) fn finish(self) -> Script {
        let mut drafted = self.conversations;
        drafted.sort_by_key(|(times, _)| times.opened);
        let begun = drafted.first().map_or(Timestamp::default(), |(times, _)| times.opened);
        let conversations = drafted.into_iter().map(|(times, mut conversation)| {
            conversation.opened = times.opened.since(begun);
            conversation.due = conversation.opened;
            let mut last = times.opened;
            for (step, Moment { at, .. }) in conversation.steps.iter_mut().zip(times.steps) {
                if at < last {
                    conversation.clamped += 1;
                }
                if let Action::Send(message) = &mut step.action {
                    bulk::complete(message);
                }
                last = at.max(last);
                step.at = last.since(begun);
                step.due = step.at;
            }
            conversation
        });
        Script { conversations: conversations.collect(), absent: Vec::new() }
    }

    fn take(&mut self, formats: &FormatsByCapture, output: Output<'_>) {
        match output {
            Output::Message(message) => {
                if let Some((times, conversation)) = self.conversation(message.connection) {
                    let side = message.side;
                    let before =
                        conversation.steps.last_mut().and_then(|step| match &mut step.action {
                            Action::Send(before) if step.side == side => Some(before),
                            _ => None,
                        });
                    let goes_on =
                        times.pieces.goes_on(before.as_deref().map(|one| &**one), &message);
                    if let Some(before) = before.filter(|_| goes_on) {
                        before.raw.extend_from_slice(&message.raw);
                        return;
                    }
                    let moment = Moment { at: message.time, frame: message.frame };
                    // A message may be known to be complete only when its side ends, long after the other
                    // side has answered: it belongs where its last byte came.
                    let before =
                        times.steps.iter().zip(&conversation.steps).rposition(|(other, step)| {
                            step.side == side || !other.is_after(moment)
                        });
                    let place = before.map_or(0, |before| before + 1);
                    times.steps.insert(place, moment);
                    let step = Step::new(side, Action::Send(Box::new(message)));
                    conversation.steps.insert(place, step);
                }
            }
            Output::Event { event, offset } => self.event(formats, event, offset),
        }
    }

    fn event(&mut self, formats: &FormatsByCapture, event: &Event<'_>, offset: u64) {
        if let Kind::Open { client, server, start, .. } = event.kind {
            self.places.insert(event.connection, self.conversations.len());
            let times = Times { opened: event.at, steps: Vec::new(), pieces: Pieces::default() };
            let conversation = Conversation {
                connection: event.connection,
                formats: formats.of(event.capture(), Some(server.port())).clone(),
                client,
                server,
                opened: Default::default(),
                due: Default::default(),
                start,
                steps: Vec::new(),
                gaps: Vec::new(),
                cut: false,
                clamped: 0,
            };
            self.conversations.push((times, conversation));
            return;
        }
        let Some((times, conversation)) = self.conversation(event.connection) else { return };
        match event.kind {
            Kind::Eof { side } | Kind::Reset { side } => {
                let eof = matches!(event.kind, Kind::Eof { .. });
                let action = if eof { Action::Eof } else { Action::Reset };
                times.steps.push(Moment { at: event.at, frame: event.frame });
                conversation.steps.push(Step::new(side, action));
            }
            Kind::Gap { side, length } => conversation.gaps.push(Gap { side, offset, length }),
            Kind::Cut => conversation.cut = true,
            Kind::Open { .. } | Kind::Data { .. } | Kind::Delivered { .. } | Kind::Note(_) => {}
        }
    }

    fn conversation(&mut self, connection: ConnectionId) -> Option<&mut (Times, Conversation)> {
        self.conversations.get_mut(*self.places.get(&connection)?)
    }
}

impl Step {
    /// A step whose times are not known yet.
    fn new(side: crate::session::Side, action: Action) -> Step {
        Step { at: Default::default(), due: Default::default(), side, action }
    }
}
