//! Where one message ends and the next begins, guessed from how canonical encoders write: known
//! fields in ascending order, singular ones once.

use super::MessageType;
use super::layout::Shape;
use super::scan::{self, Groups, Tag};
use crate::wire::Fault;

/// Finds message ends in a growing run of bytes, looking at each field once.
///
/// Positions count from the beginning of the pending bytes, which is where a message begins.
#[derive(Debug)]
pub struct Scanner {
    message: MessageType,
    /// Where the first field begins that is not whole yet, or the pending bytes end.
    at: usize,
    groups: Groups,
    /// The number of the last known field of the message; 0 before the first.
    last: u32,
    /// Where a chunk ended between two fields: the message goes on there only in ascending order.
    border: Option<usize>,
}

/// What a [`Scanner`] found.
#[derive(Debug)]
pub enum Found {
    /// All bytes belong to the pending message so far.
    More,
    /// A field is whole up to here; ask again.
    Field,
    /// The pending message ends here, before the end of the bytes.
    End(usize),
    /// No field begins where the last one ended.
    Broken(Fault),
}

impl Scanner {
    /// At the beginning of a message.
    pub fn new(message: &MessageType) -> Scanner {
        Scanner {
            message: message.clone(),
            at: 0,
            groups: Groups::default(),
            last: 0,
            border: None,
        }
    }

    /// Whether the fields are whole up to `length`, where the pending bytes end.
    pub fn is_between_fields(&self, length: usize) -> bool {
        self.at == length && self.groups.is_empty()
    }

    /// Says that a chunk ends where the pending bytes do, and that the message may go on in the next.
    pub fn chunk_ended(&mut self, length: usize) {
        if self.is_between_fields(length) {
            self.border = Some(length);
        }
    }

    /// Begins a message where the last one ended.
    pub fn restart(&mut self) {
        self.at = 0;
        self.groups = Groups::default();
        self.last = 0;
        self.border = None;
    }

    /// Looks at the next field of the pending bytes.
    pub fn next(&mut self, pending: &[u8]) -> Found {
        let tag = match scan::tag(pending, self.at) {
            Ok(Some(tag)) => tag,
            Ok(None) => return Found::More,
            Err(fault) => return self.broken(fault),
        };
        let outermost = self.groups.is_empty();
        let known = outermost.then(|| self.known(tag)).flatten();
        if outermost && self.at > 0 {
            let goes_on = match known {
                Some(singular) => tag.number > self.last || tag.number == self.last && !singular,
                // An unknown field never ends a message by itself, only where a chunk has ended.
                None => self.border != Some(self.at) || tag.number > self.last,
            };
            if !goes_on {
                return Found::End(self.at);
            }
        }
        let end = match scan::payload(pending, tag) {
            Ok(Some((_, end))) => end,
            Ok(None) => return Found::More,
            Err(fault) => return self.broken(fault),
        };
        if let Err(fault) = self.groups.pass(tag, self.at) {
            return self.broken(fault);
        }
        if known.is_some() {
            self.last = tag.number;
        }
        self.at = end;
        self.border = None;
        Found::Field
    }

    /// Of a known field, whether it is singular.
    fn known(&self, tag: Tag) -> Option<bool> {
        let layout = self.message.layouts().at(0);
        let field = &layout.fields[layout.known(tag.number, tag.wire)?];
        // Encoders write extensions in any order: they say as little as unknown fields do.
        (!field.is_extension).then_some(field.shape == Shape::Singular)
    }

    /// What is no field ends the message before it, if a chunk had ended there; else it is part of it.
    fn broken(&self, fault: Fault) -> Found {
        match self.border {
            Some(border) if border == self.at && border > 0 => Found::End(border),
            _ => Found::Broken(fault),
        }
    }
}
