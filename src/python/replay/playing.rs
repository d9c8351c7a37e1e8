//! What `replay` and `serve` share: how to play, and the capture of the replay itself.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::super::capture::Paths;
use super::super::net::Seconds;
use super::super::reassembly::ReassemblyArgument;
use super::super::selection::SelectionKeywords;
use super::super::wire::Named;
use super::arguments::{RateArgument, SpeedArgument, Spelled, ToleranceArgument, Word, either};
use crate::Result;
use crate::capture::{FileIdentity, SharedWriter, Writer, WriterOptions};
use crate::load::{Loaded, Loading, Provenance};
use crate::message::Formats;
use crate::net::Recorder;
use crate::replay::{Carry, Compare, Options, Path as Place, Receipt, Rules, Speed};
use crate::session::{Side, Sink};
use crate::wire::Settings;

/// What is played, how, and where it is recorded.
pub(super) struct Playing {
    pub(super) options: Options,
    paths: Vec<PathBuf>,
    loading: Loading,
    output: Output,
}

/// Which recording is played, and what of it.
pub(super) struct What<'a, 'py> {
    pub(super) path: Paths,
    pub(super) named: Named<'a>,
    pub(super) settings: Arc<Settings>,
    pub(super) selection: SelectionKeywords<'py>,
    pub(super) reassembly: ReassemblyArgument,
    pub(super) across_gaps: bool,
}

/// When to send, and how long to wait.
pub(super) struct Time {
    pub(super) speed: SpeedArgument,
    pub(super) rate: Option<RateArgument>,
    pub(super) cap_idle: Option<Seconds>,
    pub(super) patience: Seconds,
}

/// What counts as equal, and what is carried.
pub(super) struct Equality {
    pub(super) compare: Word<Compare>,
    pub(super) ignore: Spelled<Place>,
    pub(super) tolerance: ToleranceArgument,
    pub(super) unordered: Spelled<Place>,
    pub(super) carry: Spelled<Carry>,
}

impl Equality {
    /// The rules.
    ///
    /// # Errors
    /// UsageError for rules that do nothing.
    pub(super) fn rules(self) -> Result<Rules> {
        let rules = Rules {
            compare: self.compare.0,
            ignore: self.ignore.0,
            tolerance: self.tolerance.0,
            unordered: self.unordered.0,
            carry: self.carry.0,
        };
        rules.check()?;
        Ok(rules)
    }
}

/// What of captures is read, and as what.
pub(super) fn loading(
    named: Named<'_>,
    settings: Arc<Settings>,
    selection: &SelectionKeywords<'_>,
    reassembly: ReassemblyArgument,
) -> PyResult<Loading> {
    let choice = named.choice(settings, None)?;
    let (selection, policy) = (selection.selection()?, reassembly.0);
    Ok(Loading { choice, selection, policy, ..Loading::default() })
}

/// Where the replay itself is recorded, if anywhere.
pub(super) struct Output {
    pub(super) output: Option<PathBuf>,
    pub(super) force: bool,
}

impl Playing {
    /// What the arguments say.
    ///
    /// # Errors
    /// FormatError; UsageError for arguments that exclude each other, or do nothing.
    pub(super) fn new(
        what: What<'_, '_>,
        time: Time,
        equality: Equality,
        output: Output,
    ) -> PyResult<Playing> {
        let is_paced = time.speed.0 != Speed::RECORDED;
        either(("rate", time.rate.is_some()), ("speed", is_paced))?;
        either(("rate", time.rate.is_some()), ("cap_idle", time.cap_idle.is_some()))?;
        let rules = equality.rules()?;
        let loading = Loading {
            cap_idle: time.cap_idle.map(|most| most.0),
            interval: time.rate.map(|rate| rate.0),
            ..loading(what.named, what.settings, &what.selection, what.reassembly)?
        };
        let options = Options {
            speed: time.speed.0,
            patience: time.patience.0,
            rules,
            across_gaps: what.across_gaps,
            ..Options::default()
        };
        Ok(Playing { options, paths: what.path.0, loading, output })
    }

    /// Reads the captures; `ours` is the side that is played.
    pub(super) fn load(&self, ours: Side) -> Result<Loaded> {
        if let Some(output) = &self.output.output {
            FileIdentity::refuse_same(output, self.paths.iter().map(PathBuf::as_path))?;
        }
        self.loading.load(&self.paths, ours)
    }

    /// How to play it; with the capture to complete afterwards, if one is written.
    pub(super) fn options(&self, formats: Option<&Formats>) -> Result<(Options, Recording)> {
        let Some(path) = &self.output.output else {
            return Ok((self.options.clone(), Recording(None)));
        };
        let options = WriterOptions {
            force: self.output.force,
            format: formats.map(Formats::to_string),
            ..WriterOptions::default()
        };
        let writer = SharedWriter::new(Writer::create(path, options)?);
        let sink: Box<dyn Sink + Send> = Box::new(writer.clone());
        let record = Some(Arc::new(Recorder::new(sink)));
        Ok((Options { record, ..self.options.clone() }, Recording(Some(writer))))
    }
}

/// The capture of a replay, if one is written.
pub(super) struct Recording(Option<SharedWriter>);

impl Recording {
    /// Completes the capture, whatever the replay ended with, and the receipt.
    pub(super) fn conclude(
        self,
        played: Result<Receipt>,
        provenance: Provenance,
    ) -> Result<Receipt> {
        let writer = self.0.and_then(|shared| shared.take());
        let written = writer.map_or(Ok(()), |writer| writer.finish().map(|_| ()));
        let mut receipt = played?;
        written?;
        provenance.stamp(&mut receipt);
        Ok(receipt)
    }
}
