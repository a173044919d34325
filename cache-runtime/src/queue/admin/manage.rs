//! Queues as a whole: listed, paused, and emptied.

use std::sync::atomic::Ordering;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::engine::{Core, background};
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::deadline;
use crate::queue::admin::holdings::Holdings;
use crate::queue::partitions::Partitions;
use crate::queue::push::payload;
use crate::queue::worker::invalidate::{Fate, Leaving};
use crate::queue::{Queue, Queues};
use crate::store::queue::{Position, QueueKeys, Stored};
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
    /// How many workers it has now, in all processes. One that has crashed counts until its `lease`
    /// has ended.
    pub workers: usize,
    /// What it holds.
    pub length: QueueLength,
}

impl Core {
    /// All queues in the namespace of this cache, ordered by name.
    pub(crate) async fn queues(&self) -> Result<Vec<QueueSummary>, Error> {
        let names = match self.store().and_then(Store::redis) {
            None => Queues::of_cache(self).all().iter().map(|it| it.queue.to_owned()).collect(),
            Some(redis) => {
                let list = QueueKeys::list(self.settings().namespace.prefix());
                let names = redis.queues(&list, deadline()).await;
                let mut names = names.map_err(|error| self.explained(error))?;
                names.sort_unstable();
                names
            }
        };
        let mut queues = Vec::new();
        for queue in names {
            let Some(log) = Holdings::named(self, &queue) else { continue };
            let (partitions, length) = (log.partitions().await?, log.length().await?);
            let workers = log.asked(log.workers(deadline()).await)?;
            queues.push(QueueSummary { queue, partitions, workers, length });
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
        let Some(log) = self.holdings() else { return Ok(()) };
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
        let Some(log) = self.holdings() else { return Ok(()) };
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
        let holdings = Holdings::from(log.clone());
        let mut count = 0;
        for partition in 0..holdings.partitions().await? {
            // Not what comes while this goes on.
            let lengths = holdings.asked(holdings.lengths(partition, deadline()).await)?;
            let (mut left, mut after) = (lengths.waiting + lengths.pending, Position::default());
            while left > 0 {
                let limit = usize::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE);
                let items =
                    holdings.asked(holdings.held(partition, after, limit, deadline()).await)?;
                let Some(last) = items.last() else { break };
                after = last.position;
                left = left.saturating_sub(items.len() as u64);
                self.unput(&log, &items).await;
                let positions: Vec<_> = items.iter().map(|item| item.position).collect();
                count +=
                    holdings.asked(holdings.remove(partition, &positions, deadline()).await)?;
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
        let holdings = Holdings::from(log.clone());
        if !holdings.asked(log.shrink(own).await)? {
            return Ok(false);
        }
        let known = holdings.partitions().await?;
        for partition in own..known {
            let lengths = holdings.asked(holdings.lengths(partition, deadline()).await)?;
            if lengths.waiting + lengths.pending + lengths.dead > 0 {
                return Ok(false);
            }
        }
        Ok(known == own || holdings.asked(log.forget_partitions(known, deadline()).await)?)
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
            self.look_now_and_then(self.cache.settings().measure_queues);
        }
    }
}
