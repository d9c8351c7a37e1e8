//! Plays the server of a script.

mod introduction;
mod meeting;
mod roster;
mod unmatched;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until};

use self::introduction::Beginnings;
use self::meeting::{Met, meet};
use self::roster::Roster;
use self::unmatched::{Strangers, said};
pub use self::unmatched::{Unmatched, UnmatchedClient};
use super::options::{Matching, Options, Serving};
use super::pace::{Pace, Speed, later};
use super::peer::Connected;
use super::players::{Players, flushed};
use super::receipt::Receipt;
use super::script::Script;
use crate::net::Stop;
use crate::session::Side;
use crate::{Error, Result};

/// How long to leave the system alone after it could not accept (no descriptors left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Plays the recorded server to whoever connects to `listener`; each client's clock starts when it
/// comes. Who is taken for which recorded connection, and what becomes of the others, the serving says.
/// Returns when every recorded connection has been played, unless more clients may come. Clients after
/// the first are waited for up to the patience beyond the recorded time, or beyond the last thing that
/// happened.
///
/// # Errors
/// What the sink says that takes the replay down, if there is one.
pub async fn serve(
    script: Arc<Script>,
    listener: TcpListener,
    options: &Options,
    serving: &Serving,
) -> Result<Receipt> {
    flushed(options, Server::new(script, options, serving).play(listener)).await
}

struct Server<'a> {
    options: &'a Options,
    serving: &'a Serving,
    players: Players,
    roster: Roster,
    beginnings: Arc<Beginnings>,
    /// Clients of whom it is not known yet who they are.
    meetings: JoinSet<Met>,
    /// Tells them that no recorded client speaks first any more.
    hurry: Stop,
    strangers: Strangers,
    /// When the recording began, on our clock.
    begun: Option<Instant>,
    /// When something last happened.
    last: Instant,
    /// How many clients have been taken for recorded ones.
    taken: u64,
    /// Why no more clients are accepted.
    closed: Option<String>,
    /// Why the last one could not be.
    not_accepted: Option<String>,
}

