//! Bugs that hostile or unlucky use of the command has found, each held by a test named after it.

#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// No wait in a test is longer; one that is has found a hang.
const LIMIT: Duration = Duration::from_secs(20);

fn wirespool() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirespool"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A command that listens, its first line read.
struct Listening {
    child: Child,
    /// `None` once nobody reads it any more.
    stderr: Option<BufReader<ChildStderr>>,
    address: String,
}

impl Listening {
    fn start(mut command: Command) -> Listening {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Listening { child, stderr: Some(stderr), address }
    }

    fn dial(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    }

    /// Sends `signal` by its name, waits for the end, and returns the rest of stderr too.
    fn end_by(mut self, signal: &str) -> (ExitStatus, String) {
        kill(&self.child, signal);
        let status = end_of(&mut self.child);
        let mut said = String::new();
        if let Some(mut stderr) = self.stderr.take() {
            stderr.read_to_string(&mut said).unwrap();
        }
        (status, said)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn kill(child: &Child, signal: &str) {
    let words = [format!("-{signal}"), child.id().to_string()];
    assert!(Command::new("kill").args(words).status().unwrap().success());
}

fn end_of(child: &mut Child) -> ExitStatus {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if begin.elapsed() > LIMIT {
            let _ = child.kill();
            panic!("hung");
        }
        std::thread::yield_now();
    }
}

/// A new file's name in a directory of its own.
fn file(test: &str, name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("regression-{test}"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).unwrap();
    directory.join(name)
}

fn record(to: &str, output: &Path) -> Command {
    let mut command = wirespool();
    command.args(["record", "--to", to, "-o"]).arg(output);
    command
}

/// An address where nobody listens.
fn nobody() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_notice_when_stderr_has_no_reader_any_more_was_a_panic() {
    let output = file("stderr", "x.pcapng");
    let mut recording = Listening::start(record(&nobody(), &output));
    // As `2>&1 | head -1` does to learn the address.
    drop(recording.stderr.take());
    for _ in 0..3 {
        // Refused, which is said on stderr; the client hears the reset once that was tried.
        let refused = recording.dial().read(&mut [0; 1]);
        assert!(refused.is_err() || matches!(refused, Ok(0)));
    }
    assert!(recording.child.try_wait().unwrap().is_none(), "the recording ended");
    assert_eq!(recording.end_by("INT").0.code(), Some(0));
}

#[test]
fn a_demo_whose_stdout_has_no_reader_was_a_panic() {
    let directory = file("demo", "captures");
    let mut command = wirespool();
    command.args(["demo", "--directory"]).arg(&directory).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let status = end_of(&mut child);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    assert_eq!(status.code(), Some(0), "{said}");
}

#[test]
fn a_second_interrupt_while_nobody_read_stdout_was_not_heard() {
    let mut command = wirespool();
    command.args(["listen", "0", "-f", "raw"]).stdout(Stdio::piped());
    let mut listening = Listening::start(command);
    // More connections than the runtime has threads, so that each thread waits for stdout.
    let threads = std::thread::available_parallelism().map_or(4, usize::from);
    let talking: Vec<_> = (0..threads + 2).map(|_| talk_until_stalled(listening.dial())).collect();
    let stalled: Vec<_> = talking.into_iter().map(|talk| talk.join().unwrap()).collect();
    // A signal that is still pending swallows the next of its kind: a person would press again, too.
    let begin = Instant::now();
    let status = loop {
        kill(&listening.child, "INT");
        match listening.child.try_wait().unwrap() {
            Some(status) => break status,
            None => assert!(begin.elapsed() < LIMIT, "no second interrupt was heard"),
        }
    };
    assert_eq!(status.code(), Some(130));
    drop(stalled);
}

/// Sends until nobody has taken anything for half a second.
fn talk_until_stalled(mut stream: TcpStream) -> std::thread::JoinHandle<TcpStream> {
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    std::thread::spawn(move || {
        while stream.write_all(&[b'.'; 1000]).is_ok() {}
        stream
    })
}

#[test]
fn a_proxy_told_to_dial_itself_did_so_until_no_descriptor_was_left() {
    let output = file("loop", "x.pcapng");
    let address = nobody();
    let mut child = record(&address, &output).args(["--listen", &address]).spawn().unwrap();
    assert_eq!(end_of(&mut child).code(), Some(2));
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("--to") && said.contains("itself listens"), "{said}");
    assert!(!output.exists());
}

