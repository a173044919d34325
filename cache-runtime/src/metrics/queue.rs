//! The counters of a queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Serialize, Serializer};

/// What a queue has done so far in this process. Except for `partitions_owned`, counters only grow. `length` is not of this
/// process: it is what the queue holds for all of them.
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
    /// Calls of the sink that blocked their thread for half of `lease` or longer; see
    /// [`writing_behind`](mod@crate::writing_behind#sinks-that-block).
    pub blocked: u64,
    /// Items that became dead letters.
    pub dead_letters: u64,
    /// Partitions that were lost, to another worker or because the lease expired, while this process was working on
    /// them.
    pub partitions_lost: u64,
    /// Partitions that workers of this process own now.
    pub partitions_owned: u64,
    /// How much the queue holds and how far its workers are behind, in all processes together: of several processes that
    /// report it take any one or the greatest, never the sum.
    ///
    /// A process looks every few seconds if it runs a worker of the queue, and else whenever it is asked for its
    /// counters, in the background, which is told the next time. `None` until it has looked once; for a queue that this
    /// process has neither pushed to nor run a worker of there are no counters at all, but
    /// [`Queue::length`](crate::queue::Queue::length).
    pub length: Option<MeasuredLength>,
}

/// How much a queue held when this process last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MeasuredLength {
    /// What it held.
    #[serde(flatten)]
    pub length: QueueLength,
    /// How long ago that was. More than some seconds mean that the server does not answer. Serialized as microseconds,
    /// `age_us`.
    #[serde(rename = "age_us", serialize_with = "as_us")]
    pub age: Duration,
}

/// How much a queue holds; returned by [`Queue::length`](crate::queue::Queue::length).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueLength {
    /// Items that no worker has read yet.
    pub waiting: u64,
    /// Items that a worker has read and not yet finished.
    pub pending: u64,
    /// Items that could not be delivered.
    pub dead_letters: u64,
    /// How long the oldest item has been in the queue, or back in it if it was a dead letter, by the server's clock: the
    /// clocks of the processes that push are of no account. Serialized as microseconds, `lag_us`.
    #[serde(rename = "lag_us", serialize_with = "as_us")]
    pub lag: Duration,
    /// It is [paused](crate::queue::Queue::pause).
    pub paused: bool,
}

impl QueueLength {
    /// Items on their way to the sink: those that wait and those that are pending.
    #[must_use]
    pub const fn depth(&self) -> u64 {
        self.waiting + self.pending
    }
}

fn as_us<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) pushed: AtomicU64,
    pub(crate) direct: AtomicU64,
    pub(crate) full: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) blocked: AtomicU64,
    pub(crate) dead_letters: AtomicU64,
    pub(crate) partitions_lost: AtomicU64,
    pub(crate) partitions_owned: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(
        &self,
        queue: &'static str,
        function: &'static str,
        length: Option<MeasuredLength>,
    ) -> QueueStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        QueueStats {
            queue,
            function,
            pushed: read(&self.pushed),
            direct: read(&self.direct),
            full: read(&self.full),
            failed: read(&self.failed),
            batches: read(&self.batches),
            delivered: read(&self.delivered),
            failures: read(&self.failures),
            blocked: read(&self.blocked),
            dead_letters: read(&self.dead_letters),
            partitions_lost: read(&self.partitions_lost),
            partitions_owned: read(&self.partitions_owned),
            length,
        }
    }
}

/// Counts one, or more.
pub(crate) fn count(counter: &AtomicU64, how_many: usize) {
    counter.fetch_add(how_many as u64, Ordering::Relaxed);
}
