//! Our pickles and CPython's: what it writes we read as it was meant, and the other way round.
//!
//! `pickles.py` makes the pickles, each beside a description of the value that it was
//! made from, and describes what it loads from ours in the same words.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use wirespool::wire::pickle::{self, Limits, Progress, Splitter};

mod describe;
mod interpreters;
mod splits;

/// What the script prints, given `input`; `None`, with the reason printed, where there is no Python.
fn python(mode: &str, input: &[u8]) -> Option<String> {
    run(Path::new("python3"), "pickles.py", mode, input)
}

/// The same, of another interpreter and script.
fn run(interpreter: &Path, script: &str, mode: &str, input: &[u8]) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pickle_against_cpython");
    let child = Command::new(interpreter)
        .arg(folder.join(script))
        .arg(mode)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("not compared with {}: it does not start: {error}", interpreter.display());
            return None;
        }
    };
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("python3 ends");
    writer.join().expect("the writer ends").expect("python3 reads all");
    assert!(output.status.success(), "{} failed: {mode}", interpreter.display());
    Some(String::from_utf8(output.stdout).expect("text"))
}

/// One line of the script: what the pickle is, how it says so, and the pickle.
struct Case {
    name: String,
    description: String,
    bytes: Vec<u8>,
}

fn cases(text: &str) -> Vec<Case> {
    let line = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        let (name, description) = (fields.next()?, fields.next()?);
        let hex = fields.next()?;
        let digit = |digit: u8| char::from(digit).to_digit(16).expect("hex") as u8;
        let byte = |pair: &[u8; 2]| digit(pair[0]) << 4 | digit(pair[1]);
        let bytes = hex.as_bytes().as_chunks::<2>().0.iter().map(byte).collect();
        Some(Case { name, description, bytes })
    };
    text.lines().map(|text| line(text).expect("three fields")).collect()
}

#[test]
fn what_cpython_writes_we_read_as_it_was_meant() {
    let Some(text) = python("write", b"") else { return };
    let cases = cases(&text);
    assert!(cases.len() > 500, "only {} cases", cases.len());
    assert_read_as_meant(cases);
}

#[test]
fn what_cpython_reads_of_random_opcodes_we_read_alike() {
    let Some(text) = python("random", b"") else { return };
    // CPython fills whatever has an `append` or takes an index; no pickler writes that, and for us it
    // is corrupt.
    let refused = ["into a bytearray", "SETITEM into a list", "SETITEMS into a list"];
    let mut cases = cases(&text);
    let all = cases.len();
    cases.retain(|case| match pickle::decode(&case.bytes, &Limits::default()) {
        Err(fault) => !refused.iter().any(|words| fault.message.contains(words)),
        Ok(_) => true,
    });
    assert!(cases.len() > all * 9 / 10, "{} of {all}", cases.len());
    assert_read_as_meant(cases);
}

fn assert_read_as_meant(cases: Vec<Case>) {
    for Case { name, description, bytes } in cases {
        let mut splitter = Splitter::new(&Limits::default());
        assert_eq!(splitter.feed(&bytes), Progress::Complete { consumed: bytes.len() }, "{name}");
        let value = pickle::decode(&bytes, &Limits::default());
        let value = value.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert_eq!(describe::describe(&value), description, "{name}");
    }
}

#[test]
fn what_we_write_cpython_reads_as_it_was_meant() {
    let Some(text) = python("write-plain", b"") else { return };
    let cases = cases(&text);
    let same = assert_what_we_write_is_read(&cases, Path::new("python3"));
    assert!(same > 100, "only {same} are CPython's bytes");
}

#[test]
fn what_cpython_writes_is_read_alike_wherever_it_is_cut() {
    let Some(text) = python("write", b"") else { return };
    for case in cases(&text) {
        splits::assert_cuts_do_not_matter(&case.name, &case.bytes);
    }
}

#[test]
fn every_cpython_found_reads_what_we_write_and_writes_what_we_read() {
    let found = interpreters::found();
    println!("compared with {found:?}");
    for (version, interpreter) in &found {
        if version.starts_with("2.") {
            let text = run(interpreter, "pickles_of_python2.py", "write", b"");
            assert_read_as_meant(cases(&text.expect("it starts")));
            continue;
        }
        let text = run(interpreter, "pickles.py", "write", b"").expect("it starts");
        assert_read_as_meant(cases(&text));
        let text = run(interpreter, "pickles.py", "write-plain", b"").expect("it starts");
        let mut cases = cases(&text);
        // The longest were read before, and take the longest.
        cases.retain(|case| case.bytes.len() < 5_000);
        assert_what_we_write_is_read(&cases, interpreter);
    }
}

/// Has values encoded at each protocol read by an interpreter; how many pickles are byte for byte what
/// CPython wrote.
fn assert_what_we_write_is_read(cases: &[Case], interpreter: &Path) -> usize {
    let mut ours = Vec::new();
    let mut expected = Vec::new();
    let mut same = 0;
    for Case { name, description, bytes } in cases {
        let value = pickle::decode(bytes, &Limits::default());
        let value = value.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        for protocol in 0..=5 {
            let encoded = pickle::encode(&value, protocol);
            let encoded = encoded.unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = pickle::decode(&encoded, &Limits::default());
            let again = again.unwrap_or_else(|fault| panic!("{name} at {protocol}: {fault}"));
            assert_eq!(&describe::describe(&again), description, "{name} at {protocol}");
            // The name says how CPython wrote it.
            let as_cpython = name.ends_with(&format!(" at {protocol}"));
            if as_cpython && encoded == *bytes {
                same += 1;
            } else if as_cpython && !name.contains('~') {
                panic!("{name}: {:?} is not {:?}", hex(&encoded), hex(bytes));
            }
            ours.extend(hex(&encoded).bytes());
            ours.push(b'\n');
            expected.push((format!("{name}, ours at {protocol}"), description.clone()));
        }
    }
    let read = run(interpreter, "pickles.py", "read", &ours).expect("it starts");
    assert_eq!(read.lines().count(), expected.len());
    for (read, (name, description)) in read.lines().zip(expected) {
        assert_eq!(read, description, "{name} by {}", interpreter.display());
    }
    same
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
