//! How much a queue holds, looked up now and then so that the counters can tell it at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::background;
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::holdings::Holdings;
use crate::queue::partitions::Partitions;

/// The shortest time between two measurements that calls of `Cache::stats` cause.
const ASKED: Duration = Duration::from_secs(1);
/// How often a worker measures by itself, so that the first snapshot already has figures.
const UNASKED: Duration = Duration::from_secs(5);

/// The one who looks, until that has ended or was dropped.
struct Looking(Partitions);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.shared.gauge.end();
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

    /// Called for a snapshot of the counters, which may be a second old; older while the server
    /// does not answer.
    pub(in crate::queue) fn look_for_stats(&self) {
        if let Some(memory) = self.here() {
            let mut length = QueueLength { paused: memory.is_paused(), ..QueueLength::default() };
            (0..self.shared.site.options.partitions)
                .for_each(|at| memory.lengths(at).add_to(&mut length));
            self.shared.gauge.note(length, Instant::now());
        } else if self.redis().is_some() {
            self.look_if_older_than(ASKED);
        }
    }

    /// A worker goes round.
    pub(in crate::queue) fn look_now_and_then(&self) {
        if self.redis().is_some() {
            self.look_if_older_than(UNASKED);
        }
    }

    fn look_if_older_than(&self, age: Duration) {
        let gauge = &self.shared.gauge;
        if !gauge.is_older_than(age) || !gauge.begin() {
            return;
        }
        // Dropped without having run if there is no runtime, or if the runtime ends: then another
        // call may measure.
        let looking = Looking(Self { cache: self.cache.clone(), shared: Arc::clone(&self.shared) });
        background::spawn(async move {
            // The figures stay, and their age tells that there was no answer.
            _ = looking.0.measure().await;
            looking.0.register().await;
        });
    }
}
