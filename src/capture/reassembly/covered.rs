//! Which positions are held, however many pieces hold them. Sans-I/O.

use std::collections::BTreeMap;

/// Intervals of positions, from where to where. They neither overlap nor touch: what is held without a
/// hole is one, so that it takes one step to pass it.
#[derive(Debug, Default)]
pub(super) struct Covered(BTreeMap<i64, i64>);

impl Covered {
    /// Adds what is from `from` to `to`. It takes a step for each interval that ends by it.
    pub(super) fn add(&mut self, mut from: i64, mut to: i64) {
        while let Some((&start, &end)) = self.0.range(..=to).next_back()
            && end >= from
        {
            self.0.remove(&start);
            (from, to) = (from.min(start), to.max(end));
        }
        self.0.insert(from, to);
    }

    /// What is not covered from `from` to `to`, in order.
    pub(super) fn lacking(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let mut lacking = Vec::new();
        let mut at = match self.0.range(..=from).next_back() {
            Some((_, &end)) => end.max(from),
            None => from,
        };
        for (&start, &end) in self.0.range(at..) {
            if start >= to {
                break;
            }
            lacking.push((at, start));
            at = end;
        }
        if at < to {
            lacking.push((at, to));
        }
        lacking
    }

    /// Removes everything before `position`, which is inside the first interval or at its end.
    pub(super) fn remove_before(&mut self, position: i64) {
        if let Some((_, end)) = self.0.pop_first()
            && end > position
        {
            self.0.insert(position, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Covered;

    #[test]
    fn what_is_held_without_a_hole_is_one_interval_in_whatever_order_it_came() {
        let mut covered = Covered::default();
        for even in (0..1_000).step_by(2) {
            covered.add(even, even + 1);
        }
        assert_eq!(covered.0.len(), 500);
        for odd in (1..1_000).step_by(2) {
            covered.add(odd, odd + 1);
        }
        assert_eq!(covered.0.into_iter().collect::<Vec<_>>(), [(0, 1_000)]);
    }

    #[test]
    fn what_is_lacking_is_what_no_interval_has() {
        let mut covered = Covered::default();
        covered.add(10, 20);
        covered.add(30, 40);
        assert_eq!(covered.lacking(0, 50), [(0, 10), (20, 30), (40, 50)]);
        assert_eq!(covered.lacking(15, 35), [(20, 30)]);
        assert_eq!(covered.lacking(20, 30), [(20, 30)]);
        assert_eq!(covered.lacking(12, 20), []);
        covered.add(15, 35);
        assert_eq!(covered.lacking(0, 50), [(0, 10), (40, 50)]);
        covered.remove_before(25);
        assert_eq!(covered.lacking(0, 50), [(0, 25), (40, 50)]);
        covered.remove_before(40);
        assert_eq!(covered.lacking(0, 50), [(0, 50)]);
    }
}
