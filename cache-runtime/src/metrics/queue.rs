//! The counters of a queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use crate::metrics::histogram::as_us;
use crate::metrics::list::queue_counters;
use crate::metrics::snapshot::Counter;

macro_rules! queue_stats {
    ($($(#[$doc:meta])* $field:ident => $metric:literal, $label:ident = $value:literal;)*) => {
        /// What a queue has done so far in this process. Except for `partitions_owned`, counters
        /// only grow. `length` is not of this process: it is what the queue holds for all of them.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub struct QueueStats {
            /// Name of the queue.
            pub queue: &'static str,
            /// Path of its function.
            pub function: &'static str,
            $(
                $(#[$doc])*
                #[doc = concat!(
                    "\n\nExported as \
                        `", $metric, "` with \
                        `", stringify!($label), "` = \
                        `", $value, "`."
                )]
                pub $field: u64,
            )*
            /// Partitions that workers of this process own now.
            pub partitions_owned: u64,
            /// How much the queue holds and how far its workers are behind, in all processes
            /// together: of several processes that report it take any one or the greatest, never
            /// the sum.
            ///
            /// A process that uses the queue looks in the background, as often as
            /// [`measure_queues`](crate::CacheBuilder::measure_queues) says, and tells what it has
            /// seen last; in the embedded store, what it sees. `None` until it has looked once; for
            /// a queue that this process has neither pushed to nor run a worker of there are no
            /// counters at all, but
            /// [`Queue::length`](crate::queue::Queue::length).
            pub length: Option<MeasuredLength>,
        }

        /// The same while it is counted.
        #[derive(Debug, Default)]
        pub(crate) struct QueueCounters {
            $(pub(crate) $field: AtomicU64,)*
            pub(crate) partitions_owned: AtomicU64,
        }

        impl QueueCounters {
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
                    $($field: read(&self.$field),)*
                    partitions_owned: read(&self.partitions_owned),
                    length,
                }
            }
        }

        impl QueueStats {
            /// Every counter, with its metric.
            pub(super) fn counters(&self) -> impl Iterator<Item = Counter> + use<> {
                [$(Counter {
                    field: stringify!($field),
                    count: self.$field,
                    metric: $metric,
                    label: (stringify!($label), $value),
                }),*]
                .into_iter()
            }
        }
    };
}
queue_counters!(queue_stats);

/// How much a queue held when this process last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MeasuredLength {
    /// What it held.
    #[serde(flatten)]
    pub length: QueueLength,
    /// How long ago that was. Much more than
    /// [`measure_queues`](crate::CacheBuilder::measure_queues) means that the server does not
    /// answer.
    /// Serialized as microseconds, `age_us`.
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
    /// How long the oldest item has been in the queue, or back in it if it was a dead letter, by
    /// the server's clock: the clocks of the processes that push are of no account. Serialized as
    /// microseconds, `lag_us`.
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

/// Counts one, or more.
pub(crate) fn count(counter: &AtomicU64, how_many: usize) {
    counter.fetch_add(how_many as u64, Ordering::Relaxed);
}
