//! Plays one side of one recorded connection on a live socket.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::time::sleep_until;

use super::compare::Comparison;
use super::pace::Pace;
use super::player::Options;
use super::receipt::ConnectionReceipt;
use super::script::{Action, Conversation, Step};
use crate::message::Message;
use crate::net;
use crate::session::{Side, Timestamp};
use crate::wire::{Arrival, Format};

/// The most that is read at once, in bytes.
const READ_SIZE: usize = 64 * 1024;
/// How often it is read before other things get their turn.
const READS_AT_ONCE: usize = 16;
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
    let mut driver = Driver {
        conversation,
        ours,
        stream: Some(stream),
        comparison: Comparison::new(conversation, ours.other(), format),
        heard_end: None,
        half_closed: false,
        pace,
        options,
        receipt: ConnectionReceipt::planned(conversation, ours),
    };
    let played = driver.play().await;
    driver.comparison.end();
    let mut receipt = driver.receipt;
    if let Err(reason) = played {
        receipt.failures.push(reason);
    }
    receipt.conclude(driver.comparison);
    receipt
}

struct Driver<'a> {
    conversation: &'a Conversation,
    ours: Side,
    /// `None` once we have aborted it.
    stream: Option<TcpStream>,
    comparison: Comparison<'a>,
    heard_end: Option<End>,
    half_closed: bool,
    pace: Pace,
    options: &'a Options,
    receipt: ConnectionReceipt,
}

/// How the peer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Eof,
    Reset,
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
        let deadline = since + recorded_wait + self.options.patience;
        while self.comparison.arrived < expected {
            if let Some(end) = self.heard_end {
                self.comparison.end();
                if self.comparison.arrived >= expected {
                    break;
                }
                let (peer, got) = (self.ours.other(), self.comparison.arrived);
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
            if !self.hear_until(deadline).await? {
                return Err(format!(
                    "stalled: the {} sent {} of {} messages, and for {:.1} s nothing more",
                    self.ours.other(),
                    self.comparison.arrived,
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
        let deadline = since + recorded_wait + self.options.patience;
        while self.heard_end.is_none() {
            if self.hear_until(deadline).await? {
                continue;
            }
            let waited = since.elapsed().as_secs_f64();
            let peer = self.ours.other();
            return match self.unacknowledged() {
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
        if self.heard_end == Some(End::Reset) && !recorded_reset {
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
        let mut deadline = Instant::now() + self.options.patience;
        while !rest.is_empty() {
            if self.heard_end == Some(End::Reset) {
                return Err(self.reset_in_the_middle());
            }
            let Some(stream) = &self.stream else { break };
            match stream.try_write(rest) {
                Ok(length) => {
                    rest = &rest[length..];
                    self.receipt.bytes_sent += length as u64;
                    deadline = Instant::now() + self.options.patience;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !self.hear_or_write_until(deadline).await? {
                        let (peer, seconds) =
                            (self.ours.other(), self.options.patience.as_secs_f64());
                        return Err(format!("stalled: the {peer} read nothing for {seconds:.1} s"));
                    }
                }
                Err(error) => return Err(self.broken(&error)),
            }
        }
        self.receipt.sent += 1;
        // An answer or a reset that is there already is heard before the next message goes out.
        self.hear()
    }

    fn half_close(&mut self) -> Played<()> {
        if let Some(stream) = self.stream.as_ref().filter(|_| !self.half_closed) {
            self.half_closed = true;
            let closed = socket2::SockRef::from(stream).shutdown(std::net::Shutdown::Write);
            if let Err(error) = closed
                && self.heard_end.is_none()
            {
                return Err(self.broken(&error));
            }
        }
        Ok(())
    }

    /// Aborts as recorded, once the peer has what was sent before: an abort discards what is on its way.
    async fn abort(&mut self, step: &Step) -> Played<()> {
        let deadline = Instant::now() + self.options.patience;
        while self.unacknowledged().is_some_and(|left| left > 0) && self.heard_end.is_none() {
            if Instant::now() >= deadline {
                let (peer, at) = (self.ours.other(), step.at.as_secs_f64());
                return Err(format!(
                    "stalled: the {peer} left bytes untaken before the reset at {at:.3} s"
                ));
            }
            self.hear_until(Instant::now() + ACKNOWLEDGED_POLL).await?;
        }
        if let Some(stream) = self.stream.take() {
            net::abort(stream);
        }
        Ok(())
    }

    /// A server that has ended before the recording says so will not take what is still to be sent. A
    /// client that half-closes early may still read.
    fn refuse_early_end(&self, end_is_due: bool) -> Played<()> {
        match self.heard_end {
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

    /// Hears what comes next; false if nothing came before `deadline`.
    async fn hear_until(&mut self, deadline: Instant) -> Played<bool> {
        let Some(stream) = self.stream.as_ref().filter(|_| self.heard_end.is_none()) else {
            return self.stop_or(sleep_until(deadline.into())).await.map(|()| false);
        };
        let ready = tokio::select! {
            ready = stream.readable() => ready.map(|()| true),
            () = sleep_until(deadline.into()) => Ok(false),
            () = self.options.stop.requested() => return Err(stopped()),
        };
        self.after(ready)
    }

    /// The same, and true also when there is room to write again.
    async fn hear_or_write_until(&mut self, deadline: Instant) -> Played<bool> {
        let Some(stream) = &self.stream else { return Ok(false) };
        let ended = self.heard_end.is_some();
        let ready = tokio::select! {
            ready = stream.readable(), if !ended => ready.map(|()| true),
            ready = stream.writable() => ready.map(|()| true),
            () = sleep_until(deadline.into()) => Ok(false),
            () = self.options.stop.requested() => return Err(stopped()),
        };
        self.after(ready)
    }

    fn after(&mut self, ready: io::Result<bool>) -> Played<bool> {
        match ready {
            Ok(true) => self.hear().map(|()| true),
            Ok(false) => Ok(false),
            Err(error) => Err(self.broken(&error)),
        }
    }

    async fn stop_or(&self, wait: impl Future<Output = ()>) -> Played<()> {
        tokio::select! {
            () = wait => Ok(()),
            () = self.options.stop.requested() => Err(stopped()),
        }
    }

    /// Takes what has arrived already, without waiting; of a peer that never pauses a part.
    fn hear(&mut self) -> Played<()> {
        for _ in 0..READS_AT_ONCE {
            let Some(stream) = self.stream.as_ref().filter(|_| self.heard_end.is_none()) else {
                break;
            };
            let mut bytes = Vec::with_capacity(READ_SIZE);
            match stream.try_read_buf(&mut bytes) {
                Ok(0) => self.heard_end = Some(End::Eof),
                Ok(_) => {
                    self.comparison.take(Arrival { at: Timestamp::now(), frame: None }, &bytes);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if net::is_reset(&error) => self.heard_end = Some(End::Reset),
                Err(error) => return Err(self.broken(&error)),
            }
        }
        Ok(())
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.stream.as_ref().and_then(net::unacknowledged)
    }

    fn all(&self) -> u64 {
        self.conversation.messages(self.ours.other())
    }

    fn broken(&self, error: &io::Error) -> String {
        if net::is_reset(error) {
            return self.reset_in_the_middle();
        }
        format!("the connection to the {} broke: {error}", self.ours.other())
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

fn stopped() -> String {
    "stopped before all was played".to_owned()
}
