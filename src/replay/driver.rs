//! Plays one side of one recorded connection on a live socket.
//!
//! What the recording has the peer do before something of ours is waited for. Where the two stand so
//! near together that a recorder cannot tell their order, it is waited for a while only, and our message
//! is sent: a peer that itself waits for it would otherwise hold both up for ever. Nothing later of ours
//! is done before the peer's message has come after all.

use std::time::{Duration, Instant};

use tokio::task::coop::consume_budget;

use super::clock::Clock;
use super::compare::Comparison;
use super::options::Options;
use super::pace::{Pace, Speed, later};
use super::peer::{Broken, Connected, End, Peer};
use super::receipt::ConnectionReceipt;
use super::script::{Action, Conversation, Step};
use crate::message::Message;
use crate::net;
use crate::session::Side;
use crate::{Error, Result};

/// How often it is looked whether the peer's kernel has everything: the system does not tell by itself.
const ACKNOWLEDGED_POLL: Duration = Duration::from_millis(5);
/// Two sides that did something within this time may have done it in the other order: what a proxy
/// reads first need not have been sent first, and a card may hand over packets out of order.
const CROSSING: Duration = Duration::from_millis(1);
/// The part of the patience that is spent on waiting for what may have crossed.
const CROSSING_PATIENCE: u32 = 5;

