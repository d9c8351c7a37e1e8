//! What containers hold, all of it in one stretch of memory: no container has an allocation of its own.

use super::NodeId;

/// The elements of a list, tuple or set: a piece of their value, which [`Value::items`] shows.
///
/// [`Value::items`]: super::Value::items
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Items(Range);

/// The keys and values of a mapping: a piece of their value, which [`Value::entries`] shows.
///
/// [`Value::entries`]: super::Value::entries
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entries(Range);

impl Items {
    /// The first of them, at most so many.
    pub(in crate::wire) fn first(self, length: usize) -> Items {
        let length = (length as u32).min(self.0.length);
        Items(Range { length, ..self.0 })
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.0.length as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.length == 0
    }
}

impl Entries {
    /// The first of them, at most so many.
    pub(in crate::wire) fn first(self, length: usize) -> Entries {
        let length = (length as u32).min(self.0.length);
        Entries(Range { length, ..self.0 })
    }

    /// How many there are, each a key and a value.
    pub fn len(self) -> usize {
        self.0.length as usize
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.length == 0
    }
}

/// Invariant: `start + capacity` lies within the arena, `length` is at most `capacity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    length: u32,
    /// How many there may be before they have to move.
    capacity: u32,
}

/// What a [`Range`] is a range of.
pub(super) trait Element: Copy {
    type Handle: Copy;
    const UNUSED: Self;
    fn handle(range: Range) -> Self::Handle;
    fn range(handle: Self::Handle) -> Range;
}

impl Element for NodeId {
    type Handle = Items;
    const UNUSED: NodeId = NodeId::FIRST;

    fn handle(range: Range) -> Items {
        Items(range)
    }

    fn range(items: Items) -> Range {
        items.0
    }
}

impl Element for (NodeId, NodeId) {
    type Handle = Entries;
    const UNUSED: (NodeId, NodeId) = (NodeId::FIRST, NodeId::FIRST);

    fn handle(range: Range) -> Entries {
        Entries(range)
    }

    fn range(entries: Entries) -> Range {
        entries.0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Arena<T> {
    elements: Vec<T>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { elements: Vec::new() }
    }
}

impl<T: Element> Arena<T> {
    /// Makes room for so many elements.
    pub(super) fn reserve(&mut self, elements: usize) {
        self.elements.reserve_exact(elements);
    }

    /// How many elements it has, those that have moved away included.
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    #[inline]
    pub(super) fn slice(&self, handle: T::Handle) -> &[T] {
        let range = T::range(handle);
        &self.elements[range.start as usize..][..range.length as usize]
    }

    pub(super) fn slice_mut(&mut self, handle: T::Handle) -> &mut [T] {
        let range = T::range(handle);
        &mut self.elements[range.start as usize..][..range.length as usize]
    }

    /// # Panics
    /// Beyond 2^32 elements: decoders bound the number far below.
    #[inline]
    pub(super) fn store(&mut self, elements: impl ExactSizeIterator<Item = T>) -> T::Handle {
        let start = self.elements.len();
        self.elements.extend(elements);
        T::handle(self.range(start, self.elements.len()))
    }

    /// Adds to what `handle` names, which from now on is what is returned.
    ///
    /// # Panics
    /// As [`store`](Arena::store).
    #[inline]
    pub(super) fn append(
        &mut self,
        handle: T::Handle,
        more: impl ExactSizeIterator<Item = T>,
    ) -> T::Handle {
        let range = T::range(handle);
        if range.capacity == 0 {
            return self.store(more);
        }
        let end = (range.start + range.capacity) as usize;
        if range.length == range.capacity && end == self.elements.len() {
            // What was added last grows where it is.
            self.elements.extend(more);
            return T::handle(self.range(range.start as usize, self.elements.len()));
        }
        self.append_inside(range, more)
    }

    fn append_inside(&mut self, range: Range, more: impl ExactSizeIterator<Item = T>) -> T::Handle {
        let mut range = range;
        let (first, length) = (range.start as usize, range.length as usize);
        let total = length + more.len();
        if total > range.capacity as usize {
            let start = self.elements.len();
            self.elements.extend_from_within(first..first + length);
            // Room to grow by as much again, so that moving is rare.
            self.elements.resize(start + total + total / 2, T::UNUSED);
            range = self.range(start, self.elements.len());
        }
        let free = &mut self.elements[range.start as usize + length..];
        for (place, element) in free.iter_mut().zip(more) {
            *place = element;
        }
        T::handle(Range { length: total as u32, ..range })
    }

    fn range(&self, start: usize, end: usize) -> Range {
        let end = u32::try_from(end).expect("decoders bound the elements");
        let start = start as u32;
        Range { start, length: end - start, capacity: end - start }
    }
}
