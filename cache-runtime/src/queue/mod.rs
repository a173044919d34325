//! Write-behind: pushed to a durable queue, delivered in batches.

mod backoff;
mod batch;
mod clock;
mod crew;
mod dead_letter;
mod definition;
mod delivery;
mod fold;
mod log;
mod owner;
mod payload;
mod position;
mod producer;
mod push;
mod puts;
mod settle;
mod shared;
mod sink;
mod site;
mod stats;
mod stop;
mod worker;

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::batch::{Batch, Versioned};
pub use self::dead_letter::DeadLetter;
use self::definition::Definition;
pub use self::definition::{QueueBuilder, queue};
pub use self::fold::{Fold, merge};
use self::log::Log;
pub use self::position::{ParsePositionError, Position};
pub use self::puts::{Place, Puts};
pub(crate) use self::shared::{Queues, Shared};
pub use self::sink::SinkResult;
pub use self::site::QueueSite;
pub use self::stats::{QueueLength, QueueStats};
pub use self::worker::{Worker, worker};
use crate::error::Error;
use crate::store::queue::Buried;

/// A queue of items that go to the database later. Cheap to clone.
pub struct Queue<T> {
    definition: Definition<T>,
}

impl<T> Queue<T> {
    fn new(definition: Definition<T>) -> Self {
        Self { definition }
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Puts an item into the queue; returns when Redis has it.
    pub async fn push(&self, item: T) -> Result<(), Error> {
        // Boxed, since it is large and whoever calls holds it.
        Box::pin(self.push_and_put(item, true)).await
    }

    /// The same, without waiting for room: [`ErrorKind::Full`](crate::ErrorKind::Full) at once.
    pub async fn try_push(&self, item: T) -> Result<(), Error> {
        Box::pin(self.push_and_put(item, false)).await
    }

    /// The oldest `limit` dead letters of each partition.
    pub async fn dead_letters(&self, limit: usize) -> Result<Vec<DeadLetter<T>>, Error> {
        let Some(log) = self.log() else { return Ok(Vec::new()) };
        let mut letters = Vec::new();
        for partition in 0..self.definition.site.options.partitions {
            for Buried { stored, error, attempts } in
                log.dead(partition, limit, log.cache.budget().deadline()).await?
            {
                letters.push(DeadLetter {
                    item: stored.payload.as_deref().and_then(|item| payload::decode(item).ok()),
                    key: stored.key,
                    partition,
                    position: stored.position,
                    version: stored.stamp.version(),
                    error,
                    attempts,
                });
            }
        }
        Ok(letters)
    }

    /// Puts all dead letters back at the end of the queue; how many there were.
    pub async fn redrive(&self) -> Result<u64, Error> {
        const AT_ONCE: usize = 100;
        let Some(log) = self.log() else { return Ok(0) };
        let mut count = 0;
        for partition in 0..self.definition.site.options.partitions {
            // Not those that come back while this goes on.
            let by = log.cache.budget().deadline();
            let mut left = log.lengths(partition, by).await?.dead;
            while left > 0 {
                let by = log.cache.budget().deadline();
                let limit = AT_ONCE.min(usize::try_from(left).unwrap_or(AT_ONCE));
                let moved = log.redrive(partition, limit, by).await?;
                if moved == 0 {
                    break;
                }
                count += moved;
                left = left.saturating_sub(moved);
            }
        }
        Ok(count)
    }

    /// How much the queue holds.
    pub async fn length(&self) -> Result<QueueLength, Error> {
        let mut length = QueueLength::default();
        let Some(log) = self.log() else { return Ok(length) };
        for partition in 0..self.definition.site.options.partitions {
            let part = log.lengths(partition, log.cache.budget().deadline()).await?;
            length.waiting += part.waiting;
            length.pending += part.pending;
            length.dead_letters += part.dead;
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

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { definition: self.definition.clone() }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.definition.fmt(f)
    }
}
