//! Capture files → events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::capture_file::{CaptureFile, Next, Packet};
use super::compression::Compression;
use super::counters::Counters;
use super::digest::Digest;
use super::identity::FileIdentity;
use super::magic;
use super::origin::Origin;
use super::reassembly::{Policy, Reached, Reassembler, Stamp};
use crate::session::{Frame, Sink, Timestamp};
use crate::{Error, Result};

/// A source that reads pcap or pcapng files: one, or several as one.
///
/// Packets of several are taken as `mergecap` does: the next one is always of the file whose next packet is
/// the earliest, and the order inside of a file is kept. So connections that a ring buffer split over
/// files, or whose directions were captured in two, are whole. A capture that wirespool recorded is
/// complete in itself: its connections never join another's.
///
/// Events come in the order in which the captures decide them. What stood behind a hole that is given
/// up keeps the time and frame of its own segment.
pub struct Reader {
    /// There is one at least.
    captures: Vec<CaptureFile>,
    /// Which files are not at their end, and when the next packet of each was. What has no time comes
    /// first, and so does all of a file that is alone: nothing is to wait for what comes after it.
    queue: BinaryHeap<Reverse<(Option<Timestamp>, usize)>>,
    reassembler: Reassembler,
    /// How many frames were read, of all files.
    place: u64,
    /// The first error that a file ended with; it is raised once the others are read.
    failed: Option<Error>,
    finished: bool,
}

impl Reader {
    /// Opens a capture file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be opened, [`Error::NotACapture`] if it is something else.
    pub fn open(path: &Path) -> Result<Reader> {
        Ok(Reader::of(CaptureFile::open(path, None)?))
    }

    /// Opens capture files, to be read as one.
    ///
    /// # Errors
    /// As [`open`](Reader::open); [`Error::Usage`] if there is none, and for a pipe that is given twice.
    pub fn open_all(paths: &[PathBuf]) -> Result<Reader> {
        FileIdentity::refuse_repeated_streams(paths)?;
        let readers: Vec<_> = paths.iter().map(|path| Reader::open(path)).collect::<Result<_>>()?;
        Reader::merged(readers)
    }

    /// Opens a capture file whose [digest](CaptureFile::digest) will be asked for.
    ///
    /// # Errors
    /// As [`open`](Reader::open).
    pub fn open_digested(path: &Path) -> Result<Reader> {
        Ok(Reader::of(CaptureFile::open(path, Some(Digest::default()))?))
    }

    /// Whether a file that begins so is a capture, or is compressed as a capture may be. Four bytes show it.
    pub fn recognises(beginning: &[u8]) -> bool {
        magic::is_capture(beginning) || Compression::of(beginning).is_some()
    }

