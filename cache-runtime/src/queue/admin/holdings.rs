//! What partitions hold, wherever they are: for operators, who need not own them.

use crate::error::Error;
use crate::queue::partitions::{Log, remembered};
use crate::store::StoreResult;
use crate::store::queue::{Buried, Death, Lengths, Overview, Position, Stored};
use crate::support::budget::Deadline;

#[expect(clippy::single_match_else, reason = "one arm for each place")]
impl Log {
    pub(crate) async fn lengths(&self, partition: u32, by: Deadline) -> StoreResult<Lengths> {
        match self.redis() {
            Some(redis) => redis.queue_lengths(&self.shared.lane(partition), by).await,
            None => remembered!(self, by, [] queue => queue.lengths(partition)),
        }
    }

    /// The oldest dead letters of those that died after one.
    pub(crate) async fn dead(
        &self,
        partition: u32,
        after: Death,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Buried>> {
        match self.redis() {
            Some(redis) => redis.queue_dead(&self.shared.lane(partition), after, limit, by).await,
            None => remembered!(self, by, [] queue => queue.dead(partition, after, limit)),
        }
    }

    /// Puts the oldest dead letters that died between two moments, these among them, back; how many.
    pub(crate) async fn redrive(
        &self,
        partition: u32,
        between: (Death, Death),
        limit: usize,
        by: Deadline,
    ) -> StoreResult<u64> {
        let (from, to) = between;
        match self.redis() {
            Some(redis) => {
                redis.queue_redrive(&self.shared.lane(partition), between, limit, by).await
            }
            None => remembered!(self, by, [] queue => queue.redrive(partition, from, to, limit)),
        }
    }

    /// Removes dead letters for good; how many there were.
    pub(crate) async fn discard(
        &self,
        partition: u32,
        deaths: &[Death],
        by: Deadline,
    ) -> StoreResult<u64> {
        match self.redis() {
            Some(redis) => redis.queue_discard(&self.shared.lane(partition), deaths, by).await,
            None => remembered!(self, by, [deaths] queue => queue.discard(partition, deaths)),
        }
    }

    /// The first items of a partition behind a position, whether somebody has read them or not.
    pub(crate) async fn held(
        &self,
        partition: u32,
        after: Position,
        limit: usize,
        by: Deadline,
    ) -> StoreResult<Vec<Stored>> {
        match self.redis() {
            Some(redis) => redis.queue_held(&self.shared.lane(partition), after, limit, by).await,
            None => remembered!(self, by, [] queue => queue.held(partition, after, limit)),
        }
    }

    /// Removes items of a partition for good; how many there were.
    pub(crate) async fn remove(
        &self,
        partition: u32,
        items: &[Position],
        by: Deadline,
    ) -> StoreResult<u64> {
        match self.redis() {
            Some(redis) => redis.queue_remove(&self.shared.lane(partition), items, by).await,
            None => remembered!(self, by, [items] queue => queue.remove(partition, items)),
        }
    }

    /// Nothing is delivered from now on, or again.
    pub(crate) async fn pause(&self, pauses: bool, by: Deadline) -> StoreResult<()> {
        match self.redis() {
            Some(redis) => redis.queue_pause(&self.shared.workers, pauses, by).await,
            None => remembered!(self, by, [] queue => queue.pause(pauses)),
        }
    }

    /// What is known of the queue: at least as many partitions as this process knows of.
    pub(crate) async fn known(&self, by: Deadline) -> StoreResult<Overview> {
        let own = self.shared.site.options.partitions;
        let known = match self.redis() {
            Some(redis) => redis.queue_known(&self.shared.workers, by).await?,
            #[cfg(test)]
            None if self.faulty().is_some() => {
                let partitions = self.simulated_partitions(by).await?;
                Overview { partitions, is_paused: self.is_paused(by).await? }
            }
            None => Overview { partitions: own, is_paused: self.is_paused(by).await? },
        };
        Ok(Overview { partitions: known.partitions.max(own), ..known })
    }

    /// As many partitions as there are, and as there ever were.
    pub(crate) async fn partitions(&self, by: Deadline) -> StoreResult<u32> {
        Ok(self.known(by).await?.partitions)
    }

    /// There are as many partitions as this process knows of, if there are as many now as it was told. A memory never has more.
    pub(crate) async fn forget_partitions(&self, known: u32, by: Deadline) -> StoreResult<bool> {
        let own = self.shared.site.options.partitions;
        match self.redis() {
            Some(redis) => redis.queue_forget(&self.shared.workers, (known, own), by).await,
            #[cfg(test)]
            None if self.faulty().is_some() => {
                remembered!(self, by, [] queue => queue.forget(known, own))
            }
            None => Ok(true),
        }
    }

    #[cfg(test)]
    async fn simulated_partitions(&self, by: Deadline) -> StoreResult<u32> {
        remembered!(self, by, [] queue => queue.partitions())
    }

    async fn is_paused(&self, by: Deadline) -> StoreResult<bool> {
        match self.redis() {
            Some(redis) => Ok(redis.queue_known(&self.shared.workers, by).await?.is_paused),
            None => remembered!(self, by, [] queue => queue.is_paused()),
        }
    }

    /// What the store has answered.
    pub(in crate::queue) fn asked<T>(&self, answer: StoreResult<T>) -> Result<T, Error> {
        answer.map_err(|error| self.cache.explained(error))
    }
}
