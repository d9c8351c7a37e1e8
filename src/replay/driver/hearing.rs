//! What is waited for before something of ours, and for how long.
//!
//! What the recording has the peer do before something of ours is waited for. Where the two stand so
//! near together that a recorder cannot tell their order, it is waited for a while only, and our message
//! is sent: a peer that itself waits for it would otherwise hold both up for ever. Nothing later of ours
//! is done before the peer's message has come after all.

use std::time::{Duration, Instant};

use super::{Driver, Ending, Played};
use crate::message::Message;
use crate::replay::pace::later;
use crate::replay::peer::End;
use crate::replay::script::{Action, Step};
use crate::session::Side;

/// How often it is looked whether the peer's kernel has everything: the system does not tell by itself.
pub(super) const ACKNOWLEDGED_POLL: Duration = Duration::from_millis(5);
/// Two sides that did something within this time may have done it in the other order: what a proxy
/// reads first need not have been sent first, and a card may hand over packets out of order.
const CROSSING: Duration = Duration::from_millis(1);
/// The part of the patience that is spent on waiting for what may have crossed.
const CROSSING_PATIENCE: u32 = 5;

/// How long something of the peer is waited for.
pub(super) struct Wait {
    pub(super) since: Instant,
    pub(super) deadline: Instant,
    /// Whether to go on without it: it may have crossed what we do next.
    pub(super) may_cross: bool,
}

impl Wait {
    /// For the patience, and not without it.
    pub(super) fn begun_now(patience: Duration) -> Wait {
        let since = Instant::now();
        Wait { since, deadline: later(since, patience), may_cross: false }
    }
}

