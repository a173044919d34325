//! The batches that sinks receive.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::queue::sink::merge::Merge;
use crate::store::queue::Position;

/// Items of one partition, in the order in which they were pushed.
///
/// A sink that takes a `Vec` of items gets them merged by key. One that takes the batch can apply
/// each item **exactly once**, even where items are increments rather than whole values: it stores
/// [`position`](Self::position) in the same transaction as the rows, and uses
/// [`after`](Self::after) to skip items at or before the stored position. Then it does not matter
/// how often an item is delivered, or by whom.
#[derive(Debug)]
pub struct Batch<T> {
    queue: &'static str,
    partition: u32,
    /// Of the last item, or what was stored if that is later.
    position: Option<Position>,
    entries: Vec<BatchItem<T>>,
    merge: Merge<T>,
    asked: Arc<SinkReport>,
}

/// What a sink has asked its batch for.
#[derive(Debug, Default)]
pub(crate) struct SinkReport {
    /// The position, which it keeps.
    position: AtomicBool,
    /// The items, after which there is no asking for the position.
    items: AtomicBool,
    /// How many entries were dropped, as they were applied before.
    dropped: AtomicUsize,
}

impl SinkReport {
    pub(crate) fn position(&self) -> bool {
        self.position.load(Ordering::Relaxed)
    }

    pub(crate) fn items(&self) -> bool {
        self.items.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// An item, and when it was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Versioned<T> {
    /// The pushed item, or the result of merging the items of its key.
    pub item: T,
    /// Grows with every push of the same key: microseconds since 1970, never the same twice. It is
    /// made by the pushing process and the partition together, from clocks that never go back, so
    /// `UPDATE … WHERE version < $new` refuses an item that is older than the row.
    pub version: i64,
}

/// An item as it was pushed.
#[derive(Clone, Debug)]
pub(crate) struct BatchItem<T> {
    /// None where it is delivered past the queue.
    pub(crate) position: Option<Position>,
    pub(crate) key: String,
    pub(crate) version: i64,
    pub(crate) item: T,
}

impl<T> Batch<T> {
    /// Entries in the order of their positions.
    pub(crate) fn new(
        queue: &'static str,
        partition: u32,
        entries: Vec<BatchItem<T>>,
        merge: Merge<T>,
    ) -> Self {
        let position = entries.last().and_then(|entry| entry.position);
        let asked = Arc::default();
        Self { queue, partition, position, entries, merge, asked }
    }

    /// What the sink will have asked for.
    pub(crate) fn asked(&self) -> Arc<SinkReport> {
        Arc::clone(&self.asked)
    }

    /// The name of the queue.
    #[must_use]
    pub fn queue(&self) -> &'static str {
        self.queue
    }

    /// The number of the partition, from 0. All items of one key are in the same partition.
    #[must_use]
    pub fn partition(&self) -> u32 {
        self.partition
    }

