//! Pickles made to take memory, time or stack, each on a thread with a stack of 512 KB.
//!
//! Reading one takes less than 256 MB, its own bytes among them. What is made of a value (JSON, a
//! pickle, a Rust type) takes memory in proportion to it: that is done with an eighth of each.
//!
//! One test, because the memory is counted for the whole process: nothing else may run beside it. On several
//! processors it has a process on each. It prints what each step took
//! (`cargo test --release --test hostile -- --nocapture`).

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::Instant;

use wirespool::wire::json;
use wirespool::wire::pickle::{self, Limits, Progress, Splitter};

mod inputs;
mod memory;

use inputs::Input;

#[global_allocator]
static ALLOCATOR: memory::Counted = memory::Counted;

/// Which part of all inputs a process has, as `k/n`.
const PART: &str = "WIRESPOOL_HOSTILE_PART";
const STACK: usize = 512 << 10;
const MEMORY: usize = 256_000_000;
/// What is made of a value is made of one so much smaller.
const SMALLER: usize = 8;

/// What one step with one input took at most, in bytes.
struct Step {
    input: &'static str,
    name: &'static str,
    memory: usize,
}

/// The steps with one input; `before` is how much memory was taken without it.
struct Steps {
    input: &'static str,
    before: usize,
    done: Vec<Step>,
}

impl Steps {
    fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        memory::restart();
        let started = Instant::now();
        let made = work();
        let milliseconds = started.elapsed().as_secs_f64() * 1e3;
        let memory = memory::most() - self.before;
        print!(" {name} {:.1} MB {milliseconds:.0} ms,", memory as f64 / 1e6);
        self.done.push(Step { input: self.input, name, memory });
        made
    }
}

/// All that is done before anybody knows whether the bytes mean anything.
fn read(bytes: &[u8], steps: &mut Steps) {
    let limits = Limits::default();
    steps.step("split", || {
        let mut splitter = Splitter::new(&limits);
        bytes.chunks(1448).any(|chunk| splitter.feed(chunk) != Progress::NeedMore)
    });
    // As `decode`, but with what a fault leaves.
    let said = steps.step("read", || match pickle::salvage(bytes, &limits) {
        (_, None) => "a value".to_owned(),
        (_, Some(fault)) => fault.to_string(),
    });
    println!(" {said}");
}

/// What is made of a value.
fn make(bytes: &[u8], steps: &mut Steps) {
    let Ok(value) = pickle::decode(bytes, &Limits::default()) else { return };
    steps.step("JSON", || drop(json::to_string(&value)));
    steps.step("encode at 0", || drop(pickle::encode(&value, 0)));
    steps.step("encode at 5", || drop(pickle::encode(&value, 5)));
    drop(value);
    steps.step("type", || drop(pickle::from_slice::<serde_json::Value>(bytes)));
    println!();
}

/// Each input, through `work`; the steps that took too much.
fn too_much(inputs: &[Input], smaller: usize, work: fn(&[u8], &mut Steps)) -> Vec<String> {
    inputs::SCALE.store(smaller, Ordering::Relaxed);
    let mut all = Vec::new();
    for &(input, make) in inputs {
        let mut steps = Steps { input, before: memory::taken(), done: Vec::new() };
        let bytes = make();
        print!("{input}: {:.1} MB;", bytes.len() as f64 / 1e6);
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn(move || {
            work(&bytes, &mut steps);
            steps.done
        });
        all.extend(thread.expect("a thread").join().expect("no panic, no overflow"));
    }
    all.sort_by_key(|step| step.memory);
    let say = |step: &Step| format!("{}: {} MB by {}", step.input, step.memory >> 20, step.name);
    println!("worst: {:?}\n", all.iter().rev().take(5).map(say).collect::<Vec<_>>());
    all.iter().filter(|step| step.memory > MEMORY).map(say).collect()
}

/// All steps of each `of`th input, from the `part`th on.
fn part(part: usize, of: usize) {
    let inputs: Vec<_> = inputs::INPUTS.iter().copied().skip(part).step_by(of).collect();
    assert_eq!(too_much(&inputs, 1, read), Vec::<String>::new());
    assert_eq!(too_much(&inputs, SMALLER, make), Vec::<String>::new());
}

#[test]
fn hostile_pickles_take_little_memory_and_no_stack() {
    if let Some(number) = std::env::var_os(PART) {
        let (number, of) = number.to_str().and_then(|part| part.split_once('/')).expect("k/n");
        return part(number.parse().expect("a number"), of.parse().expect("a number"));
    }
    // A process each, as the memory is counted for a whole process.
    let of = std::thread::available_parallelism().map_or(1, |cores| cores.get()).min(4);
    let this = std::env::current_exe().expect("this program");
    let run = |number: usize| {
        let mut command = Command::new(&this);
        command.args(["--exact", "hostile_pickles_take_little_memory_and_no_stack", "--nocapture"]);
        command.env(PART, format!("{number}/{of}")).spawn().expect("another process")
    };
    let parts: Vec<_> = (0..of).map(run).collect();
    for mut part in parts {
        assert!(part.wait().expect("an end").success(), "see above");
    }
}
