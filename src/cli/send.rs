//! `wirespool send`: a client that sends values.

use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;

use super::arguments::{FormatArguments, OutputArguments, PrintArguments, duration};
use super::failure::{At, Failure};
use super::live;
use super::printer::{Choice, Printer};
use super::{DONE, Outcome};
use crate::message::Assembler;
use crate::net::{Address, Recorder, Stop};
use crate::record::{Endpoint, Sending, send};
use crate::replay::Chosen;
use crate::session::{Selection, Side};
use crate::wire::{Format, encode};
use crate::{Error, Result};

/// How many encoded messages may wait for the network.
const QUEUE: usize = 64;

/// Send values to a server
///
/// Sends VALUE once, or as often as --count and --interval say; with - a value per line of standard
/// input. Then half-closes and prints what the server answers until it closes, or is silent for longer
/// than --patience.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wirespool listen 12345 -f pickle --connections 1 & sleep 1
  wirespool send 12345 -f pickle '{\"1\": 25, \"2\": 60}' --interval 100ms --count 3
  wirespool listen 12346 -f text/line --connections 1 & sleep 1
  printf 'ЙОУ\\nand another\\n' | wirespool send 12346 -f text/line -")]
pub(super) struct Arguments {
    /// The server
    #[arg(value_name = "ADDR")]
    address: String,
    /// What to send: for text the text itself, for raw base64, else JSON; - reads a value a line
    #[arg(allow_hyphen_values = true)]
    value: String,
    #[command(flatten)]
    format: FormatArguments,
    /// The time from one message to the next; alone, VALUE is sent until Ctrl-C
    #[arg(long, value_name = "TIME", value_parser = duration)]
    interval: Option<Duration>,
    /// How often to send VALUE
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How long a silence may last before the server has closed
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    patience: Duration,
    #[command(flatten)]
    output: OutputArguments,
    #[command(flatten)]
    print: PrintArguments,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let address = arguments.address.parse().and_then(Address::dialled).at("ADDR")?;
    let formats = arguments.format.of_port(address.port())?;
    let (sender, messages) = mpsc::channel(QUEUE);
    let feed = feed(&arguments, formats.of(Side::Client), sender)?;
    let runtime = live::runtime()?;
    let stop = Stop::new();
    runtime.block_on(async {
        live::stop_on_signals(&stop)?;
        let writer = arguments.output.writer(Some(&formats))?;
        let print = &arguments.print;
        let selection = Selection { side: Some(Side::Server), ..Selection::default() };
        let answers = Choice { messages: Chosen::new(selection, None), ..Choice::default() };
        let printer = Printer::new(print.look(), print.events, true, answers);
        let sink = (writer, Some(Assembler::new(formats, printer)));
        let recorder = Arc::new(Recorder::new(sink));
        let sending = Sending {
            interval: arguments.interval.unwrap_or_default(),
            patience: arguments.patience,
            stop: stop.clone(),
        };
        let sent = async {
            let endpoint = tokio::select! {
                dialled = Endpoint::dial(&address, recorder.clone()) => dialled?,
                () = stop.requested() => return Err(Error::Interrupted),
            };
            send(&endpoint, messages, &sending).await.map(|_| ())
        }
        .await;
        live::conclude(recorder, sent, arguments.output.output.as_deref())?;
        Ok::<(), Failure>(())
    })?;
    // After Ctrl-C standard input may still be open; then its reader is left behind.
    if let Some(feed) = feed.filter(|_| !stop.is_requested()) {
        feed.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)).at("VALUE")?;
    }
    Ok(DONE)
}

/// Starts to encode what is to be sent. A VALUE that cannot be encoded is refused before anything is
/// dialled; of standard input, what stands before such a line is sent.
fn feed(
    arguments: &Arguments,
    format: &Format,
    sender: mpsc::Sender<Vec<u8>>,
) -> std::result::Result<Option<std::thread::JoinHandle<Result<()>>>, Failure> {
    if arguments.value == "-" {
        if arguments.count.is_some() {
            let reason = "--count is for a VALUE; with - every line of standard input is sent once";
            return Err(Error::Usage(reason.to_owned()).into());
        }
        let format = format.clone();
        return Ok(Some(std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let line = line.map_err(|source| Error::file("read", "standard input", source))?;
                let bytes = encode(&format, &format.read_value(&line)?)?;
                if sender.blocking_send(bytes).is_err() {
                    break;
                }
            }
            Ok(())
        })));
    }
    let value = format.read_value(&arguments.value).at("VALUE")?;
    let bytes = encode(format, &value).at("VALUE")?;
    let forever = if arguments.interval.is_some() { u64::MAX } else { 1 };
    let count = arguments.count.unwrap_or(forever);
    std::thread::spawn(move || {
        for _ in 0..count {
            if sender.blocking_send(bytes.clone()).is_err() {
                break;
            }
        }
    });
    Ok(None)
}
