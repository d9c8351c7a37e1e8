//! Two captures.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::super::net::Seconds;
use super::super::reassembly::ReassemblyArgument;
use super::super::selection::SelectionKeywords;
use super::super::service;
use super::super::wire::{LimitsArgument, Named, SchemaArgument, settings};
use super::arguments::{Spelled, ToleranceArgument, Word};
use super::playing::{Equality, loading};
use super::receipt::Receipt;
use crate::net::Stop;
use crate::replay::{self as core, Compare, Path as Place};
use crate::wire::Settings;

/// Compare two captures, message by message; return what was found.
///
/// Connections are paired in the order in which they began, and what both sides said is compared as
/// replay compares answers; for the arguments see there. `first` says what is expected. A receipt of
/// nothing that was compared has failed. Raises OSError, CaptureError, FormatError, UsageError.
#[pyfunction]
#[pyo3(signature = (first, second, *, format = None, client_format = None, server_format = None, schema = None, guess_window = Seconds(Settings::GUESS_WINDOW), limits = None, resync = false, connection = None, port = None, host = None, since = None, until = None, reassembly = ReassemblyArgument::default(), compare = Word::default(), ignore = Spelled::default(), tolerance = ToleranceArgument::default(), unordered = Spelled::default()), text_signature = "(first, second, *, format=None, client_format=None, server_format=None, schema=None, guess_window=0.005, limits=None, resync=False, connection=None, port=None, host=None, since=None, until=None, reassembly={}, compare='values', ignore=(), tolerance=(), unordered=())")]
#[expect(clippy::too_many_arguments)] // Each one a keyword of its own.
pub(in crate::python) fn diff(
    py: Python<'_>,
    first: PathBuf,
    second: PathBuf,
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
    compare: Word<Compare>,
    ignore: Spelled<Place>,
    tolerance: ToleranceArgument,
    unordered: Spelled<Place>,
) -> PyResult<Receipt> {
    let carry = Spelled::default();
    let rules = Equality { compare, ignore, tolerance, unordered, carry }.rules()?;
    let named = Named { format, client_format, server_format, schema };
    let selection = SelectionKeywords { connection, port, host, since, until };
    let settings = settings(guess_window, limits, resync)?;
    let loading = loading(named, settings, &selection, reassembly)?;
    let receipt = service::run(py, &Stop::new(), move || {
        let (first, second) = loading.pair(first, second)?;
        let mut receipt = core::diff(&first.script, &second.script, &rules);
        first.provenance.stamp(&mut receipt);
        second.provenance.stamp(&mut receipt);
        Ok(receipt)
    })?;
    Ok(Receipt::from(receipt))
}
