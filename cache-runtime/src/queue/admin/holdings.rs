//! A queue as operators see it: all of its partitions, which they need not own, by its name.

use std::ops::Deref;
use std::sync::Arc;

use crate::engine::Core;
use crate::error::Error;
use crate::metrics::QueueLength;
use crate::queue::admin::deadline;
use crate::queue::partitions::Partitions;
use crate::queue::shared::in_keys;
use crate::queue::{DeadLetterId, Queues};
use crate::store::queue::redis::RedisQueue;
use crate::store::queue::{Buried, Death, Overview, QueueKeys, QueueStore};
use crate::store::{Store, StoreResult};
use crate::support::budget::Deadline;

/// Dead letters that are read, put back or removed in one step, during which the server does
/// nothing else.
const AT_ONCE: usize = 100;
/// From the first death to the last.
const EVER: (Death, Death) = (Death { ms: 0, sequence: 0 }, Death::LAST);

/// What a queue holds.
#[derive(Clone, Debug)]
pub(crate) struct Holdings {
    cache: Core,
    store: QueueStore,
    /// As many partitions as this process knows of.
    own: u32,
}

impl Holdings {
    /// Those of a queue of this name. None: this process's memory has no such queue.
    pub(super) fn named(cache: &Core, queue: &str) -> Option<Self> {
        if let Some(redis) = cache.store().and_then(Store::redis) {
            let keys = QueueKeys::new(cache.settings().namespace.prefix(), &in_keys(queue));
            let store = QueueStore::Redis(RedisQueue::new(Arc::clone(redis), keys));
            return Some(Self { cache: cache.clone(), store, own: 0 });
        }
        let shared = Queues::of_cache(cache).all().into_iter().find(|it| it.queue == queue)?;
        Some(Partitions { cache: cache.clone(), shared }.into())
    }

    /// What is known of the queue: at least as many partitions as this process knows of.
    pub(super) async fn known(&self, by: Deadline) -> StoreResult<Overview> {
        let known = self.overview(by).await?;
        Ok(Overview { partitions: known.partitions.max(self.own), ..known })
    }

    /// As many partitions as there are, and as there ever were.
    pub(super) async fn partitions(&self) -> Result<u32, Error> {
        Ok(self.asked(self.known(deadline()).await)?.partitions)
    }

    /// How much all partitions hold.
    pub(super) async fn length(&self) -> Result<QueueLength, Error> {
        let Overview { partitions, is_paused } = self.asked(self.known(deadline()).await)?;
        let mut length = QueueLength { paused: is_paused, ..QueueLength::default() };
        for partition in 0..partitions {
            self.asked(self.lengths(partition, deadline()).await)?.add_to(&mut length);
        }
        Ok(length)
    }

    /// What the store has answered.
    pub(super) fn asked<T>(&self, answer: StoreResult<T>) -> Result<T, Error> {
        answer.map_err(|error| self.cache.explained(error))
    }

    /// Puts all dead letters back, and returns how many there were.
    pub(super) async fn redrive_all(&self) -> Result<u64, Error> {
        self.in_rounds(async |holdings, partition, limit| {
            holdings.redrive(partition, EVER, limit, deadline()).await
        })
        .await
    }

    /// Puts one dead letter back, if there is one of this id.
    pub(super) async fn redrive_one(&self, id: DeadLetterId) -> Result<bool, Error> {
        let between = (id.death(), id.death());
        Ok(self.asked(self.redrive(id.partition(), between, 1, deadline()).await)? > 0)
    }

    /// Removes one dead letter for good, if there is one of this id.
    pub(super) async fn discard_one(&self, id: DeadLetterId) -> Result<bool, Error> {
        Ok(self.asked(self.discard(id.partition(), &[id.death()], deadline()).await)? > 0)
    }

    /// Removes all dead letters for good, and returns how many there were.
    pub(super) async fn discard_all(&self) -> Result<u64, Error> {
        self.in_rounds(async |holdings, partition, limit| {
            let buried = holdings.dead(partition, Death::default(), limit, deadline()).await?;
            let deaths: Vec<_> = buried.iter().map(|buried| buried.death).collect();
            if deaths.is_empty() {
                Ok(0)
            } else {
                holdings.discard(partition, &deaths, deadline()).await
            }
        })
        .await
    }

    /// Does something to all dead letters that there are now, some at a time, and returns how many
    /// there were. Those that die meanwhile, or come back, are left alone. `some` is handed these
    /// holdings, as the future of a closure that has borrowed them is not `Send` in all places.
    async fn in_rounds(
        &self,
        some: impl AsyncFn(&Self, u32, usize) -> StoreResult<u64>,
    ) -> Result<u64, Error> {
        let mut count = 0;
        for partition in 0..self.partitions().await? {
            let mut left = self.asked(self.lengths(partition, deadline()).await)?.dead;
            while left > 0 {
                let limit = usize::try_from(left).unwrap_or(AT_ONCE).min(AT_ONCE);
                let done = self.asked(some(self, partition, limit).await)?;
                if done == 0 {
                    break;
                }
                count += done;
                left = left.saturating_sub(done);
            }
        }
        Ok(count)
    }

    /// One dead letter, if there is one of this id.
    pub(super) async fn buried_one(&self, id: DeadLetterId) -> Result<Option<Buried>, Error> {
        let before = id.death().before();
        let found = self.asked(self.dead(id.partition(), before, 1, deadline()).await)?;
        Ok(found.into_iter().find(|buried| buried.death == id.death()))
    }

    /// At most so many dead letters, each with its partition: those that come after a death in a
    /// partition, and those of later partitions.
    pub(super) async fn buried(
        &self,
        (first, after): (u32, Death),
        limit: usize,
    ) -> Result<Vec<(u32, Buried)>, Error> {
        let mut letters = Vec::new();
        for partition in first..self.partitions().await? {
            let after = if partition == first { after } else { Death::default() };
            let buried = self.dead_in_steps(partition, after, limit - letters.len()).await;
            letters.extend(self.asked(buried)?.into_iter().map(|buried| (partition, buried)));
            if letters.len() >= limit {
                break;
            }
        }
        Ok(letters)
    }

    /// As many as are wanted, a few at a time: one reply holds no more than these.
    async fn dead_in_steps(
        &self,
        partition: u32,
        mut after: Death,
        limit: usize,
    ) -> StoreResult<Vec<Buried>> {
        let mut all = Vec::new();
        while all.len() < limit {
            let wanted = AT_ONCE.min(limit - all.len());
            let buried = self.dead(partition, after, wanted, deadline()).await?;
            let is_all = buried.len() < wanted;
            all.extend(buried);
            match all.last() {
                Some(last) if !is_all => after = last.death,
                _ => break,
            }
        }
        Ok(all)
    }
}

impl From<Partitions> for Holdings {
    fn from(Partitions { cache, shared }: Partitions) -> Self {
        Self { cache, store: shared.store.clone(), own: shared.site.options.partitions }
    }
}

impl Deref for Holdings {
    type Target = QueueStore;

    fn deref(&self) -> &QueueStore {
        &self.store
    }
}
