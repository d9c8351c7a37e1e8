//! `wirespool demo`: a telemetry server and a sensor, recorded, shown and replayed in one process.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::live;
use super::printer::{Choice, Look, Printer, written};
use super::{DONE, FINDING, Outcome};
use crate::capture::{Reader, Writer, WriterOptions};
use crate::message::Assembler;
use crate::net::{self, Address, Recorder};
use crate::record::{Limits, proxy};
use crate::replay::{Options, Receipt, Script, replay};
use crate::wire::protobuf::pb::TempEvent;
use crate::wire::{Format, pickle};
use crate::{Error, Result};

/// How many readings the sensor sends in each format, and how far apart.
const READINGS: i32 = 4;
const INTERVAL: Duration = Duration::from_millis(150);

/// Show the whole path: record a session in three formats, read it, replay it
///
/// Runs a telemetry server and a sensor in this process, on ports the system chooses; the sensor speaks
/// through the recording proxy. The captures it leaves open in Wireshark; a later run replaces them.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to leave the captures
    #[arg(long, value_name = "DIR", default_value = "demo")]
    directory: PathBuf,
}

pub(super) fn run(arguments: Arguments) -> Outcome {
    let directory = &arguments.directory;
    std::fs::create_dir_all(directory)
        .map_err(|source| Error::file("create", directory, source))?;
    let runtime = live::runtime()?;
    let mut status = DONE;
    for dialect in [Dialect::Text, Dialect::Pickle, Dialect::Protobuf] {
        let path = directory.join(format!("{}.pcapng", dialect.name()));
        let receipt = runtime.block_on(session(dialect, &path))?;
        if !receipt.is_ok() {
            status = FINDING;
        }
    }
    Ok(status)
}

/// What the sensor and the server speak.
#[derive(Clone, Copy)]
enum Dialect {
    Text,
    Pickle,
    Protobuf,
}

/// One reading, as the pickle dialect carries it: a dict of these fields.
#[derive(Serialize, Deserialize)]
struct Reading {
    device_id: i32,
    event_id: i32,
    humidity: f64,
    temp_cel: f64,
}

impl Dialect {
    fn name(self) -> &'static str {
        match self {
            Dialect::Text => "text",
            Dialect::Pickle => "pickle",
            Dialect::Protobuf => "protobuf",
        }
    }

    fn format(self) -> Result<Format> {
        Format::parse(match self {
            Dialect::Text => "text/line",
            Dialect::Pickle => "pickle",
            Dialect::Protobuf => "protobuf:pb.TempEvent",
        })
    }

    /// What the sensor sends.
    fn reading(self, event_id: i32) -> Result<Vec<u8>> {
        let temp_cel = 24.5 + f64::from(event_id) / 2.0;
        match self {
            Dialect::Text => Ok(format!("датчик 123: {temp_cel:.1} °C\n").into_bytes()),
            Dialect::Pickle => {
                pickle::to_vec(&Reading { device_id: 123, event_id, humidity: 60.0, temp_cel })
            }
            Dialect::Protobuf => {
                let temp_cel = temp_cel as f32;
                let event = TempEvent {
                    device_id: 123,
                    event_id,
                    humidity: 60.0,
                    temp_cel,
                    video_data: vec![],
                };
                Ok(event.encode_to_vec())
            }
        }
    }

    /// What the server answers to the bytes of one reading.
    fn answer(self, reading: &[u8]) -> Result<Vec<u8>> {
        match self {
            Dialect::Text => {
                let text = String::from_utf8_lossy(reading);
                Ok(format!("принято: {}\n", text.trim_end()).into_bytes())
            }
            Dialect::Pickle => {
                let reading: Reading = pickle::from_slice(reading)?;
                pickle::to_vec(&BTreeMap::from([("accepted", reading.event_id)]))
            }
            Dialect::Protobuf => {
                let event = TempEvent::decode(reading).map_err(|error| {
                    Error::Usage(format!("the sensor sent no TempEvent: {error}"))
                })?;
                Ok(TempEvent { event_id: event.event_id, ..TempEvent::default() }.encode_to_vec())
            }
        }
    }
}

