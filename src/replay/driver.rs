//! Plays one side of one recorded connection on a live socket.

mod hearing;
mod sending;

use std::time::{Duration, Instant};

use self::hearing::Wait;
use self::sending::FETCHED;
use super::clock::Clock;
use super::compare::Comparison;
use super::options::Options;
use super::pace::{Pace, Speed};
use super::peer::{Broken, Connected, Peer};
use super::receipt::ConnectionReceipt;
use super::script::{Action, Conversation};
use crate::message::Message;
use crate::net;
use crate::session::Side;
use crate::{Error, Result};

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
    let mut comparison = Comparison::new(conversation, ours.other(), &options.rules);
    comparison.stop_with(options.stop.clone());
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
            if self.options.speed == Speed::Max && position.is_multiple_of(FETCHED) {
                self.fetch(&conversation.steps[position..]);
            }
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
            self.hear_end(Wait::begun_now(self.options.patience), true).await?;
        }
        self.hear_that_all_was_taken().await
    }

    /// Waits until `due`, hearing what comes meanwhile.
    async fn pause(&mut self, due: Instant) -> Played<()> {
        // At full speed nothing is due later, and to look at the clock would cost a tenth of a write.
        while self.options.speed != Speed::Max && Instant::now() < due {
            if !self.hear_until(due).await? {
                break;
            }
        }
        Ok(())
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

    fn reset_in_the_middle(&self) -> Ending {
        Ending::Failed(format!(
            "the {} reset the connection: {} of {} messages had gone out, it is not known how many were read",
            self.ours.other(),
            self.receipt.sent,
            self.receipt.planned
        ))
    }
}