/// Plays the messages of `ours` on a connection and compares what comes back, and says how it went.
///
/// # Errors
/// What the sink says that takes the replay down.
pub(super) async fn drive(
    conversation: &Conversation,
    ours: Side,
    connected: Connected,
    pace: Pace,
    clock: &Clock,
    options: &Options,
) -> Result<ConnectionReceipt> {
    let comparison = Comparison::new(conversation, ours.other(), &options.rules);
    let begun = Instant::now();
    let mut driver = Driver {
        conversation,
        ours,
        peer: Peer::new(connected, ours, comparison, clock, options)?,
        pace,
        options,
        receipt: ConnectionReceipt::planned(conversation, ours),
        begun,
        allowed: begun,
        overtaken: None,
        crossing: None,
        end_waived: false,
    };
    let played = driver.play().await;
    let Driver { mut peer, mut receipt, .. } = driver;
    peer.comparison.end();
    match played {
        Ok(()) => {}
        Err(Ending::Failed(reason)) => receipt.failures.push(reason),
        Err(Ending::Unrecorded(error)) => return Err(error),
    }
    receipt.conclude(peer.comparison);
    Ok(receipt)
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

struct Driver<'a> {
    conversation: &'a Conversation,
    ours: Side,
    peer: Peer<'a>,
    pace: Pace,
    options: &'a Options,
    receipt: ConnectionReceipt,
    begun: Instant,
    /// Since when the peer has not been holding us up.
    allowed: Instant,
    /// What of the peer should have come before something of ours that went out: when it was recorded,
    /// how many messages should have come, and the last of them.
    overtaken: Option<(Duration, u64, &'a Message)>,
    /// Until when what may have crossed is waited for; all that stands together shares one wait, begun
    /// anew by whatever comes.
    crossing: Option<Instant>,
    /// Whether the peer's end is waited for no longer.
    end_waived: bool,
}

/// Why playing cannot go on.
enum Ending {
    /// In words for the receipt.
    Failed(String),
    /// What was to be taken down could not be.
    Unrecorded(Error),
}

type Played<T> = std::result::Result<T, Ending>;

/// How long something of the peer is waited for.
struct Wait {
    since: Instant,
    deadline: Instant,
    /// Whether to go on without it: it may have crossed what we do next.
    may_cross: bool,
}

impl<'a> Driver<'a> {
    async fn play(&mut self) -> Played<()> {
        let conversation: &'a Conversation = self.conversation;
        let mut expected = 0;
        let mut end_is_due = false;
        let mut previous = conversation.opened;
        let mut next = 0;
        for (position, step) in conversation.steps.iter().enumerate() {
            let recorded_wait = step.at.saturating_sub(previous);
            previous = step.at;
            if step.side == self.ours {
                self.hear_overtaken(step).await?;
                let due = self.pace.due(step.due);
                self.pause(due).await?;
                match &step.action {
                    Action::Send(message) => {
                        self.refuse_early_end(end_is_due)?;
                        self.mark_reordered();
                        self.send(message, due).await?;
                    }
                    Action::Eof => self.half_close()?,
                    Action::Reset => return self.abort().await,
                }
                continue;
            }
            let rest = &conversation.steps[position + 1..];
            // Looked for once, however much the peer says before it.
            if next <= position {
                let found = rest.iter().position(|later| later.side == self.ours);
                next = found.map_or(usize::MAX, |further| position + 1 + further);
            }
            let wait = self.wait(step, conversation.steps.get(next), recorded_wait);
            match &step.action {
                Action::Send(message) => {
                    expected += 1;
                    if !self.hear_messages(expected, message, wait).await? {
                        let at = self.overtaken.map_or(step.at, |(at, ..)| at);
                        self.overtaken = Some((at, expected, message));
                    }
                }
                Action::Eof | Action::Reset => {
                    end_is_due = true;
                    let last = rest.iter().all(|later| later.message_of(self.ours).is_none());
                    self.hear_end(wait, last).await?;
                }
            }
        }
        self.hear_what_was_overtaken().await?;
        let owed = match end_is_due {
            true => self.peer.end.is_none() && !self.end_waived,
            false => self.ours == Side::Client,
        };
        if owed {
            // Of a server the recording may not show the end. Its close is not required then, but a
            // reset in its place says that it did not take what it was sent.
            if self.ours == Side::Client {
                self.half_close()?;
            }
            let since = Instant::now();
            let deadline = later(since, self.options.patience);
            self.hear_end(Wait { since, deadline, may_cross: false }, true).await?;
        }
        Ok(())
    }

    /// How long `step` of the peer is waited for, before the `next` of ours.
    fn wait(&mut self, step: &Step, next: Option<&Step>, recorded_wait: Duration) -> Wait {
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
    fn mark_reordered(&mut self) {
        self.crossing = None;
        let arrived = self.peer.comparison.arrived;
        if self.overtaken.is_some_and(|(_, expected, _)| arrived < expected) {
            self.receipt.reordered += 1;
        }
    }

    /// Before `step` of ours: what was overtaken must have come, unless this, too, was recorded too near
    /// to it.
    async fn hear_overtaken(&mut self, step: &Step) -> Played<()> {
        match self.overtaken {
            Some((at, ..)) if is_crossing(at, step) => Ok(()),
            _ => self.hear_what_was_overtaken().await,
        }
    }

    async fn hear_what_was_overtaken(&mut self) -> Played<()> {
        if let Some((_, expected, message)) = self.overtaken.take() {
            let since = Instant::now();
            let deadline = later(since, self.options.patience);
            let wait = Wait { since, deadline, may_cross: false };
            self.hear_messages(expected, message, wait).await?;
        }
        Ok(())
    }

    /// Waits until so many recorded messages came, `message` the last of them; false if they did not,
    /// and the next one of ours may go out before.
    async fn hear_messages(
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
                return Err(Ending::Failed(format!(
                    "the {} {} after {} of {} messages",
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
    async fn hear_end(&mut self, wait: Wait, last: bool) -> Played<()> {
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
        let theirs = self.conversation.steps.iter().filter(|step| step.side != self.ours);
        let mut ends = theirs.filter(|step| !matches!(step.action, Action::Send(_))).peekable();
        let closed_first = ends.peek().is_none_or(|end| matches!(end.action, Action::Eof));
        let recorded_reset = ends.any(|end| matches!(end.action, Action::Reset));
        match self.peer.end {
            Some(End::Reset) if !recorded_reset => return Err(self.reset_in_the_middle()),
            Some(End::Eof) if !closed_first => {
                let note = format!("the {} closed, and was recorded to reset", self.ours.other());
                self.receipt.notes.push(note);
            }
            _ => {}
        }
        Ok(())
    }

    /// Waits until `due`, hearing what comes meanwhile.
    async fn pause(&mut self, due: Instant) -> Played<()> {
        // A peer that takes everything at once never has us wait, and only waiting hears of a stop.
        if self.options.stop.is_requested() {
            return self.told(Err(Broken::Stopped));
        }
        while Instant::now() < due {
            if !self.hear_until(due).await? {
                break;
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &Message, due: Instant) -> Played<()> {
        let bytes = self.peer.comparison.outgoing(message).map_err(|reason| {
            Ending::Failed(format!("message {} could not be sent: {reason}", message.index))
        })?;
        let mut rest = &*bytes;
        self.told(self.peer.say(rest))?;
        let mut since = Instant::now();
        // At full speed nothing has a time to keep.
        if self.options.speed != Speed::Max {
            self.receipt.timing.get_or_insert_default().record(due, self.allowed, since);
        }
        while !rest.is_empty() {
            if self.peer.end == Some(End::Reset) {
                return Err(self.reset_in_the_middle());
            }
            let written = self.peer.try_write(rest);
            let length = self.told(written)?;
            rest = &rest[length..];
            self.receipt.bytes_sent += length as u64;
            if length > 0 {
                since = Instant::now();
                continue;
            }
            let deadline = later(since, self.options.patience);
            let heard = self.peer.hear_or_write_until(deadline).await;
            if !self.told(heard)? {
                let wait = Wait { since, deadline, may_cross: false };
                let left = rest.len();
                let what = format!("to read: {left} bytes of message {} are left", message.index);
                return Err(self.stalled(&wait, &what));
            }
            self.allowed = Instant::now();
        }
        self.receipt.sent += 1;
        // An answer or a reset that is there already is heard before the next message goes out.
        let heard = self.peer.hear();
        self.told(heard)?;
        // One that never has to wait would keep other connections from being heard.
        consume_budget().await;
        Ok(())
    }

    fn half_close(&mut self) -> Played<()> {
        let closed = self.peer.half_close();
        self.told(closed)
    }

    /// Aborts as recorded, once the peer has what was sent before: an abort discards what is on its way.
    async fn abort(&mut self) -> Played<()> {
        let since = Instant::now();
        let deadline = later(since, self.options.patience);
        while self.peer.end.is_none()
            && let Some(left @ 1..) = self.peer.unacknowledged()
        {
            if Instant::now() >= deadline {
                let wait = Wait { since, deadline, may_cross: false };
                let what = format!("to take {left} bytes, before a reset");
                return Err(self.stalled(&wait, &what));
            }
            self.hear_until(Instant::now() + ACKNOWLEDGED_POLL).await?;
        }
        let aborted = self.peer.abort();
        self.told(aborted)
    }

    /// A server that has ended before the recording says so will not take what is still to be sent. A
    /// client that half-closes early may still read.
    fn refuse_early_end(&self, end_is_due: bool) -> Played<()> {
        match self.peer.end {
            Some(End::Reset) => Err(self.reset_in_the_middle()),
            Some(End::Eof) if !end_is_due && self.ours == Side::Client => {
                Err(Ending::Failed(format!(
                    "the {} closed before all was sent: {} of {} messages had gone out",
                    self.ours.other(),
                    self.receipt.sent,
                    self.receipt.planned
                )))
            }
            _ => Ok(()),
        }
    }

    fn all(&self) -> u64 {
        self.conversation.messages(self.ours.other())
    }

    /// Hears what comes next; false at `deadline`.
    async fn hear_until(&mut self, deadline: Instant) -> Played<bool> {
        let heard = self.peer.hear_until(deadline).await;
        self.told(heard)
    }

    /// What became of talking to the peer, in words where it failed.
    fn told<T>(&self, outcome: std::result::Result<T, Broken>) -> Played<T> {
        outcome.map_err(|broken| match broken {
            Broken::Stopped => Ending::Failed("stopped before all was played".to_owned()),
            Broken::Unrecorded(error) => Ending::Unrecorded(error),
            Broken::Connection(error) if net::is_reset(&error) => self.reset_in_the_middle(),
            Broken::Connection(error) => Ending::Failed(format!(
                "the connection to the {} broke: {error}",
                self.ours.other()
            )),
        })
    }

    /// The peer was waited for in vain: for what, on which connection, since when.
    fn stalled(&mut self, wait: &Wait, what: &str) -> Ending {
        self.receipt.stalls += 1;
        Ending::Failed(format!(
            "stalled: connection {} waited {:.1} s, since {:.3} s after it opened, for the {} {what}",
            self.conversation.connection,
            wait.since.elapsed().as_secs_f64(),
            (wait.since - self.begun).as_secs_f64(),
            self.ours.other(),
        ))
    }

    fn reset_in_the_middle(&self) -> Ending {
        Ending::Failed(format!(
            "the {} reset the connection: {} of {} messages had gone out, it is not known how many were read",
            self.ours.other(),
            self.receipt.sent,
            self.receipt.planned
        ))
    }
}
