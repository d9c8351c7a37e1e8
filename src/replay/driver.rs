//! Plays one side of one recorded connection on a live socket.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::compare::Comparison;
use super::pace::{Pace, later};
use super::peer::{Broken, End, Peer};
use super::player::Options;
use super::receipt::ConnectionReceipt;
use super::script::{Action, Conversation, Step};
use crate::message::Message;
use crate::net;
use crate::session::Side;
use crate::wire::Format;

/// How often it is looked whether the peer's kernel has everything: the system does not tell by itself.
const ACKNOWLEDGED_POLL: Duration = Duration::from_millis(5);

/// Plays the messages of `ours` on `stream` and compares what comes back, and says how it went.
pub(super) async fn drive(
    conversation: &Conversation,
    ours: Side,
    stream: TcpStream,
    format: &Format,
    pace: Pace,
    options: &Options,
) -> ConnectionReceipt {
    let comparison = Comparison::new(conversation, ours.other(), format);
    let mut driver = Driver {
        conversation,
        ours,
        peer: Peer::new(stream, comparison, &options.stop),
        pace,
        options,
        receipt: ConnectionReceipt::planned(conversation, ours),
    };
    let played = driver.play().await;
    let Driver { mut peer, mut receipt, .. } = driver;
    peer.comparison.end();
    if let Err(reason) = played {
        receipt.failures.push(reason);
    }
    receipt.conclude(peer.comparison);
    receipt
}

struct Driver<'a> {
    conversation: &'a Conversation,
    ours: Side,
    peer: Peer<'a>,
    pace: Pace,
    options: &'a Options,
    receipt: ConnectionReceipt,
}

/// Why playing cannot go on, in words for the receipt.
type Played<T> = Result<T, String>;

