//! What a replica of a queue has, for the simulation of failovers.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::store::queue::memory::layout::Known;
use crate::store::queue::memory::{MemoryQueue, Partition, lock};
use crate::store::queue::{Position, Stored};
use crate::support::clock::wall_us;

impl MemoryQueue {
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
