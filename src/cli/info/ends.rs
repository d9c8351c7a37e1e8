//! How connections ended: who did what, in order.

use crate::session::Side;

/// One thing that ended a connection, or a side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A side said that it sends no more.
    Closed(Side),
    /// A side aborted the connection.
    Reset(Side),
    /// The capture ended first.
    Open,
}

impl End {
    /// Who did it; nobody if the capture ended.
    pub(super) fn side(self) -> Option<Side> {
        match self {
            End::Closed(side) | End::Reset(side) => Some(side),
            End::Open => None,
        }
    }

    /// What it is called.
    pub(super) fn name(self) -> &'static str {
        match self {
            End::Closed(_) => "closed",
            End::Reset(_) => "reset",
            End::Open => "open",
        }
    }
}

/// All that ended a connection, in the order in which it happened.
#[derive(Debug, Default)]
pub(super) struct Ends(Vec<End>);

impl Ends {
    pub(super) fn push(&mut self, end: End) {
        self.0.push(end);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = End> {
        self.0.iter().copied()
    }

    /// Who was the first to close or to reset.
    pub(super) fn first(&self) -> Option<Side> {
        self.iter().find_map(End::side)
    }

    /// How the connection as a whole ended.
    pub(super) fn of_connection(&self) -> &'static str {
        let is_reset = self.iter().any(|end| matches!(end, End::Reset(_)));
        match Side::BOTH.map(|side| self.has_closed(side)) {
            _ if is_reset => "reset",
            [true, true] => "closed",
            [false, false] => "open",
            _ => "half-closed",
        }
    }

    /// How one side of it ended, in words; nothing of a side that only its peer's reset ended.
    pub(super) fn of_side(&self, side: Side) -> String {
        if self.of_connection() == "half-closed" {
            return if self.has_closed(side) { "half-closed" } else { "open" }.to_owned();
        }
        let own = self.0.iter().enumerate().filter(|(_, end)| end.side() == Some(side));
        let words: Vec<&str> = own
            .map(|(place, end)| match end {
                End::Closed(_) if place == 0 => "closed first",
                end => end.name(),
            })
            .collect();
        match words.as_slice() {
            [] if self.0.contains(&End::Open) => End::Open.name().to_owned(),
            words => words.join(", "),
        }
    }

    fn has_closed(&self, side: Side) -> bool {
        self.0.contains(&End::Closed(side))
    }
}

#[cfg(test)]
mod tests {
    use super::End::{Closed, Open, Reset};
    use super::Side::{Client, Server};
    use super::*;

    #[test]
    fn each_side_says_what_it_did_and_who_was_first() {
        for (ends, connection, client, server) in [
            (vec![Closed(Server), Closed(Client)], "closed", "closed", "closed first"),
            (vec![Closed(Client), Open], "half-closed", "half-closed", "open"),
            (vec![Open], "open", "open", "open"),
            (vec![Reset(Server)], "reset", "", "reset"),
            (vec![Closed(Client), Reset(Server)], "reset", "closed first", "reset"),
            (vec![Closed(Client), Reset(Client)], "reset", "closed first, reset", ""),
            (vec![], "open", "", ""),
        ] {
            let ends = Ends(ends);
            assert_eq!(ends.of_connection(), connection, "{ends:?}");
            assert_eq!([ends.of_side(Client), ends.of_side(Server)], [client, server], "{ends:?}");
        }
    }
}
