//! The recorded client.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use tokio::net::TcpListener;

use super::super::capture::Paths;
use super::super::net::{AddressArgument, Seconds};
use super::super::reassembly::ReassemblyArgument;
use super::super::selection::SelectionKeywords;
use super::super::service;
use super::super::wire::{LimitsArgument, Named, SchemaArgument, settings};
use super::arguments::{RateArgument, SpeedArgument, Spelled, ToleranceArgument, Word, either};
use super::playing::{Equality, Output, Playing, Time, What};
use super::receipt::Receipt;
use crate::load::Loaded;
use crate::net::{self, Address};
use crate::replay::{self as core, Carry, Compare, Options, Path as Place, Script, Speed};
use crate::session::Side;
use crate::wire::Settings;
use crate::{Error, Result};

/// Play the recorded client to the server at `to`; return what was done and found.
///
/// `path` is a capture, or several that are played as one. `speed` is how many times as fast as
/// recorded, or "max"; `rate`, instead, how many messages a second are sent, on all connections
/// together; `cap_idle` the longest time, in seconds, in which nothing happens. `patience` is how much
/// longer than recorded the server may take for anything, in seconds. `connection` is the number of the
/// one to play, or several; `port` and `host` are those of either end, `since` and `until` are about when
/// it opened, as for open. `serial` plays one after the other; `across_gaps` also those of which the
/// capture lacks bytes. `listen` is an address for the server to dial: the recording's other side of it
/// is played there.
///
/// Answers are compared by value where a format is given, or the capture says its own, else by bytes;
/// `compare` is "values", "bytes" or "none". `ignore` leaves out what a JSONPath selects, or every field
/// of a name; `tolerance` is {path: how far numbers may differ}; `unordered` the paths of lists in any
/// order; `carry` sends live values, as "server:$.token->client:$.token". `output` records a capture of
/// the replay itself.
///
/// A server that cannot be reached is a failure of the receipt. Raises OSError: FileExistsError for an
/// `output` that is there, unless `force`; CaptureError, FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (path, to, *, speed = SpeedArgument(Speed::RECORDED), rate = None, cap_idle = None, patience = Seconds(Options::PATIENCE), format = None, client_format = None, server_format = None, schema = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, connection = None, port = None, host = None, since = None, until = None, reassembly = ReassemblyArgument::default(), serial = false, across_gaps = false, compare = Word::default(), ignore = Spelled::default(), tolerance = ToleranceArgument::default(), unordered = Spelled::default(), carry = Spelled::default(), listen = None, output = None, force = false), text_signature = "(path, to, *, speed=1.0, rate=None, cap_idle=None, patience=5.0, format=None, client_format=None, server_format=None, schema=None, guess_window=0.005, limits=None, resync=False, connection=None, port=None, host=None, since=None, until=None, reassembly={}, serial=False, across_gaps=False, compare='values', ignore=(), tolerance=(), unordered=(), carry=(), listen=None, output=None, force=False)")]
#[expect(clippy::too_many_arguments)] // Each one a keyword of its own.
pub(in crate::python) fn replay(
    py: Python<'_>,
    path: Paths,
    to: AddressArgument,
    speed: SpeedArgument,
    rate: Option<RateArgument>,
    cap_idle: Option<Seconds>,
    patience: Seconds,
    format: Option<&str>,
    client_format: Option<&str>,
    server_format: Option<&str>,
    schema: Option<SchemaArgument>,
    guess_window: Seconds,
    limits: Option<LimitsArgument>,
    resync: bool,
    connection: Option<Bound<'_, PyAny>>,
    port: Option<Bound<'_, PyAny>>,
    host: Option<Bound<'_, PyAny>>,
    since: Option<Bound<'_, PyAny>>,
    until: Option<Bound<'_, PyAny>>,
    reassembly: ReassemblyArgument,
    serial: bool,
    across_gaps: bool,
    compare: Word<Compare>,
    ignore: Spelled<Place>,
    tolerance: ToleranceArgument,
    unordered: Spelled<Place>,
    carry: Spelled<Carry>,
    listen: Option<AddressArgument>,
    output: Option<PathBuf>,
    force: bool,
) -> PyResult<Receipt> {
    // Nobody could be told which port the system chose.
    if listen.as_ref().is_some_and(|listen| listen.0.port() == 0) {
        return Err(Error::Usage("listen needs a port of its own, not 0".to_owned()).into());
    }
    let to = to.0.dialled()?;
    either(("serial", serial), ("listen", listen.is_some()))?;
    let settings = settings(guess_window, limits, resync)?;
    let named = Named { format, client_format, server_format, schema };
    let selection = SelectionKeywords { connection, port, host, since, until };
    let what = What { path, named, settings, selection, reassembly, across_gaps };
    let time = Time { speed, rate, cap_idle, patience };
    let equality = Equality { compare, ignore, tolerance, unordered, carry };
    let mut playing = Playing::new(what, time, equality, Output { output, force })?;
    playing.options.serial = serial;
    let stop = playing.options.stop.clone();
    let receipt = service::run(py, &stop, move || {
        service::runtime()?.block_on(play(playing, &to, listen.map(|listen| listen.0)))
    })?;
    Ok(Receipt::from(receipt))
}

async fn play(playing: Playing, to: &Address, listen: Option<Address>) -> Result<core::Receipt> {
    let Loaded { script, formats, provenance } = playing.load(Side::Client)?;
    let parts = match &listen {
        Some(listen) => {
            let listener = net::listen(listen).await?;
            // Its own clients would be served: a recording verifies itself.
            net::refuse_loop(to, &listener).await?;
            Parts::Both(script.split(to.port(), listen.port())?, listener)
        }
        None => Parts::Clients(Arc::new(script)),
    };
    // The file last: bad usage or a port in use must not leave an empty capture behind.
    let (options, recording) = playing.options(formats.as_ref())?;
    let played = match parts {
        Parts::Both(scripts, listener) => {
            core::replay_between(scripts, to, listener, &options).await
        }
        Parts::Clients(script) => core::replay(script, to, &options).await,
    };
    recording.conclude(played, provenance)
}

/// What is played.
enum Parts {
    Clients(Arc<Script>),
    /// The clients of the server in the middle, and what it dials.
    Both((Script, Script), TcpListener),
}
