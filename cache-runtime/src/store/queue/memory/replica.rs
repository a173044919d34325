//! What tests look at and change in a queue in memory, and what a replica of it has.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::queue::memory::layout::Known;
use crate::store::queue::memory::{MemoryQueue, Partition, lock};
use crate::store::queue::{Position, Stored};
use crate::support::clock::wall_us;

impl MemoryQueue {
    /// How long the lease of a partition lasts, if somebody owns it.
    pub(crate) fn lease(&self, partition: u32) -> Option<Duration> {
        let left = |owner: &super::Owner| owner.until.checked_duration_since(Instant::now());
        self.with(partition, |partition| partition.owner.as_ref().and_then(left))
    }

    /// Whether a partition takes no items that were placed by a layout.
    pub(crate) fn refuses(&self, partition: u32, epoch: u64) -> bool {
        self.with(partition, |partition| partition.mark.refuses(epoch))
    }

    /// The microseconds of a partition's latest version.
    pub(crate) fn us(&self, partition: u32) -> u64 {
        self.with(partition, |partition| partition.us)
    }

    /// The lease of a partition has ended.
    pub(crate) fn expire(&self, partition: u32) {
        self.with(partition, |partition| partition.owner = None);
    }

    /// What a replica has when it is told everything now.
    pub(crate) fn copy(&self) -> Copy {
        Copy(lock(&self.partitions).clone(), lock(&self.workers).clone(), *lock(&self.known))
    }

    /// Goes on with what a replica has, in generations of its own.
    pub(crate) fn replace(&self, copy: Copy) {
        let Copy(mut partitions, workers, known) = copy;
        for partition in partitions.values_mut() {
            let generation = (wall_us() / 1000).max(partition.last.generation + 1);
            partition.last = Position { generation, number: 0 };
        }
        *lock(&self.partitions) = partitions;
        *lock(&self.workers) = workers;
        *lock(&self.known) = known;
    }
}

/// What a replica has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Copy(HashMap<u32, Partition>, HashMap<String, Instant>, Known);

impl Copy {
    pub(crate) fn items(&self) -> impl Iterator<Item = &Stored> {
        self.0.values().flat_map(|partition| partition.items.iter().map(|held| &held.stored))
    }

    pub(crate) fn dead(&self) -> impl Iterator<Item = &Stored> {
        self.0.values().flat_map(|partition| partition.dead.iter().map(|buried| &buried.stored))
    }
}
