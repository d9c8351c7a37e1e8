//! Wakes the tasks of a replay when something is due, closer than the runtime's own timer, which ticks in
//! milliseconds.

#[cfg(target_os = "linux")]
mod alarm;

use std::time::Instant;

use tokio::time;

#[cfg(target_os = "linux")]
use alarm::Alarm;

/// The clock of one replay; clones share it, so that a thousand connections need one descriptor.
///
/// Where the system has no timer better than the runtime's, or refuses it, the runtime's is used.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    #[cfg(target_os = "linux")]
    alarm: Option<Alarm>,
}

impl Clock {
    /// A clock that runs while a clone of it lives. To be called within the runtime whose tasks it wakes.
    pub(super) fn start() -> Clock {
        Clock {
            #[cfg(target_os = "linux")]
            alarm: Alarm::start().ok(),
        }
    }

    /// Returns at `due`, at once if that has passed. Dropped before, it leaves nothing behind.
    pub(super) async fn sleep_until(&self, due: Instant) {
        #[cfg(target_os = "linux")]
        if let Some(alarm) = &self.alarm {
            return alarm.ring_at(due).await;
        }
        time::sleep_until(due.into()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinSet;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nobody_is_woken_early() {
        let clock = Clock::start();
        let start = Instant::now();
        let mut sleepers = JoinSet::new();
        for number in 0..200 {
            let (clock, due) = (clock.clone(), start + MILLISECOND * (number * 7 % 50));
            sleepers.spawn(async move {
                clock.sleep_until(due).await;
                (Instant::now(), due)
            });
        }
        while let Some(slept) = sleepers.join_next().await {
            let (woken, due) = slept.unwrap();
            assert!(woken >= due, "{:?} early", due - woken);
        }
    }

    #[tokio::test]
    async fn what_has_passed_is_not_waited_for() {
        let clock = Clock::start();
        let now = Instant::now();
        clock.sleep_until(now).await;
        clock.sleep_until(now.checked_sub(MILLISECOND).unwrap_or(now)).await;
    }

    #[tokio::test]
    async fn one_that_gives_up_waiting_does_not_hold_up_the_others() {
        let clock = Clock::start();
        let start = Instant::now();
        tokio::select! {
            biased;
            () = clock.sleep_until(start + MILLISECOND) => panic!("it was not due"),
            () = std::future::ready(()) => {}
        }
        clock.sleep_until(start + 5 * MILLISECOND).await;
        assert!(Instant::now() >= start + 5 * MILLISECOND);
    }
}