#[test]
fn a_capture_deleted_while_it_was_written_was_called_done() {
    let output = file("deleted", "x.pcapng");
    let recording = Listening::start(record(&nobody(), &output));
    std::fs::remove_file(&output).unwrap();
    let (status, said) = recording.end_by("INT");
    assert_eq!(status.code(), Some(3), "{said}");
    assert!(said.contains("deleted"), "{said}");
}

#[test]
fn a_patience_beyond_what_a_clock_holds_was_a_panic() {
    for words in [
        ["replay", "x.pcapng", "--to", "9", "--patience", "500000000000years"].as_slice(),
        &["serve", "x.pcapng", "--patience", "500000000000years"],
        &["send", "9", "x", "-f", "text", "--interval", "500000000000years"],
    ] {
        let mut child = wirespool().args(words).spawn().unwrap();
        assert_eq!(end_of(&mut child).code(), Some(2), "{words:?}");
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("a century is the most"), "{said}");
    }
}

#[test]
fn an_interrupt_while_the_server_read_nothing_was_not_heard_by_send() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = wirespool();
    command.args(["send", &server.local_addr().unwrap().to_string(), "-", "-f", "text"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // One message, of more than sockets hold.
    let line = [vec![b'.'; 40_000_000], vec![b'\n']].concat();
    let feeding = std::thread::spawn(move || stdin.write_all(&line).unwrap());
    let (unread, _) = server.accept().unwrap();
    unread.set_read_timeout(Some(LIMIT)).unwrap();
    assert_eq!(unread.peek(&mut [0; 1]).unwrap(), 1);
    kill(&child, "INT");
    assert_eq!(end_of(&mut child).code(), Some(3));
    feeding.join().unwrap();
}

#[test]
fn a_directory_in_a_captures_place_was_called_a_failure_of_the_disk() {
    let directory = file("directory", "x.pcapng");
    std::fs::create_dir(&directory).unwrap();
    let mut child = wirespool().arg("show").arg(&directory).spawn().unwrap();
    assert_eq!(end_of(&mut child).code(), Some(2));
}

#[test]
fn a_capture_beyond_the_file_size_limit_killed_the_recording_without_a_word() {
    let output = file("limit", "x.pcapng");
    let mut command = Command::new("sh");
    command.args(["-c", r#"ulimit -f 64; exec "$0" listen 0 -f raw -o "$1""#]);
    command.arg(env!("CARGO_BIN_EXE_wirespool")).arg(&output);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut listening = Listening::start(command);
    let mut client = listening.dial();
    while client.write_all(&[b'.'; 1000]).is_ok() {}
    assert_eq!(end_of(&mut listening.child).code(), Some(3));
    let mut show = wirespool().arg("show").arg(&output).spawn().unwrap();
    assert_eq!(end_of(&mut show).code(), Some(0), "what the file holds can be read");
}

#[test]
fn a_recording_ended_by_a_closed_stdout_left_its_file_incomplete_where_others_were_talking() {
    let output = file("broken-pipe", "x.pcapng");
    let mut command = wirespool();
    command.args(["listen", "0", "-f", "raw", "-o"]).arg(&output).stdout(Stdio::piped());
    let mut listening = Listening::start(command);
    let talking: Vec<_> = (0..8).map(|_| talk_until_stalled(listening.dial())).collect();
    listening.child.stdout.take().unwrap().read_exact(&mut [0; 1]).unwrap();
    assert_eq!(end_of(&mut listening.child).code(), Some(0));
    let mut said = String::new();
    listening.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("connections "), "no summary: {said:?}");
    for one in talking {
        one.join().unwrap();
    }
}

#[test]
fn the_table_of_info_took_time_with_the_square_of_the_connections() {
    let output = file("table", "x.pcap");
    let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 101, 0, 0, 0]);
    for client in 0..30_000_u32 {
        file.extend([0; 8]);
        file.extend([40, 0, 0, 0, 40, 0, 0, 0]);
        file.extend([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10]);
        file.extend(&client.to_be_bytes()[1..]);
        file.extend([127, 0, 0, 1, 4, 0, 0, 80]);
        file.extend([0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 100, 0, 0, 0, 0]);
    }
    std::fs::write(&output, file).unwrap();
    let mut info = wirespool().arg("info").arg(&output).spawn().unwrap();
    assert_eq!(end_of(&mut info).code(), Some(0));
}
