//! Times what standard input asks for: a line is an operation's name and a file's path; the answer is
//! how many nanoseconds of processor time it took, or of `peak` how many bytes the process has held at
//! most, its limits being the default ones and the pickle whatever it may be.

use std::io::{BufRead, Write};

use rustix::time::{ClockId, clock_gettime};

use wirespool::wire::pickle::{self, Limits};

use crate::operations::Operation;

/// Serves until the input ends.
pub fn run() -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    let mut kept = (String::new(), Vec::new());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let Some((name, path)) = line.split_once(' ') else {
            return Err(std::io::Error::other(format!("no operation and file: {line}")));
        };
        if name == "peak" {
            let _ = pickle::decode(&std::fs::read(path)?, &Limits::default());
            writeln!(output, "{}", peak()?)?;
            output.flush()?;
            continue;
        }
        let operation = Operation::ALL.into_iter().find(|operation| operation.name() == name);
        let Some(operation) = operation else {
            return Err(std::io::Error::other(format!("no operation: {name}")));
        };
        if kept.0 != path {
            kept = (path.to_owned(), std::fs::read(path)?);
        }
        let begun = processor_time();
        operation.run(&kept.1);
        writeln!(output, "{}", processor_time() - begun)?;
        output.flush()?;
    }
    Ok(())
}

/// Of this thread, in nanoseconds: what else the machine does takes none of it.
fn processor_time() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The most memory that this process has held, in bytes: 0 where no kernel tells.
fn peak() -> std::io::Result<u64> {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return Ok(0) };
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024).ok_or_else(|| std::io::Error::other("no VmHWM"))
}
