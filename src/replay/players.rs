//! The connections that are being played, and the receipts of those that are done.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::clock::Clock;
use super::driver::drive;
use super::options::Options;
use super::pace::Pace;
use super::peer::Connected;
use super::receipt::{ConnectionReceipt, Receipt};
use super::script::{Conversation, Script};
use crate::Result;
use crate::net;
use crate::session::Side;

/// How often what is taken down of a replay is brought to the disk: at most one second may be lost.
const FLUSH: Duration = Duration::from_millis(500);

/// Plays connections of one script in one role.
pub(super) struct Players {
    pub(super) script: Arc<Script>,
    pub(super) ours: Side,
    pub(super) options: Arc<Options>,
    pub(super) clock: Clock,
    running: JoinSet<Result<(usize, ConnectionReceipt)>>,
    done: BTreeMap<usize, ConnectionReceipt>,
}

impl Players {
    /// To be called within the runtime that plays.
    pub(super) fn new(script: Arc<Script>, ours: Side, options: &Options) -> Players {
        net::make_room(script.conversations.len());
        let (options, clock) = (Arc::new(options.clone()), Clock::start());
        Players { script, ours, options, clock, running: JoinSet::new(), done: BTreeMap::new() }
    }

    /// What keeps a conversation from being played, if anything does: what is missing of a recording
    /// can be neither sent nor expected, unless that is asked for.
    pub(super) fn refusal(&self, index: usize) -> Option<String> {
        let conversation = &self.script.conversations[index];
        (!self.options.across_gaps && !conversation.gaps.is_empty()).then(|| {
            format!("not played: {}; play what is there with --across-gaps", conversation.lacks())
        })
    }

    /// Plays a conversation as soon as `connect` has a connection for it, beside the others.
    pub(super) fn spawn<F, C>(&mut self, index: usize, pace: Pace, connect: F)
    where
        F: Future<Output = std::result::Result<C, String>> + Send + 'static,
        C: Into<Connected> + Send,
    {
        let (script, ours, options) = (self.script.clone(), self.ours, self.options.clone());
        let clock = self.clock.clone();
        self.running.spawn(async move {
            let conversation = &script.conversations[index];
            let receipt = match connect.await {
                Ok(one) => drive(conversation, ours, one.into(), pace, &clock, &options).await?,
                Err(reason) => ConnectionReceipt::unplayed(conversation, ours, reason),
            };
            Ok((index, receipt))
        });
    }

    /// A conversation that is not played at all.
    pub(super) fn unplayed(&mut self, index: usize, reason: impl Into<String>) {
        let conversation: &Conversation = &self.script.conversations[index];
        let receipt = ConnectionReceipt::unplayed(conversation, self.ours, reason);
        self.add(index, receipt);
    }

    /// All conversations of which nothing is played or done yet will not be.
    pub(super) fn rest(&mut self, reason: &str) {
        for index in 0..self.script.conversations.len() {
            if !self.done.contains_key(&index) {
                self.unplayed(index, reason);
            }
        }
    }

    /// Whether nothing is being played.
    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Waits until one of those that are being played has ended; never ends if there is none.
    ///
    /// # Errors
    /// That the replay could not be recorded.
    pub(super) async fn ended(&mut self) -> Result<()> {
        match self.running.join_next().await {
            Some(Ok(ended)) => {
                let (index, receipt) = ended?;
                self.add(index, receipt);
                Ok(())
            }
            Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            None => std::future::pending().await,
        }
    }

    /// Waits until all that was spawned so far has been played.
    ///
    /// # Errors
    /// That the replay could not be recorded.
    pub(super) async fn settle(&mut self) -> Result<()> {
        while !self.is_idle() {
            self.ended().await?;
        }
        Ok(())
    }

    /// The receipt of all connections, in recorded order.
    ///
    /// # Errors
    /// That the replay could not be recorded.
    pub(super) async fn receipt(mut self) -> Result<Receipt> {
        self.settle().await?;
        let absent =
            self.script.absent.iter().map(|one| ConnectionReceipt::absent(*one, self.ours));
        Ok(Receipt::new(self.done.into_values().chain(absent).collect()))
    }

    fn add(&mut self, index: usize, receipt: ConnectionReceipt) {
        match self.done.entry(index) {
            Entry::Vacant(entry) => drop(entry.insert(receipt)),
            Entry::Occupied(mut played) => played.get_mut().add_play(receipt),
        }
    }
}

/// Runs a replay, and brings what is taken down of it to the disk now and then.
pub(super) async fn flushed<T>(
    options: &Options,
    playing: impl Future<Output = Result<T>>,
) -> Result<T> {
    let Some(record) = &options.record else { return playing.await };
    let mut ticker = interval(FLUSH);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(playing);
    loop {
        tokio::select! {
            played = &mut playing => return record.flush().and(played),
            _ = ticker.tick() => record.flush()?,
        }
    }
}
