//! Queues as a whole: listed, paused, and emptied.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Core, background};
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::deadline;
use crate::queue::partitions::Partitions;
use crate::queue::push::payload;
use crate::queue::shared::in_keys;
use crate::queue::worker::invalidate::{Fate, Leaving};
use crate::queue::{Queue, Queues};
use crate::store::queue::redis::RedisQueue;
use crate::store::queue::{Overview, Position, QueueKeys, Stored};
use crate::store::{Store, StoreError};

/// Items that are removed in one step, during which the server does nothing else.
const AT_ONCE: usize = 100;

/// A queue that some process has used; returned by [`Cache::queues`](crate::Cache::queues).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueSummary {
    /// Its name.
    pub queue: String,
    /// How many partitions it has, or has had.
    pub partitions: u32,
    /// What it holds.
    pub length: QueueLength,
}

impl Core {
    /// All queues in the namespace of this cache, ordered by name.
    pub(crate) async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        let mut queues = Vec::new();
        let Some(redis) = self.store().and_then(Store::redis) else {
            for shared in Queues::of_cache(self).all() {
                let log = Partitions { cache: self.clone(), shared };
                let (queue, length) = (log.shared.queue.to_owned(), log.measure().await?);
                let partitions = log.shared.site.options.partitions;
                queues.push(QueueSummary { queue, partitions, length });
            }
            return Ok(queues);
        };
        let namespace = self.settings().namespace.prefix();
        let mut names = redis.queues(&QueueKeys::list(namespace), deadline()).await?;
        names.sort_unstable();
        for queue in names {
            let keys = QueueKeys::new(namespace, &in_keys(&queue));
            let store = RedisQueue::new(Arc::clone(redis), keys);
            let Overview { partitions, is_paused } = store.overview(deadline()).await?;
            let mut length = QueueLength { paused: is_paused, ..QueueLength::default() };
            for partition in 0..partitions {
                store.lengths(partition, deadline()).await?.add_to(&mut length);
            }
            queues.push(QueueSummary { queue, partitions, length });
        }
        Ok(queues)
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Queue<T> {
    /// Pauses the queue, for all processes and until it is [resumed](Self::resume): workers end the
    /// batches that they have begun, which takes as long as the sink, and deliver nothing more from
    /// at most a fifth of a `lease` after that on. Items can still be pushed. While Redis is
    /// unavailable nobody knows of the pause, and items go directly to the sink as ever.
    ///
    /// [`QueueLength::paused`] tells, and so do the log and the counters. A paused queue in this
    /// process's memory is not emptied at the end of the process.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may be paused nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the queue may or may not be paused.
    pub async fn pause(&self) -> Result<(), Error> {
        let Some(log) = self.log() else { return Ok(()) };
        log.asked(log.pause(true, deadline()).await)
    }

    /// Ends a [pause](Self::pause): workers go on within a fifth of a `lease`.
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. It may be resumed nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the queue may or may not be resumed.
    pub async fn resume(&self) -> Result<(), Error> {
        let Some(log) = self.log() else { return Ok(()) };
        log.asked(log.pause(false, deadline()).await)
    }

    /// Removes all items for good that are in the queue now, and returns how many there were. What
    /// a sink has at this moment it may still write. Cache entries that the items had put are
    /// invalidated. Dead letters stay: see [`discard_all`](Self::discard_all).
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses. Some may have been removed nevertheless.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, some may have been removed.
    pub async fn purge(&self) -> Result<u64, Error> {
        let Some(log) = self.log() else { return Ok(0) };
        let mut count = 0;
        for partition in 0..log.asked(log.partitions(deadline()).await)? {
            // Not what comes while this goes on.
            let lengths = log.asked(log.lengths(partition, deadline()).await)?;
            let (mut left, mut after) = (lengths.waiting + lengths.pending, Position::default());
            while left > 0 {
                let limit = usize::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE);
                let items = log.asked(log.held(partition, after, limit, deadline()).await)?;
                let Some(last) = items.last() else { break };
                after = last.position;
                left = left.saturating_sub(items.len() as u64);
                self.unput(&log, &items).await;
                let positions: Vec<_> = items.iter().map(|item| item.position).collect();
                count += log.asked(log.remove(partition, &positions, deadline()).await)?;
            }
        }
        Ok(count)
    }

    /// Spreads items over no more partitions than this process knows of, in all processes, and lets
    /// workers forget those above once they are empty. Returns whether that is done. Else call it
    /// again later: items from before the change are left, which are delivered first so that those
    /// of a key keep their order, or one of the partitions holds a dead letter, or another process
    /// has made more partitions known meanwhile.
    ///
    /// A queue keeps its number of partitions when a deployment wants fewer. Call this once no
    /// worker runs any more that wants more, as it would change the number back. The guide says
    /// more of [that][changes].
    ///
    /// [changes]: mod@crate::guide::writing_behind#another-number-of-partitions
    ///
    /// # Errors
    ///
    /// If the store does not answer or refuses.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the change may have begun; then whoever pushes ends it. The
    /// partitions may or may not be forgotten.
    pub async fn shrink(&self) -> Result<bool, Error> {
        let Some(log) = self.log() else { return Ok(true) };
        let own = log.shared.site.options.partitions;
        if !log.asked(log.shrink(own).await)? {
            return Ok(false);
        }
        let known = log.asked(log.partitions(deadline()).await)?;
        for partition in own..known {
            let lengths = log.asked(log.lengths(partition, deadline()).await)?;
            if lengths.waiting + lengths.pending + lengths.dead > 0 {
                return Ok(false);
            }
        }
        Ok(known == own || log.asked(log.forget_partitions(known, deadline()).await)?)
    }

    /// Invalidates what items have put into the cache that the database will not get.
    async fn unput(&self, log: &Partitions, items: &[Stored]) {
        let Some(put) = self.definition.put else { return };
        let version = self.definition.site.options.version;
        let mut leaving = Leaving::new(put, Fate::Buried);
        for stored in items {
            let payload = stored.payload.as_deref();
            if let Some(item) = payload.and_then(|payload| payload::decode(payload, version).ok()) {
                leaving.add(&log.cache, &item, stored.stamp.version());
            }
        }
        leaving.settle(&log.cache).await;
    }
}

impl Partitions {
    /// Makes it known that there is this queue; again and again, as the server may lose it.
    pub(in crate::queue) async fn register(&self) {
        let Some(redis) = self.redis() else { return };
        let shared = &self.shared;
        let partitions = shared.site.options.partitions;
        let list = QueueKeys::list(self.cache.settings().namespace.prefix());
        let registered = redis.register(&list, shared.queue, partitions, deadline()).await;
        // A user who may not is not asked to with each push.
        let is_over = matches!(registered, Ok(()) | Err(StoreError::Refused(_)));
        shared.is_registered.store(is_over, Ordering::Release);
    }

    /// The same in the background, after this process's first push.
    pub(in crate::queue) fn register_first(&self) {
        if self.redis().is_some() && !self.shared.is_registered.swap(true, Ordering::AcqRel) {
            let log = self.clone();
            background::spawn(async move { log.register().await });
        }
    }
}
