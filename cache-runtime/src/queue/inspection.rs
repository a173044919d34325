//! What a queue holds, for operators.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::log::Log;
use super::{DeadLetter, Queue, QueueLength, payload};
use crate::error::Error;
use crate::store::queue::Buried;
use crate::store::{Deadline, StoreResult};

/// How long one question may take: nobody's request waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Dead letters that go back to the queue in one step, during which the server does nothing else.
const AT_ONCE: usize = 100;

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Returns the oldest dead letters of each partition, at most `limit` per partition.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter<T>>, Error> {
        let Some(log) = self.log() else { return Ok(Vec::new()) };
        let mut letters = Vec::new();
        for partition in 0..log.partitions(deadline()).await? {
            let buried = log.dead(partition, limit, deadline()).await?;
            letters.extend(buried.into_iter().map(|buried| letter(partition, buried)));
        }
        Ok(letters)
    }

    /// Puts all dead letters back at the end of the queue, with their original versions, and returns how many there
    /// were. To the sink they are new items, which come after items of the same keys that were delivered in the
    /// meantime: a guard by version refuses those that are outdated.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. Some may have been put back nevertheless.
    pub async fn redrive(&self) -> Result<u64, Error> {
        let Some(log) = self.log() else { return Ok(0) };
        let mut count = 0;
        for partition in 0..log.partitions(deadline()).await? {
            // Not those that come back while this goes on.
            let mut left = log.lengths(partition, deadline()).await?.dead;
            while left > 0 {
                let limit = usize::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE);
                let moved = log.redrive(partition, limit, deadline()).await?;
                if moved == 0 {
                    break;
                }
                count += moved;
                left = left.saturating_sub(moved);
            }
        }
        Ok(count)
    }

    /// Returns how much the queue holds, and how far its workers are behind.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    pub async fn length(&self) -> Result<QueueLength, Error> {
        let mut length = QueueLength::default();
        let Some(log) = self.log() else { return Ok(length) };
        for partition in 0..log.partitions(deadline()).await? {
            let part = log.lengths(partition, deadline()).await?;
            length.waiting += part.waiting;
            length.pending += part.pending;
            length.dead_letters += part.dead;
            length.lag = length.lag.max(part.lag);
        }
        Ok(length)
    }

    /// None: the cache has no store.
    fn log(&self) -> Option<Log> {
        let cache = self.definition.cache();
        cache.store()?;
        let shared = cache.queue(self.definition.site);
        Some(Log { cache, shared })
    }
}

impl Log {
    /// As many as there are, and as there ever were.
    async fn partitions(&self, by: Deadline) -> StoreResult<u32> {
        let own = self.shared.site.options.partitions;
        match self.redis() {
            Some(redis) => Ok(redis.queue_partitions(&self.shared.workers, by).await?.max(own)),
            None => Ok(own),
        }
    }
}

fn letter<T: DeserializeOwned>(partition: u32, buried: Buried) -> DeadLetter<T> {
    let Buried { stored, error, attempts } = buried;
    DeadLetter {
        item: stored.payload.as_deref().and_then(|item| payload::decode(item).ok()),
        key: stored.key,
        partition,
        position: stored.position,
        version: stored.stamp.version(),
        error,
        attempts,
    }
}

fn deadline() -> Deadline {
    Instant::now() + PATIENCE
}
