//! When the steps of a script are due, where that is not when they were recorded.

use std::time::Duration;

use super::{Conversation, Script};
use crate::session::Side;

impl Script {
    /// Shortens every time in which nothing happened on any connection to at most `most`.
    pub fn cap_idle(&mut self, most: Duration) {
        let mut times: Vec<Duration> = self.conversations.iter().flat_map(times).collect();
        times.sort_unstable();
        times.dedup();
        // For each time, how much earlier it is.
        let mut earlier = Vec::with_capacity(times.len());
        let (mut previous, mut saved) = (Duration::ZERO, Duration::ZERO);
        for &time in &times {
            saved += (time - previous).saturating_sub(most);
            previous = time;
            earlier.push(saved);
        }
        let capped = |time: Duration| match times.binary_search(&time) {
            Ok(place) => time - earlier[place],
            Err(_) => time,
        };
        for conversation in &mut self.conversations {
            conversation.due = capped(conversation.due);
            for step in &mut conversation.steps {
                step.due = capped(step.due);
            }
        }
    }

    /// Makes the messages of `side` due one after the other in the order of the recording, on all
    /// connections together, `interval` apart, the first one at once. What else happened is due
    /// with the message before it.
    pub fn space(&mut self, side: Side, interval: Duration) {
        let mut places = Vec::new();
        for (conversation, one) in self.conversations.iter().enumerate() {
            places.push((one.due, conversation, None));
            let steps = one.steps.iter().enumerate();
            places.extend(steps.map(|(step, one)| (one.due, conversation, Some(step))));
        }
        // Stable: what was recorded at one time stays in order.
        places.sort_by_key(|&(due, ..)| due);
        let (mut due, mut sent) = (Duration::ZERO, 0_u32);
        for (_, conversation, step) in places {
            let conversation = &mut self.conversations[conversation];
            match step {
                None => conversation.due = due,
                Some(step) => {
                    let step = &mut conversation.steps[step];
                    if step.message_of(side).is_some() {
                        due = interval.saturating_mul(sent);
                        sent = sent.saturating_add(1);
                    }
                    step.due = due;
                }
            }
        }
    }
}

/// When everything of a conversation is due.
fn times(conversation: &Conversation) -> impl Iterator<Item = Duration> {
    std::iter::once(conversation.due).chain(conversation.steps.iter().map(|step| step.due))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{ConnectionId, Event, Kind, Sink, Start, Timestamp};
    use crate::wire::Format;

    const SECOND: Duration = Duration::from_secs(1);

    /// One connection per list; at each second given the client says something.
    fn script(connections: &[&[u64]]) -> Script {
        Script::read(Format::raw(), |sink: &mut dyn Sink| {
            for (number, seconds) in connections.iter().enumerate() {
                let connection = ConnectionId(number as u64);
                let address = ([127, 0, 0, 1], 1).into();
                let (client, server, start) = (address, address, Start::Seen);
                let open = Kind::Open { client, server, start, route: None };
                for (place, second) in seconds.iter().enumerate() {
                    let at = Timestamp::default() + SECOND * (*second as u32);
                    let said = Kind::Data { side: Side::Client, bytes: b"x" };
                    let kinds = if place == 0 { vec![open, said] } else { vec![said] };
                    for kind in kinds {
                        sink.event(&Event { at, connection, frame: None, kind })?;
                    }
                }
            }
            Ok(())
        })
        .unwrap()
    }

    fn dues(script: &Script) -> Vec<Vec<u64>> {
        let seconds = |one: &Conversation| times(one).map(|due| due.as_secs()).collect();
        script.conversations.iter().map(seconds).collect()
    }

    #[test]
    fn idle_time_is_cut_only_where_every_connection_is_idle() {
        let mut script = script(&[&[0, 100], &[40, 41]]);
        script.cap_idle(2 * SECOND);
        assert_eq!(dues(&script), [vec![0, 0, 5], vec![2, 2, 3]]);
        assert_eq!(script.conversations[0].steps[1].at, 100 * SECOND, "as recorded");
    }

    #[test]
    fn a_rate_spaces_the_messages_of_all_connections_together() {
        let mut script = script(&[&[0, 9], &[1, 5, 6]]);
        script.space(Side::Client, SECOND);
        assert_eq!(dues(&script), [vec![0, 0, 4], vec![0, 1, 2, 3]]);
    }
}