    /// The position to store together with the effects of this batch. There is none if the item
    /// bypassed the queue because Redis was unavailable; then there is nothing to store.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        self.asked.position.store(true, Ordering::Relaxed);
        self.position
    }

    /// The number of items that the batch gives: as many as its iterator yields, merged by key.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.merge {
            Merge::All => self.entries.len(),
            Merge::Last | Merge::Fold(_) => {
                self.entries.iter().map(|entry| entry.key.as_str()).collect::<HashSet<_>>().len()
            }
        }
    }

    /// The number of items as they were pushed, before they are merged.
    #[must_use]
    pub fn pushed(&self) -> usize {
        self.entries.len()
    }

    /// Whether the batch has no items, so there is nothing left to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Drops the items at or before `stored`, the position stored for this
    /// [`partition`](Self::partition) (`None` before the first batch). Items are merged only after
    /// this, so an item that was already applied is not added to a sum again.
    #[must_use]
    pub fn after(mut self, stored: impl Into<Option<Position>>) -> Self {
        self.asked.position.store(true, Ordering::Relaxed);
        if let (Some(stored), Some(last)) = (stored.into(), self.position) {
            let before = self.entries.len();
            self.entries.retain(|entry| entry.position.is_none_or(|at| at > stored));
            self.asked.dropped.fetch_add(before - self.entries.len(), Ordering::Relaxed);
            self.position = Some(last.max(stored));
        }
        self
    }

    /// The items, merged by key.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.into_iter().map(|versioned| versioned.item).collect()
    }

    fn merged(self) -> Vec<Versioned<T>> {
        self.asked.items.store(true, Ordering::Relaxed);
        let mut merged: Vec<Option<Versioned<T>>> = Vec::with_capacity(self.entries.len());
        let mut places: HashMap<String, usize> = HashMap::new();
        for BatchItem { key, version, item, .. } in self.entries {
            let newer = Versioned { item, version };
            if matches!(self.merge, Merge::All) {
                merged.push(Some(newer));
                continue;
            }
            let place = *places.entry(key).or_insert_with(|| {
                merged.push(None);
                merged.len() - 1
            });
            if let Some(slot) = merged.get_mut(place) {
                *slot = Some(match slot.take() {
                    Some(older) => self.merge.apply(older, newer),
                    None => newer,
                });
            }
        }
        merged.into_iter().flatten().collect()
    }
}

impl<T> IntoIterator for Batch<T> {
    type Item = Versioned<T>;
    type IntoIter = std::vec::IntoIter<Versioned<T>>;

    /// The items, merged by key, with their versions.
    fn into_iter(self) -> Self::IntoIter {
        self.merged().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl<T> Batch<T> {
        /// The items as they were pushed.
        pub(crate) fn items(&self) -> impl Iterator<Item = &T> {
            self.entries.iter().map(|entry| &entry.item)
        }
    }

    fn at(number: u64) -> Position {
        Position { generation: 1, number }
    }

    fn batch(merge: Merge<i32>) -> Batch<i32> {
        let pushed = [("a", 10, 1), ("b", 20, 2), ("a", 30, 4), ("a", 5, 8)];
        let entries = pushed.into_iter().zip(1..).map(|((key, version, item), number)| BatchItem {
            position: Some(at(number)),
            key: key.to_owned(),
            version,
            item,
        });
        Batch::new("numbers", 0, entries.collect(), merge)
    }

    #[test]
    fn the_last_of_a_key_counts_by_its_version() {
        let items: Vec<_> = batch(Merge::Last).into_iter().map(|v| (v.item, v.version)).collect();
        assert_eq!(items, [(4, 30), (2, 20)]);
    }

    #[test]
    fn all_of_a_key_are_kept_in_order() {
        assert_eq!(batch(Merge::All).into_items(), [1, 2, 4, 8]);
    }

    #[test]
    fn items_of_a_key_are_folded_after_the_cut() {
        let add = Merge::Fold(|a, b| a + b);
        assert_eq!(batch(add).into_items(), [13, 2]);
        let rest = batch(add).after(at(2));
        assert_eq!((rest.pushed(), rest.len(), rest.position()), (2, 1, Some(at(4))));
        assert_eq!(rest.into_items(), [12]);
    }

    #[test]
    fn the_length_is_that_of_what_a_batch_gives() {
        for merge in [Merge::Last, Merge::All, Merge::Fold(|a, b| a + b)] {
            let (length, pushed) = (batch(merge).len(), batch(merge).pushed());
            assert_eq!((batch(merge).into_items().len(), pushed), (length, 4));
        }
    }

    #[test]
    fn the_position_never_falls_behind_the_stored_one() {
        let rest = batch(Merge::All).after(at(9));
        assert!(rest.is_empty());
        assert_eq!(rest.position(), Some(at(9)));
        assert_eq!(batch(Merge::All).after(None).len(), 4);
    }
}
