//! Who dialled, where no SYN says so. Sans-I/O.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::capture::packet::{End, Segment};

/// How many ends are remembered, twice.
const REMEMBERED: usize = 32 << 10;

/// What the connections so far show about their ends.
#[derive(Debug, Default)]
pub(super) struct Roles {
    ends: HashMap<End, Evidence>,
    /// The same of earlier: what was not seen again since is forgotten next.
    earlier: HashMap<End, Evidence>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// A SYN went there, or it answered one.
    dialled: bool,
    /// How many connections it had whose roles no SYN shows.
    connections: u32,
}

impl Roles {
    /// Remembers an end that was dialled.
    pub(super) fn dialled(&mut self, server: End) {
        let known = self.evidence(server);
        if !known.dialled || !self.ends.contains_key(&server) {
            self.remember(server, Evidence { dialled: true, ..known });
        }
    }

    /// Whether the sender of a connection's first segment seems to have dialled: by the first of
    /// these that tells its ends apart.
    ///
    /// 1. What was dialled before, as a SYN showed, is a server.
    /// 2. A well-known port is a server's (RFC 6335, section 6).
    /// 3. What had other connections before is a server.
    /// 4. A port below the ephemeral ones is a server's (Linux begins at 32768).
    /// 5. Whoever is first seen to send something has dialled.
    pub(super) fn guess(&mut self, segment: &Segment<'_>) -> bool {
        let Segment { source, destination, .. } = *segment;
        let [own, peer] = [source, destination].map(|end| {
            let known = self.evidence(end);
            let connections = known.connections.saturating_add(1);
            self.remember(end, Evidence { connections, ..known });
            // What makes a server likely, the strongest first.
            (known.dialled, end.port < 1024, known.connections > 0, end.port < 32768)
        });
        match own.cmp(&peer) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => segment.length > 0 || segment.fin,
        }
    }

    fn evidence(&self, end: End) -> Evidence {
        self.ends.get(&end).or_else(|| self.earlier.get(&end)).copied().unwrap_or_default()
    }

    fn remember(&mut self, end: End, evidence: Evidence) {
        if self.ends.len() >= REMEMBERED {
            self.earlier = std::mem::take(&mut self.ends);
        }
        self.ends.insert(end, evidence);
    }
}
