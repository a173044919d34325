//! How long the server takes to answer, by what it was asked for.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::metrics::BreakerState;
use crate::metrics::histogram::{Buckets, Histogram};
use crate::metrics::names::names;

names! {
    /// What the store is asked for. Some of these are commands of Redis, others a script of ours.
    pub enum StoreOperation {
        /// Read a record.
        Get = "get",
        /// Read the server's clock.
        Now = "now",
        /// Get the stamp of a tag, or create it.
        CaptureStamp = "capture_stamp",
        /// Ask for a lease.
        Acquire = "acquire",
        /// Store a value under a lease.
        Fill = "fill",
        /// Replace a value by a newer one.
        Refresh = "refresh",
        /// Give a lease up.
        Release = "release",
        /// Prolong a lease.
        Renew = "renew",
        /// Put up a fence.
        Begin = "begin",
        /// Lift a fence, and store a value where that is sure to be the latest.
        End = "end",
        /// Invalidate a key.
        Invalidate = "invalidate",
        /// Make a value stale.
        MakeStale = "make_stale",
        /// Look at a key for an operator.
        Inspect = "inspect",
    }
}

names! {
    /// Why an operation that was sent has no result.
    pub enum StoreFailure {
        /// It was not answered in time.
        Timeout = "timeout",
        /// The connection was lost before the answer arrived.
        Lost = "lost",
        /// The server refused, or another node has the key.
        Refused = "refused",
    }
}

const OPERATIONS: usize = StoreOperation::ALL.len();
/// One for the operations that have a result, and one for each reason why others have none.
const RESULTS: usize = 1 + StoreFailure::ALL.len();

/// What one server was asked for.
#[derive(Debug)]
pub(crate) struct RoundTrips {
    each: [[Buckets; RESULTS]; OPERATIONS],
}

impl RoundTrips {
    pub(crate) fn new() -> Self {
        let each = [const { [const { Buckets::of_durations() }; RESULTS] }; OPERATIONS];
        Self { each }
    }

    /// Counts an operation that was sent. Many keys in one round trip are one operation.
    pub(crate) fn record(
        &self,
        operation: StoreOperation,
        failure: Option<StoreFailure>,
        took: Duration,
    ) {
        let result = failure.map_or(0, |failure| 1 + failure as usize);
        if let Some(buckets) = self.each.get(operation as usize).and_then(|it| it.get(result)) {
            buckets.took(took);
        }
    }

    pub(crate) fn snapshot(&self) -> Vec<OperationStats> {
        let results = [None].into_iter().chain(StoreFailure::ALL.map(Some));
        let each = StoreOperation::ALL.iter().zip(&self.each).flat_map(|(operation, buckets)| {
            results.clone().zip(buckets).map(|(error, buckets)| OperationStats {
                operation: *operation,
                error,
                duration: buckets.snapshot(),
            })
        });
        each.filter(|operation| operation.duration.count() > 0).collect()
    }
}

/// One server of the store, as this process has used it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ServerStats {
    /// Where it is, without credentials.
    pub address: String,
    /// Whether calls use it.
    pub breaker: BreakerState,
    /// Connections made to it so far, which calls have shared one after the other.
    pub connections: u64,
    /// What it was asked for, as far as it was.
    pub operations: Vec<OperationStats>,
}

/// Round trips of one kind to one server.
#[derive(Clone, Copy, Debug, Serialize)]
#[non_exhaustive]
pub struct OperationStats {
    /// What the server was asked for.
    pub operation: StoreOperation,
    /// Why there was no result; `None` if there was one.
    pub error: Option<StoreFailure>,
    /// How long that took, the wait for a turn included.
    pub duration: Histogram,
}
