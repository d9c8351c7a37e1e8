//! Which recorded connections are still to be played, and which of them comes next. Sans-I/O.

use std::collections::VecDeque;

/// Recorded connections that wait for clients.
pub(super) struct Roster {
    /// Those whose clients begin alike, in recorded order.
    groups: Vec<VecDeque<usize>>,
    /// Those whose clients wait to be spoken to, or say nothing.
    silent: VecDeque<usize>,
    /// Whether each may be taken any number of times.
    repeat: bool,
}

impl Roster {
    /// The connections at `places`, each with the number of its client's beginning, if it has one.
    pub(super) fn new(places: &[usize], beginnings: &[Option<usize>], repeat: bool) -> Roster {
        let (mut groups, mut silent) = (Vec::new(), VecDeque::new());
        for (&place, beginning) in places.iter().zip(beginnings) {
            match beginning {
                Some(number) => {
                    if groups.len() <= *number {
                        groups.resize_with(number + 1, VecDeque::new);
                    }
                    groups[*number].push_back(place);
                }
                None => silent.push_back(place),
            }
        }
        Roster { groups, silent, repeat }
    }

    /// Takes the first one whose client has one of these beginnings.
    pub(super) fn take(&mut self, beginnings: &[usize]) -> Option<usize> {
        let fronts = beginnings.iter().filter_map(|&number| {
            let place = self.groups.get(number)?.front()?;
            Some((*place, number))
        });
        let (_, number) = fronts.min()?;
        Roster::next(&mut self.groups[number], self.repeat)
    }

    /// Takes the first one whose client waits, or says nothing.
    pub(super) fn take_silent(&mut self) -> Option<usize> {
        Roster::next(&mut self.silent, self.repeat)
    }

    /// Whether a client may be expected to speak first.
    pub(super) fn has_beginnings(&self) -> bool {
        self.groups.iter().any(|group| !group.is_empty())
    }

    /// Whether all have been taken.
    pub(super) fn is_empty(&self) -> bool {
        self.silent.is_empty() && !self.has_beginnings()
    }

    /// The one that began first of those left.
    pub(super) fn earliest(&self) -> Option<usize> {
        self.groups.iter().chain([&self.silent]).filter_map(VecDeque::front).min().copied()
    }

    fn next(group: &mut VecDeque<usize>, repeat: bool) -> Option<usize> {
        let place = group.pop_front()?;
        if repeat {
            group.push_back(place);
        }
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [usize; 5] = [0, 1, 2, 4, 5];
    const BEGINNINGS: [Option<usize>; 5] = [Some(0), Some(1), Some(0), None, Some(1)];

    #[test]
    fn the_first_recorded_is_taken_first_and_each_once() {
        let mut roster = Roster::new(&PLACES, &BEGINNINGS, false);
        let taken = [[1, 1], [0, 1], [1, 0], [1, 1]].map(|numbers| roster.take(&numbers));
        assert_eq!(taken, [Some(1), Some(0), Some(2), Some(5)]);
        assert!(!roster.has_beginnings() && !roster.is_empty());
        assert_eq!((roster.earliest(), roster.take_silent()), (Some(4), Some(4)));
        assert!(roster.is_empty() && roster.take(&[0, 1, 7]).is_none());
    }

    #[test]
    fn what_may_be_repeated_is_taken_in_turn() {
        let mut roster = Roster::new(&PLACES, &BEGINNINGS, true);
        let taken = [0; 3].map(|number| roster.take(&[number]));
        assert_eq!(taken, [Some(0), Some(2), Some(0)]);
        assert_eq!([(); 2].map(|()| roster.take_silent()), [Some(4), Some(4)]);
    }
}
