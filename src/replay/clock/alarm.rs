//! One timer of the Linux kernel, `timerfd_create(2)`, for any number of tasks.
//!
//! A timer of this kind is exact to the kernel's clock, where sleeping threads are woken up to 50 µs late
//! for the sake of batching. What is left is the time in which an idle core wakes up, some 50 µs on a
//! virtual machine. The timer is set so much earlier as that was found to take of late, and a task that
//! is woken before its time spins for the difference.

use std::collections::BTreeMap;
use std::hint;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::AbortHandle;

/// The most that a task spins before its time, however late the system wakes it up.
const MOST_LEAD: Duration = Duration::from_micros(50);

/// One in so many parts of what the last waking took goes into what the next is taken to take.
const INERTIA: u64 = 8;

/// A timer that is shared by clones, and runs while one of them lives.
#[derive(Clone, Debug)]
pub(super) struct Alarm(Arc<Running>);

#[derive(Debug)]
struct Running {
    timer: Arc<Timer>,
    task: AbortHandle,
}

impl Alarm {
    /// Starts the task that the timer wakes.
    ///
    /// # Errors
    /// The system has no such timer, or no descriptor for it.
    pub(super) fn start() -> io::Result<Alarm> {
        let timer = Arc::new(Timer {
            descriptor: descriptor()?,
            waiting: Mutex::default(),
            lead: AtomicU64::new(0),
        });
        let task = tokio::spawn(ring(timer.clone())).abort_handle();
        Ok(Alarm(Arc::new(Running { timer, task })))
    }

    /// Ready at `due`.
    pub(super) fn ring_at(&self, due: Instant) -> Ring<'_> {
        Ring { timer: &self.0.timer, due, ticket: None }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The timer that the system gives.
#[allow(unsafe_code)]
fn descriptor() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    // Instants are of this clock too, on Linux.
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    // SAFETY: an OwnedFd is open, and the same descriptor, until it is dropped with the AsyncFd.
    Ok(unsafe { AsyncFd::register_with_interest(timer, Interest::READABLE) }?)
}

/// Waits for one time; dropped, it waits no more.
#[derive(Debug)]
pub(super) struct Ring<'a> {
    timer: &'a Timer,
    due: Instant,
    /// Tells it apart from others that are due at the same time, once it waits.
    ticket: Option<u64>,
}

impl Future for Ring<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let (timer, due) = (self.timer, self.due);
        if Instant::now() + timer.lead() < due {
            let mut waiting = timer.waiting();
            let ticket = *self.ticket.get_or_insert_with(|| waiting.next_ticket());
            waiting.wakers.insert((due, ticket), context.waker().clone());
            if timer.set_for_first(&mut waiting).is_ok() {
                return Poll::Pending;
            }
            // The kernel refuses no time that we can ask for. If it did, spinning is still right.
        }
        while Instant::now() < due {
            hint::spin_loop();
        }
        Poll::Ready(())
    }
}

impl Drop for Ring<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.timer.waiting().wakers.remove(&(self.due, ticket));
        }
    }
}

#[derive(Debug)]
struct Timer {
    descriptor: AsyncFd<OwnedFd>,
    waiting: Mutex<Waiting>,
    /// How much earlier the timer is set than somebody is due, in nanoseconds.
    lead: AtomicU64,
}

/// Who waits, by when they are due.
#[derive(Debug, Default)]
struct Waiting {
    wakers: BTreeMap<(Instant, u64), Waker>,
    tickets: u64,
    /// What the timer is set for, until it has fired.
    set_for: Option<Instant>,
}

impl Waiting {
    fn next_ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}

impl Timer {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is half done where a panic could come from.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lead(&self) -> Duration {
        Duration::from_nanos(self.lead.load(Ordering::Relaxed))
    }

    /// Sets the timer for the first who waits, unless it fires before anyway: it is then set anew.
    fn set_for_first(&self, waiting: &mut Waiting) -> io::Result<()> {
        let Some((&(due, _), _)) = waiting.wakers.first_key_value() else { return Ok(()) };
        if waiting.set_for.is_some_and(|set_for| set_for <= due) {
            return Ok(());
        }
        // Nought would stop the timer.
        let wait = due.saturating_duration_since(Instant::now()).saturating_sub(self.lead());
        let wait = wait.max(Duration::from_nanos(1));
        let once = Itimerspec {
            it_interval: Timespec::default(),
            it_value: Timespec::try_from(wait).map_err(|_| io::ErrorKind::InvalidInput)?,
        };
        timerfd_settime(self.descriptor.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        waiting.set_for = Some(due);
        Ok(())
    }

    /// Takes the wakers of all who are due by `now`, or so soon that they had better spin.
    fn take_due(&self, waiting: &mut Waiting, now: Instant) -> Vec<Waker> {
        let until = now + self.lead();
        let later = waiting.wakers.split_off(&(until, u64::MAX));
        std::mem::replace(&mut waiting.wakers, later).into_values().collect()
    }

    /// Learns from how late the timer fired.
    fn learn(&self, late: Duration) {
        let lead = self.lead.load(Ordering::Relaxed);
        let late = u64::try_from(late.min(MOST_LEAD).as_nanos()).unwrap_or(lead);
        self.lead.store((lead * (INERTIA - 1) + late) / INERTIA, Ordering::Relaxed);
    }
}

/// Wakes who is due whenever the timer fires.
async fn ring(timer: Arc<Timer>) {
    // Waiting fails only where the runtime is shutting down, and with it all who wait.
    while let Ok(mut fired) = timer.descriptor.readable().await {
        // How often it fired does not matter; reading makes it unreadable until it fires again.
        let _ = rustix::io::read(timer.descriptor.get_ref(), &mut [0; 8]);
        fired.clear_ready();
        let now = Instant::now();
        let mut waiting = timer.waiting();
        if let Some(set_for) = waiting.set_for.take() {
            // It was set that much earlier.
            timer.learn((now + timer.lead()).saturating_duration_since(set_for));
        }
        let due = timer.take_due(&mut waiting, now);
        // It was set before, so it can be set again.
        let _ = timer.set_for_first(&mut waiting);
        drop(waiting);
        due.into_iter().for_each(Waker::wake);
    }
}