impl<'a> Server<'a> {
    fn new(script: Arc<Script>, options: &'a Options, serving: &'a Serving) -> Server<'a> {
        let mut players = Players::new(script.clone(), Side::Server, options);
        let mut places = Vec::new();
        for place in 0..script.conversations.len() {
            match players.refusal(place) {
                Some(refusal) => players.unplayed(place, refusal),
                None => places.push(place),
            }
        }
        let (beginnings, of_each) = match serving.matching {
            Matching::Content => Beginnings::of(&script, &places, &options.rules),
            // As if nobody spoke first, all are taken in turn.
            Matching::Order => (Beginnings::none(), vec![None; places.len()]),
        };
        Server {
            options,
            serving,
            players,
            roster: Roster::new(&places, &of_each, serving.repeat),
            beginnings: Arc::new(beginnings),
            meetings: JoinSet::new(),
            hurry: Stop::new(),
            strangers: Strangers::new(options),
            begun: None,
            last: Instant::now(),
            taken: 0,
            closed: None,
            not_accepted: None,
        }
    }

    async fn play(mut self, listener: TcpListener) -> Result<Receipt> {
        let mut is_stopped = false;
        if self.has_enough() {
            self.close("not played: none were asked for");
        }
        let mut listener = Some(listener);
        while !self.is_over() {
            if self.closed.is_some() {
                // Who comes now is refused by the system, and does not wait in vain.
                listener = None;
            }
            let deadline = self.deadline();
            tokio::select! {
                biased;
                () = self.options.stop.requested(), if !is_stopped => {
                    is_stopped = true;
                    self.close("stopped before a client came");
                    self.meetings.shutdown().await;
                }
                accepted = accept(listener.as_ref()) => match accepted {
                    Ok((stream, client)) => self.admit(stream, client)?,
                    Err(error) => {
                        self.not_accepted(error);
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(met) = self.meetings.join_next() => match met {
                    Ok(met) => self.recognise(met)?,
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                ended = self.players.ended() => {
                    ended?;
                    self.last = Instant::now();
                }
                ended = self.strangers.ended() => ended?,
                () = self.serving.closing.requested(), if self.closed.is_none() => {
                    self.admit_waiting(listener.take())?;
                    self.close("no client came for it");
                }
                () = until(deadline) => self.give_up(),
            }
        }
        drop(listener);
        self.players.rest(self.closed.as_deref().unwrap_or("no client came for it"));
        Ok(self.players.receipt().await?.and_unmatched(self.strangers.into_unmatched()))
    }

    /// No more clients will come; those who have connected by now are in the system's queue, but the
    /// runtime may not know it yet.
    fn admit_waiting(&mut self, listener: Option<TcpListener>) -> Result<()> {
        let Some(Ok(listener)) = listener.map(TcpListener::into_std) else { return Ok(()) };
        while self.closed.is_none()
            && let Ok((stream, client)) = listener.accept()
        {
            let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
            match stream {
                Ok(stream) => self.admit(stream, client)?,
                Err(error) => self.not_accepted(error),
            }
        }
        Ok(())
    }

    fn not_accepted(&mut self, error: std::io::Error) {
        self.not_accepted = Some(Error::network("accept", "a client", error).to_string());
    }

    /// A client has come.
    fn admit(&mut self, stream: TcpStream, client: SocketAddr) -> Result<()> {
        let now = Instant::now();
        self.last = now;
        // Without the option small answers may wait for an acknowledgement; they still arrive.
        let _ = stream.set_nodelay(true);
        if self.roster.has_beginnings() {
            let (beginnings, hurry) = (self.beginnings.clone(), self.hurry.clone());
            self.meetings.spawn(meet(stream, client, beginnings, self.options.patience, hurry));
            return Ok(());
        }
        match self.roster.take_silent() {
            Some(place) => self.take(place, stream.into(), now),
            None => self.turn_away(
                stream.into(),
                client,
                "all that was recorded has been taken".into(),
            )?,
        }
        Ok(())
    }

    /// A client has introduced itself, or has not.
    fn recognise(&mut self, met: Met) -> Result<()> {
        self.last = Instant::now();
        if self.has_enough() {
            return Ok(()); // it came as one too many, and is refused like those who come now
        }
        let Met { connected, client, at, beginnings } = met;
        let heard = &connected.heard;
        let mut place = self.roster.take(&beginnings);
        if place.is_none() && !beginnings.is_empty() {
            // One that begins with other bytes may mean the same.
            place = self.roster.take(&self.beginnings.alike(heard));
        }
        if place.is_none() && (heard.is_empty() || !self.roster.has_beginnings()) {
            place = self.roster.take_silent();
        }
        match place {
            Some(place) => self.take(place, connected, at),
            None => {
                let reason = match beginnings.is_empty() {
                    true => format!("{}, as no recorded client did", said(heard)),
                    false => format!("{}, and all that began so have been taken", said(heard)),
                };
                self.turn_away(connected, client, reason)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, place: usize, connected: Connected, at: Instant) {
        let conversation = &self.players.script.conversations[place];
        let (opened, due) = (conversation.opened, conversation.due);
        self.begun.get_or_insert(at.checked_sub(opened).unwrap_or(at));
        let pace = Pace::new(at, self.options.speed).anchored(due, at);
        self.players.spawn(place, pace, async { Ok(connected) });
        if !self.roster.has_beginnings() {
            self.hurry.request();
        }
        self.taken += 1;
        if self.has_enough() {
            self.close(&format!("not played: only {} were asked for", self.taken));
        }
    }

    /// Whether as many clients have been taken as were asked for.
    fn has_enough(&self) -> bool {
        self.serving.connections.is_some_and(|asked| self.taken >= asked)
    }

    fn turn_away(
        &mut self,
        connected: Connected,
        client: SocketAddr,
        reason: String,
    ) -> Result<()> {
        self.strangers.admit(connected, client, reason, &self.serving.miss)
    }

    /// Accepts no more clients.
    fn close(&mut self, reason: &str) {
        self.closed.get_or_insert_with(|| reason.to_owned());
    }

    /// Nothing has happened for too long.
    fn give_up(&mut self) {
        let waited = self.last.elapsed().as_secs_f64();
        let reason = match self.not_accepted.take() {
            Some(failed) => failed,
            None => format!("stalled: no client came for it within {waited:.1} s"),
        };
        if self.closed.is_some() || self.all_played() {
            self.strangers.abandon();
        }
        self.close(&reason);
        self.last = Instant::now();
    }

    /// Whether nobody is being played, or about to be.
    fn is_idle(&self) -> bool {
        self.meetings.is_empty() && self.players.is_idle()
    }

    /// Whether there is nothing left to play, and nobody may come for it again.
    fn all_played(&self) -> bool {
        self.is_idle() && self.roster.is_empty() && !self.serving.stay
    }

    fn is_over(&self) -> bool {
        let played = self.is_idle() && self.closed.is_some() || self.all_played();
        played && self.strangers.is_idle()
    }

    /// How long is waited for the next thing to happen; without end if not given.
    fn deadline(&self) -> Option<Instant> {
        let patience = self.options.patience;
        if !self.is_idle() {
            return None;
        }
        if self.closed.is_some() || self.all_played() {
            // Whoever is passed on has had time enough.
            return Some(later(self.last, patience));
        }
        if self.begun.is_none() && self.strangers.closed() == 0 {
            return self.serving.wait.map(|wait| later(self.last, wait));
        }
        if self.serving.stay || self.serving.repeat {
            return None;
        }
        let next = self.roster.earliest().map(|place| &self.players.script.conversations[place]);
        let recorded = self
            .begun
            .zip(next)
            .map(|(begun, next)| Pace::new(begun, Speed::RECORDED).due(next.opened));
        Some(later(recorded.map_or(self.last, |recorded| recorded.max(self.last)), patience))
    }
}

/// The client that comes next; never returns without a listener.
async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline.into()).await,
        None => std::future::pending().await,
    }
}
