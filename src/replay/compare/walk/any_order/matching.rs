//! As many pairs as there are, where each element may be paired with several.

use std::collections::VecDeque;

/// Pairs each of so many on the left with one on the right that it is near to; as many as can be. Kuhn's
/// algorithm: one that finds all of its own taken lets another give way. It asks of no pair twice, and
/// of no more than it must.
pub(super) fn most_pairs(
    left: usize,
    right: usize,
    mut near: impl FnMut(usize, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut known: Vec<Option<bool>> = vec![None; left * right];
    let mut near = |one: usize, other: usize| {
        *known[one * right + other].get_or_insert_with(|| near(one, other))
    };
    let mut paired: Vec<Option<usize>> = vec![None; right];
    for begin in 0..left {
        // By which of the left each of the right was reached, and what that had before.
        let mut reached: Vec<Option<usize>> = vec![None; right];
        let mut had: Vec<Option<usize>> = vec![None; left];
        let mut waiting = VecDeque::from([begin]);
        let mut free = None;
        while let Some(one) = waiting.pop_front() {
            free = (0..right).find(|&place| paired[place].is_none() && near(one, place));
            if let Some(place) = free {
                reached[place] = Some(one);
                break;
            }
            for (place, owner) in paired.iter().enumerate() {
                if let Some(owner) = *owner
                    && reached[place].is_none()
                    && near(one, place)
                {
                    reached[place] = Some(one);
                    had[owner] = Some(place);
                    waiting.push_back(owner);
                }
            }
        }
        // Each on the way gives what it had to the one before it.
        while let Some(place) = free {
            paired[place] = reached[place];
            free = reached[place].and_then(|one| had[one]);
        }
    }
    let pairs = paired.into_iter().enumerate();
    pairs.filter_map(|(place, one)| Some((one?, place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_gives_way_where_that_makes_more_pairs() {
        let count = |near: &[Vec<usize>], right| {
            most_pairs(near.len(), right, |one, other| near[one].contains(&other)).len()
        };
        assert_eq!(count(&[vec![0, 1], vec![0]], 2), 2);
        // A chain in which all have to give way.
        let mut chain: Vec<Vec<usize>> = (0..100).map(|one| vec![one, one + 1]).collect();
        chain.push(vec![0]);
        assert_eq!(
            (count(&chain, 101), count(&chain[..100], 101), count(&chain[..99], 1)),
            (101, 100, 1)
        );
        assert_eq!(count(&[vec![], vec![]], 3), 0);
    }
}
