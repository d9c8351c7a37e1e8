//! What is done on our side: sending, half-closing, aborting.

use std::hint::black_box;
use std::time::Instant;

use tokio::task::yield_now;

use super::hearing::{ACKNOWLEDGED_POLL, Wait};
use super::{Driver, Ending, Played};
use crate::message::Message;
use crate::replay::pace::{Speed, later};
use crate::replay::peer::{Broken, End};
use crate::replay::script::Step;
use crate::session::Side;

/// How many messages are sent at most before other connections have their turn. It costs the time of
/// some ten messages, since another thread wakes up to see whether there is work for it.
const TURN: u64 = 1024;
/// How many steps are brought into the cache at once.
pub(super) const FETCHED: usize = 16;

impl Driver<'_> {
    pub(super) async fn send(&mut self, message: &Message, due: Instant) -> Played<()> {
        let bytes = self.peer.comparison.outgoing(message).map_err(|reason| {
            Ending::Failed(format!("message {} could not be sent: {reason}", message.index))
        })?;
        let mut rest = &*bytes;
        self.told(self.peer.say(rest))?;
        // At full speed nothing has a time to keep.
        if self.options.speed != Speed::Max {
            let timing = self.receipt.timing.get_or_insert_default();
            timing.record(due, self.allowed, Instant::now());
        }
        let mut refused = None;
        while !rest.is_empty() {
            if self.peer.end == Some(End::Reset) {
                return Err(self.reset_in_the_middle());
            }
            let written = self.peer.try_write(rest);
            let length = self.told(written)?;
            rest = &rest[length..];
            self.receipt.bytes_sent += length as u64;
            if length > 0 {
                refused = None;
                continue;
            }
            let since = *refused.get_or_insert_with(Instant::now);
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
        if self.receipt.sent.is_multiple_of(TURN) {
            self.take_turns().await?;
        }
        Ok(())
    }

    /// Lets other connections have the thread: a peer that takes everything at once never has us wait, and
    /// only waiting would hear of a stop.
    async fn take_turns(&self) -> Played<()> {
        yield_now().await;
        match self.options.stop.is_requested() {
            true => self.told(Err(Broken::Stopped)),
            false => Ok(()),
        }
    }

    /// Touches what is sent next. Messages lie about in memory; the processor fetches many at the same
    /// time, but one at a time where a call to the system stands between them.
    pub(super) fn fetch(&self, steps: &[Step]) {
        let messages = steps.iter().take(FETCHED).filter_map(|step| step.message_of(self.ours));
        let ends = messages.filter_map(|message| message.raw.first().zip(message.raw.last()));
        black_box(ends.fold(0, |sum, (first, last)| sum ^ first ^ last));
    }

    pub(super) fn half_close(&mut self) -> Played<()> {
        let closed = self.peer.half_close();
        self.told(closed)
    }

    /// Aborts as recorded, once the peer has what was sent before: an abort discards what is on its way.
    pub(super) async fn abort(&mut self) -> Played<()> {
        let wait = Wait::begun_now(self.options.patience);
        while self.peer.end.is_none()
            && let Some(left @ 1..) = self.peer.unacknowledged()
        {
            if Instant::now() >= wait.deadline {
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
    pub(super) fn refuse_early_end(&self, end_is_due: bool) -> Played<()> {
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
}
