//! One call of the sink.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use crate::metrics::queue::count;
use crate::queue::sink::batch::{Batch, SinkReport};
use crate::queue::sink::error::SinkError;
use crate::queue::worker::delivery::Delivery;
use crate::queue::worker::partition::Lost;
use crate::support::log;

/// The calls of one worker's sink.
#[derive(Debug, Default)]
pub(in crate::queue) struct Calls {
    ended: AtomicU64,
    /// Items that the sink has now.
    items: AtomicUsize,
    /// The number of calls of the sink that have ended.
    taken: AtomicU64,
    /// It has asked for a position; it could not keep one, as it took the items or succeeded
    /// without asking.
    keeps_positions: AtomicBool,
    ignores_positions: AtomicBool,
}

impl Calls {
    /// Grows with each call that ends.
    pub(in crate::queue) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// Items that the sink has now.
    pub(in crate::queue) fn items(&self) -> usize {
        self.items.load(Ordering::Relaxed)
    }

    /// Grows with whatever the sink takes.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn count_taken(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the sink keeps no positions, for certain.
    pub(super) fn ignores_positions(&self) -> bool {
        self.ignores_positions.load(Ordering::Relaxed)
            && !self.keeps_positions.load(Ordering::Relaxed)
    }

    fn learn(&self, asked: &SinkReport, is_taken: bool) {
        if asked.position() {
            self.keeps_positions.store(true, Ordering::Relaxed);
        } else if is_taken || asked.items() {
            // It can no longer ask for it.
            self.ignores_positions.store(true, Ordering::Relaxed);
        }
    }

    fn begin(&self, items: usize) -> Begun<'_> {
        self.items.fetch_add(items, Ordering::Relaxed);
        Begun { calls: self, items }
    }
}

/// A call that is under way.
struct Begun<'a> {
    calls: &'a Calls,
    items: usize,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.calls.items.fetch_sub(self.items, Ordering::Relaxed);
        self.calls.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Delivery<T> {
    /// Hands a batch to the sink, and returns what that says of it.
    pub(super) async fn call(&mut self, batch: Batch<T>) -> Result<Result<(), SinkError>, Lost> {
        self.owner.assert().await?;
        let task = Arc::clone(&self.task);
        let limit = task.definition.site.options.sink_timeout;
        let _begun = task.calls.begin(batch.len());
        let (mut longest, asked) = (Duration::ZERO, batch.asked());
        let said = {
            let mut sink = pin!(task.sink.deliver(batch));
            let sink = poll_fn(|context| {
                let begin = Instant::now();
                let polled = sink.as_mut().poll(context);
                longest = longest.max(begin.elapsed());
                polled
            });
            let call = async {
                let Some(limit) = limit else { return sink.await };
                timeout(limit, sink).await.unwrap_or_else(|_| Err(SinkError::late(limit)))
            };
            self.owner.hold_for(limit, call).await
        };
        self.look_at(longest);
        task.calls.learn(&asked, matches!(said, Ok(Ok(()))));
        said
    }

    /// Logs and counts a sink that has blocked its thread for this long.
    fn look_at(&self, longest: Duration) {
        let shared = &self.owner.log.shared;
        let lease = shared.site.options.lease;
        if longest < lease / 2 {
            return;
        }
        count(&shared.counters.blocked, 1);
        if shared.is_first_block() {
            log::warn(format_args!(
                "queue {:?}: the sink has blocked its thread for {longest:.1?}, with a lease of \
                 {lease:?}. Nothing else runs on that thread meanwhile: let the sink do what \
                 blocks in `tokio::task::spawn_blocking`",
                shared.queue
            ));
        }
    }
}
