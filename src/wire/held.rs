//! The bytes of a message that is not whole yet.

use std::ops::Deref;

use super::Settings;
use super::pool::Claim;

/// Room for so little is not counted: it is less than the connection itself takes.
const UNCOUNTED: usize = 256;
/// Room is taken in steps of so much, and so much is kept when nothing is held.
const STEP: usize = 4096;

/// Bytes whose room is claimed from the settings' pool.
///
/// Invariant: what there is room for beyond [`UNCOUNTED`] is claimed.
#[derive(Debug, Default)]
pub(super) struct Held {
    bytes: Vec<u8>,
    /// `None` while a push is under way and the bytes are elsewhere.
    claim: Option<Claim>,
}

impl Held {
    /// None.
    pub(super) fn new(settings: &Settings) -> Held {
        Held { bytes: Vec::new(), claim: Some(Claim::new(&settings.pool, settings.process)) }
    }

    /// Makes room for so many bytes more, if the pool has it.
    pub(super) fn make_room(&mut self, more: usize) -> bool {
        let needed = self.bytes.len() + more;
        if needed <= self.bytes.capacity() {
            return true;
        }
        // More than is needed, so that many small chunks are not copied again and again.
        let ample = match needed.max(2 * self.bytes.capacity()) {
            // A connection that says little takes little: there may be a million of them.
            little @ ..=UNCOUNTED => little.next_power_of_two(),
            more => more.next_multiple_of(STEP),
        };
        let room = [ample, needed + needed / 8].into_iter().find(|room| self.claim(*room));
        if let Some(room) = room {
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        room.is_some()
    }

    /// Adds bytes for which there is room.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the first bytes away.
    pub(super) fn consume(&mut self, count: usize) {
        self.bytes.drain(..count);
        if self.bytes.capacity() > STEP && self.bytes.len() < self.bytes.capacity() / 4 {
            self.bytes.shrink_to(STEP);
            self.claim(self.bytes.capacity());
        }
    }

    /// Takes all away.
    pub(super) fn clear(&mut self) {
        self.consume(self.bytes.len());
    }

    fn claim(&mut self, room: usize) -> bool {
        room <= UNCOUNTED || self.claim.as_mut().is_some_and(|claim| claim.set(room))
    }
}

impl Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}
