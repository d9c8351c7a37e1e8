//! `-- COMMAND`: a program that is run beside a recording or a served session, and whose end is its end.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::failure::{At, Failure};
use super::live::Signals;
use super::words::say;
use super::{DONE, Outcome, Status};
use crate::Error;
use crate::net::Stop;

/// Tells COMMAND, and what it starts, where to connect.
const VARIABLE: &str = "WIRESPOOL_ADDR";
/// What stands for the address in COMMAND's words.
const PLACEHOLDER: &[u8] = b"{addr}";
/// How long COMMAND may take to end once its time is over.
const GRACE: Duration = Duration::from_secs(2);
/// How long COMMAND may take to heed a signal before it is said that it is waited for.
const UNHEARD: Duration = Duration::from_secs(1);

/// The program to run.
#[derive(Debug, Args)]
pub(super) struct CommandArguments {
    /// Run COMMAND, and end when it has ended; it finds the address in WIRESPOOL_ADDR, and in its words
    /// for {addr}. Its exit code wins if it is not 0. After --duration it is sent SIGTERM, 2 s later
    /// SIGKILL
    #[arg(last = true, value_name = "COMMAND")]
    words: Vec<OsString>,
}

impl CommandArguments {
    /// What to run, if anything, with the listener's address filled in, if there is one; nothing has been
    /// started yet.
    pub(super) fn program(
        &self,
        listener: Option<&TcpListener>,
    ) -> Result<Option<Program>, Failure> {
        if self.words.is_empty() {
            return Ok(None);
        }
        let address = listener
            .map(TcpListener::local_addr)
            .transpose()
            .map_err(|source| Error::network("listen on", "the address", source))?
            .map(|address| dialable(address).to_string());
        let mut words = self.words.iter().map(|word| match &address {
            Some(address) => with_address(word, address),
            None => word.clone(),
        });
        let name = words.next().unwrap_or_default();
        find(&name).at("COMMAND")?;
        Ok(Some(Program { name, words: words.collect(), address }))
    }
}

/// A program that could be found.
pub(super) struct Program {
    name: OsString,
    words: Vec<OsString>,
    /// Where it is to connect, if that is told.
    address: Option<String>,
}

impl Program {
    /// Starts it with our standard streams, in our process group: a terminal's Ctrl-C reaches both.
    ///
    /// # Errors
    /// [`Error::Usage`] if the system refuses.
    pub(super) fn start(self, signals: Signals) -> Result<Running, Failure> {
        let Program { name, words, address } = self;
        let process = Command::new(&name)
            .args(&words)
            .envs(address.map(|address| (VARIABLE, address)))
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| cannot_run(&name, error))
            .at("COMMAND")?;
        signals.command.set(process.id());
        Ok(Running { name: name.to_string_lossy().into_owned(), process, signals })
    }
}

/// A program that runs.
pub(super) struct Running {
    name: String,
    process: Child,
    signals: Signals,
}

impl Running {
    /// Sees `work` through beside the program, and the program to its end: returns when both have
    /// ended, with the program's exit status.
    ///
    /// When the program has ended, `ended` is requested. When its time is over, or when the work has
    /// failed, the program is ended; then its status is not its own, and [`DONE`] after a failure.
    pub(super) async fn beside<T>(
        mut self,
        work: impl Future<Output = crate::Result<T>>,
        limit: Option<Duration>,
        ended: &Stop,
    ) -> (crate::Result<T>, Status) {
        tokio::pin!(work);
        let worked = {
            let program = self.end(limit);
            tokio::pin!(program);
            tokio::select! {
                status = &mut program => {
                    ended.request();
                    return (work.await, status);
                }
                worked = &mut work => match worked {
                    Ok(_) => return (worked, program.await),
                    Err(_) => worked,
                }
            }
        };
        // Nothing takes its connections any more.
        say(format_args!("ending {}", self.name));
        self.terminate().await;
        (worked, DONE)
    }

