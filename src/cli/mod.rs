//! The `wirespool` command. Data goes to stdout, words to stderr; nothing else in the crate prints.
//!
//! Exit codes: 0 done; 1 a difference, something not played or not decodable; 2 bad usage or bad
//! input; 3 network or I/O failure.

mod arguments;
mod audit;
mod command;
mod convert;
mod decode;
mod demo;
mod diff;
mod encode;
mod explain;
mod failure;
mod follow;
mod info;
mod listen;
mod live;
mod playing;
mod printer;
mod process;
mod record;
mod rehearsal;
mod replay;
mod send;
mod serve;
mod show;
mod words;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{Parser, Subcommand};

use failure::Failure;

/// How a command ended, for the process to exit with.
pub type Status = u8;

const DONE: Status = 0;
const FINDING: Status = 1;
const BAD_INPUT: Status = 2;
const IO_FAILURE: Status = 3;

/// Record TCP sessions to pcap, read them back as messages, replay them.
#[derive(Debug, Parser)]
#[command(name = "wirespool", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Examples:
  wirespool demo
  wirespool show demo/pickle.pcapng
  wirespool serve demo/pickle.pcapng --listen 12345 & sleep 1
  wirespool replay demo/pickle.pcapng --to 12345

Formats are written CODEC[:MESSAGE][/FRAMING]: text, text/line, pickle, pickle/u32be,
protobuf:pb.TempEvent, protobuf:pb.TempEvent/varint, protobuf, raw, auto.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Record(record::Arguments),
    Listen(listen::Arguments),
    Send(send::Arguments),
    Show(show::Arguments),
    Info(info::Arguments),
    Decode(decode::Arguments),
    Encode(encode::Arguments),
    Replay(replay::Arguments),
    Serve(serve::Arguments),
    Diff(diff::Arguments),
    Convert(convert::Arguments),
    Audit(audit::Arguments),
    Demo(demo::Arguments),
}

/// Runs the command that `args` (the program's name first) ask for, and returns the exit status. Does
/// not exit the process, except on a second Ctrl-C.
pub fn run(args: impl IntoIterator<Item = OsString>) -> Status {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads is no failure.
            let _ = error.print();
            let _ = std::io::stdout().flush();
            return Status::try_from(error.exit_code()).unwrap_or(BAD_INPUT);
        }
    };
    let outcome = match cli.command {
        Command::Record(arguments) => record::run(arguments),
        Command::Listen(arguments) => listen::run(arguments),
        Command::Send(arguments) => send::run(arguments),
        Command::Show(arguments) => show::run(arguments),
        Command::Info(arguments) => info::run(arguments),
        Command::Decode(arguments) => decode::run(arguments),
        Command::Encode(arguments) => encode::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Convert(arguments) => convert::run(arguments),
        Command::Audit(arguments) => audit::run(arguments),
        Command::Demo(arguments) => demo::run(arguments),
    };
    // The wheel's command runs inside Python, which does not flush Rust's stdout.
    let flushed = printer::written(std::io::stdout().flush());
    match outcome.and_then(|status| flushed.map(|()| status).map_err(Failure::from)) {
        Ok(status) => status,
        Err(failure) => failure.report(),
    }
}

/// The result of a command: its status, or what made it end early.
type Outcome = Result<Status, Failure>;
