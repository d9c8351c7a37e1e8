//! What is done on our side: sending, half-closing, aborting.

use std::time::{Duration, Instant};

use tokio::task::coop::consume_budget;

use super::hearing::Wait;
use super::{Driver, Ending, Played};
use crate::message::Message;
use crate::replay::pace::{Speed, later};
use crate::replay::peer::End;
use crate::session::Side;

/// How often it is looked whether the peer's kernel has everything: the system does not tell by itself.
const ACKNOWLEDGED_POLL: Duration = Duration::from_millis(5);
impl Driver<'_> {
    pub(super) async fn send(&mut self, message: &Message, due: Instant) -> Played<()> {
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
