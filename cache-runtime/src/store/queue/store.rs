//! The partitions of one queue, wherever its store keeps them.

use std::sync::Arc;

use crate::store::queue::embedded::{EmbeddedQueue, work};
use crate::store::queue::memory::MemoryQueue;
use crate::store::queue::redis::RedisQueue;
use crate::store::queue::{
    Buried, Claim, Crew, Death, Layout, Lengths, Overview, PartitionConnection, Position,
    QueueKeys, Step, Stored, Turned,
};
use crate::store::{Store, StoreResult};
use crate::support::budget::Deadline;

/// One queue of a store.
#[derive(Clone, Debug)]
pub(crate) enum QueueStore {
    Embedded(Arc<dyn EmbeddedQueue>),
    Redis(RedisQueue),
}

impl QueueStore {
    /// The queue of a store that has these keys. Without a store it is in memory.
    pub(crate) fn new(store: Option<&Store>, keys: QueueKeys) -> Self {
        let in_memory = || Self::Embedded(Arc::new(MemoryQueue::default()));
        store.map_or_else(in_memory, |store| store.queue(keys))
    }

    /// The server's, if there is one.
    pub(crate) fn redis(&self) -> Option<&RedisQueue> {
        match self {
            Self::Redis(queue) => Some(queue),
            Self::Embedded(_) => None,
        }
    }

    /// The queue itself, if it is in this process and nothing lies between: it ends with the
    /// process, and nobody else delivers what it holds.
    pub(crate) fn here(&self) -> Option<&MemoryQueue> {
        match self {
            Self::Embedded(queue) => queue.here(),
            Self::Redis(_) => None,
        }
    }

