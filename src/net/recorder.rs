//! Where all connections of a live source report what happens.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::Result;
use crate::session::{ConnectionId, Event, Kind, Route, Sink, Start, Timestamp};

/// Numbers connections, stamps events and passes them to the sink one at a time, so that the sink
/// sees times that never run backwards.
#[derive(Debug)]
pub struct Recorder<S> {
    state: Mutex<State<S>>,
    begun: (Timestamp, Instant),
}

#[derive(Debug)]
struct State<S> {
    sink: S,
    connections: u64,
    events: u64,
}

impl<S: Sink> Recorder<S> {
    /// Reports to `sink`.
    pub fn new(sink: S) -> Recorder<S> {
        let state = Mutex::new(State { sink, connections: 0, events: 0 });
        Recorder { state, begun: (Timestamp::now(), Instant::now()) }
    }

    /// A new connection, its handshake seen.
    ///
    /// # Errors
    /// What the sink says.
    pub fn open(
        &self,
        client: SocketAddr,
        server: SocketAddr,
        route: Route,
    ) -> Result<ConnectionId> {
        let mut state = self.lock();
        let connection = ConnectionId(state.connections);
        state.connections += 1;
        state.events += 1;
        let kind = Kind::Open { client, server, start: Start::Seen, route: Some(route) };
        let event = Event { at: self.now(), connection, frame: None, kind };
        state.sink.event(&event)?;
        Ok(connection)
    }

    /// Something happened on a connection, just now.
    ///
    /// # Errors
    /// What the sink says.
    pub fn event(&self, connection: ConnectionId, kind: Kind<'_>) -> Result<()> {
        let mut state = self.lock();
        state.events += 1;
        // Stamped under the lock: the order of stamps is the order in which the sink sees them.
        state.sink.event(&Event { at: self.now(), connection, frame: None, kind })
    }

    /// Tells the sink that time passes.
    ///
    /// # Errors
    /// What the sink says.
    pub fn tick(&self) -> Result<()> {
        let mut state = self.lock();
        state.sink.tick(self.now())
    }

    /// Brings what was recorded to where it survives us.
    ///
    /// # Errors
    /// What the sink says.
    pub fn flush(&self) -> Result<()> {
        self.lock().sink.flush()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> u64 {
        self.lock().connections
    }

    /// How much has happened: the number of events so far.
    pub fn events(&self) -> u64 {
        self.lock().events
    }

    /// Gives the sink back.
    pub fn into_sink(self) -> S {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).sink
    }

    /// The system's clock when the recording began, plus what a steady clock counted since: a step
    /// of the system's clock does not tear a session apart.
    fn now(&self) -> Timestamp {
        self.begun.0 + self.begun.1.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        // A sink that panicked is not used again by whoever panicked; the others may finish.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
