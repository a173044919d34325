//! What operators do with a queue in memory.

use std::sync::atomic::Ordering;

use crate::store::queue::memory::MemoryQueue;
use crate::store::queue::{Position, Stored};

impl MemoryQueue {
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    pub(crate) fn pause(&self, pauses: bool) {
        self.is_paused.store(pauses, Ordering::Release);
    }

    /// The first items of a partition behind a position, whether somebody has read them or not.
    pub(crate) fn held(&self, partition: u32, after: Position, limit: usize) -> Vec<Stored> {
        self.with(partition, |partition| {
            let behind = partition.items.iter().filter(|held| held.stored.position > after);
            behind.take(limit).map(|held| held.stored.clone()).collect()
        })
    }

    /// Removes items of a partition for good; how many there were.
    pub(crate) fn remove(&self, partition: u32, items: &[Position]) -> u64 {
        self.with(partition, |partition| {
            let before = partition.items.len();
            partition.items.retain(|held| !items.contains(&held.stored.position));
            (before - partition.items.len()) as u64
        })
    }
}