    /// Whether it is in this process.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.here().is_some()
    }

    /// Whether what it holds is to be delivered before this process ends.
    pub(crate) fn drains(&self) -> bool {
        self.here().is_some_and(|queue| !queue.is_paused())
    }

    pub(crate) async fn join(
        &self,
        claim: &Claim,
        partitions: u32,
        by: Deadline,
    ) -> StoreResult<Crew> {
        match self {
            Self::Redis(queue) => queue.join(claim, partitions, by).await,
            Self::Embedded(queue) => {
                let claim = claim.clone();
                work(&**queue, by, move |queue| queue.join(&claim, partitions)).await
            }
        }
    }

    pub(crate) async fn leave(&self, worker: &str, by: Deadline) -> StoreResult<()> {
        match self {
            Self::Redis(queue) => queue.leave(worker, by).await,
            Self::Embedded(queue) => {
                let worker = worker.to_owned();
                work(&**queue, by, move |queue| queue.leave(&worker)).await
            }
        }
    }

    /// Takes a partition, if nobody owns it.
    pub(crate) async fn take(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<bool> {
        match self {
            Self::Redis(queue) => queue.take(partition, claim, by).await,
            Self::Embedded(queue) => {
                let claim = claim.clone();
                work(&**queue, by, move |queue| queue.take(partition, &claim)).await
            }
        }
    }

    pub(crate) async fn give_back(
        &self,
        partition: u32,
        claim: &Claim,
        by: Deadline,
    ) -> StoreResult<()> {
        match self {
            Self::Redis(queue) => queue.give_back(partition, claim, by).await.map(drop),
            Self::Embedded(queue) => {
                let claim = claim.clone();
                work(&**queue, by, move |queue| queue.give_back(partition, &claim)).await
            }
        }
    }

    /// A way for the owner of a partition, on which it may block.
    pub(crate) async fn line(
        &self,
        partition: u32,
        by: Deadline,
    ) -> StoreResult<PartitionConnection> {
        Ok(match self {
            Self::Redis(queue) => {
                let lane = queue.keys().lane(partition);
                PartitionConnection::Redis(Arc::new(queue.line(&lane, by).await?), lane)
            }
            Self::Embedded(queue) => PartitionConnection::Embedded(Arc::clone(queue), partition),
        })
    }

    pub(crate) async fn lengths(&self, partition: u32, by: Deadline) -> StoreResult<Lengths> {
        match self {
            Self::Redis(queue) => queue.lengths(partition, by).await,
            Self::Embedded(queue) => work(&**queue, by, move |it| it.lengths(partition)).await,
        }
    }

    /// The oldest dead letters of those that died after one.
    pub(crate) async fn dead(
        &self,
        partition: u32,
        after: Death,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Buried>> {
        match self {
            Self::Redis(queue) => queue.dead(partition, after, limit, by).await,
            Self::Embedded(queue) => {
                work(&**queue, by, move |queue| queue.dead(partition, after, limit)).await
            }
        }
    }

    /// Puts the oldest dead letters that died between two moments, these among them, back; how
    /// many.
    pub(crate) async fn redrive(
        &self,
        partition: u32,
        between: (Death, Death),
        limit: usize,
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Redis(queue) => queue.redrive(partition, between, limit, by).await,
            Self::Embedded(queue) => {
                work(&**queue, by, move |queue| queue.redrive(partition, between, limit)).await
            }
        }
    }

    /// Removes dead letters for good; how many there were.
    pub(crate) async fn discard(
        &self,
        partition: u32,
        deaths: &[Death],
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Redis(queue) => queue.discard(partition, deaths, by).await,
            Self::Embedded(queue) => {
                let deaths = deaths.to_vec();
                work(&**queue, by, move |queue| queue.discard(partition, &deaths)).await
            }
        }
    }

    /// The first items of a partition behind a position, whether somebody has read them or not.
    pub(crate) async fn held(
        &self,
        partition: u32,
        after: Position,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Stored>> {
        match self {
            Self::Redis(queue) => queue.held(partition, after, limit, by).await,
            Self::Embedded(queue) => {
                work(&**queue, by, move |queue| queue.held(partition, after, limit)).await
            }
        }
    }

    /// Removes items of a partition for good; how many there were.
    pub(crate) async fn remove(
        &self,
        partition: u32,
        items: &[Position],
        by: Deadline,
    ) -> StoreResult<u64> {
        match self {
            Self::Redis(queue) => queue.remove(partition, items, by).await,
            Self::Embedded(queue) => {
                let items = items.to_vec();
                work(&**queue, by, move |queue| queue.remove(partition, &items)).await
            }
        }
    }

    /// Nothing is delivered from now on, or again.
    pub(crate) async fn pause(&self, pauses: bool, by: Deadline) -> StoreResult<()> {
        match self {
            Self::Redis(queue) => queue.pause(pauses, by).await,
            Self::Embedded(queue) => work(&**queue, by, move |queue| queue.pause(pauses)).await,
        }
    }

    /// What is known of the queue.
    pub(crate) async fn overview(&self, by: Deadline) -> StoreResult<Overview> {
        match self {
            Self::Redis(queue) => queue.overview(by).await,
            Self::Embedded(queue) => work(&**queue, by, MemoryQueue::overview).await,
        }
    }

    /// How many workers are alive.
    pub(crate) async fn workers(&self, by: Deadline) -> StoreResult<usize> {
        match self {
            Self::Redis(queue) => queue.workers(by).await,
            Self::Embedded(queue) => work(&**queue, by, MemoryQueue::count_workers).await,
        }
    }

    /// Makes partitions fewer, from `known` to `own`. False: there are not as many as `known`.
    pub(crate) async fn forget(&self, known: u32, own: u32, by: Deadline) -> StoreResult<bool> {
        match self {
            Self::Redis(queue) => queue.forget((known, own), by).await,
            Self::Embedded(queue) => work(&**queue, by, move |it| it.forget(known, own)).await,
        }
    }

    /// Takes a step to another layout, if nobody has gone further; what there is then.
    pub(crate) async fn relayout(&self, step: Step, by: Deadline) -> StoreResult<Layout> {
        match self {
            Self::Redis(queue) => queue.relayout(step, by).await,
            Self::Embedded(queue) => work(&**queue, by, move |queue| queue.relayout(step)).await,
        }
    }

    /// Turns a partition to a layout, unless it has a later one.
    pub(crate) async fn turn(
        &self,
        partition: u32,
        epoch: u64,
        by: Deadline,
    ) -> StoreResult<Turned> {
        match self {
            Self::Redis(queue) => queue.turn(partition, epoch, by).await,
            Self::Embedded(queue) => work(&**queue, by, move |it| it.turn(partition, epoch)).await,
        }
    }
}