impl Driver<'_> {
    async fn play(&mut self) -> Played<()> {
        let conversation = self.conversation;
        let mut expected = 0;
        let mut end_is_due = false;
        let mut previous = conversation.opened;
        for (position, step) in conversation.steps.iter().enumerate() {
            let recorded_wait = step.at.saturating_sub(previous);
            previous = step.at;
            if step.side != self.ours {
                match step.action {
                    Action::Send(_) => {
                        expected += 1;
                        self.hear_messages(expected, recorded_wait).await?;
                    }
                    Action::Eof | Action::Reset => {
                        end_is_due = true;
                        let last = conversation.steps[position + 1..]
                            .iter()
                            .all(|later| later.message_of(self.ours).is_none());
                        self.hear_end(recorded_wait, last).await?;
                    }
                }
                continue;
            }
            self.pause(self.pace.due(step.at)).await?;
            match &step.action {
                Action::Send(message) => {
                    self.refuse_early_end(end_is_due)?;
                    self.send(message).await?;
                }
                Action::Eof => self.half_close()?,
                Action::Reset => return self.abort(step).await,
            }
        }
        if self.ours == Side::Client && !end_is_due {
            // The recording does not show the server's end. Its close is not required, but a reset in
            // its place says that it did not take what it was sent.
            self.half_close()?;
            self.hear_end(Duration::ZERO, true).await?;
        }
        Ok(())
    }

    /// Waits until so many recorded messages came.
    async fn hear_messages(&mut self, expected: u64, recorded_wait: Duration) -> Played<()> {
        let since = Instant::now();
        let deadline = later(since, recorded_wait.saturating_add(self.options.patience));
        while self.peer.comparison.arrived < expected {
            if let Some(end) = self.peer.end {
                self.peer.comparison.end();
                if self.peer.comparison.arrived >= expected {
                    break;
                }
                let (peer, got) = (self.ours.other(), self.peer.comparison.arrived);
                return Err(match end {
                    End::Eof => format!("the {peer} closed after {got} of {} messages", self.all()),
                    End::Reset => {
                        format!(
                            "the {peer} reset the connection after {got} of {} messages",
                            self.all()
                        )
                    }
                });
            }
            let in_time = self.hear_until(deadline).await?;
            if !in_time && self.peer.end.is_none() && self.peer.comparison.arrived < expected {
                return Err(format!(
                    "stalled: the {} sent {} of {} messages, and for {:.1} s nothing more",
                    self.ours.other(),
                    self.peer.comparison.arrived,
                    self.all(),
                    since.elapsed().as_secs_f64()
                ));
            }
        }
        Ok(())
    }

    /// Waits until the peer has ended. If nothing of ours depends on it, it is enough that the peer's
    /// kernel took every byte.
    async fn hear_end(&mut self, recorded_wait: Duration, last: bool) -> Played<()> {
        if last && self.ours == Side::Client {
            self.half_close()?;
        }
        let since = Instant::now();
        let deadline = later(since, recorded_wait.saturating_add(self.options.patience));
        while self.peer.end.is_none() {
            if self.hear_until(deadline).await? || self.peer.end.is_some() {
                continue;
            }
            let waited = since.elapsed().as_secs_f64();
            let peer = self.ours.other();
            return match self.peer.unacknowledged() {
                Some(0) if last && self.ours == Side::Client => {
                    self.receipt.notes.push(format!(
                        "the {peer} took every byte, but did not close within {waited:.1} s"
                    ));
                    Ok(())
                }
                Some(left) if left > 0 => {
                    Err(format!("stalled: the {peer} left {left} bytes untaken for {waited:.1} s"))
                }
                _ => Err(format!("stalled: the {peer} did not close within {waited:.1} s")),
            };
        }
        let recorded_reset = self
            .conversation
            .steps
            .iter()
            .any(|step| step.side != self.ours && matches!(step.action, Action::Reset));
        if self.peer.end == Some(End::Reset) && !recorded_reset {
            return Err(self.reset_in_the_middle());
        }
        Ok(())
    }

    /// Waits until `due`, hearing what comes meanwhile.
    async fn pause(&mut self, due: Instant) -> Played<()> {
        while Instant::now() < due {
            if !self.hear_until(due).await? {
                break;
            }
        }
        Ok(())
    }

    async fn send(&mut self, message: &Message) -> Played<()> {
        let mut rest = message.raw.as_slice();
        let mut deadline = later(Instant::now(), self.options.patience);
        while !rest.is_empty() {
            if self.peer.end == Some(End::Reset) {
                return Err(self.reset_in_the_middle());
            }
            let written = self.peer.try_write(rest);
            let length = self.told(written)?;
            rest = &rest[length..];
            self.receipt.bytes_sent += length as u64;
            if length > 0 {
                deadline = later(Instant::now(), self.options.patience);
                continue;
            }
            let heard = self.peer.hear_or_write_until(deadline).await;
            if !self.told(heard)? {
                let (peer, seconds) = (self.ours.other(), self.options.patience.as_secs_f64());
                return Err(format!("stalled: the {peer} read nothing for {seconds:.1} s"));
            }
        }
        self.receipt.sent += 1;
        // An answer or a reset that is there already is heard before the next message goes out.
        let heard = self.peer.hear();
        self.told(heard)
    }

    fn half_close(&mut self) -> Played<()> {
        let closed = self.peer.half_close();
        self.told(closed)
    }

    /// Aborts as recorded, once the peer has what was sent before: an abort discards what is on its way.
    async fn abort(&mut self, step: &Step) -> Played<()> {
        let deadline = later(Instant::now(), self.options.patience);
        while self.peer.unacknowledged().is_some_and(|left| left > 0) && self.peer.end.is_none() {
            if Instant::now() >= deadline {
                let (peer, at) = (self.ours.other(), step.at.as_secs_f64());
                return Err(format!(
                    "stalled: the {peer} left bytes untaken before the reset at {at:.3} s"
                ));
            }
            self.hear_until(Instant::now() + ACKNOWLEDGED_POLL).await?;
        }
        self.peer.abort();
        Ok(())
    }

    /// A server that has ended before the recording says so will not take what is still to be sent. A
    /// client that half-closes early may still read.
    fn refuse_early_end(&self, end_is_due: bool) -> Played<()> {
        match self.peer.end {
            Some(End::Reset) => Err(self.reset_in_the_middle()),
            Some(End::Eof) if !end_is_due && self.ours == Side::Client => Err(format!(
                "the {} closed before all was sent: {} of {} messages had gone out",
                self.ours.other(),
                self.receipt.sent,
                self.receipt.planned
            )),
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
    fn told<T>(&self, outcome: Result<T, Broken>) -> Played<T> {
        outcome.map_err(|broken| match broken {
            Broken::Stopped => "stopped before all was played".to_owned(),
            Broken::Connection(error) if net::is_reset(&error) => self.reset_in_the_middle(),
            Broken::Connection(error) => {
                format!("the connection to the {} broke: {error}", self.ours.other())
            }
        })
    }

    fn reset_in_the_middle(&self) -> String {
        format!(
            "the {} reset the connection: {} of {} messages had gone out, it is not known how many were read",
            self.ours.other(),
            self.receipt.sent,
            self.receipt.planned
        )
    }
}
