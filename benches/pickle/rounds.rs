//! Times what standard input asks for: a line is an operation's name and a file's path; the answer is
//! how many nanoseconds of processor time it took.

use std::io::{BufRead, Write};

use rustix::time::{ClockId, clock_gettime};

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