    /// Waits for the program's end, passes on what we are told, and ends it when `limit` is over.
    async fn end(&mut self, limit: Option<Duration>) -> Status {
        let Signals { interrupt, terminate, .. } = self.signals.clone();
        let time_is_over = async {
            match limit {
                Some(limit) => sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(time_is_over);
        let (mut interrupted, mut terminated) = (false, false);
        loop {
            tokio::select! {
                ended = self.ended() => return status(ended),
                () = terminate.requested(), if !terminated => {
                    terminated = true;
                    self.send(libc::SIGTERM);
                }
                () = interrupt.requested(), if !interrupted => {
                    interrupted = true;
                    // What was typed has reached the program, and twice would mean something else.
                    if !is_foreground() {
                        self.send(libc::SIGINT);
                    }
                }
                () = &mut time_is_over => return self.terminate().await,
            }
            if let Some(status) = self.ends_within(UNHEARD).await {
                return status;
            }
            say(format_args!(
                "waiting for {} to end; Ctrl-C or SIGTERM once more kills it",
                self.name
            ));
        }
    }

    /// Asks the program to end, then sees to it.
    async fn terminate(&mut self) -> Status {
        self.send(libc::SIGTERM);
        if let Some(status) = self.ends_within(GRACE).await {
            return status;
        }
        // It may have ended by itself this very moment.
        let _ = self.process.start_kill();
        status(self.ended().await)
    }

    /// Waits for its end.
    async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let ended = self.process.wait().await;
        self.signals.command.clear();
        ended
    }

    /// Gives it a while to end.
    async fn ends_within(&mut self, time: Duration) -> Option<Status> {
        timeout(time, self.ended()).await.ok().map(status)
    }

    fn send(&self, signal: libc::c_int) {
        self.signals.command.send(signal);
    }
}

/// The status to exit with: COMMAND's if it is not 0, else our own. What went wrong here is said anyway.
pub(super) fn or_ours(status: Status, ours: Outcome) -> Outcome {
    if status == DONE {
        return ours;
    }
    if let Err(failure) = ours {
        failure.report();
    }
    Ok(status)
}

/// The status to exit with for a program's: its own, or as shells do 128 and the signal's number.
fn status(ended: std::io::Result<ExitStatus>) -> Status {
    let Ok(ended) = ended else {
        return Status::MAX; // the system has lost it; that is no success
    };
    let code = ended.code().or_else(|| ended.signal().map(|signal| 128 + signal));
    code.and_then(|code| Status::try_from(code).ok()).unwrap_or(Status::MAX)
}

/// Where a program on this machine reaches a listener: one on all addresses is on loopback, too.
fn dialable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn with_address(word: &OsStr, address: &str) -> OsString {
    let mut rest = word.as_bytes();
    let mut filled = Vec::with_capacity(rest.len());
    while let Some(place) = memchr::memmem::find(rest, PLACEHOLDER) {
        filled.extend_from_slice(&rest[..place]);
        filled.extend_from_slice(address.as_bytes());
        rest = &rest[place + PLACEHOLDER.len()..];
    }
    filled.extend_from_slice(rest);
    OsString::from_vec(filled)
}

/// Looks for a program as the system will (POSIX, `execvp`): before anything is begun for it.
fn find(name: &OsStr) -> crate::Result<()> {
    let given = Path::new(name);
    if name.as_bytes().contains(&b'/') {
        return match given.metadata() {
            Ok(found) if is_executable(&found) => Ok(()),
            Ok(_) => Err(cannot_run(name, "it is no executable file")),
            Err(error) => Err(cannot_run(name, error)),
        };
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/bin:/usr/bin".into());
    let mut found = std::env::split_paths(&path)
        .map(|folder: PathBuf| folder.join(given))
        .filter_map(|file| file.metadata().ok());
    match found.any(|found| is_executable(&found)) {
        true if !name.is_empty() => Ok(()),
        _ => Err(cannot_run(name, "there is no such program in PATH")),
    }
}

fn is_executable(file: &std::fs::Metadata) -> bool {
    file.is_file() && file.permissions().mode() & 0o111 != 0
}

fn cannot_run(name: &OsStr, reason: impl std::fmt::Display) -> Error {
    Error::Usage(format!("cannot run {}: {reason}", name.to_string_lossy()))
}

/// Whether Ctrl-C, when it is pressed, reaches every process of our group without us: we are in the
/// foreground of a terminal. Else it was sent to us alone.
#[allow(unsafe_code)]
fn is_foreground() -> bool {
    use std::os::fd::AsRawFd;
    let Ok(terminal) = std::fs::File::open("/dev/tty") else {
        return false;
    };
    // SAFETY: both only ask the system for a number; the descriptor is open.
    unsafe { libc::tcgetpgrp(terminal.as_raw_fd()) == libc::getpgrp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_filled_in_wherever_it_is_asked_for() {
        for (word, filled) in [
            ("{addr}", "h:1"),
            ("tcp://{addr}/{addr}", "tcp://h:1/h:1"),
            ("{addr", "{addr"),
            ("", ""),
        ] {
            assert_eq!(with_address(OsStr::new(word), "h:1"), OsStr::new(filled));
        }
    }

    #[test]
    fn a_listener_on_all_addresses_is_dialled_on_loopback() {
        for (listening, dialled) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(dialable(listening.parse().unwrap()).to_string(), dialled);
        }
    }
}
