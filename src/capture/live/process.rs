//! A capturing program while it runs.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::LiveOptions;
use super::program::Program;

/// How many bytes of what it says are kept: the first, which say why it failed, and not the last of a
/// program that complains of every packet.
const WORDS: usize = 64 * 1024;
/// How long it may take to end once it was asked to, or writes no more.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// A program that was started. When it is dropped, the program is ended.
pub(super) struct Process {
    child: Child,
    watchdog: Option<Watchdog>,
    words: Option<JoinHandle<String>>,
    interrupter: Interrupter,
}

/// Asks a capturing program to end, and kills one that does not; shared by clones.
#[derive(Clone, Debug, Default)]
pub struct Interrupter(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    interruption: Mutex<Interruption>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Interruption {
    /// Whose end was not seen: no other process has the number yet.
    running: Option<Pid>,
    is_requested: bool,
    /// Whether its end is due: it was asked to end, or writes no more.
    is_due: bool,
    is_killed: bool,
}

impl Interrupter {
    /// Asks it to write what it has and to end. If it has not ended in 5 s, as one that is stopped never
    /// does, it is killed.
    pub fn interrupt(&self) {
        let mut state = self.state();
        state.is_requested = true;
        state.is_due = true;
        if let Some(process) = state.running {
            // One that has ended this very moment needs no signal.
            let _ = kill_process(process, Signal::INT);
        }
        self.0.changed.notify_all();
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.state().is_requested
    }

    /// Waits until its end is due, and kills it if that does not come. Whoever reads its output may be
    /// held up there until then, and cannot do it.
    fn enforce(&self) {
        let changed = &self.0.changed;
        let state =
            changed.wait_while(self.state(), |state| state.running.is_some() && !state.is_due);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(state, GRACE, |state| state.running.is_some());
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(process) = state.running {
            // With what it has started, which may hold its output open.
            state.is_killed = kill_process_group(process, Signal::KILL).is_ok();
        }
    }

    fn expect_end(&self) {
        self.state().is_due = true;
        self.0.changed.notify_all();
    }

    fn set(&self, running: Option<Pid>) {
        self.state().running = running;
        self.0.changed.notify_all();
    }

    /// Its status if it has ended; while nobody sends a signal to what has its number next.
    fn ended(&self, child: &mut Child) -> io::Result<Option<ExitStatus>> {
        let mut state = self.state();
        let status = child.try_wait()?;
        if status.is_some() {
            state.running = None;
            self.0.changed.notify_all();
        }
        Ok(status)
    }

    fn state(&self) -> MutexGuard<'_, Interruption> {
        self.0.interruption.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a program ended.
pub(super) struct End {
    pub(super) status: ExitStatus,
    /// Whether it was killed, for not ending when it was to.
    pub(super) is_killed: bool,
    /// What it said on stderr.
    pub(super) words: String,
}

impl End {
    /// How it ended, in words.
    pub(super) fn how(&self) -> String {
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => self.status.to_string(),
        }
    }
}

impl Process {
    /// Starts it, in a process group of its own: a terminal's Ctrl-C reaches us alone, who see to it that
    /// what was captured before is read. It does not outlive us.
    pub(super) fn start(
        program: &Program,
        options: &LiveOptions,
    ) -> io::Result<(Process, ChildStdout)> {
        let mut command = Command::new(&program.path);
        command
            .args(program.words(options))
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command.spawn()?;
        let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("no pipe to the program"));
        };
        let interrupter = Interrupter::default();
        interrupter.set(Some(Pid::from_child(&child)));
        let words = thread::spawn(move || listen(BufReader::new(stderr)));
        thread::spawn({
            let interrupter = interrupter.clone();
            move || interrupter.enforce()
        });
        let mut process = Process { child, watchdog: None, words: Some(words), interrupter };
        process.watchdog = Some(Watchdog::over(&process.child)?);
        Ok((process, stdout))
    }

    /// Who can ask it to end.
    pub(super) fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }

    /// Waits for its end, which is near: it has closed its output, or was asked to end.
    pub(super) fn end(&mut self) -> io::Result<End> {
        // While nobody else can have the process's number.
        self.watchdog = None;
        self.interrupter.expect_end();
        let status = loop {
            match self.interrupter.ended(&mut self.child)? {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        // One that ended just before was not.
        let is_killed =
            self.interrupter.state().is_killed && status.signal() == Some(Signal::KILL.as_raw());
        let words = self.words.take().and_then(|words| words.join().ok());
        Ok(End { status, is_killed, words: words.unwrap_or_default() })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.watchdog = None;
        self.interrupter.set(None);
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Gathers what it says; reads on when it says too much, so that it is not held up.
fn listen(mut stderr: impl BufRead) -> String {
    let mut words = Vec::new();
    let mut line = Vec::new();
    while stderr.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
        if words.len() + line.len() <= WORDS {
            words.append(&mut line);
        }
        line.clear();
    }
    String::from_utf8_lossy(&words).into_owned()
}

/// A shell that ends a process when we end, however that comes: it waits for the end of what only we could
/// write. The system's own means (`PR_SET_PDEATHSIG`) is Linux's alone, and is lost by programs that gain
/// or give up privileges, as these do. One that is stopped is woken, to take it.
struct Watchdog(Child);

impl Watchdog {
    fn over(process: &Child) -> io::Result<Watchdog> {
        Command::new("/bin/sh")
            .args(["-c", "read -r word; kill \"$0\"; kill -CONT \"$0\""])
            .arg(process.id().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map(Watchdog)
    }
}

/// It is called off.
impl Drop for Watchdog {
    fn drop(&mut self) {
        // Before its input ends by our waiting for it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
