//! How much memory connections take. Sans-I/O.

use super::connection::Connection;

/// What connections take, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// What is held behind holes.
    pub(super) held: usize,
    /// What is remembered of what was handed out.
    pub(super) remembered: usize,
}

impl Load {
    /// Counts what one connection takes now, in place of what was counted of it before.
    #[inline]
    pub(super) fn count(&mut self, connection: &mut Connection) -> Load {
        let now = Load { held: connection.holds(), remembered: connection.remembers() };
        if now != connection.counted {
            self.forget(connection);
            self.held += now.held;
            self.remembered += now.remembered;
            connection.counted = now;
        }
        now
    }

    /// Takes back what was counted of one connection.
    pub(super) fn forget(&mut self, connection: &Connection) {
        self.held -= connection.counted.held;
        self.remembered -= connection.counted.remembered;
    }
}
