//! How much a queue holds, looked up now and then so that the counters can tell it at once.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::engine::background;
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::holdings::Holdings;
use crate::queue::partitions::Partitions;
use crate::queue::shared::QueueState;

/// The one who looks, until that has ended or was dropped.
struct Looking(Weak<QueueState>);

impl Drop for Looking {
    fn drop(&mut self) {
        if let Some(shared) = self.0.upgrade() {
            shared.gauge.end();
        }
    }
}

impl Partitions {
    /// What all partitions hold.
    pub(in crate::queue) async fn measure(&self) -> Result<QueueLength, Error> {
        let asked = Instant::now();
        let length = Holdings::from(self.clone()).length().await?;
        self.shared.gauge.note(length, asked);
        Ok(length)
    }

    /// Called for a snapshot of the counters, which waits for no server: what is in memory is
    /// looked at now, and what a server holds was looked at before.
    pub(in crate::queue) fn look_for_stats(&self) {
        if let Some(memory) = self.here() {
            let mut length = QueueLength { paused: memory.is_paused(), ..QueueLength::default() };
            (0..self.shared.site.options.partitions)
                .for_each(|at| memory.lengths(at).add_to(&mut length));
            self.shared.gauge.note(length, Instant::now());
        } else {
            self.look_now_and_then(Duration::ZERO);
        }
    }

    /// Looks after this time, and then again and again for as long as there are the cache and the
    /// runtime. Does nothing if somebody looks already: after the end of a runtime, the next one
    /// who uses the queue begins.
    pub(in crate::queue) fn look_now_and_then(&self, first: Duration) {
        if self.redis().is_none() || !self.shared.gauge.begin() {
            return;
        }
        let every = self.cache.settings().measure_queues;
        let cache = Arc::downgrade(&self.cache.clone().into_inner());
        let looking = Looking(Arc::downgrade(&self.shared));
        // Dropped without having run if there is no runtime.
        background::spawn(async move {
            sleep(first).await;
            while let Some((cache, shared)) = cache.upgrade().zip(looking.0.upgrade()) {
                let log = Self { cache: cache.into(), shared };
                // The figures stay, and their age tells that there was no answer.
                _ = log.measure().await;
                log.register().await;
                drop(log);
                sleep(every).await;
            }
        });
    }
}
