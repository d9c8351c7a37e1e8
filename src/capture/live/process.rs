//! A capturing program while it runs.

use std::io::{self, BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::LiveOptions;
use super::program::Program;

/// How many bytes of what it says are kept: the first, which say why it failed, and not the last of a
/// program that complains of every packet.
const WORDS: usize = 64 * 1024;
/// How long it may take to end once it writes no more.
const GRACE: Duration = Duration::from_secs(5);

/// A program that was started. When it is dropped, the program is ended.
pub(super) struct Process {
    child: Child,
    watchdog: Option<Watchdog>,
    words: Option<JoinHandle<String>>,
    interrupter: Interrupter,
}

/// Asks a capturing program to end; shared by clones.
#[derive(Clone, Debug, Default)]
pub struct Interrupter(Arc<Mutex<Interruption>>);

#[derive(Debug, Default)]
struct Interruption {
    /// Whose end was not seen: no other process has the number yet.
    running: Option<Pid>,
    is_requested: bool,
}

impl Interrupter {
    /// Asks it to write what it has and to end.
    pub fn interrupt(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_requested = true;
        if let Some(process) = state.running {
            // One that has ended this very moment needs no signal.
            let _ = kill_process(process, Signal::INT);
        }
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_requested
    }

    fn set(&self, running: Option<Pid>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).running = running;
    }
}

/// How a program ended.
pub(super) struct End {
    pub(super) status: ExitStatus,
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
        let deadline = Instant::now() + GRACE;
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if Instant::now() >= deadline => {
                    self.child.kill()?;
                    break self.child.wait()?;
                }
                None => thread::sleep(Duration::from_millis(2)),
            }
        };
        self.interrupter.set(None);
        let words = self.words.take().and_then(|words| words.join().ok());
        Ok(End { status, words: words.unwrap_or_default() })
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
/// or give up privileges, as these do.
struct Watchdog(Child);

impl Watchdog {
    fn over(process: &Child) -> io::Result<Watchdog> {
        Command::new("/bin/sh")
            .args(["-c", "read -r word; kill \"$0\""])
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