    /// Opens a capture file that is still being written: at its end a [`step`](Reader::step) waits for more
    /// for a tenth of a second. `None` if too little of it is there to say what it is.
    ///
    /// # Errors
    /// As [`open`](Reader::open); a compressed file is none that can be followed. [`Error::Usage`] for a
    /// pipe or a device.
    pub fn follow(path: &Path) -> Result<Option<Reader>> {
        if path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(Error::Usage(format!(
                "{} is no file that grows; not followed, it is read as it comes",
                path.display()
            )));
        }
        Ok(CaptureFile::follow(path)?.map(Reader::of))
    }

    /// Reads a capture from anything; `name` is what errors call it. Where it comes from may be known
    /// only with its first packet, which is not waited for.
    ///
    /// # Errors
    /// As [`open`](Reader::open).
    pub fn from_stream(source: impl Read + Send + 'static, name: &Path) -> Result<Reader> {
        Ok(Reader::of(CaptureFile::from_stream(Box::new(source), name)?))
    }

    /// Reads as one what these would, of which none was begun. A capture from a network that is given
    /// again, by whatever name, is not read again.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is none.
    pub fn merged(readers: Vec<Reader>) -> Result<Reader> {
        let mut readers = readers.into_iter();
        let Some(mut all) = readers.next() else {
            return Err(Error::Usage("there is no capture to read".to_owned()));
        };
        all.captures.extend(readers.flat_map(|reader| reader.captures));
        if all.captures.len() == 1 {
            return Ok(all);
        }
        all.queue.clear();
        for capture in 0..all.captures.len() {
            let (before, others) = all.captures.split_at_mut(capture);
            let file = &mut others[0];
            file.compare(before);
            if file.is_read() {
                all.queue.push(Reverse((file.look_ahead(), capture)));
            }
        }
        Ok(all)
    }

    fn of(file: CaptureFile) -> Reader {
        Reader {
            captures: vec![file],
            queue: [Reverse((None, 0))].into(),
            reassembler: Reassembler::default(),
            place: 0,
            failed: None,
            finished: false,
        }
    }

    /// Puts connections together by `policy`. What was read before is forgotten.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Reader {
        Reader { reassembler: Reassembler::new(policy), ..self }
    }

    /// The captures that are read, in the order in which they were given: [`Frame::capture`] is a place
    /// in it.
    pub fn captures(&self) -> &[CaptureFile] {
        &self.captures
    }

    /// The file, as it was named; of several the first one.
    pub fn path(&self) -> &Path {
        self.captures[0].path()
    }

    /// Where the capture comes from; of several the first one.
    pub fn origin(&self) -> &Origin {
        self.captures[0].origin()
    }

    /// What was read so far, with the bounds that were reached; of several, of the first one.
    pub fn summary(&self) -> Counters {
        Counters { reached: self.reached(), ..self.captures[0].summary() }
    }

    /// Which bounds of its policy the reassembly reached, in all captures.
    pub fn reached(&self) -> Reached {
        self.reassembler.reached()
    }

    /// When the earliest of the captures' first packets was; reads up to it. `None` if there is none.
    pub fn began(&mut self) -> Option<Timestamp> {
        self.captures.iter_mut().filter_map(CaptureFile::began).min()
    }

    /// How many connections came into sight so far, in all captures.
    pub fn connections(&self) -> u64 {
        self.reassembler.opened()
    }

    /// Whether the next step finds what it reads in memory, instead of waiting for a file or a pipe.
    pub fn is_buffered(&self) -> bool {
        let next = self.queue.peek();
        next.is_none_or(|Reverse((_, capture))| self.captures[*capture].is_buffered())
    }

    /// [`CaptureFile::digest`] of each capture.
    ///
    /// # Errors
    /// [`Error::File`] when reading fails.
    pub fn digests(&mut self) -> Result<Vec<Option<String>>> {
        self.captures.iter_mut().map(CaptureFile::digest).collect()
    }

    /// Reads one packet, or what else stands next, and hands its events to `sink`. At the end come what was outstanding, and
    /// `false`.
    ///
    /// # Errors
    /// Those of `sink`; [`Error::File`] when reading fails; [`Error::Damaged`] where nothing after a
    /// place can be read, once everything before it and all that the other captures hold, with what was
    /// outstanding, went to `sink`.
    pub fn step(&mut self, sink: &mut dyn Sink) -> Result<bool> {
        let Some(mut next) = self.queue.peek_mut() else { return Ok(false) };
        let Reverse((_, capture)) = *next;
        let is_alone = self.captures.len() == 1;
        let file = &mut self.captures[capture];
        let found = file.next(|packet| {
            self.place += 1;
            let frame = Frame { place: self.place, capture, number: packet.number };
            let stamp = Stamp { at: packet.at, frame };
            let Packet { segment, said, made, parts, .. } = packet;
            let before = self.reassembler.opened();
            let taken = match made {
                Some(made) => {
                    let mut joining = parts.joining(made, sink);
                    self.reassembler.segment(stamp, segment, said, &mut joining)
                }
                None => self.reassembler.segment(stamp, segment, said, sink),
            };
            taken.map(|()| self.reassembler.opened() - before)
        });
        match found {
            Ok(Next::Packet(opened)) => file.count_connections(opened?),
            Ok(Next::Other) => {}
            Ok(Next::Waiting(now)) => now.map_or(Ok(()), |now| sink.tick(now))?,
            Ok(Next::End) => {
                PeekMut::pop(next);
                return self.ended(capture, None, sink);
            }
            Err(error) => {
                PeekMut::pop(next);
                return self.ended(capture, Some(error), sink);
            }
        }
        if !is_alone {
            *next = Reverse((file.look_ahead(), capture));
        }
        Ok(true)
    }

    /// One of the captures is at its end; whether there is more to read of the others.
    fn ended(&mut self, capture: usize, why: Option<Error>, sink: &mut dyn Sink) -> Result<bool> {
        let file = &mut self.captures[capture];
        file.finish(sink)?;
        match why {
            Some(error) if self.failed.is_some() => file.note_failure(&error),
            Some(error) => self.failed = Some(error),
            None => {}
        }
        if !self.queue.is_empty() {
            return Ok(true);
        }
        self.finish(sink)?;
        self.failed.take().map_or(Ok(false), Err)
    }

    /// Reads all there is.
    ///
    /// # Errors
    /// As [`step`](Reader::step).
    pub fn read_all(&mut self, sink: &mut dyn Sink) -> Result<()> {
        while self.step(sink)? {}
        Ok(())
    }

    /// Ends as if the captures ended here: hands what is outstanding to `sink`.
    ///
    /// # Errors
    /// Those of `sink`.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if std::mem::replace(&mut self.finished, true) {
            return Ok(());
        }
        self.queue.clear();
        self.captures.iter_mut().try_for_each(|file| file.finish(sink))?;
        self.reassembler.finish(sink)
    }
}
