//! The counters of a queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::QueueSite;

/// What a queue has done so far in this process. Except for `partitions_owned`, counters only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStats {
    /// Name of the queue.
    pub queue: &'static str,
    /// Path of its function.
    pub function: &'static str,
    /// Items that were put into the queue.
    pub pushed: u64,
    /// Items that went directly to the sink because the store was not available.
    pub direct: u64,
    /// Pushes that were refused because the queue was full.
    pub full: u64,
    /// Pushes that failed for other reasons.
    pub failed: u64,
    /// Batches that the sink accepted.
    pub batches: u64,
    /// Items that the sink accepted.
    pub delivered: u64,
    /// Calls of the sink that failed.
    pub failures: u64,
    /// Items that became dead letters.
    pub dead_letters: u64,
    /// Partitions that were lost, to another worker or because the lease expired, while this process was working on
    /// them.
    pub partitions_lost: u64,
    /// Partitions that workers of this process own now.
    pub partitions_owned: u64,
}

/// How much a queue holds; returned by [`Queue::length`](super::Queue::length).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueLength {
    /// Items that no worker has read yet.
    pub waiting: u64,
    /// Items that a worker has read and not yet finished.
    pub pending: u64,
    /// Items that could not be delivered.
    pub dead_letters: u64,
    /// How long the oldest item has been in the queue, by the clocks of the process that pushed it and of the server.
    pub lag: Duration,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) pushed: AtomicU64,
    pub(super) direct: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) dead_letters: AtomicU64,
    pub(super) partitions_lost: AtomicU64,
    pub(super) partitions_owned: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self, site: &QueueSite) -> QueueStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        QueueStats {
            queue: site.name,
            function: site.function,
            pushed: read(&self.pushed),
            direct: read(&self.direct),
            full: read(&self.full),
            failed: read(&self.failed),
            batches: read(&self.batches),
            delivered: read(&self.delivered),
            failures: read(&self.failures),
            dead_letters: read(&self.dead_letters),
            partitions_lost: read(&self.partitions_lost),
            partitions_owned: read(&self.partitions_owned),
        }
    }
}

/// Counts one, or more.
pub(super) fn count(counter: &AtomicU64, how_many: usize) {
    counter.fetch_add(how_many as u64, Ordering::Relaxed);
}