/// Records, shows and replays one session.
async fn session(dialect: Dialect, path: &Path) -> Result<Receipt> {
    let (server, serving) = start_server(dialect).await?;
    let listener = net::listen(&Address::loopback(0)).await?;
    let address = local_address(&listener)?;
    print(&format!(
        "$ wirespool record --to {server} -o {} -f {}",
        path.display(),
        dialect.format()?
    ))?;
    let options = WriterOptions {
        force: true,
        format: Some(dialect.format()?.to_string()),
        ..WriterOptions::default()
    };
    let sink = (Some(Writer::create(path, options)?), None);
    let recorder = Arc::new(Recorder::new(sink));
    let limits = Limits { connections: Some(1), ..Limits::default() };
    let recording =
        tokio::spawn(proxy(listener, server, recorder.clone(), limits, live::observer()));
    run_sensor(dialect, &address).await?;
    let recorded = joined(recording).await;
    live::conclude(recorder, recorded, Some(path))?;
    serving.abort();

    print(&format!("$ wirespool show {} --events", path.display()))?;
    let printer = Printer::new(Look::Lines, true, false, Choice::default());
    let mut assembler = Assembler::new(dialect.format()?, printer);
    Reader::open(path)?.read_all(&mut assembler)?;
    assembler.into_receiver().finish()?;

    let (fresh, serving) = start_server(dialect).await?;
    print(&format!("$ wirespool replay {} --to {fresh}", path.display()))?;
    let mut reader = Reader::open(path)?;
    let script = Arc::new(Script::read(dialect.format()?, |sink| reader.read_all(sink))?);
    let receipt = replay(script, &fresh, &Options::default()).await?;
    serving.abort();
    print(&format!("{receipt:#}\n"))?;
    Ok(receipt)
}

/// A server that answers each reading, on a port of the system's choice.
async fn start_server(dialect: Dialect) -> Result<(Address, JoinHandle<Result<()>>)> {
    let listener = net::listen(&Address::loopback(0)).await?;
    let address = local_address(&listener)?;
    let serving = tokio::spawn(async move {
        let (mut stream, peer) = listener
            .accept()
            .await
            .map_err(|source| Error::network("accept at", "the server", source))?;
        let failed = |source| Error::network("talk to", peer, source);
        let mut buffer = vec![0; 4096];
        // One read is one reading here because the sensor waits for each answer.
        loop {
            let length = stream.read(&mut buffer).await.map_err(failed)?;
            if length == 0 {
                return Ok(());
            }
            stream.write_all(&dialect.answer(&buffer[..length])?).await.map_err(failed)?;
        }
    });
    Ok((address, serving))
}

async fn run_sensor(dialect: Dialect, server: &Address) -> Result<()> {
    let mut stream: TcpStream = net::connect(server).await?;
    let failed = |source| Error::network("talk to", server, source);
    let mut answer = vec![0; 4096];
    for event_id in 1..=READINGS {
        stream.write_all(&dialect.reading(event_id)?).await.map_err(failed)?;
        stream.read(&mut answer).await.map_err(failed)?;
        tokio::time::sleep(INTERVAL).await;
    }
    stream.shutdown().await.map_err(failed)?;
    stream.read(&mut answer).await.map_err(failed)?;
    Ok(())
}

fn local_address(listener: &TcpListener) -> Result<Address> {
    let address = listener.local_addr();
    Ok(address.map_err(|source| Error::network("listen on", "loopback", source))?.into())
}

async fn joined(task: JoinHandle<Result<()>>) -> Result<()> {
    task.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// Prints a line; a reader who has gone ends the demo.
fn print(line: &str) -> Result<()> {
    written(writeln!(anstream::stdout(), "{line}"))
}