impl Driver<'_> {
    /// How long `step` of the peer is waited for, before the `next` of ours.
    pub(super) fn wait(
        &mut self,
        step: &Step,
        next: Option<&Step>,
        recorded_wait: Duration,
    ) -> Wait {
        let may_cross = next.is_some_and(|next| match (&step.action, &next.action) {
            // Two that end cut nothing off.
            (Action::Eof, Action::Eof) => is_near(step.at, next),
            _ => is_crossing(step.at, next),
        });
        let patience = self.options.patience;
        let patience = if may_cross { patience / CROSSING_PATIENCE } else { patience };
        let since = Instant::now();
        let mut deadline = later(since, recorded_wait.saturating_add(patience));
        if may_cross {
            deadline = *self.crossing.get_or_insert(deadline);
        }
        Wait { since, deadline, may_cross }
    }

    /// Before a message of ours: whether it overtakes something.
    pub(super) fn mark_reordered(&mut self) {
        self.crossing = None;
        let arrived = self.peer.comparison.arrived;
        if self.overtaken.is_some_and(|(_, expected, _)| arrived < expected) {
            self.receipt.reordered += 1;
        }
    }

    /// Before `step` of ours: what was overtaken must have come, unless this, too, was recorded too near
    /// to it.
    pub(super) async fn hear_overtaken(&mut self, step: &Step) -> Played<()> {
        match self.overtaken {
            Some((at, ..)) if is_crossing(at, step) => Ok(()),
            _ => self.hear_what_was_overtaken().await,
        }
    }

    pub(super) async fn hear_what_was_overtaken(&mut self) -> Played<()> {
        if let Some((_, expected, message)) = self.overtaken.take() {
            let wait = Wait::begun_now(self.options.patience);
            self.hear_messages(expected, message, wait).await?;
        }
        Ok(())
    }

    /// Waits until so many recorded messages came, `message` the last of them; false if they did not,
    /// and the next one of ours may go out before.
    pub(super) async fn hear_messages(
        &mut self,
        expected: u64,
        message: &Message,
        wait: Wait,
    ) -> Played<bool> {
        while self.peer.comparison.arrived < expected {
            if let Some(end) = self.peer.end {
                self.peer.comparison.end();
                if self.peer.comparison.arrived >= expected {
                    break;
                }
                let theirs = self.conversation.steps.iter();
                let mut theirs = theirs.filter_map(|step| step.message_of(self.ours.other()));
                let arrived = usize::try_from(self.peer.comparison.arrived).unwrap_or(usize::MAX);
                let missing = theirs.nth(arrived).map_or(message.index, |next| next.index);
                return Err(Ending::Failed(format!(
                    "the {} {} after {} of {} messages, before message {missing}",
                    self.ours.other(),
                    match end {
                        End::Eof => "closed",
                        End::Reset => "reset the connection",
                    },
                    self.peer.comparison.arrived,
                    self.all(),
                )));
            }
            let in_time = self.hear_until(wait.deadline).await?;
            if in_time || self.peer.end.is_some() || self.peer.comparison.arrived >= expected {
                continue;
            }
            if wait.may_cross {
                self.allowed = self.allowed.max(wait.deadline);
                return Ok(false);
            }
            let (arrived, all) = (self.peer.comparison.arrived, self.all());
            let what = format!(
                "to send message {} ({} bytes): {arrived} of {all} messages came",
                message.index,
                message.raw.len()
            );
            return Err(self.stalled(&wait, &what));
        }
        self.crossing = None;
        // From when it came, not from when it had been compared: that time is ours.
        self.allowed = self.allowed.max(self.peer.completed(expected).unwrap_or(self.begun));
        Ok(true)
    }

    /// Waits until the peer has ended, or may have ended after what is ours to do next. Of a server of
    /// which nothing of ours depends it is enough that its kernel has acknowledged all we sent.
    pub(super) async fn hear_end(&mut self, wait: Wait, last: bool) -> Played<()> {
        while self.peer.end.is_none() {
            let in_time = self.hear_until(wait.deadline).await?;
            self.allowed = Instant::now();
            if in_time || self.peer.end.is_some() {
                continue;
            }
            let (waited, peer) = (wait.since.elapsed().as_secs_f64(), self.ours.other());
            return match self.peer.unacknowledged() {
                _ if wait.may_cross => {
                    self.receipt.reordered += u64::from(!last);
                    Ok(())
                }
                Some(0) if last && self.ours == Side::Client => {
                    self.end_waived = true;
                    self.receipt.notes.push(format!(
                        "the {peer} took every byte, but did not close within {waited:.1} s"
                    ));
                    Ok(())
                }
                Some(left) if left > 0 => {
                    let what = format!("to take {left} bytes");
                    Err(self.stalled(&wait, &what))
                }
                _ => Err(self.stalled(&wait, "to close")),
            };
        }
        let closed_first = self.recorded_ends().next().is_none_or(|end| matches!(end, Action::Eof));
        match self.peer.end {
            Some(End::Reset) if !self.reset_was_recorded() => {
                return Err(self.reset_in_the_middle());
            }
            Some(End::Eof) if !closed_first => {
                let note = format!("the {} closed, and was recorded to reset", self.ours.other());
                self.receipt.notes.push(note);
            }
            _ => {}
        }
        Ok(())
    }

    /// Waits until the peer's kernel has all that we sent: one that has closed may still refuse it, by a
    /// reset that comes after its end.
    pub(super) async fn hear_that_all_was_taken(&mut self) -> Played<()> {
        let wait = Wait::begun_now(self.options.patience);
        while self.peer.end != Some(End::Reset)
            && let Some(left @ 1..) = self.peer.unacknowledged()
        {
            if self.peer.is_broken() {
                return if self.reset_was_recorded() {
                    Ok(())
                } else {
                    Err(self.reset_in_the_middle())
                };
            }
            if Instant::now() >= wait.deadline {
                return Err(self.stalled(&wait, &format!("to take {left} bytes")));
            }
            self.hear_until(Instant::now() + ACKNOWLEDGED_POLL).await?;
        }
        match self.peer.end {
            Some(End::Eof) if self.peer.is_broken() && !self.reset_was_recorded() => {
                Err(self.reset_in_the_middle())
            }
            _ => Ok(()),
        }
    }

    fn reset_was_recorded(&self) -> bool {
        self.recorded_ends().any(|end| matches!(end, Action::Reset))
    }

    /// How the recording has the peer end.
    fn recorded_ends(&self) -> impl Iterator<Item = &Action> {
        let theirs = self.conversation.steps.iter().filter(|step| step.side != self.ours);
        theirs.map(|step| &step.action).filter(|action| !matches!(action, Action::Send(_)))
    }

    /// The peer was waited for in vain: for what, on which connection, since when.
    pub(super) fn stalled(&mut self, wait: &Wait, what: &str) -> Ending {
        self.receipt.stalls += 1;
        Ending::Failed(format!(
            "stalled: connection {} waited {:.1} s, since {:.3} s after it opened, for the {} {what}",
            self.conversation.connection,
            wait.since.elapsed().as_secs_f64(),
            (wait.since - self.begun).as_secs_f64(),
            self.ours.other(),
        ))
    }

    fn all(&self) -> u64 {
        self.conversation.messages(self.ours.other())
    }
}

/// Whether a message of ours may have crossed what the peer did at `at`. An end may not: what it cuts off
/// is lost.
fn is_crossing(at: Duration, ours: &Step) -> bool {
    matches!(ours.action, Action::Send(_)) && is_near(at, ours)
}

/// Whether what we did may have been before what the peer did at `at`, for all that a recorder can tell.
fn is_near(at: Duration, ours: &Step) -> bool {
    ours.at.saturating_sub(at) < CROSSING
}
